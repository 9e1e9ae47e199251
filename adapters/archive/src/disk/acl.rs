//! POSIX access control lists in the text form that GNU tar and star use in PAX records.

use std::fmt::Write;

use super::owners::Owners;

/// The version of Linux's attribute format.
const VERSION: u32 = 2;

/// Formats the attribute `system.posix_acl_access` or `system.posix_acl_default` as text. Returns
/// `None` if it is invalid. Users and groups without a name are written as numbers.
pub(super) fn text(attribute: &[u8], owners: &Owners) -> Option<String> {
    let (version, entries) = attribute.split_first_chunk()?;
    if u32::from_le_bytes(*version) != VERSION {
        return None;
    }
    let (entries, []) = entries.as_chunks::<8>() else { return None };
    let mut text = String::new();
    for entry in entries {
        let [tag, tag_high, bits, _, id @ ..] = *entry;
        let id = u32::from_le_bytes(id);
        let (kind, name) = match u16::from_le_bytes([tag, tag_high]) {
            0x01 => ("user", None),
            0x02 => ("user", Some(owners.user(id))),
            0x04 => ("group", None),
            0x08 => ("group", Some(owners.group(id))),
            0x10 => ("mask", None),
            0x20 => ("other", None),
            _ => return None,
        };
        let name = name.map(|name| name.map_or_else(|| id.to_string(), str::to_owned));
        push(&mut text, kind, &name.unwrap_or_default(), u32::from(bits));
    }
    Some(text)
}

/// Formats the list that is equivalent to plain permissions.
pub(super) fn from_mode(mode: u32) -> String {
    let mut text = String::new();
    for (kind, bits) in [("user", mode >> 6), ("group", mode >> 3), ("other", mode)] {
        push(&mut text, kind, "", bits);
    }
    text
}

fn push(text: &mut String, kind: &str, name: &str, bits: u32) {
    let letter = |bit, letter| if bits & bit == 0 { '-' } else { letter };
    let (r, w, x) = (letter(4, 'r'), letter(2, 'w'), letter(1, 'x'));
    // Writing to a String can't fail.
    let _ = writeln!(text, "{kind}:{name}:{r}{w}{x}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_formatted_like_getfacl() {
        let attribute = b"\x02\0\0\0\
            \x01\0\x06\0\xff\xff\xff\xff\x02\0\x04\0\xff\xff\xff\x7f\x04\0\x04\0\xff\xff\xff\xff\
            \x08\0\x07\0\0\0\0\0\x10\0\x06\0\xff\xff\xff\xff\x20\0\0\0\xff\xff\xff\xff";
        let mut owners = Owners::default();
        owners.numeric = true;
        assert_eq!(
            text(attribute, &owners).as_deref(),
            Some(
                "user::rw-\nuser:2147483647:r--\ngroup::r--\ngroup:0:rwx\nmask::rw-\nother::---\n"
            )
        );
        let text = text(attribute, &Owners::default());
        assert!(text.is_some_and(|text| text.contains("group:root:rwx")));
        assert_eq!(from_mode(0o750), "user::rwx\ngroup::r-x\nother::---\n");
    }

    #[test]
    fn invalid_lists_are_none() {
        for attribute in
            [&b""[..], b"\x01\0\0\0", b"\x02\0\0\0\x01", b"\x02\0\0\0\x03\0\x06\0\0\0\0\0"]
        {
            assert_eq!(text(attribute, &Owners::default()), None);
        }
    }
}
