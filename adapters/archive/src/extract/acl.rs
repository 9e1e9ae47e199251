//! Encoding of POSIX access control lists, from the text in archives to the binary form of Linux.

use super::accounts::Accounts;

/// The extended attributes that hold them.
pub(super) const ACCESS: &str = "system.posix_acl_access";
pub(super) const DEFAULT: &str = "system.posix_acl_default";

const VERSION: u32 = 2;
const USER_OBJ: u16 = 1;
const USER: u16 = 2;
const GROUP_OBJ: u16 = 4;
const GROUP: u16 = 8;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;

/// Returns the value of the attribute; `None` if the text is invalid or names a user or group that
/// is unknown here.
///
/// Entries have the form `user:NAME:rwx`, with long or short keywords and an optional `:NUMBER` at
/// the end, as star and libarchive add it. They are separated by commas or newlines; `#` begins a
/// comment.
pub(super) fn encode(text: &[u8], accounts: &Accounts, numeric: bool) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let mut entries = Vec::new();
    for entry in text.split(['\n', ',']) {
        let entry =
            entry.split('#').next().unwrap_or_default().trim_matches([' ', '\t', '\0', '\r']);
        if !entry.is_empty() {
            entries.push(parse(entry, accounts, numeric)?);
        }
    }
    // Linux requires this order.
    entries.sort_unstable();
    entries.dedup_by_key(|(tag, id, _)| (*tag, *id));
    let mut value = VERSION.to_le_bytes().to_vec();
    for (tag, id, permissions) in entries {
        value.extend(tag.to_le_bytes());
        value.extend(permissions.to_le_bytes());
        value.extend(id.to_le_bytes());
    }
    Some(value)
}

fn parse(entry: &str, accounts: &Accounts, numeric: bool) -> Option<(u16, u32, u16)> {
    let mut fields = entry.split(':').map(str::trim);
    let (kind, mut name) = (fields.next()?, fields.next()?);
    let permissions = match fields.next() {
        Some(permissions) => permissions,
        // `mask:rwx` and `other:rwx`.
        None => std::mem::take(&mut name),
    };
    let number = fields.next().or(Some(name)).and_then(|number| number.parse().ok());
    let known =
        |by_name: Option<u32>| if numeric { number.or(by_name) } else { by_name.or(number) };
    let (tag, id) = match (kind, name) {
        ("user" | "u", "") => (USER_OBJ, u32::MAX),
        ("user" | "u", name) => (USER, known(accounts.user(name.as_bytes()))?),
        ("group" | "g", "") => (GROUP_OBJ, u32::MAX),
        ("group" | "g", name) => (GROUP, known(accounts.group(name.as_bytes()))?),
        ("mask" | "m", "") => (MASK, u32::MAX),
        ("other" | "o", "") => (OTHER, u32::MAX),
        _ => return None,
    };
    let bits = permissions.chars().try_fold(0, |bits, letter| {
        Some(
            bits | match letter {
                'r' => 4,
                'w' => 2,
                'x' => 1,
                '-' => 0,
                _ => return None,
            },
        )
    })?;
    Some((tag, id, bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_other_programs_are_understood() {
        let accounts = Accounts::default();
        let encode = |text: &str| encode(text.as_bytes(), &accounts, false);
        let long = encode("user::rw-,group::r--,mask::rw-,other::r--,user:1234:rw-")
            .expect("a valid list");
        assert_eq!(long.len(), 4 + 5 * 8);
        assert_eq!(long[..12], [2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255]);
        assert_eq!(long[12..20], [2, 0, 6, 0, 0xd2, 4, 0, 0]);
        let short = "u::rw-\nu:unknown-user:rw-:1234\ng::r--\nm:rw-\t#effective\no:r--\n";
        assert_eq!(encode(short).expect("a valid list"), long);
        for bad in ["user::rwz", "user:unknown-user:rwx", "king::rwx", "rwx"] {
            assert_eq!(encode(bad), None, "{bad}");
        }
    }
}
