//! Which UADK it is. The library has no call that tells.

use std::fmt::{Display, Formatter};
use std::path::Path;

/// Releases that can be told apart by their functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Release {
    /// 2.5 to 2.9, with 24 bytes of session setup.
    From2_5,
    /// 2.10, with 88 bytes.
    From2_10,
    /// Newer than 2.10.
    After2_10,
}

impl Release {
    /// The newest release whose telling function is there; `None` if it is older than all.
    pub(crate) fn probe(has: impl Fn(&'static str) -> bool) -> Option<Self> {
        [
            ("wd_get_alg_type", Self::After2_10),
            ("wd_find_ctx", Self::From2_10),
            ("wd_alg_driver_register", Self::From2_5),
        ]
        .into_iter()
        .find_map(|(symbol, release)| has(symbol).then_some(release))
    }
}

/// Which UADK it is, as far as can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Told by the functions it has.
    pub release: Release,
    /// Told by the name of the file, if that has a number (`libwd.so.2.10.0`).
    pub file: Option<String>,
}

impl Version {
    pub(crate) fn new(release: Release, library: &Path) -> Self {
        let name = library.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.split_once(".so.").map(|(_, number)| number);
        // The bare soname says nothing that is not known.
        let file = number.filter(|n| n.contains('.')).map(str::to_owned);
        Self { release, file }
    }
}

impl Version {
    /// Whether it is known to be older than `major.minor`. A library whose file name has no number
    /// counts as the newest that it may be.
    #[must_use]
    pub fn is_before(&self, major: u32, minor: u32) -> bool {
        // Its functions have the last word: a file may have any name.
        if self.release >= Release::From2_10 && (major, minor) <= (2, 10) {
            return false;
        }
        let number = match (&self.file, self.release) {
            (Some(file), _) => file.as_str(),
            (None, Release::From2_5) => "2.9",
            (None, Release::From2_10) => "2.10",
            (None, Release::After2_10) => return false,
        };
        let mut parts = number.split('.').map(|part| part.parse().unwrap_or(u32::MAX));
        let mut next = || parts.next().unwrap_or(0);
        (next(), next()) < (major, minor)
    }
}

impl Display for Version {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        if let Some(file) = &self.file {
            return f.write_str(file);
        }
        f.write_str(match self.release {
            Release::From2_5 => "2.5 to 2.9",
            Release::From2_10 => "2.10",
            Release::After2_10 => "newer than 2.10",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_telling_function_counts() {
        let with = |symbols: &'static [&str]| Release::probe(|symbol| symbols.contains(&symbol));
        assert_eq!(with(&[]), None);
        assert_eq!(with(&["wd_alg_driver_register"]), Some(Release::From2_5));
        let both = &["wd_alg_driver_register", "wd_find_ctx"];
        assert_eq!(with(both), Some(Release::From2_10));
        let all = &["wd_alg_driver_register", "wd_find_ctx", "wd_get_alg_type"];
        assert_eq!(with(all), Some(Release::After2_10));
    }

    #[test]
    fn a_number_in_the_files_name_is_preferred() {
        let version = |path| Version::new(Release::From2_5, Path::new(path)).to_string();
        assert_eq!(version("/usr/lib/libwd.so.2.9.1"), "2.9.1");
        assert_eq!(version("/usr/lib/libwd.so.2"), "2.5 to 2.9");
        assert_eq!(version("/usr/lib/libwd.so"), "2.5 to 2.9");
    }

    #[test]
    fn versions_compare_by_number_and_unknown_ones_count_as_new() {
        let before_2_9 = |release, path| Version::new(release, Path::new(path)).is_before(2, 9);
        assert!(before_2_9(Release::From2_5, "/usr/lib/libwd.so.2.8.0"));
        assert!(before_2_9(Release::From2_5, "/usr/lib/libwd.so.2.6"));
        assert!(!before_2_9(Release::From2_5, "/usr/lib/libwd.so.2.9.1"));
        assert!(!before_2_9(Release::From2_10, "/usr/lib/libwd.so.2.10.0"));
        assert!(!before_2_9(Release::From2_10, "/usr/lib/libwd.so.2.0.0"), "a name of its own");
        for release in [Release::From2_5, Release::From2_10, Release::After2_10] {
            assert!(!before_2_9(release, "/usr/lib/libwd.so.2"), "{release:?}");
        }
    }
}
