//! Restores all of a guest's memory.

use std::ops::Range;

use uadk_compress::Block;
use uadk_compress::pool::{Panicked, Pool};

use super::chain::{Chain, Share};
use super::error::{Damage, SnapshotError};
use super::file::{ReadAt, read};
use super::format::Entry;
use super::layout::{Layout, Span};
use super::memory::WriteMemory;
use super::writer::{MAX_THREADS, Progress};
use crate::batch::ZeroPages;
use crate::reuse::reuse;

/// Clusters that a thread takes at once: enough to fill a device's queue.
const BATCH: u64 = 64;

/// Options of [`restore`].
///
/// ```
/// use std::sync::atomic::AtomicU64;
/// use uadk_compress_pages::snapshot::{Chain, RestoreOptions, Snapshot, restore};
/// use uadk_compress_pages::{GuestRam, ZeroPages};
///
/// # use std::sync::Arc;
/// # use uadk_compress::{BlockCompressor, Compressor};
/// # use uadk_compress_pages::snapshot::{Layout, Pages, Region, SaveOptions, save};
/// # let memory = [const { AtomicU64::new(7) }; 512];
/// # let layout = Layout::new(vec![Region { address: 0, len: 4096 }])?;
/// # let codec: Arc<dyn BlockCompressor> = Arc::new(Compressor::builder().build()?);
/// # let regions = [GuestRam::from_words(&memory)];
/// # let (mut file, options) = (Vec::<u8>::new(), SaveOptions::default().id([1; 16]));
/// # save(&mut file, &layout, &regions[..], Pages::All, &codec, &options, &mut |_| {})?;
/// let chain = Chain::new(vec![Snapshot::open(&file[..])?])?;
/// let fresh = [const { AtomicU64::new(0) }; 512];
/// let regions = [GuestRam::from_words(&fresh)];
/// let options = RestoreOptions::default().threads(2).zero_pages(ZeroPages::Fresh);
/// restore(&chain, &regions[..], &options, &mut |_| {})?;
/// assert_eq!(fresh.map(AtomicU64::into_inner), [7; 512]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RestoreOptions {
    threads: usize,
    zero_pages: ZeroPages,
    partial: bool,
}

impl Default for RestoreOptions {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self { threads, zero_pages: ZeroPages::Write, partial: false }
    }
}

impl RestoreOptions {
    /// Sets the number of decompressing threads, at most 256. The default is the number of
    /// processors. With 0 or 1, the caller's thread does the work. If the system refuses to start
    /// threads, fewer are used.
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Sets whether the memory is fresh, so that zero pages need not be written.
    pub const fn zero_pages(mut self, zero_pages: ZeroPages) -> Self {
        self.zero_pages = zero_pages;
        self
    }

    /// Sets whether to leave out damaged clusters instead of failing at the first.
    pub const fn partial(mut self, partial: bool) -> Self {
        self.partial = partial;
        self
    }
}

/// The result of a restore.
///
/// ```
/// use uadk_compress_pages::snapshot::{Chain, RestoreOptions, Snapshot, restore};
///
/// # use std::sync::Arc;
/// # use std::sync::atomic::AtomicU64;
/// # use uadk_compress::{BlockCompressor, Compressor};
/// # use uadk_compress_pages::GuestRam;
/// # use uadk_compress_pages::snapshot::{Layout, Pages, Region, SaveOptions, save};
/// # let word = |i: u64| AtomicU64::new(i.wrapping_mul(0x9e37_79b9_7f4a_7c15));
/// # let memory: Vec<AtomicU64> = (0..512).map(word).collect();
/// # let layout = Layout::new(vec![Region { address: 0, len: 4096 }])?;
/// # let codec: Arc<dyn BlockCompressor> = Arc::new(Compressor::builder().build()?);
/// # let regions = [GuestRam::from_words(&memory)];
/// # let (mut file, options) = (Vec::<u8>::new(), SaveOptions::default());
/// # save(&mut file, &layout, &regions[..], Pages::All, &codec, &options, &mut |_| {})?;
/// # let middle = file.len() / 2;
/// # file[middle] ^= 1;
/// // The only cluster of `file` is damaged.
/// let chain = Chain::new(vec![Snapshot::open(&file[..])?])?;
/// let options = RestoreOptions::default().partial(true);
/// let restored = restore(&chain, &regions[..], &options, &mut |_| {})?;
/// for damage in &restored.damage {
///     eprintln!("warning: left out: {damage}");
/// }
/// assert_eq!(restored.damage.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Restored {
    /// How much was restored.
    pub progress: Progress,
    /// The damaged parts that were left out.
    pub damage: Vec<Damage>,
}

