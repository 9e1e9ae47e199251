//! Decompressing clusters.

use std::sync::Arc;

use uadk_compress::stats::Stats;
use uadk_compress::{
    Block, BlockCompressor, Checked, Compressor, Format, Level, SoftwareCompressor,
};

use super::format::Entry;
use crate::error::Error;

/// Decompresses and checks clusters of one format.
///
/// Trouble of an engine, or wrong bytes from it, must not be taken for damage of the snapshot: a
/// cluster is damaged if software says so.
#[derive(Debug)]
pub(crate) struct ClusterCodec {
    engine: Checked<Arc<dyn BlockCompressor>>,
    software: SoftwareCompressor,
    /// The engine, if it is of our own making: it counts what it does.
    own: Option<Arc<Compressor>>,
}

impl ClusterCodec {
    pub(crate) fn new(engine: Arc<dyn BlockCompressor>) -> Result<Self, Error> {
        let software = SoftwareCompressor::new(engine.format(), Level::default());
        let software = software.map_err(Error::Engine)?;
        Ok(Self { engine: Checked::new(engine), software, own: None })
    }

    pub(crate) fn for_format(format: Format) -> Result<Self, Error> {
        let compressor = Compressor::builder().format(format).build();
        let own = Arc::new(compressor.map_err(Error::Engine)?);
        Ok(Self { own: Some(Arc::clone(&own)), ..Self::new(own)? })
    }

    /// What the engine did; `None` if it is the caller's.
    pub(crate) fn stats(&self) -> Option<Stats> {
        self.own.as_ref().map(|own| own.stats())
    }

    /// Decompresses the pages of a compressed cluster. Returns whether they are intact.
    pub(crate) fn decompress(&self, entry: Entry, stored: &[u8], pages: &mut [u8]) -> bool {
        let is_intact = |pages: &[u8]| Entry::checksum(stored, Some(pages)) == entry.crc;
        if self.engine.decompress_exact(stored, pages).is_ok() && is_intact(pages) {
            return true;
        }
        let software = Checked::new(self.software);
        software.decompress_exact(stored, pages).is_ok() && is_intact(pages)
    }

    /// Decompresses the pages of many clusters, and sets whether they are intact. The blocks are
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
