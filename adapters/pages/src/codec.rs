//! Compresses pages individually, a batch in one call.

use std::sync::Arc;

use uadk_compress::{Block, BlockCompressor, Checked, Error as EngineError};

use crate::error::PageFault;
use crate::reuse::reuse;

/// A compressor with the buffers for a batch of pages.
#[derive(Debug)]
pub(crate) struct PageCodec {
    compressor: Checked<Arc<dyn BlockCompressor>>,
    page_size: usize,
    /// A page-sized slot for each page.
    output: Vec<u8>,
    /// Each page's compressed length; `None` if it did not get smaller.
    lens: Vec<Option<usize>>,
    blocks: Vec<Block<'static>>,
}

impl PageCodec {
    pub(crate) fn new(
        compressor: Arc<dyn BlockCompressor>,
        page_size: usize,
        max_pages: usize,
    ) -> Self {
        Self {
            compressor: Checked::new(compressor),
            page_size,
            output: vec![0; page_size * max_pages],
            lens: Vec::with_capacity(max_pages),
            blocks: Vec::with_capacity(max_pages),
        }
    }

    /// Compresses contiguous pages.
    pub(crate) fn compress(&mut self, pages: &[u8]) {
        let mut blocks: Vec<Block<'_>> = reuse(std::mem::take(&mut self.blocks));
        let slots = self.output.chunks_exact_mut(self.page_size);
        blocks.extend(pages.chunks_exact(self.page_size).zip(slots).map(|(page, slot)| {
            // A page counts as compressed only if that saves at least one byte.
            let (slot, _) = slot.split_at_mut(page.len() - 1);
            Block::new(page, slot)
        }));
        self.compressor.compress_batch(&mut blocks);
        self.lens.clear();
        // After any error the page stays uncompressed. No format has empty blobs.
        self.lens.extend(blocks.iter().map(|block| block.result().ok().filter(|len| *len > 0)));
        self.blocks = reuse(blocks);
    }

    /// Returns each page of the last batch in compressed form; `None` if it did not get smaller.
    pub(crate) fn compressed(&self) -> impl ExactSizeIterator<Item = Option<&[u8]>> {
        let slots = self.output.chunks_exact(self.page_size);
        self.lens.iter().zip(slots).map(|(len, slot)| len.map(|len| &slot[..len]))
    }

    /// Decompresses one blob into each page of `pages`. A blob as long as a page is copied.
    ///
    /// # Errors
    ///
    /// The index of the first blob that does not decompress to a page, and its fault.
    pub(crate) fn decompress<'b>(
        &mut self,
        blobs: impl Iterator<Item = &'b [u8]> + Clone,
        pages: &mut [u8],
    ) -> Result<(), (usize, PageFault)> {
        let page_size = self.page_size;
        let mut blocks: Vec<Block<'_>> = reuse(std::mem::take(&mut self.blocks));
        for (blob, page) in blobs.clone().zip(pages.chunks_exact_mut(page_size)) {
            if blob.len() == page_size {
                page.copy_from_slice(blob);
            } else {
                blocks.push(Block::exact(blob, page));
            }
        }
        self.compressor.decompress_batch(&mut blocks);
        let indices = blobs.enumerate().filter(|(_, blob)| blob.len() != page_size);
        let mut outcome = Ok(());
        for ((index, _), block) in indices.zip(&blocks) {
            let fault = match block.result() {
                Ok(_) => continue,
                Err(EngineError::WrongLength { reported, capacity }) if reported < capacity => {
                    PageFault::Short { len: reported, page_size }
                }
                Err(EngineError::OutputFull) => PageFault::Long { page_size },
                Err(error) => PageFault::Engine(error),
            };
            outcome = Err((index, fault));
            break;
        }
        self.blocks = reuse(blocks);
        outcome
    }
}
