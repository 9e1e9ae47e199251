//! The two ways to write gzip.

use uadk_compress::Level;

/// The layout of a gzip file. gzip and tar can read both; many other readers don't read block gzip
/// to the end.
///
/// ```
/// use uadk_compress_archive::{GzOptions, Layout};
///
/// let text = b"many lines\n".repeat(10_000);
/// let options = GzOptions::new().layout(Layout::Bgzf);
/// let blocks = options.compress(&text[..], Vec::new())?;
/// // The header of each block has a field `BC` with the size of the block.
/// assert_eq!(&blocks[12..14], b"BC");
/// assert_eq!(Layout::default(), Layout::OneMember);
/// # Ok::<(), uadk_compress_archive::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// One gzip member with a plain header, as written by gzip and pigz. It consists of segments
    /// that can be inflated in parallel. Any reader can read it.
    #[default]
    OneMember,
    /// Block gzip (BGZF): members of at most 64 KiB that declare their size. htslib, Hail and Spark
    /// can seek in it. Many readers take the first member for the whole file: see
    /// [the table][readers].
    ///
    /// [readers]: https://github.com/uadk-compress/uadk-compress/blob/main/docs/archives.md
    Bgzf,
}

impl Layout {
    /// Returns the software level that achieves gzip's compression ratio at `level`.
    ///
    /// Segments have no history, but libdeflate's advantage over zlib outweighs that: in one
    /// member, the next lower level is enough.
    #[must_use]
    pub fn software_level(self, level: Level) -> Level {
        match (self, level.get()) {
            (Self::OneMember, above @ 2..=9) => Level::new(above - 1).unwrap_or(level),
            _ => level,
        }
    }
}
