//! Checks snapshots for damage.

use std::io;

use uadk_compress::stats::Stats;

use super::file::{Located, ReadAt, Snapshot, read};
use super::format::group_table;
use super::stream::StreamReader;
use super::writer::Progress;
use crate::damage::{Damage, Part};
use crate::error::Error;

/// The result of a verification.
///
/// ```
/// use uadk_compress_pages::snapshot::verify;
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
/// let verified = verify(&file[..], &mut |_| {})?;
/// assert!(verified.damage.is_empty(), "{:?}", verified.damage);
/// assert_eq!(verified.progress.memory, 4096);
/// assert_eq!(verified.progress.file, file.len() as u64);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Verified {
    /// How much was checked.
    pub progress: Progress,
    /// The damaged parts, in the order of the file.
    pub damage: Vec<Damage>,
    /// How much each engine decompressed, and the reasons for fallbacks.
    pub stats: Option<Box<Stats>>,
}

/// Reads a snapshot and checks every byte of it: header, groups, clusters, index and trailer.
/// Damaged memory is reported by its guest address.
///
/// # Errors
///
/// If the file can't be read, or if the header, index or trailer is damaged: clusters can't be
/// found without them.
pub fn verify<F: ReadAt>(file: F, progress: &mut dyn FnMut(Progress)) -> Result<Verified, Error> {
    let snapshot = match Snapshot::open(&file) {
        // Without a trailer, reading the rest shows whether it is missing or damaged.
        Err(Error::Incomplete) => {
            let mut reader = StreamReader::new(Sequential { file: &file, position: 0 })?;
            while reader.next_cluster()?.is_some() {}
            return Err(Error::Incomplete);
        }
        opened => opened?,
    };
    let mut verified = Verified::default();
    let layout = snapshot.header().layout.clone();
    let cluster_size = layout.cluster_size();
    let (mut stored, mut data) = (vec![0; cluster_size], vec![0; cluster_size]);
    let mut end = snapshot.header().to_bytes()?.len() as u64;
    let mut expected = Vec::new();
    for group in groups(snapshot.located()) {
        let entries: Vec<_> = group.iter().map(|located| located.entry).collect();
        group_table(&entries, &mut expected);
        let mut table = vec![0; expected.len()];
        let offset = group[0].offset - table.len() as u64;
        read(snapshot.file(), &mut table, offset)?;
        if table != expected || offset != end {
            verified.damage.push(Damage { part: Part::Group, offset });
        }
        for located in group {
            match snapshot.read_cluster(located, &mut stored, &mut data) {
                Ok(()) => {}
                Err(Error::Damaged(damage)) => verified.damage.push(damage),
                Err(other) => return Err(other),
            }
            end = located.offset + u64::from(located.entry.stored);
            let done = &mut verified.progress;
            done.pages += u64::from(located.entry.present.count_ones());
            done.file = end;
            done.memory = (located.entry.cluster + 1) * cluster_size as u64;
        }
        progress(verified.progress);
    }
    if end != snapshot.trailer().index_offset {
        verified.damage.push(Damage { part: Part::Index, offset: end });
    }
    verified.progress.memory = layout.len();
    verified.progress.file = snapshot.file_len();
    verified.stats = snapshot.stats().map(Box::new);
    Ok(verified)
}

/// Reads a file sequentially.
struct Sequential<'f, F> {
    file: &'f F,
    position: u64,
}

impl<F: ReadAt> io::Read for Sequential<'_, F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.file.size()?.saturating_sub(self.position);
        let len = into.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.file.read_exact_at(&mut into[..len], self.position)?;
        self.position += len as u64;
        Ok(len)
    }
}

/// Returns the clusters group by group. Within a group, they are contiguous.
fn groups(located: &[Located]) -> impl Iterator<Item = &[Located]> {
    located.chunk_by(|a, b| a.offset + u64::from(a.entry.stored) == b.offset)
}
