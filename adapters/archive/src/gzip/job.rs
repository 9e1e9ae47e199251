//! The jobs of a reader's workers.

use uadk_compress::BlockCompressor;
use zlib_rs::Inflate;

use super::batch::Batch;
use super::run::Run;

/// Compressed data to inflate, with its buffers.
#[derive(Debug)]
pub(super) enum Job {
    /// Members of block gzip.
    Blocks(Batch),
    /// Segments of one member.
    Run(Box<Run>),
}

impl Job {
    pub(super) fn work(
        &mut self,
        inflate: &mut Option<Box<Inflate>>,
        engine: &dyn BlockCompressor,
    ) {
        match self {
            Self::Blocks(batch) => batch.decompress(engine),
            Self::Run(run) => run.inflate(inflate, engine),
        }
    }

    pub(super) fn data(&self) -> &[u8] {
        match self {
            Self::Blocks(batch) => batch.data(),
            Self::Run(run) => run.data(),
        }
    }
}
