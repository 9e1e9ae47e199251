//! The outcome of extracting an entry.

/// The outcome of extracting an entry.
///
/// ```
/// use uadk_compress_archive::{ArchiveReader, ArchiveWriter, ExtractOptions, Extracted, Extractor};
///
/// let mut archive = ArchiveWriter::new(Vec::new())?;
/// archive.append_bytes("notes.txt", b"remember the milk")?;
/// let file = archive.finish()?;
///
/// let folder = tempfile::tempdir()?;
/// let mut extractor = Extractor::new(folder.path(), ExtractOptions::new())?;
/// let mut archive = ArchiveReader::new(&file[..])?;
/// let mut entry = archive.next_entry()?.expect("one entry");
/// assert_eq!(extractor.extract(&mut entry)?, Extracted::Done);
/// extractor.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extracted {
    /// The entry is on disk.
    Done,
    /// The existing file was kept, as requested by [`Existing::Skip`](crate::Existing::Skip).
    Kept,
    /// The entry can't or must not be extracted, for the given reason.
    Skipped(&'static str),
}
