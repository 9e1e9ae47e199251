//! Saves snapshots: workers compress groups of clusters, and the caller's thread writes them in
//! order.

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use uadk_compress::BlockCompressor;
use uadk_compress::pool::{Panicked, Pool};

use super::error::SnapshotError;
use super::format::{Header, INDEX_FIXED, INDEX_MAGIC, Trailer, index_group};
use super::group::Group;
use super::layout::Layout;
use super::memory::ReadMemory;
use super::pages::Pages;

/// Bytes of memory per group of clusters.
const GROUP_BYTES: usize = 1 << 20;

/// The maximum number of threads, because each takes 4 MiB of memory.
pub(super) const MAX_THREADS: usize = 256;

/// The progress of a save or restore.
///
/// ```
/// use uadk_compress_pages::snapshot::{Pages, Progress, SaveOptions, save};
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
/// let (mut file, options, mut last) = (Vec::new(), SaveOptions::default(), Progress::default());
/// save(&mut file, &layout, &regions[..], Pages::All, &codec, &options, &mut |progress| {
///     println!("{} of {} bytes", progress.memory, layout.len());
///     last = progress;
/// })?;
/// assert_eq!((last.memory, last.pages), (layout.len(), 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes of guest memory done.
    pub memory: u64,
    /// Bytes of the snapshot written or read.
    pub file: u64,
    /// Pages with data so far.
    pub pages: u64,
}

/// Options of [`save`].
///
/// ```
/// use uadk_compress_pages::snapshot::{Pages, SaveOptions, Snapshot, save};
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
/// let mut file = Vec::new();
/// let options = SaveOptions::default().threads(2).id([1; 16]);
/// save(&mut file, &layout, &regions[..], Pages::All, &codec, &options, &mut |_| {})?;
/// assert_eq!(Snapshot::open(&file[..])?.header().id, [1; 16]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SaveOptions {
    pub(crate) threads: usize,
    pub(crate) id: Option<[u8; 16]>,
    pub(crate) parent: Option<[u8; 16]>,
}

impl Default for SaveOptions {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            id: None,
            parent: None,
        }
    }
}

impl SaveOptions {
    /// Sets the number of compressing threads, at most 256. The default is the number of
    /// processors. With 0 or 1, the caller's thread does the work. If the system refuses to start
    /// threads, fewer are used. The output does not depend on the number.
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Sets the snapshot's name. The default is random.
    pub const fn id(mut self, id: [u8; 16]) -> Self {
        self.id = Some(id);
        self
    }

    /// Makes this a delta on the snapshot of this name: pass [`save`] the pages changed since then.
    pub const fn parent(mut self, parent: [u8; 16]) -> Self {
        self.parent = Some(parent);
        self
    }
}

/// The result of a save.
///
/// ```
/// use uadk_compress_pages::snapshot::{Pages, SaveOptions, save};
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
/// let (mut file, options) = (Vec::new(), SaveOptions::default());
/// let saved = save(&mut file, &layout, &regions[..], Pages::All, &codec, &options, &mut |_| {})?;
/// assert_eq!(saved.progress.file, file.len() as u64);
/// // The options of a delta on it.
/// let options = SaveOptions::default().parent(saved.id);
/// # let _ = options;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Saved {
    /// The snapshot's name, which deltas on it need.
    pub id: [u8; 16],
    /// How much was written.
    pub progress: Progress,
}

