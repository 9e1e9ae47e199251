//! Names to exclude.

use std::path::Path;

use super::glob::Flags;
use super::set::PatternSet;

/// Patterns of names to exclude, as in GNU tar's `--exclude`: by default `*` also matches `/`, and
/// a pattern matches from the start of a name or after any `/`.
#[derive(Debug, Default)]
pub(crate) struct Exclude {
    patterns: PatternSet,
}

/// The files and directories of version control systems.
const VCS: [&str; 21] = [
    "CVS",
    ".cvsignore",
    "RCS",
    "SCCS",
    ".git",
    ".gitignore",
    ".gitattributes",
    ".gitmodules",
    ".svn",
    ".arch-ids",
    "{arch}",
    "=RELEASE-ID",
    "=meta-update",
    "=update",
    ".bzr",
    ".bzrignore",
    ".bzrtags",
    ".hg",
    ".hgignore",
    ".hgtags",
    "_darcs",
];
/// Backup and lock files.
const BACKUPS: [&str; 3] = [".#*", "*~", "#*#"];

impl Exclude {
    /// Creates the patterns of the subcommands' `--exclude`, which ignore a trailing `/`.
    pub(crate) fn new(patterns: &[std::ffi::OsString]) -> Self {
        let mut exclude = Self::default();
        for pattern in patterns {
            let pattern = pattern.as_encoded_bytes();
            exclude.push(pattern.strip_suffix(b"/").unwrap_or(pattern), Flags::EXCLUDE);
        }
        exclude
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.patterns.len() == 0
    }

    pub(crate) fn push(&mut self, pattern: &[u8], flags: Flags) {
        self.patterns.push(pattern, flags);
    }

    pub(crate) fn push_vcs(&mut self) {
        self.push_all(&VCS);
    }

    pub(crate) fn push_backups(&mut self) {
        self.push_all(&BACKUPS);
    }

    fn push_all(&mut self, patterns: &[&str]) {
        for pattern in patterns {
            self.push(pattern.as_bytes(), Flags::EXCLUDE);
        }
    }

    /// Adds the patterns in a file, one per line; trailing white space is ignored.
    pub(crate) fn push_file(&mut self, path: &Path, flags: Flags) -> std::io::Result<()> {
        for line in super::super::files_from::read(path)?.split(|byte| *byte == b'\n') {
            let line = line.trim_ascii_end();
            if !line.is_empty() {
                self.push(line, flags);
            }
        }
        Ok(())
    }

    /// Returns whether the name, or a directory that it is in, is excluded.
    pub(crate) fn matches(&self, name: &[u8]) -> bool {
        self.patterns.len() > 0 && !self.patterns.matching(name).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_after_any_slash_and_everything_in_a_directory() {
        let exclude = Exclude::new(&["target/".into(), "src/*.tmp".into()]);
        for name in ["target", "a/target", "a/target/b/c", "x/src/y.tmp", "src/a/b.tmp/c"] {
            assert!(exclude.matches(name.as_bytes()), "{name}");
        }
        for name in ["targets", "a/my-target", "x.tmp"] {
            assert!(!exclude.matches(name.as_bytes()), "{name}");
        }
    }
}
