//! Warnings: problems with an archive or on disk that don't abort the operation.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::{self, Display, Formatter, Write as _};

/// A warning for the user about an entry that was read or extracted, such as a dropped attribute or
/// a skipped damaged header.
///
/// It displays as `NAME: what`, with control characters in the name escaped.
///
/// ```
/// use uadk_compress_archive::{ArchiveOptions, ArchiveReader};
///
/// let mut archive = ArchiveOptions::new().plain(true).writer(Vec::new())?;
/// archive.append_bytes("notes.txt", b"remember the milk")?;
/// let len = archive.tar_len() as usize;
/// let mut file = archive.finish()?;
/// file.truncate(len); // Without the zeros that end a tar.
///
/// let mut archive = ArchiveReader::new(&file[..])?;
/// while archive.next_entry()?.is_some() {}
/// let warnings = archive.take_warnings();
/// assert!(warnings[0].is_notice());
/// assert!(warnings[0].to_string().contains("may have been cut off"));
/// # Ok::<(), uadk_compress_archive::Error>(())
/// ```
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

    /// Returns the name of the entry, byte for byte; empty if the warning is not about an entry.
    #[must_use]
    pub fn name_bytes(&self) -> &[u8] {
        &self.name
    }

    /// Returns the offset in the uncompressed tar of the header that the warning is about.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns whether everything requested was done nevertheless, so that a command still
    /// succeeds.
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

/// Warnings that have not been taken yet. Each is kept only once, however often its header is read.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    pending: Vec<Warning>,
    known: HashSet<Warning>,
}

impl Warnings {
    /// Keeps a hostile archive from filling the memory with warnings.
    const MAX: usize = 10_000;

    pub(crate) fn push(&mut self, warning: Warning) {
        if self.known.len() > Self::MAX {
            return;
        }
        let warning = if self.known.len() == Self::MAX {
            Warning::new(b"", warning.offset, "more warnings omitted")
        } else {
            warning
        };
        if self.known.insert(warning.clone()) {
            self.pending.push(warning);
        }
    }

    pub(crate) fn take(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.pending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_in_names_are_escaped() {
        let warning = Warning::new(b"a\x1b[2J\nb", 0, "odd");
        assert_eq!(warning.to_string(), r"a\u{1b}[2J\nb: odd");
        assert_eq!(Warning::new(b"", 7, "odd").to_string(), "odd");
    }

    #[test]
    fn warnings_are_deduplicated_and_limited() {
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
        assert!(taken.last().expect("warnings").to_string().contains("more warnings"));
    }
}
