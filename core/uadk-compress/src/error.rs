//! What can go wrong with one block.

use std::borrow::Cow;

/// Why a block could not be compressed or decompressed.
///
/// [`OutputFull`](Error::OutputFull) and [`Corrupt`](Error::Corrupt) are answers about the data and
/// come from any engine. [`Busy`](Error::Busy), [`Device`](Error::Device),
/// [`TimedOut`](Error::TimedOut) and [`Unavailable`](Error::Unavailable) are troubles of an engine;
/// [`Compressor`](crate::Compressor) turns each of them into work for the software engine and
/// returns them only from its builder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The result does not fit into the destination. When compressing this is the normal answer for
    /// a block that does not shrink enough: store it as it is.
    #[error(
        "the result does not fit into the destination: store the block uncompressed, or give it \
         `max_compressed_len` bytes"
    )]
    OutputFull,
    /// The input is not what the format allows, or its checksum is wrong.
    #[error(
        "the compressed block is damaged or of another format: restore it from a replica or backup"
    )]
    Corrupt,
    /// This engine can't do what was asked, whatever the data. The text says what.
    #[error("not supported by this engine: {0}")]
    Unsupported(Cow<'static, str>),
    /// The accelerator's queues are full. Trying again may work.
    #[error("the accelerator's queues are full: try again, or use the software engine")]
    Busy,
    /// The accelerator failed. `code` is the number its driver gave (a negative errno, or the
    /// status of the request).
    #[error("the accelerator failed with code {code}: use the software engine for this block")]
    Device {
        /// The driver's return code or request status.
        code: i32,
    },
    /// The accelerator did not answer in time. It may still be healthy.
    #[error(
        "the accelerator did not complete the block within its deadline: use the software engine"
    )]
    TimedOut,
    /// There is no accelerator to use. The text says why and what would help.
    #[error("no accelerator: {0}")]
    Unavailable(Cow<'static, str>),
}
