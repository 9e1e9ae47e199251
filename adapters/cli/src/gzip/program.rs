//! The programs that this one replaces.

use std::ffi::OsStr;

/// The program that is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    Gzip,
    Gunzip,
    Zcat,
    Bgzip,
}

impl Program {
    /// Returns the program of that name.
    pub(super) fn from_name(name: &OsStr) -> Option<Self> {
        Some(match name.to_str()? {
            "gzip" => Self::Gzip,
            "gunzip" => Self::Gunzip,
            "zcat" | "gzcat" => Self::Zcat,
            "bgzip" => Self::Bgzip,
            _ => return None,
        })
    }

    /// Returns the prefix of its messages: gunzip and zcat are scripts that call gzip.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Bgzip => "bgzip",
            _ => "gzip",
        }
    }

    /// Returns its name on command lines.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Gunzip => "gunzip",
            Self::Zcat => "zcat",
            Self::Bgzip => "bgzip",
        }
    }
}
