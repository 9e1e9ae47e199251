//! Parallel, seekable gzip, and tar archives in it.
//!
//! The output is plain gzip: `gunzip`, `tar xzf` and every other gzip reader can read it. On
//! request it is block gzip (BGZF), in which htslib can seek. [`ArchiveReader`] lists an archive
//! and reads single files without reading the rest, using an index that other readers don't
//! notice.
//!
//! | type | description |
//! |---|---|
//! | [`GzWriter`], [`GzReader`] | multi-threaded [`Write`], and [`Read`] with [`Seek`] |
//! | [`ArchiveWriter`] | writes a tar archive with an index; can [append] and [resume] |
//! | [`ArchiveReader`] | reads any tar.gz, and [verifies](ArchiveReader::verify) it |
//! | [`Extractor`] | extracts entries below one directory and nowhere else |
//!
//! [`Write`]: std::io::Write
//! [`Read`]: std::io::Read
//! [`Seek`]: std::io::Seek
//! [append]: ArchiveWriter::append
//! [resume]: ArchiveWriter::resume
//!
//! ```
//! use std::io::{Cursor, Read};
//! use uadk_compress_archive::{ArchiveReader, ArchiveWriter};
//!
//! let mut archive = ArchiveWriter::new(Vec::new())?;
//! archive.append_bytes("notes/today.txt", b"remember the milk")?;
//! archive.append_bytes("notes/tomorrow.txt", b"drink it")?;
//! let file = archive.finish()?;
//!
//! let mut archive = ArchiveReader::new(Cursor::new(file))?;
//! let mut text = String::new();
//! archive.open("notes/tomorrow.txt")?.read_to_string(&mut text)?;
//! assert_eq!(text, "drink it");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod append;
mod checksum;
mod disk;
mod entry;
mod error;
mod extract;
mod gzip;
mod header;
mod index;
mod input;
mod kind;
mod links;
mod options;
mod pattern;
mod read;
mod reindex;
mod scan;
mod verify;
mod warning;
mod write;

pub use append::{ArchiveFile, Recovered};
pub use disk::{Appended, BadMode, ModeChange, Note, TreeWriter};
pub use entry::Entry;
pub use error::{Error, Result};
pub use extract::{Existing, ExtractOptions, Extracted, Extractor};
pub use gzip::{GzOptions, GzReader, GzWarning, GzWriter, Inflated, Layout};
pub use index::Index;
pub use kind::EntryKind;
pub use options::ArchiveOptions;
pub use read::{ArchiveReader, EntryReader};
/// The crate that defines the headers which [`ArchiveWriter::append_data`] takes.
pub use tar;
/// The crate that compresses and decompresses blocks.
pub use uadk_compress;
pub use verify::Verified;
pub use warning::Warning;
pub use write::ArchiveWriter;

/// Bodies of the fuzz targets: they must return for any input.
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::verify::fuzz_archive as archive;

    use std::io::{Cursor, Read, Seek, SeekFrom};

    use crate::{GzOptions, index};

    /// Reads and seeks in arbitrary bytes as block gzip.
    pub fn gzip(bytes: &[u8]) {
        for threads in [1, 2] {
            let Ok(mut reader) = GzOptions::new().threads(threads).reader(Cursor::new(bytes))
            else {
                return;
            };
            let mut piece = vec![0; 10_000];
            let mut read = 0;
            while let Ok(n @ 1..) = reader.read(&mut piece) {
                read += n;
                if read > 64 << 20 {
                    break;
                }
            }
            for to in [SeekFrom::Start(read as u64 / 2), SeekFrom::End(-1), SeekFrom::Start(0)] {
                if read <= 1 << 20 && reader.seek(to).is_ok() {
                    let _ = reader.read(&mut piece);
                }
            }
        }
    }

    /// Reads arbitrary bytes as index records, and as the end of a file that may have an index.
    pub fn index(bytes: &[u8]) {
        index::fuzz(bytes);
    }
}

/// Runs the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
