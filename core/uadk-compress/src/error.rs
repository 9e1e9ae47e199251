//! What can go wrong with one block.

use std::borrow::Cow;

/// Why a block could not be compressed or decompressed.
///
/// [`OutputFull`](Error::OutputFull) and [`Corrupt`](Error::Corrupt) are answers about the data and
/// come from any engine. [`Busy`](Error::Busy), [`Starting`](Error::Starting),
/// [`Device`](Error::Device), [`TimedOut`](Error::TimedOut) and
/// [`Unavailable`](Error::Unavailable) are troubles of an engine;
/// [`Compressor`](crate::Compressor) turns each of them into work for the software engine and
/// returns them only from its builder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The result does not fit into the destination. When compressing this is the normal answer for
    /// a block that does not shrink enough: store it as it is, or pass a destination of
    /// [`max_compressed_len`](crate::BlockCompressor::max_compressed_len) bytes.
    #[error("the result does not fit into the destination")]
    OutputFull,
    /// The input is not what the format allows, or its checksum is wrong. Restore the block from a
    /// replica or a backup.
    #[error("the compressed block is damaged or of another format")]
    Corrupt,
    /// This engine can't do what was asked, whatever the data. The text says what.
    #[error("not supported: {0}")]
    Unsupported(Cow<'static, str>),
    /// The accelerator's queues are full. Trying again may work.
    #[error("the accelerator's queues are full")]
    Busy,
    /// The accelerator is being initialised. Use software meanwhile.
    #[error("the accelerator is being initialised")]
    Starting,
    /// The accelerator failed. `code` is the number its driver returned (a negative errno, or the
    /// status of the request).
    #[error("the accelerator failed with code {code}")]
    Device {
        /// The driver's return code or request status.
        code: i32,
    },
    /// The accelerator did not answer in time. It may still be healthy.
    #[error("the accelerator did not complete the block within its deadline")]
    TimedOut,
    /// There is no accelerator to use. The text says why; `uadk-compress doctor` and
    /// [`probe`](crate::probe) say what would help.
    #[error("no accelerator: {0}")]
    Unavailable(Cow<'static, str>),
    /// The engine reported a length that the destination can't have, or another one than the exact
    /// length that was asked for. Either the engine is wrong, or the block is not the expected one.
    #[error("the engine reported {reported} bytes for a destination of {room}")]
    WrongLength {
        /// What the engine says it has written.
        reported: usize,
        /// Bytes of the destination.
        room: usize,
    },
    /// No engine has answered yet: the block was not part of a batch call, or the engine left it
    /// out.
    #[error("no engine has processed the block")]
    NotDone,
}

impl Error {
    /// Whether this is trouble of an engine, not an answer about the block.
    pub(crate) const fn is_engine_trouble(&self) -> bool {
        matches!(self, Self::Device { .. } | Self::TimedOut | Self::Unavailable(_))
    }
}
