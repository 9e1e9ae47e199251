//! A base and the deltas on it, read as one snapshot.

use super::file::{Located, ReadAt, Snapshot};
use super::format::Entry;
use super::layout::Layout;
use crate::error::Error;

/// A base snapshot and any number of deltas, each made on the snapshot before it. Together they
/// hold the newest state. Each may have its own format of clusters.
///
/// ```
/// use uadk_compress_pages::snapshot::{Chain, Snapshot};
///
/// # use std::sync::Arc;
/// # use std::sync::atomic::AtomicU64;
/// # use uadk_compress::{BlockCompressor, Compressor};
/// # use uadk_compress_pages::GuestRam;
/// # use uadk_compress_pages::snapshot::{ChangedPages, Layout, Pages, Region, SaveOptions, save};
/// # let memory = [const { AtomicU64::new(7) }; 512];
/// # let layout = Layout::new(vec![Region { address: 0, len: 4096 }])?;
/// # let codec: Arc<dyn BlockCompressor> = Arc::new(Compressor::builder().build()?);
/// # let regions = [GuestRam::from_words(&memory)];
/// # let (mut base, options) = (Vec::<u8>::new(), SaveOptions::default().id([1; 16]));
/// # save(&mut base, &layout, &regions[..], Pages::All, &codec, &options, &mut |_| {})?;
/// # memory[0].store(9, std::sync::atomic::Ordering::Relaxed);
/// # let mut changed = ChangedPages::none(&layout);
/// # changed.insert(0);
/// # let (pages, options) = (Pages::Changed(&changed), SaveOptions::default().parent([1; 16]));
/// # let mut delta = Vec::new();
/// # save(&mut delta, &layout, &regions[..], pages, &codec, &options, &mut |_| {})?;
/// let layers = vec![Snapshot::open(&base[..])?, Snapshot::open(&delta[..])?];
/// let chain = Chain::new(layers)?;
/// assert_eq!(chain.layers().len(), 2);
/// // The page changed after the base was saved: the delta has a 9 in it.
/// assert!(chain.pages().read(0)?.is_some_and(|page| page.contains(&9)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Chain<F> {
    layers: Vec<Snapshot<F>>,
}

impl<F: ReadAt> Chain<F> {
    /// Creates a chain of a base and its deltas, in the order in which they were made.
    ///
    /// # Errors
    ///
    /// [`Error::NeedsParent`] if the first snapshot is a delta; [`Error::Chain`] if there are no
    /// snapshots, or one was not made on its predecessor or has another layout.
    pub fn new(layers: Vec<Snapshot<F>>) -> Result<Self, Error> {
        let Some(base) = layers.first() else { return Err(Error::Chain(0)) };
        if base.header().parent.is_some() {
            return Err(Error::NeedsParent);
        }
        for (number, pair) in layers.windows(2).enumerate() {
            let (below, above) = (pair[0].header(), pair[1].header());
            if above.parent != Some(below.id) || above.layout != below.layout {
                return Err(Error::Chain(number + 2));
            }
        }
        Ok(Self { layers })
    }

    /// Returns how memory is divided.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layers[0].header().layout
    }

    /// Returns the snapshots, the base first.
    #[must_use]
    pub fn layers(&self) -> &[Snapshot<F>] {
        &self.layers
    }

    /// Creates a reader of single pages. Each thread needs its own.
    #[must_use]
    pub fn pages(&self) -> PageReader<'_, F> {
        let len = self.layout().cluster_size();
        PageReader { chain: self, cached: None, stored: vec![0; len], data: vec![0; len] }
    }

    /// Returns the clusters that any layer has an entry for, in order.
    pub(crate) fn mentioned(&self) -> Vec<u64> {
        let layers = self.layers.iter().flat_map(Snapshot::located);
        let mut clusters: Vec<u64> = layers.map(|located| located.entry.cluster).collect();
        clusters.sort_unstable();
        clusters.dedup();
        clusters
    }

    /// Returns each layer's share of a cluster, the newest layer first: the pages that no newer
    /// layer has.
    pub(crate) fn newest(&self, cluster: u64) -> impl Iterator<Item = Share<'_>> {
        let mut known = 0_u64;
        self.layers.iter().enumerate().rev().filter_map(move |(layer, snapshot)| {
            let located = snapshot.find(cluster)?;
            let Entry { present, zero, .. } = located.entry;
            let share = Share { layer, located, present: present & !known, zero: zero & !known };
            known |= present | zero;
            Some(share)
        })
    }
}

