//! Reads a snapshot sequentially, for example from a pipe.

use std::io::{self, Read};

use libdeflater::Crc;
use uadk_compress::stats::Stats;

use super::codec::ClusterCodec;
use super::error::damaged;
use super::format::{
    ENTRY_LEN, Entry, GROUP_FIXED, GROUP_MAGIC, HEADER_FIXED, Header, INDEX_FIXED, INDEX_MAGIC,
    MAX_GROUP, TRAILER_LEN, Trailer, index_group, parse_table, table_len, u32_at,
};
use super::layout::Span;
use super::memory::WriteMemory;
use super::restore::{clear, write};
use super::writer::Progress;
use crate::batch::ZeroPages;
use crate::damage::Part;
use crate::error::Error;

/// Bytes of the index that are read at once.
const INDEX_STEP: usize = 64 << 10;

/// Reads a snapshot sequentially. Each cluster is checked before it is restored; whether the
/// snapshot is complete shows only at its end.
///
/// ```
/// use uadk_compress_pages::ZeroPages;
/// use uadk_compress_pages::snapshot::{Progress, StreamReader};
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
/// # let fresh = [const { AtomicU64::new(0) }; 512];
/// # let regions = [GuestRam::from_words(&fresh)];
/// // A slice, a pipe, or any other `Read`.
/// let mut reader = StreamReader::new(&file[..])?;
/// let mut progress = Progress::default();
/// reader.restore(&regions[..], ZeroPages::Fresh, &mut progress, &mut |_, _| {})?;
/// assert_eq!((progress.pages, progress.file), (1, file.len() as u64));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct StreamReader<R> {
    input: R,
    header: Header,
    codec: ClusterCodec,
    position: u64,
    /// The remaining entries of the current group.
    group: std::vec::IntoIter<Entry>,
    last: Option<u64>,
    /// The expected index; `None` after resuming, if its beginning is not known.
    index: Option<Index>,
    stored: Vec<u8>,
    data: Vec<u8>,
}

/// The index of the groups so far.
#[derive(Clone, Debug, Default)]
struct Index {
    /// Covers everything after the index's magic and number of groups.
    crc: u32,
    len: u64,
    groups: u32,
    clusters: u64,
}

/// A position to resume reading at: see [`StreamReader::resume`].
///
/// ```
/// use uadk_compress_pages::snapshot::{Progress, StreamReader};
/// use uadk_compress_pages::{Error, ZeroPages};
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
/// let mut progress = Progress::default();
/// let mut reader = StreamReader::new(&file[..file.len() - 1])?;
/// let mut position = reader.position().expect("no group has begun");
/// let result = reader.restore(&regions[..], ZeroPages::Fresh, &mut progress, &mut |_, at| {
///     position = at.clone();
/// });
/// assert!(matches!(result, Err(Error::Incomplete)), "interrupted");
///
/// let mut reader = StreamReader::resume(&file[position.offset() as usize..], position)?;
/// reader.restore(&regions[..], ZeroPages::Fresh, &mut progress, &mut |_, _| {})?;
/// assert_eq!(progress.file, file.len() as u64);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Position {
    header: Header,
    offset: u64,
    last: Option<u64>,
    index: Option<Index>,
}

impl Position {
    /// Returns the offset in the snapshot to resume at.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }
}

/// A decompressed cluster.
pub(crate) struct Cluster<'r> {
    pub(crate) entry: Entry,
    pub(crate) span: Span,
    pub(crate) data: &'r [u8],
}

