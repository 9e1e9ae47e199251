//! Headers and trailers: none (raw), zlib or gzip.

use crate::checksum::{adler32, crc32};
use crate::window::Window;

/// The format of the output.
///
/// ```
/// use block_deflate::{Encoder, Format, Mode};
///
/// let mut encoder = Encoder::new(Mode::Default).with_format(Format::Gzip);
/// let mut file = vec![0; encoder.bound(5)];
/// let len = encoder.compress(b"hello", &mut file)?;
/// file.truncate(len);
/// assert!(len > Format::Gzip.overhead());
/// assert!(file.starts_with(&[0x1f, 0x8b]) && file.ends_with(&[5, 0, 0, 0]));
/// # Ok::<(), block_deflate::DoesNotFit>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Deflate data alone (RFC 1951).
    #[default]
    Raw,
    /// With zlib's header and an Adler-32 (RFC 1950).
    Zlib,
    /// With gzip's header, a CRC-32 and the length (RFC 1952). The header is the shortest possible:
    /// no name and no time.
    Gzip,
}

const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];

/// A header or a trailer, of up to ten bytes.
///
/// ```
/// use block_deflate::{Format, Frame, Window};
///
/// let checksum = Format::Zlib.checksum(b"data");
/// let header: Frame = Format::Zlib.header(Window::Kib32);
/// let trailer: Frame = Format::Zlib.trailer(checksum, 4);
/// assert_eq!(header.as_bytes()[0], 0x78);
/// assert_eq!(trailer.as_bytes(), checksum.to_be_bytes());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    bytes: [u8; 10],
    len: usize,
}

impl Frame {
    fn new(content: &[u8]) -> Self {
        let mut bytes = [0; 10];
        bytes[..content.len()].copy_from_slice(content);
        Self { bytes, len: content.len() }
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Format {
    /// Returns the length of header and trailer together in bytes.
    #[must_use]
    pub const fn overhead(self) -> usize {
        match self {
            Self::Raw => 0,
            Self::Zlib => 6,
            Self::Gzip => 18,
        }
    }

    /// Returns the header.
    ///
    /// zlib's header states the window size, so that decoders needn't allocate a larger one.
    #[must_use]
    pub fn header(self, window: Window) -> Frame {
        match self {
            Self::Raw => Frame::new(&[]),
            Self::Zlib => {
                // Method 8 and the window's logarithm minus 8; level "fastest"; a multiple of 31.
                let first = (window.bits() as u16 - 8) << 4 | 8;
                let check = (31 - (first << 8) % 31) % 31;
                Frame::new(&[first as u8, check as u8])
            }
            Self::Gzip => Frame::new(&GZIP_HEADER),
        }
    }

    /// Returns the checksum for the trailer, or 0 if the format has none.
    #[must_use]
    pub fn checksum(self, bytes: &[u8]) -> u32 {
        match self {
            Self::Raw => 0,
            Self::Zlib => adler32(bytes),
            Self::Gzip => crc32(bytes),
        }
    }

    /// Returns the trailer for `len` bytes of input with this checksum.
    #[must_use]
    pub fn trailer(self, checksum: u32, len: u64) -> Frame {
        match self {
            Self::Raw => Frame::new(&[]),
            Self::Zlib => Frame::new(&checksum.to_be_bytes()),
            Self::Gzip => {
                let mut bytes = [0; 8];
                bytes[..4].copy_from_slice(&checksum.to_le_bytes());
                bytes[4..].copy_from_slice(&(len as u32).to_le_bytes());
                Frame::new(&bytes)
            }
        }
    }
}
