//! Errors, and what to do about them.

use std::io;
use std::path::PathBuf;

/// An error that ends the program.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{} does not exist", path.display())]
    Missing { path: PathBuf },
    #[error("{} is not a RocksDB database: it has no file CURRENT", path.display())]
    NotADatabase { path: PathBuf },
    #[error("can't read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("can't open {}", path.display())]
    Open { path: PathBuf, source: rocksdb::Error },
    #[error("no column family {name:?}")]
    UnknownFamily { name: String, known: Vec<String> },
    #[error("column family {family:?} is sorted by {comparator}, which this program doesn't have")]
    Comparator { family: String, comparator: String },
    #[error(
        "column family {family:?} has values in blob files, whose compression is RocksDB's own"
    )]
    Blobs { family: String },
    #[error("the database has no table files")]
    Empty,
    #[error("the table files have no records")]
    NoRecords,
    #[error("can't sample column family {family:?}")]
    Sample { family: String, source: rocksdb::Error },
    #[error("can't create a compression engine")]
    Engine(#[source] uadk_compress::Error),
    #[error("{case} failed on a block")]
    Codec { case: String, source: uadk_compress::Error },
    #[error("{case}: a decompressed block differs from the original")]
    WrongBytes { case: String },
    #[error("can't write the output")]
    Output(#[source] io::Error),
}

impl Error {
    /// Returns what to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Missing { .. } => "pass the directory of a database",
            Self::NotADatabase { .. } => "pass the directory that has the files CURRENT and *.sst",
            Self::UnknownFamily { known, .. } => {
                return Some(format!("the database has: {}", known.join(", ")));
            }
            Self::Comparator { .. } => {
                "add the comparator to the options in examples/estimate/database.rs, or name other \
                 column families with --cf"
            }
            Self::Blobs { .. } => "name the other column families with --cf",
            Self::Empty => "flush it first: records in memory and in the WAL are not compressed",
            Self::NoRecords => "pass a database that has more than deleted records",
            Self::Open { source, .. } | Self::Sample { source, .. } => return rocksdb_hint(source),
            Self::WrongBytes { .. } => {
                "don't use that engine; `uadk-compress doctor` examines the accelerator"
            }
            Self::Read { .. } | Self::Engine(_) | Self::Codec { .. } | Self::Output(_) => {
                return None;
            }
        };
        Some(hint.to_owned())
    }
}

/// RocksDB has few codes; the rest is in its message.
fn rocksdb_hint(error: &rocksdb::Error) -> Option<String> {
    let text: &str = error.as_ref();
    let hint = match text {
        _ if text.contains("CompressionManager") => {
            "its files need a codec of that name: register it in examples/estimate/database.rs"
        }
        _ if text.contains("No such file") => {
            "files vanished while the database was in use: pass a checkpoint of it, or try again"
        }
        _ if text.contains("comparator") => {
            "add the comparator to the options in examples/estimate/database.rs"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Returns the error and its sources, joined by ": ".
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
