//! Joins segments: one stream from many inputs that were compressed independently, in parallel or
//! at different times.
//!
//! ```
//! use block_deflate::segment::Joiner;
//! use block_deflate::{Encoder, Format, Mode, Window};
//!
//! let mut encoder = Encoder::new(Mode::Default);
//! let mut joiner = Joiner::new(Format::Gzip, Window::Kib32);
//! let mut stream = joiner.header().as_bytes().to_vec();
//! for piece in [&b"one piece, "[..], b"another piece"] {
//!     let mut segment = vec![0; Encoder::segment_bound(piece.len())];
//!     let len = encoder.compress_segment(piece, &mut segment)?;
//!     stream.extend_from_slice(&segment[..len]);
//!     joiner.add(Format::Gzip.checksum(piece), piece.len() as u64);
//! }
//! stream.extend_from_slice(&block_deflate::segment::END);
//! stream.extend_from_slice(joiner.trailer().as_bytes());
//! # Ok::<(), block_deflate::DoesNotFit>(())
//! ```

use crate::checksum::{adler32_of_both, crc32_of_both};
use crate::framing::{Format, Frame};
use crate::window::Window;

/// The end of a stream, which follows its last segment: an empty final block.
pub const END: [u8; 2] = [3, 0];

/// Tracks the checksum and the length of the segments of one stream.
///
/// The stream consists of [`Self::header`], the segments in the order in which they were added,
/// [`END`], and [`Self::trailer`].
///
/// ```
/// use block_deflate::segment::Joiner;
/// use block_deflate::{Format, Window};
///
/// let mut joiner = Joiner::new(Format::Zlib, Window::Kib32);
/// for piece in [&b"one piece, "[..], b"another piece"] {
///     joiner.add(Format::Zlib.checksum(piece), piece.len() as u64);
/// }
/// let whole = Format::Zlib.checksum(b"one piece, another piece");
/// assert_eq!(joiner.trailer().as_bytes(), whole.to_be_bytes());
/// ```
#[derive(Clone, Debug)]
pub struct Joiner {
    format: Format,
    window: Window,
    checksum: u32,
    len: u64,
}

impl Joiner {
    /// Starts a stream. `window` is the largest window of any segment.
    #[must_use]
    pub fn new(format: Format, window: Window) -> Self {
        Self { format, window, checksum: format.checksum(&[]), len: 0 }
    }

    /// Returns the header of the stream.
    #[must_use]
    pub fn header(&self) -> Frame {
        self.format.header(self.window)
    }

    /// Adds a segment, given the checksum (from [`Format::checksum`]) and the length of its input.
    pub const fn add(&mut self, checksum: u32, len: u64) {
        self.checksum = match self.format {
            Format::Raw => 0,
            Format::Zlib => adler32_of_both(self.checksum, checksum, len),
            Format::Gzip => crc32_of_both(self.checksum, checksum, len),
        };
        self.len += len;
    }

    /// Returns the trailer of the stream, which follows [`END`].
    #[must_use]
    pub fn trailer(&self) -> Frame {
        self.format.trailer(self.checksum, self.len)
    }
}
