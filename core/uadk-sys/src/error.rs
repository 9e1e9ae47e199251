//! Why UADK's libraries can't be used.

use std::fmt::{Display, Formatter};

/// Why [`Libwd::load`](crate::Libwd::load) failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No place that was looked in has the library, or it can't be loaded from there.
    #[error(
        "{library} could not be loaded: {}. Install UADK 2.5 or newer (`ldconfig` makes the loader \
         see it), or set UADK_COMPRESS_LIB_DIR to the folder it is in",
        join(tried)
    )]
    NotLoaded {
        /// The file's name (`libwd.so.2`).
        library: &'static str,
        /// Each path, and what the loader said to it.
        tried: Vec<Tried>,
    },
    /// The library lacks a function: it is something else by the same name, or damaged.
    #[error(
        "{library} has no function {symbol}: it is not UADK's, or damaged. Install UADK 2.5 or newer"
    )]
    NotUadk {
        /// Where the library is.
        library: String,
        /// The function that was looked for.
        symbol: &'static str,
    },
    /// The library is UADK's, but from before its driver framework.
    #[error(
        "{library} is older than UADK 2.5, the first with loadable drivers: install a newer one"
    )]
    TooOld {
        /// Where the library is.
        library: String,
    },
}

/// One place where a library was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// A path, or a bare name that the loader searches for.
    pub path: String,
    /// What the loader said.
    pub problem: String,
}

impl Display for Tried {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        // The loader's message begins with the path, but for bare names.
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
