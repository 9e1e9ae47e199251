//! Block gzip, parallel and seekable, and tar archives in it.
//!
//! What is written is plain gzip: `gunzip`, `tar xzf` and every other reader of gzip reads it.
//! htslib seeks in it (it is BGZF), and [`ArchiveReader`] lists an archive and gives single files
//! without reading the rest, by an index that other readers don't notice.
//!
//! | type | what it is |
//! |---|---|
//! | [`GzWriter`], [`GzReader`] | [`Write`](std::io::Write), and [`Read`](std::io::Read) with [`Seek`](std::io::Seek), on several threads |
//! | [`ArchiveWriter`] | a tar archive with an index; [appended to](ArchiveWriter::append) and [resumed](ArchiveWriter::resume) |
//! | [`ArchiveReader`] | reads any tar.gz, and [verifies](ArchiveReader::verify) it |
//! | [`Extractor`] | puts entries on disk, below one folder and nowhere else |
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
/// The crate whose headers [`ArchiveWriter::append_data`] takes.
pub use tar;
/// What compresses and decompresses blocks.
pub use uadk_compress;
pub use verify::Verified;
pub use warning::Warning;
pub use write::ArchiveWriter;

/// Bodies of fuzz targets: they must return, whatever the bytes.
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::verify::fuzz_archive as archive;

    use std::io::{Cursor, Read, Seek, SeekFrom};

    use crate::{GzOptions, index};

    /// Reads and seeks in any bytes as block gzip.
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
            for place in [SeekFrom::Start(read as u64 / 2), SeekFrom::End(-1), SeekFrom::Start(0)] {
                if read <= 1 << 20 && reader.seek(place).is_ok() {
                    let _ = reader.read(&mut piece);
                }
            }
        }
    }

    /// Reads any bytes as the records of an index, and as the end of a file that may have one.
    pub fn index(bytes: &[u8]) {
        index::fuzz(bytes);
    }
}
