//! The version of UADK. The library has no function that returns it.

use std::fmt::{Display, Formatter};
use std::path::Path;

/// Releases that can be distinguished by their functions.
///
/// ```
/// use uadk_sys::{Libwd, Release};
///
/// assert!(Release::From2_5 < Release::From2_10);
/// if let Ok(libwd) = Libwd::load() {
///     let has_large_setup = libwd.version().release >= Release::From2_10;
///     println!("session setups have {} bytes", if has_large_setup { 88 } else { 24 });
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Release {
    /// 2.5 to 2.9, with a session setup of 24 bytes.
    From2_5,
    /// 2.10, with a session setup of 88 bytes.
    From2_10,
    /// Newer than 2.10.
    After2_10,
}

impl Release {
    /// Returns the newest release whose characteristic function exists, or `None` if none does.
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

/// The version of UADK, as far as it is known.
///
/// ```
/// use uadk_sys::{Release, Version};
///
/// let known = Version { release: Release::From2_5, file: Some("2.8.0".into()) };
/// assert_eq!(known.to_string(), "2.8.0");
/// assert!(known.is_before(2, 9));
/// // A library without a number counts as the newest version it may be.
/// let unknown = Version { release: Release::From2_5, file: None };
/// assert_eq!(unknown.to_string(), "2.5 to 2.9");
/// assert!(!unknown.is_before(2, 9));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Detected by the functions that exist.
    pub release: Release,
    /// The version number in the file's name, if it has one (`libwd.so.2.10.0`).
    pub file: Option<String>,
}

impl Version {
    pub(crate) fn new(release: Release, library: &Path) -> Self {
        let name = library.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.split_once(".so.").map(|(_, number)| number);
        // The bare soname adds no information.
        let file = number.filter(|n| n.contains('.')).map(str::to_owned);
        Self { release, file }
    }
}

impl Version {
    /// Returns whether the version is known to be older than `major.minor`. A library whose file
    /// name has no number counts as the newest version it may be.
    #[must_use]
    pub fn is_before(&self, major: u32, minor: u32) -> bool {
        self.compare((major, minor), "2.9", false)
    }

    /// Returns whether the version is known to be `major.minor` or newer. A library whose file name
    /// has no number counts as the oldest version it may be.
    ///
    /// ```
    /// use uadk_sys::{Release, Version};
    ///
    /// let known = Version { release: Release::From2_5, file: Some("2.9.1".into()) };
    /// assert!(known.is_at_least(2, 9) && !known.is_at_least(2, 10));
    /// let unknown = Version { release: Release::From2_5, file: None };
    /// assert!(unknown.is_at_least(2, 5) && !unknown.is_at_least(2, 9));
    /// ```
    #[must_use]
    pub fn is_at_least(&self, major: u32, minor: u32) -> bool {
        !self.compare((major, minor), "2.5", true)
    }

    /// Returns whether the version is older than `other`. `nameless` stands for a version from 2.5
    /// to 2.9 whose file name has no number, and `newest` says whether versions after 2.10 may be
    /// older than others after 2.10.
    fn compare(&self, other: (u32, u32), nameless: &str, newest: bool) -> bool {
        // Functions take precedence: a file may have any name.
        if self.release >= Release::From2_10 && other <= (2, 10) {
            return false;
        }
        let number = match (&self.file, self.release) {
            (Some(file), _) => file.as_str(),
            (None, Release::From2_5) => nameless,
            (None, Release::From2_10) => "2.10",
            (None, Release::After2_10) => return newest,
        };
        let mut parts = number.split('.').map(|part| part.parse().unwrap_or(u32::MAX));
        let mut next = || parts.next().unwrap_or(0);
        (next(), next()) < other
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
    fn the_newest_characteristic_function_determines_the_release() {
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
    fn a_version_is_at_least_another_only_if_that_is_known() {
        let has_2_9 = |release, path| Version::new(release, Path::new(path)).is_at_least(2, 9);
        assert!(!has_2_9(Release::From2_5, "/usr/lib/libwd.so.2.8.0"));
        assert!(!has_2_9(Release::From2_5, "/usr/lib/libwd.so.2"));
        assert!(has_2_9(Release::From2_5, "/usr/lib/libwd.so.2.9.1"));
        assert!(has_2_9(Release::From2_10, "/usr/lib/libwd.so.2"));
        assert!(has_2_9(Release::After2_10, "/usr/lib/libwd.so.2"));
        assert!(!Version::new(Release::After2_10, Path::new("libwd.so.2")).is_at_least(2, 11));
    }

    #[test]
    fn versions_compare_by_number_and_unknown_ones_count_as_new() {
        let before_2_9 = |release, path| Version::new(release, Path::new(path)).is_before(2, 9);
        assert!(before_2_9(Release::From2_5, "/usr/lib/libwd.so.2.8.0"));
        assert!(before_2_9(Release::From2_5, "/usr/lib/libwd.so.2.6"));
        assert!(!before_2_9(Release::From2_5, "/usr/lib/libwd.so.2.9.1"));
        assert!(!before_2_9(Release::From2_10, "/usr/lib/libwd.so.2.10.0"));
        assert!(!before_2_9(Release::From2_10, "/usr/lib/libwd.so.2.0.0"), "misleading file name");
        for release in [Release::From2_5, Release::From2_10, Release::After2_10] {
            assert!(!before_2_9(release, "/usr/lib/libwd.so.2"), "{release:?}");
        }
    }
}
