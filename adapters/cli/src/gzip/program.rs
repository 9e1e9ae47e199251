//! The programs that are stood in for.

use std::ffi::OsStr;

/// Which of the programs is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    Gzip,
    Gunzip,
    Zcat,
    Bgzip,
}

impl Program {
    /// The program of that name.
    pub(super) fn of_name(name: &OsStr) -> Option<Self> {
        Some(match name.to_str()? {
            "gzip" => Self::Gzip,
            "gunzip" => Self::Gunzip,
            "zcat" | "gzcat" => Self::Zcat,
            "bgzip" => Self::Bgzip,
            _ => return None,
        })
    }

    /// What its messages begin with: gunzip and zcat are scripts that call gzip.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Bgzip => "bgzip",
            _ => "gzip",
        }
    }

    /// Its name on command lines.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Gunzip => "gunzip",
            Self::Zcat => "zcat",
            Self::Bgzip => "bgzip",
        }
    }
}
