//! Decompresses clusters.

use std::sync::Arc;

use uadk_compress::stats::Stats;
use uadk_compress::{
    Block, BlockCompressor, Checked, Compressor, Format, Level, Policy, SoftwareCompressor,
};

use super::format::Entry;
use crate::error::Error;

/// Decompresses and checks clusters of one format.
///
/// An engine's failure or wrong output must not be mistaken for a damaged snapshot. A cluster is
/// damaged if software finds it damaged.
#[derive(Debug)]
pub(crate) struct ClusterCodec {
    engine: Checked<Arc<dyn BlockCompressor>>,
    software: SoftwareCompressor,
    /// The engine, if [`for_format`](Self::for_format) created it: it keeps statistics.
    default_engine: Option<Arc<Compressor>>,
}

impl ClusterCodec {
    pub(crate) fn new(engine: Arc<dyn BlockCompressor>) -> Result<Self, Error> {
        let software = SoftwareCompressor::new(engine.format(), Level::default());
        let software = software.map_err(Error::Engine)?;
        Ok(Self { engine: Checked::new(engine), software, default_engine: None })
    }

    pub(crate) fn for_format(format: Format) -> Result<Self, Error> {
        let policy = Policy::default().with_directions(false, true);
        let compressor = Compressor::builder().format(format).policy(policy).build();
        let engine = Arc::new(compressor.map_err(Error::Engine)?);
        Ok(Self { default_engine: Some(Arc::clone(&engine)), ..Self::new(engine)? })
    }

    /// Returns the engine's statistics; `None` if it is the caller's.
    pub(crate) fn stats(&self) -> Option<Stats> {
        self.default_engine.as_ref().map(|engine| engine.stats())
    }

    /// Decompresses the pages of a compressed cluster. Returns whether they are intact.
    pub(crate) fn decompress(&self, entry: Entry, stored: &[u8], pages: &mut [u8]) -> bool {
        let is_intact = |pages: &[u8]| Entry::checksum(stored, Some(pages)) == entry.crc;
        if self.engine.decompress_exact(stored, pages).is_ok() && is_intact(pages) {
            return true;
        }
        let software = Checked::new(self.software.clone());
        software.decompress_exact(stored, pages).is_ok() && is_intact(pages)
    }

    /// Decompresses the pages of many clusters and records whether they are intact. The blocks are
    /// [exact](Block::exact).
    pub(crate) fn decompress_batch<'e>(
        &self,
        blocks: &mut [Block<'_>],
        entries: impl Iterator<Item = (Entry, &'e mut bool)>,
    ) {
        self.engine.decompress_batch(blocks);
        for (block, (entry, intact)) in blocks.iter_mut().zip(entries) {
            let is_intact = |block: &Block<'_>| {
                let pages = block.output().ok();
                pages.is_some_and(|pages| Entry::checksum(block.src(), Some(pages)) == entry.crc)
            };
            *intact = is_intact(block) || {
                block.run(|stored, pages| self.software.decompress(stored, pages));
                is_intact(block)
            };
        }
    }
}