/// The pages of a cluster that come from one layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share<'c> {
    pub(crate) layer: usize,
    pub(crate) located: &'c Located,
    /// Pages with data.
    pub(crate) present: u64,
    /// Pages that are zero.
    pub(crate) zero: u64,
}

/// Reads single pages, and caches the last cluster.
///
/// ```
/// use uadk_compress_pages::Error;
/// use uadk_compress_pages::snapshot::{Chain, Snapshot};
///
/// # use std::sync::Arc;
/// # use std::sync::atomic::AtomicU64;
/// # use uadk_compress::{BlockCompressor, Compressor};
/// # use uadk_compress_pages::GuestRam;
/// # use uadk_compress_pages::snapshot::{Layout, Pages, Region, SaveOptions, save};
/// # let memory = [const { AtomicU64::new(7) }; 512];
/// # let layout = Layout::new(vec![Region { address: 0, len: 4096 }])?;
/// # let codec: Arc<dyn BlockCompressor> = Arc::new(Compressor::builder().build()?);
/// # let regions = [GuestRam::from_words(&memory)];
/// # let (mut file, options) = (Vec::<u8>::new(), SaveOptions::default().id([1; 16]));
/// # save(&mut file, &layout, &regions[..], Pages::All, &codec, &options, &mut |_| {})?;
/// let chain = Chain::new(vec![Snapshot::open(&file[..])?])?;
/// let mut pages = chain.pages();
/// match pages.read(0x10)? {
///     Some(page) => assert_eq!(page.len(), 4096),
///     None => println!("a zero page"),
/// }
/// assert!(matches!(pages.read(1 << 40), Err(Error::Unsupported(_))), "no memory there");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PageReader<'c, F> {
    chain: &'c Chain<F>,
    /// Layer and cluster of `data`.
    cached: Option<(usize, u64)>,
    stored: Vec<u8>,
    data: Vec<u8>,
}

impl<F: ReadAt> PageReader<'_, F> {
    /// Returns the page that contains a guest address; `None` if it is zero.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] where there is no memory, and [`Error::Damaged`] if the page's
    /// cluster is damaged.
    pub fn read(&mut self, address: u64) -> Result<Option<&[u8]>, Error> {
        let layout = self.chain.layout();
        let Some((cluster, page)) = layout.find(address) else {
            let message = format!("the guest has no memory at {address:#x}");
            return Err(Error::Unsupported(message));
        };
        let share = self.chain.newest(cluster).find(|s| (s.present | s.zero) & (1 << page) != 0);
        let Some(share) = share.filter(|share| share.present & (1 << page) != 0) else {
            return Ok(None);
        };
        if self.cached != Some((share.layer, cluster)) {
            self.cached = None;
            let snapshot = &self.chain.layers[share.layer];
            snapshot.read_cluster(share.located, &mut self.stored, &mut self.data)?;
            self.cached = Some((share.layer, cluster));
        }
        let at = (share.located.entry.present & ((1 << page) - 1)).count_ones() as usize;
        let page_size = layout.page_size();
        Ok(Some(&self.data[at * page_size..][..page_size]))
    }
}

impl<F: ReadAt> Snapshot<F> {
    /// Reads and decompresses a cluster's pages to the beginning of `data`. Both buffers have the
    /// length of a cluster.
    pub(crate) fn read_cluster(
        &self,
        located: &Located,
        stored: &mut [u8],
        data: &mut [u8],
    ) -> Result<(), Error> {
        let Located { entry, offset } = *located;
        let layout = &self.header().layout;
        let stored = &mut stored[..entry.stored as usize];
        super::file::read(self.file(), stored, offset)?;
        let data = &mut data[..entry.len(layout)];
        let intact = if entry.is_compressed(layout) {
            self.codec().decompress(entry, stored, data)
        } else {
            data.copy_from_slice(stored);
            Entry::checksum(stored, None) == entry.crc
        };
        if intact { Ok(()) } else { Err(self.damaged(located)) }
    }
}
