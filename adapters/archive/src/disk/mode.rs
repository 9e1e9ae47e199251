//! Changes of permissions, as chmod and GNU tar's `--mode` spell them.

use std::str::FromStr;

/// A change of permissions: octal (`644`), or letters (`go-w,u+X`). Where no letter says whose they are, they
/// are everybody's, whatever the umask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModeChange {
    steps: Vec<Step>,
}

/// A change of permissions that can't be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("permissions are octal, such as 644, or letters, such as go-w,u+X")]
pub struct BadMode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    /// The bits that may change.
    who: u32,
    /// `+`, `-` or `=`.
    operator: u8,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// Bits, and those that are set (the `X`) if it is a folder or somebody may execute it.
    Bits { always: u32, if_executable: u32 },
    /// Those of the user, group or others, by how far left they are.
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
            let what = What::Bits { always: bits, if_executable: 0 };
            return Ok(Self { steps: vec![Step { who: 0o7777, operator: b'=', what }] });
        }
        let mut steps = Vec::new();
        for clause in text.split(',') {
            parse(clause.as_bytes(), &mut steps).ok_or(BadMode)?;
        }
        Ok(Self { steps })
    }
}

/// The steps of one clause: whose, then one or more operators with what they set.
fn parse(clause: &[u8], steps: &mut Vec<Step>) -> Option<()> {
    let first = clause.iter().position(|byte| matches!(byte, b'+' | b'-' | b'='))?;
    let (whose, mut rest) = clause.split_at(first);
    let mut who = 0;
    for letter in whose {
        who |= match letter {
            b'u' => 0o4700,
            b'g' => 0o2070,
            b'o' => 0o1007,
            b'a' => 0o7777,
            _ => return None,
        };
    }
    let who = if whose.is_empty() { 0o7777 } else { who };
    while let Some((&operator, behind)) = rest.split_first() {
        let end = behind.iter().position(|byte| matches!(byte, b'+' | b'-' | b'='));
        let (letters, next) = behind.split_at(end.unwrap_or(behind.len()));
        steps.push(Step { who, operator, what: what(letters)? });
        rest = next;
    }
    Some(())
}

fn what(letters: &[u8]) -> Option<What> {
    let (mut always, mut if_executable) = (0, 0);
    match letters {
        b"u" => return Some(What::CopyOf(6)),
        b"g" => return Some(What::CopyOf(3)),
        b"o" => return Some(What::CopyOf(0)),
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
    Some(What::Bits { always, if_executable })
}

impl ModeChange {
    /// The permissions that those of a file or folder become.
    #[must_use]
    pub fn apply(&self, mode: u32, is_folder: bool) -> u32 {
        self.steps.iter().fold(mode, |mode, step| {
            let bits = match step.what {
                What::Bits { always, if_executable } if is_folder || mode & 0o111 != 0 => {
                    always | if_executable
                }
                What::Bits { always, .. } => always,
                What::CopyOf(left) => ((mode >> left) & 7) * 0o111,
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
    fn changes_are_as_chmod_makes_them() {
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
    fn what_is_no_change_is_refused() {
        for text in ["", "u", "8", "77777", "u+q", "z+r", "u+r,", "u+rg"] {
            assert_eq!(text.parse::<ModeChange>(), Err(BadMode), "{text}");
        }
    }
}
