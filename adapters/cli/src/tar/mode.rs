//! `--mode`: permissions as chmod writes them.

/// Changes of permissions.
#[derive(Clone, Debug)]
pub(super) enum Mode {
    Exact(u32),
    Changes(Vec<Change>),
}

/// One of the changes of `u+rw,go-w`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    /// The bits of those whom it concerns.
    who: u32,
    operator: u8,
    bits: u32,
    /// `X`: execution where it is a folder or somebody may execute it.
    conditional: bool,
    /// Permissions that are copied from the owner's, group's or others': the shift of their bits.
    copied: Option<u32>,
}

impl Mode {
    /// Reads a number or `u+rw,go=`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
            return mode.map(Self::Exact).ok_or_else(|| format!("\"{text}\" is no mode"));
        }
        let mut changes = Vec::new();
        for clause in text.split(',') {
            clause_changes(clause, &mut changes).ok_or_else(|| format!("\"{text}\" is no mode"))?;
        }
        Ok(Self::Changes(changes))
    }

    /// The mode that a file of mode `mode` gets.
    pub(super) fn apply(&self, mode: u32, is_folder: bool) -> u32 {
        match self {
            Self::Exact(exact) => *exact,
            Self::Changes(changes) => {
                changes.iter().fold(mode, |mode, change| change.apply(mode, is_folder))
            }
        }
    }
}

fn clause_changes(clause: &str, changes: &mut Vec<Change>) -> Option<()> {
    let start = clause.find(['+', '-', '='])?;
    let mut who = 0;
    for c in clause[..start].chars() {
        who |= match c {
            'u' => 0o4700,
            'g' => 0o2070,
            'o' => 0o1007,
            'a' => 0o7777,
            _ => return None,
        };
    }
    let who = if who == 0 { 0o7777 } else { who };
    let mut rest = clause[start..].bytes().peekable();
    while let Some(operator) = rest.next() {
        let mut change = Change { who, operator, bits: 0, conditional: false, copied: None };
        while let Some(letter) = rest.next_if(|byte| !matches!(byte, b'+' | b'-' | b'=')) {
            match letter {
                b'r' => change.bits |= 0o444,
                b'w' => change.bits |= 0o222,
                b'x' => change.bits |= 0o111,
                b's' => change.bits |= 0o6000,
                b't' => change.bits |= 0o1000,
                b'X' => change.conditional = true,
                b'u' => change.copied = Some(6),
                b'g' => change.copied = Some(3),
                b'o' => change.copied = Some(0),
                _ => return None,
            }
        }
        changes.push(change);
    }
    Some(())
}

impl Change {
    fn apply(&self, mode: u32, is_folder: bool) -> u32 {
        let mut bits = self.bits;
        if self.conditional && (is_folder || mode & 0o111 != 0) {
            bits |= 0o111;
        }
        if let Some(shift) = self.copied {
            bits |= (mode >> shift & 0o7) * 0o111;
        }
        bits &= self.who;
        match self.operator {
            b'+' => mode | bits,
            b'-' => mode & !bits,
            _ => {
                // A folder keeps setuid and setgid unless they are named.
                let kept = if is_folder { 0o6000 & !self.bits } else { 0 };
                mode & (!self.who | kept) | bits
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_those_of_chmod() {
        for (text, mode, is_folder, expected) in [
            ("0644", 0o777, false, 0o644),
            ("u+x", 0o644, false, 0o744),
            ("go=", 0o777, false, 0o700),
            ("a+rX,go-w", 0o600, false, 0o644),
            ("a+rX,go-w", 0o700, true, 0o755),
            ("g=u", 0o640, false, 0o660),
            ("=r", 0o4755, false, 0o444),
            ("u+s,+t", 0o755, false, 0o5755),
            ("u-w+x", 0o644, false, 0o544),
        ] {
            let parsed = Mode::parse(text).expect("a mode");
            assert_eq!(parsed.apply(mode, is_folder), expected, "{text} {mode:o}");
        }
        for text in ["8", "77777", "u", "q+x", "u+q", ""] {
            assert!(Mode::parse(text).is_err(), "{text}");
        }
    }
}
