//! The interface of the decompressors.

use std::borrow::Cow;

/// Decompresses a format whose files are a sequence of frames (called streams by xz).
pub(super) trait Codec: std::fmt::Debug + Send {
    /// Returns the name of the format.
    fn format(&self) -> &'static str;

    /// Returns the name of its frames.
    fn frame(&self) -> &'static str;

    /// Returns how many bytes identify the beginning of a frame.
    fn magic_len(&self) -> usize;

    /// Returns whether these bytes are the beginning of a frame.
    fn is_frame(&self, start: &[u8]) -> bool;

    /// Returns whether these bytes are the beginning of a frame with data, not a skippable one.
    fn is_data_frame(&self, start: &[u8]) -> bool {
        self.is_frame(start)
    }

    /// Returns whether a file that ends with these bytes was cut off within the magic number of a
    /// frame.
    fn is_cut_frame(&self, rest: &[u8]) -> bool;

    /// Returns the unit of zero padding between frames in bytes; 0 if none is allowed.
    fn padding(&self) -> u64;

    /// Begins a frame whose first bytes are in `start`.
    fn begin(&mut self, start: &[u8]) -> Result<(), Fault>;

    /// Decompresses a part of `input` to `output`.
    fn run(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault>;
}

/// The result of one call of [`Codec::run`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) read: usize,
    pub(super) written: usize,
    /// Whether the frame is complete, including its checksum.
    pub(super) ended: bool,
}

/// Why a frame can't be decompressed.
#[derive(Debug)]
pub(super) enum Fault {
    Damaged(Cow<'static, str>),
    /// It seems intact, but needs something that is not available.
    Unsupported(String),
}

/// Formats a number of bytes for messages.
pub(super) fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}
