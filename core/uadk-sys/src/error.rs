//! The error type.

use std::fmt::{Display, Formatter};

/// An error from [`Libwd::load`](crate::Libwd::load).
///
/// `Display` states the cause; [`remedy`](Self::remedy) says what to do.
///
/// ```
/// use uadk_sys::{Error, Libwd};
///
/// match Libwd::load() {
///     Ok(libwd) => println!("UADK {}", libwd.version()),
///     Err(Error::NotLoaded { library, tried }) => {
///         assert!(!tried.is_empty());
///         println!("{library} could not be loaded from {} paths", tried.len());
///     }
///     Err(error) => println!("{error}: {}", error.remedy()),
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The library wasn't found in any directory searched, or couldn't be loaded from there.
    ///
    /// Install UADK 2.5 or newer and run `ldconfig`, or set `UADK_COMPRESS_LIB_DIR` to the
    /// directory with `libwd.so.2`.
    #[error("{library} could not be loaded: {}", join(tried))]
    NotLoaded {
        /// The file's name (`libwd.so.2`).
        library: &'static str,
        /// Each path, and the loader's message for it.
        tried: Vec<Tried>,
    },
    /// The library lacks a function: it is a different library with the same name, or damaged.
    ///
    /// Remove it and install UADK 2.5 or newer.
    #[error("{library} is not a UADK library: function {symbol} is missing")]
    NotUadk {
        /// The library's path.
        library: String,
        /// The missing function.
        symbol: &'static str,
    },
    /// The library is from a UADK release older than its driver framework.
    ///
    /// Install UADK 2.5 or newer.
    #[error("{library} is older than UADK 2.5")]
    TooOld {
        /// The library's path.
        library: String,
    },
    /// The program was built with the feature `link` on a machine without UADK, so that no library
    /// is linked.
    ///
    /// Install UADK's development files, or set `PKG_CONFIG_PATH` to the directory with `libwd.pc`
    /// and `libwd_comp.pc`, and build again after `cargo clean -p uadk-sys`. Alternatively, use
    /// [`Libwd::load`](crate::Libwd::load).
    #[error("the program was built without libwd and libwd_comp")]
    NotLinked,
}

impl Error {
    /// Returns what to do about it, in one sentence for the user of the program.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::NotLoaded { .. } => {
                "install UADK 2.5 or newer and run `ldconfig`, or set UADK_COMPRESS_LIB_DIR to the \
                 directory with libwd.so.2"
            }
            Self::NotUadk { .. } => "remove it and install UADK 2.5 or newer",
            Self::TooOld { .. } => "install UADK 2.5 or newer",
            Self::NotLinked => {
                "install UADK's development files, or set PKG_CONFIG_PATH to the directory with \
                 libwd.pc and libwd_comp.pc, and build the program again"
            }
        }
    }
}

/// A path that was tried for a library.
///
/// ```
/// use uadk_sys::Tried;
///
/// let mut tried = Tried { path: "libwd.so.2".into(), problem: "no such file".into() };
/// assert_eq!(tried.to_string(), "libwd.so.2: no such file");
/// // The path is not repeated.
/// tried.problem = "libwd.so.2: file too short".into();
/// assert_eq!(tried.to_string(), "libwd.so.2: file too short");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// A path, or a bare name that the loader searches for.
    pub path: String,
    /// The loader's message.
    pub problem: String,
}

impl Display for Tried {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        // The loader's message begins with the path, except for bare names.
        if self.problem.contains(&self.path) {
            f.write_str(&self.problem)
        } else {
            write!(f, "{}: {}", self.path, self.problem)
        }
    }
}

fn join(tried: &[Tried]) -> String {
    tried.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_state_the_cause_and_remedies_are_separate() {
        let tried = vec![Tried { path: "libwd.so.2".into(), problem: "no such file".into() }];
        let library = || "/x/libwd.so.2".to_owned();
        for (error, text) in [
            (
                Error::NotLoaded { library: "libwd.so.2", tried },
                "libwd.so.2 could not be loaded: libwd.so.2: no such file",
            ),
            (
                Error::NotUadk { library: library(), symbol: "wd_poll" },
                "/x/libwd.so.2 is not a UADK library: function wd_poll is missing",
            ),
            (Error::TooOld { library: library() }, "/x/libwd.so.2 is older than UADK 2.5"),
            (Error::NotLinked, "the program was built without libwd and libwd_comp"),
        ] {
            assert_eq!(error.to_string(), text);
            assert!(error.remedy().contains("install UADK"), "{}", error.remedy());
        }
    }
}
