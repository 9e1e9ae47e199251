//! The errors of one block.

use std::borrow::Cow;

/// Why a block could not be compressed or decompressed.
///
/// [`OutputFull`](Error::OutputFull) and [`Corrupt`](Error::Corrupt) are about the data, and any
/// engine returns them. [`Busy`](Error::Busy), [`Starting`](Error::Starting),
/// [`Device`](Error::Device), [`TimedOut`](Error::TimedOut) and
/// [`Unavailable`](Error::Unavailable) are failures of an engine. A
/// [`Compressor`](crate::Compressor) falls back to the software engine instead of returning them;
/// only its builder returns them.
///
/// ```
/// use uadk_compress::{BlockCompressor, Compressor, Error};
///
/// let compressor = Compressor::builder().build()?;
/// let block = b"incompressible?";
/// let mut buffer = [0; 4];
/// let stored = match compressor.compress(block, &mut buffer) {
///     Ok(len) => &buffer[..len],
///     Err(Error::OutputFull) => &block[..], // uncompressed
///     Err(error) => return Err(error),
/// };
/// assert_eq!(stored, block);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The result does not fit into the destination. When compressing this is the normal result for
    /// a block that does not shrink enough: store it uncompressed, or pass a destination of
    /// [`max_compressed_len`](crate::BlockCompressor::max_compressed_len) bytes.
    #[error("the result does not fit into the destination")]
    OutputFull,
    /// The input violates the format, or its checksum is wrong. Restore the block from a replica or
    /// a backup.
    #[error("the compressed block is damaged or of another format")]
    Corrupt,
    /// This engine can't do what was requested, whatever the data. The text names the request.
    #[error("not supported: {0}")]
    Unsupported(Cow<'static, str>),
    /// The accelerator's queues are full. A retry may succeed.
    #[error("the accelerator's queues are full")]
    Busy,
    /// The accelerator is being initialised. Use software in the meantime.
    #[error("the accelerator is being initialised")]
    Starting,
    /// The accelerator failed. `code` is the number its driver returned (a negative errno, or the
    /// status of the request).
    #[error("the accelerator failed with code {code}")]
    Device {
        /// The driver's return code or request status.
        code: i32,
    },
    /// The accelerator did not complete the block in time. It may still be healthy.
    #[error("the accelerator did not complete the block within its deadline")]
    TimedOut,
    /// No accelerator is available. The text says why; `uadk-compress doctor` and
    /// [`probe`](crate::probe) suggest remedies.
    #[error("no accelerator: {0}")]
    Unavailable(Cow<'static, str>),
    /// The engine reported a length that exceeds the destination, or that differs from the
    /// requested exact length. Either the engine is wrong, or the block is not the expected one.
    #[error("the engine reported {reported} bytes for a destination of {capacity}")]
    WrongLength {
        /// The length that the engine reported.
        reported: usize,
        /// The destination's length.
        capacity: usize,
    },
    /// No engine has set a result yet: the block was not part of a batch call, or the engine left
    /// it out.
    #[error("no engine has processed the block")]
    NotDone,
}

impl Error {
    /// Returns whether this is a failure of an engine, not a statement about the block.
    pub(crate) const fn is_engine_failure(&self) -> bool {
        matches!(self, Self::Device { .. } | Self::TimedOut | Self::Unavailable(_))
    }
}
