//! Which pages to save.

use super::layout::Layout;

/// Which pages to save.
///
/// ```
/// use uadk_compress_pages::snapshot::{ChangedPages, Pages, SaveOptions, save};
///
/// # use std::sync::Arc;
/// # use std::sync::atomic::AtomicU64;
/// # use uadk_compress::{BlockCompressor, Compressor};
/// # use uadk_compress_pages::GuestRam;
/// # use uadk_compress_pages::snapshot::{Layout, Region};
/// # let memory = [const { AtomicU64::new(7) }; 512];
/// # let layout = Layout::new(vec![Region { address: 0, len: 4096 }])?;
/// # let codec: Arc<dyn BlockCompressor> = Arc::new(Compressor::builder().build()?);
/// # let regions = [GuestRam::from_words(&memory)];
/// # let (mut base, options) = (Vec::<u8>::new(), SaveOptions::default().id([1; 16]));
/// # save(&mut base, &layout, &regions[..], Pages::All, &codec, &options, &mut |_| {})?;
/// // No page has changed since `base`, whose name is [1; 16].
/// let changed = ChangedPages::none(&layout);
/// let (pages, options) = (Pages::Changed(&changed), SaveOptions::default().parent([1; 16]));
/// let mut delta = Vec::new();
/// let saved = save(&mut delta, &layout, &regions[..], pages, &codec, &options, &mut |_| {})?;
/// assert_eq!(saved.progress.pages, 0);
/// assert!(delta.len() < base.len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Pages<'p> {
    /// All of them: a base.
    All,
    /// Those that changed: a delta.
    Changed(&'p ChangedPages),
}

impl Pages<'_> {
    pub(crate) fn contains(self, address: u64) -> bool {
        match self {
            Self::All => true,
            Self::Changed(changed) => changed.contains(address),
        }
    }
}

/// The pages that changed since a snapshot, for example according to a dirty log.
///
/// ```
/// use uadk_compress_pages::snapshot::{ChangedPages, Layout, Region};
///
/// let layout = Layout::new(vec![Region { address: 0, len: 1 << 20 }])?;
/// let mut changed = ChangedPages::none(&layout);
/// changed.insert(0x3010);
/// assert_eq!(changed.len(), 1);
/// # Ok::<(), uadk_compress_pages::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChangedPages {
    page_size: u64,
    /// For each region, its address, its length, and a bit for each page.
    regions: Vec<(u64, u64, Vec<u64>)>,
}

impl ChangedPages {
    /// Creates an empty set for memory with this layout.
    #[must_use]
    pub fn none(layout: &Layout) -> Self {
        let page_size = layout.page_size() as u64;
        let regions = layout.regions().iter().map(|region| {
            let words = (region.len / page_size).div_ceil(64);
            (region.address, region.len, vec![0; words as usize])
        });
        Self { page_size, regions: regions.collect() }
    }

    /// Adds the page at a guest address. Does nothing where there is no memory.
    pub fn insert(&mut self, address: u64) {
        if let Some((region, page)) = self.find(address) {
            self.regions[region].2[page / 64] |= 1 << (page % 64);
        }
    }

    /// Returns the number of pages in the set.
    #[must_use]
    pub fn len(&self) -> u64 {
        let words = self.regions.iter().flat_map(|(_, _, words)| words);
        words.map(|word| u64::from(word.count_ones())).sum()
    }

    /// Returns whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn contains(&self, address: u64) -> bool {
        self.find(address).is_some_and(|(region, page)| {
            self.regions[region].2[page / 64] & (1 << (page % 64)) != 0
        })
    }

    fn find(&self, address: u64) -> Option<(usize, usize)> {
        let region = self.regions.partition_point(|(start, ..)| *start <= address);
        let region = region.checked_sub(1)?;
        let (start, len, _) = &self.regions[region];
        let offset = address - start;
        (offset < *len).then_some((region, (offset / self.page_size) as usize))
    }
}
