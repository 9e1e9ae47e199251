//! Saving: many threads compress, and groups of clusters are written in order.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use uadk_compress::BlockCompressor;

use super::error::SnapshotError;
use super::format::{Header, INDEX_FIXED, INDEX_MAGIC, Trailer, index_group};
use super::group::Group;
use super::layout::Layout;
use super::memory::ReadMemory;
use super::pages::Pages;

/// Bytes of memory whose clusters form a group.
const GROUP_BYTES: usize = 1 << 20;

/// How far a save or restore is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of guest memory done.
    pub memory: u64,
    /// Bytes of the snapshot written or read.
    pub file: u64,
    /// Pages with data so far.
    pub pages: u64,
}

/// How to save.
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
    /// Threads that compress; as many as there are processors if not set. The same bytes come out
    /// at any number.
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// The snapshot's own name; random if not set.
    pub const fn id(mut self, id: [u8; 16]) -> Self {
        self.id = Some(id);
        self
    }

    /// Makes it a delta on the snapshot of this name: give [`save`] the pages that changed since.
    pub const fn parent(mut self, parent: [u8; 16]) -> Self {
        self.parent = Some(parent);
        self
    }
}

/// What a save wrote.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The snapshot's name, which deltas on it need.
    pub id: [u8; 16],
    /// What was written.
    pub progress: Progress,
}

/// Saves guest memory into `output`, which may be a pipe: it is written from beginning to end. Only
/// the last bytes make it complete.
///
/// # Errors
///
/// If memory can't be read, the output can't be written, or the compressor's format is none of
/// raw deflate, zlib and gzip.
pub fn save<W: Write + Send>(
    output: W,
    layout: &Layout,
    memory: &(impl ReadMemory + ?Sized),
    pages: Pages<'_>,
    compressor: &Arc<dyn BlockCompressor>,
    options: &SaveOptions,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Saved, SnapshotError> {
    let id = options.id.unwrap_or_else(random_id);
    let header =
        Header { layout: layout.clone(), format: compressor.format(), id, parent: options.parent };
    let mut file =
        Output { inner: output, position: 0, index: index_begin(), groups: 0, clusters: 0 };
    file.write(&header.to_bytes()?)?;
    let per_group = (GROUP_BYTES / layout.cluster_size()).max(1) as u64;
    let groups = layout.clusters().div_ceil(per_group);
    let queue = Queue {
        next: AtomicU64::new(0),
        failed: AtomicBool::new(false),
        turn: Mutex::new(Turn {
            group: 0,
            file,
            progress: Progress::default(),
            report: progress,
            error: None,
        }),
        arrived: Condvar::new(),
    };
    std::thread::scope(|scope| {
        for _ in 0..options.threads.clamp(1, 256) {
            scope.spawn(|| {
                let mut group = Group::new(layout, per_group as usize);
                loop {
                    let number = queue.next.fetch_add(1, Relaxed);
                    if number >= groups || queue.failed.load(Relaxed) {
                        return;
                    }
                    let clusters =
                        number * per_group..((number + 1) * per_group).min(layout.clusters());
                    let made = group.make(
                        clusters,
                        layout,
                        memory,
                        pages,
                        options.parent.is_some(),
                        &**compressor,
                    );
                    queue.commit(number, made.map(|()| &group), layout);
                }
            });
        }
    });
    let turn = queue.turn.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = turn.error {
        return Err(error);
    }
    let mut written = turn.progress;
    let mut file = turn.file;
    file.finish(id)?;
    written.file = file.position;
    Ok(Saved { id, progress: written })
}

/// Hands out groups, and takes them back in order.
struct Queue<'p, W> {
    next: AtomicU64,
    failed: AtomicBool,
    turn: Mutex<Turn<'p, W>>,
    arrived: Condvar,
}

struct Turn<'p, W> {
    /// The group to be written next.
    group: u64,
    file: Output<W>,
    progress: Progress,
    report: &'p mut (dyn FnMut(Progress) + Send),
    error: Option<SnapshotError>,
}

impl<'p, W: Write> Queue<'p, W> {
    /// Writes a group when its turn has come. Until then its thread waits, so that there are never
    /// more groups in memory than threads.
    fn commit(&self, number: u64, made: Result<&Group, SnapshotError>, layout: &Layout) {
        let mut turn = self.lock();
        while turn.group != number && turn.error.is_none() {
            turn = self.arrived.wait(turn).unwrap_or_else(PoisonError::into_inner);
        }
        if turn.error.is_none() {
            let written = made.and_then(|group| {
                turn.file.group(group, layout)?;
                turn.progress.memory += group.memory;
                turn.progress.pages += group.pages;
                turn.progress.file = turn.file.position;
                Ok(())
            });
            match written {
                Ok(()) => {
                    let progress = turn.progress;
                    (turn.report)(progress);
                }
                Err(error) => {
                    turn.error = Some(error);
                    self.failed.store(true, Relaxed);
                }
            }
        }
        turn.group = number + 1;
        drop(turn);
        self.arrived.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Turn<'p, W>> {
        // Nothing is left half done by a panic but the file, which then is not complete.
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file as far as it is written.
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
            index_crc: crc32fast::hash(&index),
        };
        self.write(&index)?;
        self.write(&trailer.to_bytes())?;
        Ok(self.inner.flush()?)
    }
}

/// A name that no other snapshot has.
fn random_id() -> [u8; 16] {
    use std::hash::{BuildHasher, RandomState};
    let mut id = [0; 16];
    for (half, bytes) in id.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        // The keys are the operating system's random numbers.
        *bytes = RandomState::new().hash_one((half, std::time::SystemTime::now())).to_ne_bytes();
    }
    id
}