/// Restores the newest state of a chain. The caller's thread calls `progress`.
///
/// # Errors
///
/// If anything can't be read or written, or panics; and, unless a partial restore is requested, if
/// anything is damaged.
pub fn restore<F: ReadAt>(
    chain: &Chain<F>,
    memory: &(impl WriteMemory + ?Sized),
    options: &RestoreOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Restored, SnapshotError> {
    // Fresh memory needs no work where no layer has an entry.
    let mentioned = match options.zero_pages {
        ZeroPages::Fresh => Some(chain.mentioned()),
        ZeroPages::Write => None,
    };
    let clusters = mentioned.as_ref().map_or(chain.layout().clusters(), |list| list.len() as u64);
    let work = |(): &mut (), batch: &mut Batch| {
        let range = batch.range.clone();
        batch.done = match &mentioned {
            None => batch.restore(range, chain, memory, options),
            Some(list) => {
                let list = &list[range.start as usize..range.end as usize];
                batch.restore(list.iter().copied(), chain, memory, options)
            }
        };
    };
    let mut restored = Restored { progress: Progress::default(), damage: Vec::new() };
    // Returns the batch for reuse.
    let mut count = |done: Result<Batch, Panicked>| {
        let mut batch = done?;
        let done = std::mem::replace(&mut batch.done, Ok(Progress::default()))?;
        restored.progress.memory += done.memory;
        restored.progress.file += done.file;
        restored.progress.pages += done.pages;
        restored.damage.append(&mut batch.damage);
        progress(restored.progress);
        Ok::<_, SnapshotError>(batch)
    };
    std::thread::scope(|scope| {
        let threads = options.threads.min(MAX_THREADS);
        let mut pool = Pool::scoped(scope, "restore", threads, || (), work);
        let mut spare = Vec::new();
        for first in (0..clusters).step_by(BATCH as usize) {
            let mut batch: Batch = spare.pop().unwrap_or_default();
            batch.range = first..clusters.min(first + BATCH);
            while let Err(refused) = pool.submit(batch) {
                batch = refused;
                spare.extend(pool.take().map(&mut count).transpose()?);
            }
            while let Some(done) = pool.try_take() {
                spare.push(count(done)?);
            }
        }
        while let Some(done) = pool.take() {
            count(done)?;
        }
        Ok::<_, SnapshotError>(())
    })?;
    restored.progress.memory = chain.layout().len();
    restored.damage.sort_by_key(|damage| damage.offset);
    Ok(restored)
}

/// Clusters that are restored together, and the buffers for them.
struct Batch {
    /// Numbers of clusters or, in fresh memory, indices into the clusters with an entry.
    range: Range<u64>,
    done: Result<Progress, SnapshotError>,
    jobs: Vec<Job>,
    stored: Vec<u8>,
    data: Vec<u8>,
    blocks: Vec<Block<'static>>,
    damage: Vec<Damage>,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            range: 0..0,
            done: Ok(Progress::default()),
            jobs: Vec::new(),
            stored: Vec::new(),
            data: Vec::new(),
            blocks: Vec::new(),
            damage: Vec::new(),
        }
    }
}

/// A cluster of one layer to decompress.
struct Job {
    layer: usize,
    entry: Entry,
    offset: u64,
    span: Span,
    /// The pages that no newer layer has.
    wanted: u64,
    intact: bool,
}

