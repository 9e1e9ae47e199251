//! What decompresses one format.

use std::borrow::Cow;

/// Decompresses a format whose files are frames, one behind the other; xz calls them streams.
pub(super) trait Codec: std::fmt::Debug + Send {
    /// The name of the format.
    fn format(&self) -> &'static str;

    /// The name of its frames.
    fn frame(&self) -> &'static str;

    /// Bytes that tell whether a frame begins.
    fn magic_len(&self) -> usize;

    /// Whether a frame begins with these bytes.
    fn is_frame(&self, start: &[u8]) -> bool;

    /// Whether a frame that begins with these bytes has data, and is none that is skipped.
    fn is_data_frame(&self, start: &[u8]) -> bool {
        self.is_frame(start)
    }

    /// Whether a file that ends in these bytes was cut off within the first ones of a frame.
    fn is_cut_frame(&self, rest: &[u8]) -> bool;

    /// Zeros between frames are of a multiple of so many bytes; 0 if there may be none.
    fn padding(&self) -> u64;

    /// Begins a frame, which `start` has the first bytes of.
    fn begin(&mut self, start: &[u8]) -> Result<(), Fault>;

    /// Decompresses some of `input` to `output`.
    fn run(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault>;
}

/// What a call did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) read: usize,
    pub(super) written: usize,
    /// Whether the frame is whole, with its checksum.
    pub(super) ended: bool,
}

/// Why a frame can't be decompressed.
#[derive(Debug)]
pub(super) enum Fault {
    Damaged(Cow<'static, str>),
    /// It is whole as far as one can tell, and needs what is not there.
    Unsupported(String),
}

/// A number of bytes, for people.
pub(super) fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}
