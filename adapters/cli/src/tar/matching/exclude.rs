//! Names to leave out.

use std::path::Path;

use super::glob::Flags;
use super::set::PatternSet;

/// Patterns of names to leave out, as GNU tar's `--exclude` has them: by default `*` matches `/` too, and a
/// pattern matches a name from its beginning or from behind any `/`.
#[derive(Debug, Default)]
pub(crate) struct Exclude {
    patterns: PatternSet,
}

/// What version control systems keep beside the files.
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
    /// The patterns of `--exclude` in their subcommand form, where a `/` at the end does not matter.
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

    /// Adds the patterns of a file, one a line; white space at the end of a line does not count.
    pub(crate) fn push_file(&mut self, path: &Path, flags: Flags) -> std::io::Result<()> {
        for line in super::super::files_from::read(path)?.split(|byte| *byte == b'\n') {
            let line = line.trim_ascii_end();
            if !line.is_empty() {
                self.push(line, flags);
            }
        }
        Ok(())
    }

    /// Whether the name, or a folder that it is in, is to be left out.
    pub(crate) fn matches(&self, name: &[u8]) -> bool {
        self.patterns.len() > 0 && !self.patterns.matching(name).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_behind_any_slash_and_all_that_is_in_a_folder() {
        let exclude = Exclude::new(&["target/".into(), "src/*.tmp".into()]);
        for name in ["target", "a/target", "a/target/b/c", "x/src/y.tmp", "src/a/b.tmp/c"] {
            assert!(exclude.matches(name.as_bytes()), "{name}");
        }
        for name in ["targets", "a/my-target", "x.tmp"] {
            assert!(!exclude.matches(name.as_bytes()), "{name}");
        }
    }
}
