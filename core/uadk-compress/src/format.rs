//! Formats of compressed blocks.

/// The format of compressed blocks.
///
/// ```
/// use uadk_compress::{BlockCompressor, Format, Level, SoftwareCompressor};
///
/// let codec = SoftwareCompressor::new(Format::Zlib, Level::FAST)?;
/// let mut compressed = [0; 100];
/// codec.compress(b"a block", &mut compressed)?;
/// assert_eq!(compressed[0], 0x78); // zlib's header
/// assert_eq!(Format::Zlib.to_string(), "zlib");
/// // A reader allocates no more than this for 100 compressed bytes, damaged or not.
/// assert_eq!(Format::Zlib.max_decompressed_len(100), Some(94 * 1032));
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// A bare deflate stream (RFC 1951), as in RocksDB's zlib blocks.
    RawDeflate,
    /// Deflate with a 2-byte header and an Adler-32 trailer (RFC 1950).
    Zlib,
    /// Deflate with a 10-byte header, CRC-32 and length (RFC 1952).
    Gzip,
    /// A codec from outside this crate, by name ("lz4").
    Custom(&'static str),
}

/// Deflate needs at least 1 bit for a match length and 1 bit for its distance, for at most 258
/// bytes of output (RFC 1951, 3.2.5): 8 / 2 * 258 bytes per byte.
const DEFLATE_MAX_EXPANSION: usize = 1032;

impl Format {
    /// Returns the number of header and trailer bytes around the deflate stream.
    const fn framing(self) -> usize {
        match self {
            Self::RawDeflate | Self::Custom(_) => 0,
            Self::Zlib => 2 + 4,
            Self::Gzip => 10 + 8,
        }
    }

    /// Returns the most bytes that a block of `len` bytes can compress to, for every engine of this
    /// crate; `None` for [`Format::Custom`], whose bound only its codec knows.
    ///
    /// Deflate stores incompressible data at a cost of 5 bytes per stored block; libdeflate may
    /// begin a new block every 5000 bytes.
    #[must_use]
    pub const fn max_compressed_len(self, len: usize) -> Option<usize> {
        match self {
            Self::Custom(_) => None,
            _ => Some(len.saturating_add(5 * (len / 5000 + 1) + 8 + self.framing())),
        }
    }

    /// Returns the fewest bytes that a block of `len` bytes can compress to: framing, and deflate
    /// data at its highest ratio, which is at least an empty block of 10 bits.
    pub(crate) const fn min_compressed_len(self, len: usize) -> usize {
        if let Self::Custom(_) = self {
            return 0;
        }
        let deflate = len.div_ceil(DEFLATE_MAX_EXPANSION);
        self.framing() + if deflate < 2 { 2 } else { deflate }
    }

    /// Returns the most bytes that `len` compressed bytes can decompress to; `None` if the format
    /// sets no limit ([`Format::Custom`]).
    ///
    /// Readers use it to bound the allocation for a block that may be damaged.
    #[must_use]
    pub const fn max_decompressed_len(self, len: usize) -> Option<usize> {
        match self {
            Self::Custom(_) => None,
            _ => Some(len.saturating_sub(self.framing()).saturating_mul(DEFLATE_MAX_EXPANSION)),
        }
    }

    /// Returns the name for messages and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RawDeflate => "deflate",
            Self::Zlib => "zlib",
            Self::Gzip => "gzip",
            Self::Custom(name) => name,
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