impl Batch {
    fn restore<F: ReadAt>(
        &mut self,
        clusters: impl Iterator<Item = u64>,
        chain: &Chain<F>,
        memory: &(impl WriteMemory + ?Sized),
        options: &RestoreOptions,
    ) -> Result<Progress, SnapshotError> {
        let layout = chain.layout();
        let mut done = Progress::default();
        self.jobs.clear();
        for cluster in clusters {
            let Some(span) = layout.span(cluster) else { break };
            done.memory += span.len as u64;
            let mut with_data = 0;
            for Share { layer, located, present, .. } in chain.newest(cluster) {
                with_data |= present;
                if present != 0 {
                    let (entry, offset) = (located.entry, located.offset);
                    let job = Job { layer, entry, offset, span, wanted: present, intact: true };
                    done.file += u64::from(entry.stored);
                    self.jobs.push(job);
                }
            }
            done.pages += u64::from(with_data.count_ones());
            if options.zero_pages == ZeroPages::Write {
                clear(span, with_data, layout, memory)?;
            }
        }
        self.decompress(chain)?;
        let mut data = &self.data[..];
        for job in &self.jobs {
            let (pages, rest) = data.split_at(job.entry.len(layout));
            data = rest;
            if job.intact {
                write(job.entry, job.wanted, job.span, pages, layout, memory)?;
            } else {
                let snapshot = &chain.layers()[job.layer];
                let located = super::file::Located { entry: job.entry, offset: job.offset };
                if !options.partial {
                    return Err(snapshot.damaged(&located));
                }
                self.damage.push(Damage { part: snapshot.part(&located), offset: job.offset });
            }
        }
        Ok(done)
    }

    /// Reads and decompresses all jobs, with one call per layer.
    fn decompress<F: ReadAt>(&mut self, chain: &Chain<F>) -> Result<(), SnapshotError> {
        let layout = chain.layout();
        let stored = self.jobs.iter().map(|job| job.entry.stored as usize).sum();
        let len = self.jobs.iter().map(|job| job.entry.len(layout)).sum();
        self.stored.resize(stored, 0);
        self.data.resize(len, 0);
        let mut rest = &mut self.stored[..];
        for job in &self.jobs {
            let (stored, after) = rest.split_at_mut(job.entry.stored as usize);
            read(chain.layers()[job.layer].file(), stored, job.offset)?;
            rest = after;
        }
        for (layer, snapshot) in chain.layers().iter().enumerate() {
            let mut blocks: Vec<Block<'_>> = reuse(std::mem::take(&mut self.blocks));
            let (mut stored, mut data) = (&self.stored[..], &mut self.data[..]);
            for job in &mut self.jobs {
                let (bytes, after) = stored.split_at(job.entry.stored as usize);
                let (pages, rest) = data.split_at_mut(job.entry.len(layout));
                (stored, data) = (after, rest);
                if job.layer != layer {
                    continue;
                }
                if job.entry.is_compressed(layout) {
                    blocks.push(Block::exact(bytes, pages));
                } else {
                    pages.copy_from_slice(bytes);
                    job.intact = Entry::checksum(bytes, None) == job.entry.crc;
                }
            }
            let compressed = self
                .jobs
                .iter_mut()
                .filter(|job| job.layer == layer && job.entry.is_compressed(layout));
            let entries = compressed.map(|job| (job.entry, &mut job.intact));
            snapshot.codec().decompress_batch(&mut blocks, entries);
            self.blocks = reuse(blocks);
        }
        Ok(())
    }
}

/// Zeroes the pages of a cluster that have no data.
pub(crate) fn clear(
    span: Span,
    with_data: u64,
    layout: &Layout,
    memory: &(impl WriteMemory + ?Sized),
) -> Result<(), SnapshotError> {
    let page_size = layout.page_size();
    for page in (0..span.len / page_size).filter(|page| with_data & (1 << page) == 0) {
        let offset = span.offset + (page * page_size) as u64;
        memory.clear(span.region, offset, page_size).map_err(SnapshotError::Memory)?;
    }
    Ok(())
}

/// Writes the wanted pages of a cluster. `data` has all pages that are present.
pub(crate) fn write(
    entry: Entry,
    wanted: u64,
    span: Span,
    data: &[u8],
    layout: &Layout,
    memory: &(impl WriteMemory + ?Sized),
) -> Result<(), SnapshotError> {
    let page_size = layout.page_size();
    let present = (0..span.len / page_size).filter(|page| entry.present & (1 << page) != 0);
    for (page, bytes) in present.zip(data.chunks_exact(page_size)) {
        if wanted & (1 << page) != 0 {
            let offset = span.offset + (page * page_size) as u64;
            memory.write(span.region, offset, bytes).map_err(SnapshotError::Memory)?;
        }
    }
    Ok(())
}
