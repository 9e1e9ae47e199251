//! Pages compressed one by one, a batch in one call.

use std::sync::Arc;

use uadk_compress::{Block, BlockCompressor, Checked, Error as EngineError};

use crate::error::PageFault;
use crate::reuse::reuse;

/// A compressor with the buffers for a batch of pages.
#[derive(Debug)]
pub(crate) struct PageCodec {
    compressor: Checked<Arc<dyn BlockCompressor>>,
    page_size: usize,
    /// For each page, a page's room.
    output: Vec<u8>,
    /// For each page, the length it was compressed to; `None` if it did not get smaller.
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

    /// Compresses pages that lie one behind the other.
    pub(crate) fn compress(&mut self, pages: &[u8]) {
        let mut blocks: Vec<Block<'_>> = reuse(std::mem::take(&mut self.blocks));
        let rooms = self.output.chunks_exact_mut(self.page_size);
        blocks.extend(pages.chunks_exact(self.page_size).zip(rooms).map(|(page, room)| {
            // A page that saves not one byte is not compressed.
            let (room, _) = room.split_at_mut(page.len() - 1);
            Block::new(page, room)
        }));
        self.compressor.compress_batch(&mut blocks);
        self.lens.clear();
        // Whatever the trouble, the page as it is will do. No format has an empty blob.
        self.lens.extend(blocks.iter().map(|block| block.result().ok().filter(|len| *len > 0)));
        self.blocks = reuse(blocks);
    }

    /// For each page of the last batch, how it was compressed; `None` if it did not get smaller.
    pub(crate) fn compressed(&self) -> impl ExactSizeIterator<Item = Option<&[u8]>> {
        let rooms = self.output.chunks_exact(self.page_size);
        self.lens.iter().zip(rooms).map(|(len, room)| len.map(|len| &room[..len]))
    }

    /// Decompresses one blob for each page of `pages`; a blob of a page's length is the page.
    ///
    /// # Errors
    ///
    /// The number of the first blob that is no page, and what is wrong with it.
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
                Err(EngineError::WrongLength { reported, room }) if reported < room => {
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
