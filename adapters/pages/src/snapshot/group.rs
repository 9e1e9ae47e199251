//! Groups of clusters, each gathered and compressed by one thread.

use uadk_compress::{Block, BlockCompressor};

use super::format::{Entry, group_table};
use super::layout::{Layout, Span};
use super::memory::{ReadMemory, is_zero};
use super::pages::Pages;
use crate::error::Error;
use crate::reuse::reuse;

/// One thread's group of clusters, and the buffers to build it.
pub(crate) struct Group {
    /// The pages with data of all clusters, contiguous.
    data: Vec<u8>,
    /// A cluster-sized slot for each cluster of the group.
    output: Vec<u8>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) table: Vec<u8>,
    blocks: Vec<Block<'static>>,
    pub(crate) memory: u64,
    pub(crate) pages: u64,
}

impl Group {
    pub(crate) fn new(layout: &Layout, clusters: usize) -> Self {
        let bytes = clusters * layout.cluster_size();
        Self {
            data: vec![0; bytes],
            output: vec![0; bytes],
            entries: Vec::with_capacity(clusters),
            table: Vec::new(),
            blocks: Vec::with_capacity(clusters),
            memory: 0,
            pages: 0,
        }
    }

    pub(crate) fn make(
        &mut self,
        clusters: std::ops::Range<u64>,
        layout: &Layout,
        memory: &(impl ReadMemory + ?Sized),
        pages: Pages<'_>,
        delta: bool,
        compressor: &dyn BlockCompressor,
    ) -> Result<(), Error> {
        self.entries.clear();
        (self.memory, self.pages) = (0, 0);
        let mut end = 0;
        for cluster in clusters {
            let Some(span) = layout.span(cluster) else { break };
            self.memory += span.len as u64;
            let (present, zero) = self.gather(span, layout, memory, pages, &mut end)?;
            // In a base, missing pages are zero.
            let zero = if delta { zero } else { 0 };
            if present | zero != 0 {
                self.entries.push(Entry { cluster, present, zero, stored: 0, crc: 0 });
                self.pages += u64::from(present.count_ones());
            }
        }
        self.compress(layout, compressor);
        Ok(())
    }

    /// Copies a cluster's pages to offset `end`, except those that are zero or not to be saved.
    /// Returns the pages that were copied, and those that are zero.
    fn gather(
        &mut self,
        span: Span,
        layout: &Layout,
        memory: &(impl ReadMemory + ?Sized),
        pages: Pages<'_>,
        end: &mut usize,
    ) -> Result<(u64, u64), Error> {
        let page_size = layout.page_size();
        let (mut present, mut zero) = (0, 0);
        for page in 0..span.len / page_size {
            let within = (page * page_size) as u64;
            if !pages.contains(span.address + within) {
                continue;
            }
            let offset = span.offset + within;
            let known = memory.is_zero(span.region, offset, page_size);
            if known.map_err(Error::Memory)? {
                zero |= 1 << page;
                continue;
            }
            let copy = &mut self.data[*end..*end + page_size];
            memory.read(span.region, offset, copy).map_err(Error::Memory)?;
            if is_zero(copy) {
                zero |= 1 << page;
            } else {
                present |= 1 << page;
                *end += page_size;
            }
        }
        Ok((present, zero))
    }

    fn compress(&mut self, layout: &Layout, compressor: &dyn BlockCompressor) {
        let mut blocks: Vec<Block<'_>> = reuse(std::mem::take(&mut self.blocks));
        let mut data = &self.data[..];
        let mut slots = self.output.chunks_exact_mut(layout.cluster_size());
        for entry in self.entries.iter().filter(|entry| entry.present != 0) {
            let (pages, rest) = data.split_at(entry.len(layout));
            data = rest;
            let Some(slot) = slots.next() else { break };
            // A cluster counts as compressed only if that saves at least one byte.
            let (slot, _) = slot.split_at_mut(pages.len() - 1);
            blocks.push(Block::new(pages, slot));
        }
        compressor.compress_batch(&mut blocks);
        let with_data = self.entries.iter_mut().filter(|entry| entry.present != 0);
        for (entry, block) in with_data.zip(&blocks) {
            let pages = block.src();
            match block.output() {
                Ok(stored) if !stored.is_empty() => {
                    entry.stored = stored.len() as u32;
                    entry.crc = Entry::checksum(stored, Some(pages));
                }
                // After any error the pages are stored uncompressed.
                _ => {
                    entry.stored = pages.len() as u32;
                    entry.crc = Entry::checksum(pages, None);
                }
            }
        }
        for entry in self.entries.iter_mut().filter(|entry| entry.present == 0) {
            entry.crc = Entry::checksum(&[], None);
        }
        self.blocks = reuse(blocks);
        group_table(&self.entries, &mut self.table);
    }

    /// Returns the bytes to store for each cluster with data.
    pub(crate) fn stored<'g>(&'g self, layout: &'g Layout) -> impl Iterator<Item = &'g [u8]> {
        let mut data = &self.data[..];
        let slots = self.output.chunks_exact(layout.cluster_size());
        self.entries.iter().filter(|entry| entry.present != 0).zip(slots).map(
            move |(entry, slot)| {
                let (pages, rest) = data.split_at(entry.len(layout));
                data = rest;
                if entry.is_compressed(layout) { &slot[..entry.stored as usize] } else { pages }
            },
        )
    }
}
