//! The members that the user named.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::glob::Flags;
use super::set::PatternSet;
use crate::streams::tell;
use crate::tar::names::{escaped, trimmed, without_slash};

/// Names of members; a directory stands for everything in it.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    patterns: PatternSet,
    names: Vec<Name>,
    /// Which of the members with the same name is selected, counting from 1.
    occurrence: Option<u64>,
}

#[derive(Debug)]
struct Name {
    text: Vec<u8>,
    /// The directory to extract it into.
    folder: PathBuf,
    found: u64,
}

impl Wanted {
    /// Creates a set of names without patterns, all for one directory.
    pub(crate) fn new(names: &[OsString], folder: &Path) -> Self {
        let mut wanted = Self::default();
        for name in names {
            wanted.push(name.as_encoded_bytes(), Flags::INCLUDE, folder);
        }
        wanted
    }

    pub(crate) fn push(&mut self, name: &[u8], flags: Flags, folder: &Path) {
        // `/` must not become the empty name, which stands for everything.
        let name = if name.starts_with(b"/") { without_slash(name) } else { trimmed(name) };
        self.patterns.push(name, flags);
        self.names.push(Name { text: name.to_vec(), folder: folder.to_owned(), found: 0 });
    }

    pub(crate) fn occurrence(&mut self, number: Option<u64>) {
        self.occurrence = number;
    }

    /// Returns whether all members are wanted.
    pub(crate) fn is_all(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns the directory for a member: that of the first matching name, or `otherwise` if no
    /// names were given; `None` if it is not wanted. Counts the match.
    pub(crate) fn folder<'a>(&'a mut self, name: &[u8], otherwise: &'a Path) -> Option<&'a Path> {
        if self.is_all() {
            return Some(otherwise);
        }
        let mut matching = self.patterns.matching(trimmed(name));
        // The name `.`, which stands for everything.
        matching.extend(self.names.iter().position(|name| name.text.is_empty()));
        matching.sort_unstable();
        matching.dedup();
        let mut first = None;
        for number in matching {
            let wanted = &mut self.names[number];
            wanted.found += 1;
            if self.occurrence.is_none_or(|occurrence| occurrence == wanted.found) {
                first = first.or(Some(number));
            }
        }
        first.map(|number| &*self.names[number].folder)
    }

    /// Reports names that matched nothing; returns their number.
    pub(crate) fn report_missing(&self) -> u64 {
        let enough = self.occurrence.unwrap_or(1);
        let missing = self.names.iter().filter(|name| name.found < enough);
        for name in missing.clone() {
            tell!("uadk-compress: {}: not found in the archive", escaped(&name.text));
        }
        missing.count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_stands_for_its_contents() {
        let here = Path::new(".");
        let mut wanted = Wanted::new(&["./a/b/".into(), "c".into()], here);
        for name in ["a/b", "a/b/", "./a/b/c", "c"] {
            assert!(wanted.folder(name.as_bytes(), here).is_some(), "{name}");
        }
        for name in ["a", "a/bc", "cc"] {
            assert!(wanted.folder(name.as_bytes(), here).is_none(), "{name}");
        }
        assert_eq!(wanted.report_missing(), 0);
        assert!(Wanted::new(&[".".into()], here).folder(b"anything", here).is_some());
    }
}