impl<R: Read> StreamReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// If it is not a snapshot's, or damaged.
    pub fn new(mut input: R) -> Result<Self, Error> {
        let mut bytes = vec![0; HEADER_FIXED];
        read(&mut input, &mut bytes)?;
        bytes.resize(Header::len(&bytes)?, 0);
        read(&mut input, &mut bytes[HEADER_FIXED..])?;
        let header = Header::parse(&bytes)?;
        let index = Some(Index::default());
        let position = Position { header, offset: bytes.len() as u64, last: None, index };
        Self::resume(input, position)
    }

    /// Resumes where another reader was interrupted. The input begins at the position's
    /// [`offset`](Position::offset) of the same snapshot.
    ///
    /// # Errors
    ///
    /// If there is no codec for the snapshot's format.
    pub fn resume(input: R, position: Position) -> Result<Self, Error> {
        let Position { header, offset, last, index } = position;
        let codec = ClusterCodec::for_format(header.format)?;
        let (stored, data) = (Vec::new(), vec![0; header.layout.cluster_size()]);
        let group = Vec::new().into_iter();
        Ok(Self { input, header, codec, position: offset, group, last, index, stored, data })
    }

    /// Returns how much each engine decompressed, and the reasons for fallbacks.
    #[must_use]
    pub fn stats(&self) -> Option<Stats> {
        self.codec.stats()
    }

    /// Returns the snapshot's header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the position to resume at if the input fails; `None` inside a group.
    pub fn position(&self) -> Option<Position> {
        (self.group.len() == 0).then(|| Position {
            header: self.header.clone(),
            offset: self.position,
            last: self.last,
            index: self.index.clone(),
        })
    }

    /// Restores the rest of the snapshot to `memory`, group by group. Calls `between` after each
    /// group, with the [`position`](Self::position) to resume at. After an error, `progress` says
    /// how much was intact and is restored.
    ///
    /// # Errors
    ///
    /// If the input or the memory fails, or anything is damaged or incomplete. Everything before
    /// that has been restored.
    pub fn restore(
        &mut self,
        memory: &(impl WriteMemory + ?Sized),
        zero_pages: ZeroPages,
        progress: &mut Progress,
        between: &mut dyn FnMut(&Progress, &Position),
    ) -> Result<(), Error> {
        let base = self.header.parent.is_none() && zero_pages == ZeroPages::Write;
        let layout = self.header.layout.clone();
        let mut next = self.last.map_or(0, |last| last + 1);
        let clear_up_to = |next: &mut u64, end: u64| {
            while base && *next < end {
                if let Some(span) = layout.span(*next) {
                    clear(span, 0, &layout, memory)?;
                }
                *next += 1;
            }
            Ok::<(), Error>(())
        };
        while let Some(Cluster { entry, span, data }) = self.next_cluster()? {
            write(entry, entry.present, span, data, &layout, memory)?;
            if base {
                clear(span, entry.present, &layout, memory)?;
            } else {
                clear(span, !entry.zero, &layout, memory)?;
            }
            progress.pages += u64::from(entry.present.count_ones());
            clear_up_to(&mut next, entry.cluster)?;
            next = entry.cluster + 1;
            progress.memory = next.saturating_mul(layout.cluster_size() as u64).min(layout.len());
            progress.file = self.position;
            if let Some(position) = self.position() {
                between(progress, &position);
            }
        }
        clear_up_to(&mut next, layout.clusters())?;
        progress.memory = layout.len();
        progress.file = self.position;
        Ok(())
    }

    /// Reads the next cluster; returns `None` at the end of a complete snapshot.
    pub(crate) fn next_cluster(&mut self) -> Result<Option<Cluster<'_>>, Error> {
        let entry = loop {
            if let Some(entry) = self.group.next() {
                break entry;
            }
            if !self.next_group()? {
                return Ok(None);
            }
        };
        let layout = &self.header.layout;
        let span = layout.span(entry.cluster).ok_or(Error::Incomplete)?;
        let offset = self.position;
        let here =
            || damaged(Part::Cluster { address: span.address, len: span.len as u64 }, offset);
        self.stored.resize(entry.stored as usize, 0);
        read(&mut self.input, &mut self.stored)?;
        self.position += u64::from(entry.stored);
        let data = &mut self.data[..entry.len(layout)];
        let intact = if entry.is_compressed(layout) {
            self.codec.decompress(entry, &self.stored, data)
        } else {
            data.copy_from_slice(&self.stored);
            Entry::checksum(&self.stored, None) == entry.crc
        };
        if !intact {
            return Err(here());
        }
        Ok(Some(Cluster { entry, span, data }))
    }

    /// Reads the next group's table; returns `false` at the end of the snapshot.
    fn next_group(&mut self) -> Result<bool, Error> {
        let offset = self.position;
        let mut fixed = [0; INDEX_FIXED];
        read(&mut self.input, &mut fixed)?;
        match u32_at(&fixed, 0) {
            GROUP_MAGIC => {}
            INDEX_MAGIC => return self.end(fixed).map(|()| false),
            _ => return Err(damaged(Part::Group, offset)),
        }
        let count = u32_at(&fixed, 4) as usize;
        if count == 0 || count > MAX_GROUP {
            return Err(damaged(Part::Group, offset));
        }
        let mut table = vec![0; table_len(count)];
        table[..INDEX_FIXED].copy_from_slice(&fixed);
        read(&mut self.input, &mut table[INDEX_FIXED..])?;
        let entries = parse_table(&table, &self.header, self.last)
            .ok_or_else(|| damaged(Part::Group, offset))?;
        if let Some(index) = &mut self.index {
            let bytes = &table[GROUP_FIXED..GROUP_FIXED + ENTRY_LEN * count];
            let group = index_group(offset, count);
            let mut crc = Crc::with_initial(index.crc);
            crc.update(&group);
            crc.update(bytes);
            index.crc = crc.sum();
            index.len += (group.len() + bytes.len()) as u64;
            index.groups += 1;
            index.clusters += count as u64;
        }
        self.position += table.len() as u64;
        self.last = entries.last().map(|entry| entry.cluster);
        self.group = entries.into_iter();
        Ok(true)
    }

    /// Reads the index and trailer, and compares them with the groups read before.
    fn end(&mut self, fixed: [u8; INDEX_FIXED]) -> Result<(), Error> {
        let offset = self.position;
        let here = || damaged(Part::Index, offset);
        let Some(index) = &self.index else { return Err(Error::Incomplete) };
        if u32_at(&fixed, 4) != index.groups {
            return Err(here());
        }
        let (mut whole, mut entries) = (Crc::new(), Crc::new());
        whole.update(&fixed);
        let mut left = index.len;
        let mut buffer = vec![0; INDEX_STEP];
        while left > 0 {
            let step = left.min(INDEX_STEP as u64) as usize;
            read(&mut self.input, &mut buffer[..step])?;
            whole.update(&buffer[..step]);
            entries.update(&buffer[..step]);
            left -= step as u64;
        }
        if entries.sum() != index.crc {
            return Err(here());
        }
        let len = INDEX_FIXED as u64 + index.len;
        let mut bytes = [0; TRAILER_LEN];
        read(&mut self.input, &mut bytes)?;
        let expected = Trailer {
            id: self.header.id,
            index_offset: offset,
            index_len: len,
            clusters: index.clusters,
            groups: u64::from(index.groups),
            index_crc: whole.sum(),
        };
        if Trailer::parse(&bytes) != Some(expected) {
            return Err(damaged(Part::Trailer, offset + len));
        }
        self.position = offset + len + TRAILER_LEN as u64;
        Ok(())
    }
}

/// Fills a buffer; an early end of the input means that the snapshot is incomplete.
fn read(input: &mut impl Read, into: &mut [u8]) -> Result<(), Error> {
    input.read_exact(into).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::Incomplete,
        _ => error.into(),
    })
}
