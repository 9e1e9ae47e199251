//! Encodes the device's sequences: zstd frames and LZ4 blocks.

use std::cell::RefCell;

use block_zstd::{Encoder, Sequence};

use super::lz4_block;
use super::lz77::{self, Counts};
use crate::{Error, Format};

thread_local! {
    static ENCODERS: RefCell<Encoders> = const { RefCell::new(Encoders::new()) };
}

struct Encoders {
    sequences: Vec<Sequence>,
    /// Created at its first use.
    zstd: Option<Box<Encoder>>,
}

/// The output of the device for one block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    pub(super) alg_type: u32,
    /// The whole buffer that the device was offered.
    pub(super) output: &'a [u8],
    pub(super) counts: Counts,
}

/// Encodes `src` in `dst` with the sequences that the device found, and returns the length.
///
/// # Errors
///
/// [`Error::OutputFull`]; [`Error::Corrupt`] if the sequences don't describe `src`.
pub(super) fn encode(
    format: Format,
    src: &[u8],
    found: Found<'_>,
    dst: &mut [u8],
) -> Result<usize, Error> {
    let mut dst = Some(dst);
    // The thread's encoders are gone while it is being torn down.
    let done = ENCODERS.try_with(|encoders| {
        let mut encoders = encoders.try_borrow_mut().ok()?;
        Some(encoders.encode(format, src, found, dst.take()?))
    });
    match (done, dst) {
        (Ok(Some(result)), _) => result,
        (_, Some(dst)) => Encoders::new().encode(format, src, found, dst),
        (_, None) => Err(Error::OutputFull),
    }
}

impl Encoders {
    const fn new() -> Self {
        Self { sequences: Vec::new(), zstd: None }
    }

    fn encode(
        &mut self,
        format: Format,
        src: &[u8],
        found: Found<'_>,
        dst: &mut [u8],
    ) -> Result<usize, Error> {
        let Found { alg_type, output, counts } = found;
        lz77::read(alg_type, src.len(), output, counts, &mut self.sequences)
            .ok_or(Error::Corrupt)?;
        if format == Format::Lz4 {
            return lz4_block::encode(src, &self.sequences, dst);
        }
        let encoder = self.zstd.get_or_insert_with(Box::default);
        encoder.compress(src, &self.sequences, dst).map_err(|error| match error {
            block_zstd::Error::DoesNotFit { .. } => Error::OutputFull,
            _ => Error::Corrupt,
        })
    }
}
