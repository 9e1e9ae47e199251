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
    /// A zstd frame that states its content size (RFC 8878).
    Zstd,
    /// A bare LZ4 block, without a frame (the LZ4 block format). It has no end mark: pass it
    /// without anything behind it.
    Lz4,
    /// A codec from outside this crate, by name ("snappy").
    Custom(&'static str),
}

/// Deflate needs at least 1 bit for a match length and 1 bit for its distance, for at most 258
/// bytes of output (RFC 1951, 3.2.5): 8 / 2 * 258 bytes per byte.
const DEFLATE_MAX_EXPANSION: usize = 1032;

/// Bytes of a zstd frame around its blocks: at least the magic number, the descriptor and one more
/// byte (RFC 8878, 3.1.1.1).
const ZSTD_FRAME: usize = 6;
/// A zstd block holds at most 128 KiB (RFC 8878, 3.1.1.2).
const ZSTD_MAX_BLOCK: usize = 128 << 10;
/// A zstd block has a header of 3 bytes and at least one more, except for an empty one.
const ZSTD_BLOCK_HEADER: usize = 3;

/// A byte of an LZ4 block extends a length by at most 255.
const LZ4_MAX_EXPANSION: usize = 255;

impl Format {
    /// Returns the number of header and trailer bytes around the deflate stream.
    const fn deflate_framing(self) -> usize {
        match self {
            Self::Zlib => 2 + 4,
            Self::Gzip => 10 + 8,
            _ => 0,
        }
    }

    /// Returns the most bytes that a block of `len` bytes can compress to, for every engine of this
    /// crate; `None` for [`Format::Custom`], whose bound only its codec knows.
    ///
    /// Deflate stores incompressible data at a cost of 5 bytes per stored block; libdeflate may
    /// begin a new block every 5000 bytes. For zstd and LZ4 it is the bound of their libraries
    /// (`ZSTD_compressBound`, `LZ4_compressBound`).
    #[must_use]
    pub const fn max_compressed_len(self, len: usize) -> Option<usize> {
        match self {
            Self::RawDeflate | Self::Zlib | Self::Gzip => {
                Some(len.saturating_add(5 * (len / 5000 + 1) + 8 + self.deflate_framing()))
            }
            Self::Zstd => {
                let short = ZSTD_MAX_BLOCK.saturating_sub(len);
                Some(len.saturating_add(len >> 8).saturating_add(short >> 11))
            }
            Self::Lz4 => Some(len.saturating_add(len / 255 + 16)),
            Self::Custom(_) => None,
        }
    }

    /// Returns the fewest bytes that a block of `len` bytes can compress to: framing, and data at
    /// its highest ratio. Deflate takes at least 10 bits for an empty block.
    pub(crate) const fn min_compressed_len(self, len: usize) -> usize {
        match self {
            Self::RawDeflate | Self::Zlib | Self::Gzip => {
                let deflate = len.div_ceil(DEFLATE_MAX_EXPANSION);
                self.deflate_framing() + if deflate < 2 { 2 } else { deflate }
            }
            Self::Zstd if len == 0 => ZSTD_FRAME + ZSTD_BLOCK_HEADER,
            Self::Zstd => ZSTD_FRAME + (ZSTD_BLOCK_HEADER + 1) * len.div_ceil(ZSTD_MAX_BLOCK),
            Self::Lz4 if len == 0 => 1,
            Self::Lz4 => len.div_ceil(LZ4_MAX_EXPANSION),
            Self::Custom(_) => 0,
        }
    }

    /// Returns the most bytes that `len` compressed bytes can decompress to; `None` if the format
    /// sets no limit ([`Format::Custom`]).
    ///
    /// Readers use it to bound the allocation for a block that may be damaged.
    #[must_use]
    pub const fn max_decompressed_len(self, len: usize) -> Option<usize> {
        match self {
            Self::RawDeflate | Self::Zlib | Self::Gzip => {
                let deflate = len.saturating_sub(self.deflate_framing());
                Some(deflate.saturating_mul(DEFLATE_MAX_EXPANSION))
            }
            Self::Zstd => {
                let blocks = len.saturating_sub(ZSTD_FRAME) / (ZSTD_BLOCK_HEADER + 1);
                Some(blocks.saturating_mul(ZSTD_MAX_BLOCK))
            }
            Self::Lz4 => Some(len.saturating_mul(LZ4_MAX_EXPANSION)),
            Self::Custom(_) => None,
        }
    }

    /// Returns whether no device decompresses the format, though some compress it.
    pub(crate) const fn is_only_compressed_by_devices(self) -> bool {
        matches!(self, Self::Zstd | Self::Lz4)
    }

    /// Returns the name for messages and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RawDeflate => "deflate",
            Self::Zlib => "zlib",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Custom(name) => name,
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
