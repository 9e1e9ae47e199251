//! Why UADK's libraries can't be used.

use std::fmt::{Display, Formatter};

/// Why [`Libwd::load`](crate::Libwd::load) failed.
///
/// `Display` states the fact; [`remedy`](Self::remedy) says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The library is in none of the places searched, or can't be loaded from there.
    ///
    /// Install UADK 2.5 or newer and run `ldconfig`, or set `UADK_COMPRESS_LIB_DIR` to the folder
    /// with `libwd.so.2`.
    #[error("{library} could not be loaded: {}", join(tried))]
    NotLoaded {
        /// The file's name (`libwd.so.2`).
        library: &'static str,
        /// Each path, and the loader's message for it.
        tried: Vec<Tried>,
    },
    /// The library lacks a function: it is a different library of the same name, or damaged.
    ///
    /// Remove it and install UADK 2.5 or newer.
    #[error("{library} is not UADK's: it has no function {symbol}")]
    NotUadk {
        /// Where the library is.
        library: String,
        /// The missing function.
        symbol: &'static str,
    },
    /// The library is UADK's, but older than its driver framework.
    ///
    /// Install UADK 2.5 or newer.
    #[error("{library} is older than UADK 2.5")]
    TooOld {
        /// Where the library is.
        library: String,
    },
    /// The program was built with the feature `link` on a machine without UADK, so that no library is
    /// linked.
    ///
    /// Install UADK's development files, or set `PKG_CONFIG_PATH` to the folder with `libwd.pc` and
    /// `libwd_comp.pc`, and build again after `cargo clean -p uadk-sys`. Or use
    /// [`Libwd::load`](crate::Libwd::load).
    #[error("the program was built without libwd and libwd_comp")]
    NotLinked,
}

impl Error {
    /// What to do about it, in one sentence for the user of the program.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::NotLoaded { .. } => {
                "install UADK 2.5 or newer and run `ldconfig`, or set UADK_COMPRESS_LIB_DIR to the \
                 folder with libwd.so.2"
            }
            Self::NotUadk { .. } => "remove it and install UADK 2.5 or newer",
            Self::TooOld { .. } => "install UADK 2.5 or newer",
            Self::NotLinked => {
                "install UADK's development files, or set PKG_CONFIG_PATH to the folder with libwd.pc \
                 and libwd_comp.pc, and build the program again"
            }
        }
    }
}

/// One place where a library was looked for.
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
    fn messages_state_the_fact_and_leave_the_remedy_to_its_accessor() {
        let tried = vec![Tried { path: "libwd.so.2".into(), problem: "no such file".into() }];
        let library = || "/x/libwd.so.2".to_owned();
        for (error, text) in [
            (
                Error::NotLoaded { library: "libwd.so.2", tried },
                "libwd.so.2 could not be loaded: libwd.so.2: no such file",
            ),
            (
                Error::NotUadk { library: library(), symbol: "wd_poll" },
                "/x/libwd.so.2 is not UADK's: it has no function wd_poll",
            ),
            (Error::TooOld { library: library() }, "/x/libwd.so.2 is older than UADK 2.5"),
            (Error::NotLinked, "the program was built without libwd and libwd_comp"),
        ] {
            assert_eq!(error.to_string(), text);
            assert!(error.remedy().contains("install UADK"), "{}", error.remedy());
        }
    }
}