/// Saves guest memory to `output`, which may be a pipe: it is written sequentially. Only the last
/// bytes make it complete.
///
/// Clusters are compressed in the compressor's format, and stored as they are where that does not
/// make them smaller.
///
/// The caller's thread writes and calls `progress`, after each group of clusters.
///
/// # Errors
///
/// If memory can't be read, the output can't be written, the compressor or the memory panics, or
/// the compressor's format is [`Format::Custom`](uadk_compress::Format::Custom).
pub fn save<W: Write>(
    output: W,
    layout: &Layout,
    memory: &(impl ReadMemory + ?Sized),
    pages: Pages<'_>,
    compressor: &Arc<dyn BlockCompressor>,
    options: &SaveOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Saved, SnapshotError> {
    let id = options.id.unwrap_or_else(random_id);
    let header =
        Header { layout: layout.clone(), format: compressor.format(), id, parent: options.parent };
    let mut file =
        Output { inner: output, position: 0, index: index_begin(), groups: 0, clusters: 0 };
    file.write(&header.to_bytes()?)?;
    let per_group = (GROUP_BYTES / layout.cluster_size()).max(1);
    let delta = options.parent.is_some();
    let work = |(): &mut (), job: &mut Job| {
        let clusters = job.clusters.clone();
        job.made = job.group.make(clusters, layout, memory, pages, delta, &**compressor);
    };
    let mut writer = Writer { file, layout, written: Progress::default(), progress };
    std::thread::scope(|scope| {
        let threads = options.threads.min(MAX_THREADS);
        let mut pool = Pool::scoped(scope, "save", threads, || (), work);
        let mut spare = Vec::new();
        let mut first = 0;
        while first < layout.clusters() {
            let end = layout.clusters().min(first + per_group as u64);
            let group = spare.pop().unwrap_or_else(|| Group::new(layout, per_group));
            let mut job = Job { clusters: first..end, group, made: Ok(()) };
            while let Err(refused) = pool.submit(job) {
                job = refused;
                spare.extend(pool.take().map(|done| writer.write(done)).transpose()?);
            }
            while let Some(done) = pool.try_take() {
                spare.push(writer.write(done)?);
            }
            first = end;
        }
        while let Some(done) = pool.take() {
            writer.write(done)?;
        }
        Ok::<_, SnapshotError>(())
    })?;
    let Writer { mut file, mut written, .. } = writer;
    file.finish(id)?;
    written.file = file.position;
    Ok(Saved { id, progress: written })
}

/// A group to build.
struct Job {
    clusters: Range<u64>,
    group: Group,
    made: Result<(), SnapshotError>,
}

/// Writes finished groups on the caller's thread.
struct Writer<'s, W> {
    file: Output<W>,
    layout: &'s Layout,
    written: Progress,
    progress: &'s mut dyn FnMut(Progress),
}

impl<W: Write> Writer<'_, W> {
    /// Writes a group and returns it for reuse.
    fn write(&mut self, done: Result<Job, Panicked>) -> Result<Group, SnapshotError> {
        let Job { group, made, .. } = done?;
        made?;
        self.file.group(&group, self.layout)?;
        self.written.memory += group.memory;
        self.written.pages += group.pages;
        self.written.file = self.file.position;
        (self.progress)(self.written);
        Ok(group)
    }
}

/// The part of the file that has been written.
struct Output<W> {
    inner: W,
    position: u64,
    index: Vec<u8>,
    groups: u32,
    clusters: u64,
}

fn index_begin() -> Vec<u8> {
    let mut index = INDEX_MAGIC.to_le_bytes().to_vec();
    index.resize(INDEX_FIXED, 0);
    index
}

impl<W: Write> Output<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        self.inner.write_all(bytes)?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    fn group(&mut self, group: &Group, layout: &Layout) -> Result<(), SnapshotError> {
        if group.entries.is_empty() {
            return Ok(());
        }
        self.index.extend_from_slice(&index_group(self.position, group.entries.len()));
        for entry in &group.entries {
            self.index.extend_from_slice(&entry.to_bytes());
        }
        self.groups += 1;
        self.clusters += group.entries.len() as u64;
        self.write(&group.table)?;
        for stored in group.stored(layout) {
            self.write(stored)?;
        }
        Ok(())
    }

    fn finish(&mut self, id: [u8; 16]) -> Result<(), SnapshotError> {
        let mut index = std::mem::take(&mut self.index);
        index[4..INDEX_FIXED].copy_from_slice(&self.groups.to_le_bytes());
        let trailer = Trailer {
            id,
            index_offset: self.position,
            index_len: index.len() as u64,
            clusters: self.clusters,
            groups: u64::from(self.groups),
            index_crc: libdeflater::crc32(&index),
        };
        self.write(&index)?;
        self.write(&trailer.to_bytes())?;
        Ok(self.inner.flush()?)
    }
}

/// Returns a name that no other snapshot has.
fn random_id() -> [u8; 16] {
    use std::hash::{BuildHasher, RandomState};
    let mut id = [0; 16];
    for (half, bytes) in id.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        // The keys are random numbers from the operating system.
        *bytes = RandomState::new().hash_one((half, std::time::SystemTime::now())).to_ne_bytes();
    }
    id
}
