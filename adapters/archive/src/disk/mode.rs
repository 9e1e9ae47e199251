//! Permission changes in the syntax of chmod and GNU tar's `--mode`.

use std::str::FromStr;

/// A change of permissions: octal (`644`) or symbolic (`go-w,u+X`). Without `u`, `g`, `o` or `a`,
/// the change applies to all users, regardless of the umask.
///
/// ```
/// use uadk_compress_archive::{ModeChange, TreeWriter};
///
/// let change: ModeChange = "go-w,u+X".parse()?;
/// assert_eq!(change.apply(0o666, false), 0o644);
/// assert_eq!(change.apply(0o677, true), 0o755);
/// let tree = TreeWriter::new().mode(Some(change));
/// # Ok::<(), uadk_compress_archive::BadMode>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModeChange {
    steps: Vec<Step>,
}

/// The error for an invalid change of permissions.
///
/// ```
/// use uadk_compress_archive::{BadMode, ModeChange};
///
/// match "rwxr-xr-x".parse::<ModeChange>() {
///     Ok(_) => panic!("neither octal nor symbolic"),
///     Err(error @ BadMode) => assert!(error.to_string().starts_with("invalid mode")),
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid mode: must be octal, such as 644, or symbolic, such as go-w,u+X")]
pub struct BadMode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    /// The bits that may change.
    who: u32,
    /// `+`, `-` or `=`.
    operator: u8,
    permissions: Permissions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Permissions {
    /// Bits, and those that apply only to directories and executable files (from `X`).
    Bits { always: u32, if_executable: u32 },
    /// The bits of the user, group or others, as their shift to the left.
    CopyOf(u32),
}

impl FromStr for ModeChange {
    type Err = BadMode;

    fn from_str(text: &str) -> Result<Self, BadMode> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            let bits = u32::from_str_radix(text, 8).map_err(|_| BadMode)?;
            if bits > 0o7777 {
                return Err(BadMode);
            }
            let permissions = Permissions::Bits { always: bits, if_executable: 0 };
            return Ok(Self { steps: vec![Step { who: 0o7777, operator: b'=', permissions }] });
        }
        let mut steps = Vec::new();
        for clause in text.split(',') {
            parse(clause.as_bytes(), &mut steps).ok_or(BadMode)?;
        }
        Ok(Self { steps })
    }
}

/// Parses one clause: the users, then one or more operators, each with its permissions.
fn parse(clause: &[u8], steps: &mut Vec<Step>) -> Option<()> {
    let first = clause.iter().position(|byte| matches!(byte, b'+' | b'-' | b'='))?;
    let (users, mut rest) = clause.split_at(first);
    let mut who = 0;
    for letter in users {
        who |= match letter {
            b'u' => 0o4700,
            b'g' => 0o2070,
            b'o' => 0o1007,
            b'a' => 0o7777,
            _ => return None,
        };
    }
    let who = if users.is_empty() { 0o7777 } else { who };
    while let Some((&operator, after)) = rest.split_first() {
        let end = after.iter().position(|byte| matches!(byte, b'+' | b'-' | b'='));
        let (letters, next) = after.split_at(end.unwrap_or(after.len()));
        steps.push(Step { who, operator, permissions: parse_permissions(letters)? });
        rest = next;
    }
    Some(())
}

fn parse_permissions(letters: &[u8]) -> Option<Permissions> {
    let (mut always, mut if_executable) = (0, 0);
    match letters {
        b"u" => return Some(Permissions::CopyOf(6)),
        b"g" => return Some(Permissions::CopyOf(3)),
        b"o" => return Some(Permissions::CopyOf(0)),
        _ => {}
    }
    for letter in letters {
        match letter {
            b'r' => always |= 0o444,
            b'w' => always |= 0o222,
            b'x' => always |= 0o111,
            b'X' => if_executable |= 0o111,
            b's' => always |= 0o6000,
            b't' => always |= 0o1000,
            _ => return None,
        }
    }
    Some(Permissions::Bits { always, if_executable })
}

impl ModeChange {
    /// Returns the changed permissions of a file or directory.
    #[must_use]
    pub fn apply(&self, mode: u32, is_folder: bool) -> u32 {
        self.steps.iter().fold(mode, |mode, step| {
            let bits = match step.permissions {
                Permissions::Bits { always, if_executable } if is_folder || mode & 0o111 != 0 => {
                    always | if_executable
                }
                Permissions::Bits { always, .. } => always,
                Permissions::CopyOf(left) => ((mode >> left) & 7) * 0o111,
            } & step.who;
            match step.operator {
                b'+' => mode | bits,
                b'-' => mode & !bits,
                _ => mode & !step.who | bits,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_applied_like_chmod() {
        for (change, mode, is_folder, changed) in [
            ("644", 0o4755, false, 0o644),
            ("0", 0o777, false, 0),
            ("go-w", 0o666, false, 0o644),
            ("a+X", 0o644, false, 0o644),
            ("a+X", 0o744, false, 0o755),
            ("a+X", 0o644, true, 0o755),
            ("u=rwx,go=rX", 0o600, true, 0o755),
            ("g=u", 0o741, false, 0o771),
            ("u+s,o+t", 0o755, false, 0o5755),
            ("ug=r", 0o6777, false, 0o447),
            ("u=rw-w", 0o700, false, 0o400),
            ("+x", 0o644, false, 0o755),
        ] {
            let parsed: ModeChange = change.parse().expect(change);
            assert_eq!(parsed.apply(mode, is_folder), changed, "{change} of {mode:o}");
        }
    }

    #[test]
    fn invalid_changes_are_refused() {
        for text in ["", "u", "8", "77777", "u+q", "z+r", "u+r,", "u+rg"] {
            assert_eq!(text.parse::<ModeChange>(), Err(BadMode), "{text}");
        }
    }
}
