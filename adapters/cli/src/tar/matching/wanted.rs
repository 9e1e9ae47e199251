//! Members that the user named.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::glob::Flags;
use super::set::PatternSet;
use crate::streams::tell;
use crate::tar::names::{escaped, trimmed, without_slash};

/// Names of members; a folder's stands for all that is in it.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    patterns: PatternSet,
    names: Vec<Name>,
    /// Which of several members of one name is meant: the first is 1.
    occurrence: Option<u64>,
}

#[derive(Debug)]
struct Name {
    text: Vec<u8>,
    /// The folder that it is extracted into.
    folder: PathBuf,
    found: u64,
}

impl Wanted {
    /// The names as given, without patterns, all for one folder.
    pub(crate) fn new(names: &[OsString], folder: &Path) -> Self {
        let mut wanted = Self::default();
        for name in names {
            wanted.push(name.as_encoded_bytes(), Flags::INCLUDE, folder);
        }
        wanted
    }

    pub(crate) fn push(&mut self, name: &[u8], flags: Flags, folder: &Path) {
        // The root is not the folder that everything is in.
        let name = if name.starts_with(b"/") { without_slash(name) } else { trimmed(name) };
        self.patterns.push(name, flags);
        self.names.push(Name { text: name.to_vec(), folder: folder.to_owned(), found: 0 });
    }

    pub(crate) fn occurrence(&mut self, number: Option<u64>) {
        self.occurrence = number;
    }

    /// Whether all members are.
    pub(crate) fn is_all(&self) -> bool {
        self.names.is_empty()
    }

    /// The folder that a member goes to: that of the first name that fits, or `otherwise` if no names were
    /// given; `None` if it is not wanted. Counts that it was there.
    pub(crate) fn folder<'a>(&'a mut self, name: &[u8], otherwise: &'a Path) -> Option<&'a Path> {
        if self.is_all() {
            return Some(otherwise);
        }
        let mut fitting = self.patterns.matching(trimmed(name));
        // The folder itself, by the name of `.`.
        fitting.extend(self.names.iter().position(|name| name.text.is_empty()));
        fitting.sort_unstable();
        fitting.dedup();
        let mut first = None;
        for number in fitting {
            let wanted = &mut self.names[number];
            wanted.found += 1;
            if self.occurrence.is_none_or(|occurrence| occurrence == wanted.found) {
                first = first.or(Some(number));
            }
        }
        first.map(|number| &*self.names[number].folder)
    }

    /// Tells of names that nothing fitted; returns their number.
    pub(crate) fn tell_missing(&self) -> u64 {
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
    fn a_folder_stands_for_what_is_in_it() {
        let here = Path::new(".");
        let mut wanted = Wanted::new(&["./a/b/".into(), "c".into()], here);
        for name in ["a/b", "a/b/", "./a/b/c", "c"] {
            assert!(wanted.folder(name.as_bytes(), here).is_some(), "{name}");
        }
        for name in ["a", "a/bc", "cc"] {
            assert!(wanted.folder(name.as_bytes(), here).is_none(), "{name}");
        }
        assert_eq!(wanted.tell_missing(), 0);
        assert!(Wanted::new(&[".".into()], here).folder(b"anything", here).is_some());
    }
}
