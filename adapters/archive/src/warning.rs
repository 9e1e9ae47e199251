//! What is wrong with an archive, or on disk, without ending the work.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::{self, Display, Formatter, Write as _};

/// Something that a person should know of an entry that was read or extracted: an attribute that was
/// dropped, a damaged header that was skipped.
///
/// It displays as `NAME: what`, with control characters of the name escaped.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Warning {
    name: Box<[u8]>,
    offset: u64,
    what: Cow<'static, str>,
    is_notice: bool,
}

impl Warning {
    pub(crate) fn new(name: &[u8], offset: u64, what: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), offset, what: what.into(), is_notice: false }
    }

    pub(crate) fn notice(name: &[u8], offset: u64, what: impl Into<Cow<'static, str>>) -> Self {
        Self { is_notice: true, ..Self::new(name, offset, what) }
    }

    /// The name of the entry, byte for byte; empty if it is of none.
    #[must_use]
    pub fn name_bytes(&self) -> &[u8] {
        &self.name
    }

    /// The byte of the uncompressed tar at which the header is that it is about.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether all that was asked for was done nevertheless, so that a command still succeeds.
    #[must_use]
    pub const fn is_notice(&self) -> bool {
        self.is_notice
    }
}

impl Display for Warning {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            return write!(f, "{}", self.what);
        }
        for character in String::from_utf8_lossy(&self.name).chars() {
            if character.is_control() {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        write!(f, ": {}", self.what)
    }
}

/// Warnings until somebody takes them. The same one is kept only once, however often its header is
/// read.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    waiting: Vec<Warning>,
    known: HashSet<Warning>,
}

impl Warnings {
    /// A hostile archive fills no memory with them.
    const MAX: usize = 10_000;

    pub(crate) fn push(&mut self, warning: Warning) {
        if self.known.len() > Self::MAX {
            return;
        }
        let warning = if self.known.len() == Self::MAX {
            Warning::new(b"", warning.offset, "there are more warnings, which are left out")
        } else {
            warning
        };
        if self.known.insert(warning.clone()) {
            self.waiting.push(warning);
        }
    }

    pub(crate) fn take(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_not_command_a_terminal() {
        let warning = Warning::new(b"a\x1b[2J\nb", 0, "odd");
        assert_eq!(warning.to_string(), r"a\u{1b}[2J\nb: odd");
        assert_eq!(Warning::new(b"", 7, "odd").to_string(), "odd");
    }

    #[test]
    fn each_is_told_once_and_not_without_end() {
        let mut warnings = Warnings::default();
        for _ in 0..2 {
            warnings.push(Warning::new(b"a", 0, "odd"));
        }
        assert_eq!(warnings.take().len(), 1);
        for offset in 0..20_000 {
            warnings.push(Warning::new(b"a", offset, "odd"));
        }
        let taken = warnings.take();
        assert_eq!(taken.len(), Warnings::MAX);
        assert!(taken.last().expect("many").to_string().contains("more warnings"));
    }
}
