//! Random access to a complete snapshot.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use uadk_compress::BlockCompressor;
use uadk_compress::stats::Stats;

use super::codec::ClusterCodec;
use super::error::damaged;
use super::format::ENTRY_LEN;
use super::format::{
    Entry, HEADER_FIXED, Header, INDEX_FIXED, INDEX_GROUP, INDEX_MAGIC, TRAILER_LEN, Trailer,
    parse_entries, table_len, u32_at, u64_at,
};
use crate::damage::Part;
use crate::error::Error;

/// Bytes that any number of threads can read at any offset.
///
/// ```
/// use std::io;
/// use uadk_compress_pages::snapshot::ReadAt;
///
/// struct SkipHeader(Vec<u8>);
///
/// impl ReadAt for SkipHeader {
///     fn size(&self) -> io::Result<u64> {
///         self.0[512..].size()
///     }
///     fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
///         self.0[512..].read_exact_at(into, offset)
///     }
/// }
///
/// assert_eq!(SkipHeader(vec![0; 600]).size()?, 88);
/// # Ok::<(), io::Error>(())
/// ```
pub trait ReadAt: Sync {
    /// Returns the number of bytes.
    ///
    /// # Errors
    ///
    /// If it can't be determined.
    fn size(&self) -> io::Result<u64>;

    /// Fills `into` with the bytes from `offset` on.
    ///
    /// # Errors
    ///
    /// If they can't be read, or there are too few of them.
    fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()>;
}

impl ReadAt for File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        FileExt::read_exact_at(self, into, offset)
    }
}

impl ReadAt for [u8] {
    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        let start = usize::try_from(offset).ok();
        let bytes = start.and_then(|start| self.get(start..start.checked_add(into.len())?));
        into.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl<T: ReadAt + ?Sized> ReadAt for &T {
    fn size(&self) -> io::Result<u64> {
        (**self).size()
    }

    fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        (**self).read_exact_at(into, offset)
    }
}

/// An open, complete snapshot file. Its header and index are in memory, its clusters are not.
///
/// ```
/// use uadk_compress_pages::snapshot::Snapshot;
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
/// // A slice or a `File`.
/// let snapshot = Snapshot::open(&file[..])?;
/// assert!(snapshot.header().parent.is_none(), "a base");
/// assert_eq!((snapshot.clusters(), snapshot.data_pages()), (1, 1));
/// assert_eq!(snapshot.file_len(), file.len() as u64);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Snapshot<F> {
    file: F,
    header: Header,
    trailer: Trailer,
    clusters: Vec<Located>,
    codec: ClusterCodec,
}

/// A cluster's entry and the offset of its bytes in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Located {
    pub(crate) entry: Entry,
    pub(crate) offset: u64,
}

impl<F: ReadAt> Snapshot<F> {
    /// Opens a snapshot; a [`Compressor`](uadk_compress::Compressor) decompresses it.
    ///
    /// # Errors
    ///
    /// [`Error::Incomplete`] if its writer did not finish or it was cut off, and an error with the
    /// position if its header, index or trailer is damaged.
    pub fn open(file: F) -> Result<Self, Error> {
        let header = read_header(&file)?;
        let codec = ClusterCodec::for_format(header.format)?;
        Self::with_header(file, header, codec)
    }

    /// Opens a snapshot to be decompressed by `codec`. Where that fails, software takes over.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open), and if the codec has another format.
    pub fn open_with(file: F, codec: Arc<dyn BlockCompressor>) -> Result<Self, Error> {
        let header = read_header(&file)?;
        if codec.format() != header.format {
            let (needed, given) = (header.format, codec.format());
            return Err(Error::Unsupported(format!(
                "the snapshot's clusters are {needed}, but the codec is for {given}"
            )));
        }
        Self::with_header(file, header, ClusterCodec::new(codec)?)
    }

    fn with_header(file: F, header: Header, codec: ClusterCodec) -> Result<Self, Error> {
        let trailer = read_trailer(&file, &header)?;
        let clusters = read_index(&file, &header, &trailer)?;
        Ok(Self { file, header, trailer, clusters, codec })
    }

    /// Returns how much each engine decompressed, and the reasons for fallbacks; `None` if the
    /// codec is the caller's.
    #[must_use]
    pub fn stats(&self) -> Option<Stats> {
        self.codec.stats()
    }

    /// Returns the snapshot's header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the number of clusters in the file.
    pub fn clusters(&self) -> u64 {
        self.clusters.len() as u64
    }

    /// Returns the number of pages with data in the file.
    pub fn data_pages(&self) -> u64 {
        self.clusters.iter().map(|located| u64::from(located.entry.present.count_ones())).sum()
    }

    /// Returns the length of the file.
    pub const fn file_len(&self) -> u64 {
        self.trailer.index_offset + self.trailer.index_len + TRAILER_LEN as u64
    }

    pub(crate) const fn file(&self) -> &F {
        &self.file
    }

    pub(crate) const fn trailer(&self) -> &Trailer {
        &self.trailer
    }

    pub(crate) fn located(&self) -> &[Located] {
        &self.clusters
    }

    pub(crate) const fn codec(&self) -> &ClusterCodec {
        &self.codec
    }

    pub(crate) fn find(&self, cluster: u64) -> Option<&Located> {
        let at = self.clusters.binary_search_by_key(&cluster, |located| located.entry.cluster);
        at.ok().map(|at| &self.clusters[at])
    }

    /// Returns the error for a damaged cluster.
    pub(crate) fn damaged(&self, located: &Located) -> Error {
        damaged(self.part(located), located.offset)
    }

    pub(crate) fn part(&self, located: &Located) -> Part {
        let span = self.header.layout.span(located.entry.cluster);
        span.map_or(Part::Index, |span| Part::Cluster {
            address: span.address,
            len: span.len as u64,
        })
    }
}

pub(crate) fn read_header(file: &impl ReadAt) -> Result<Header, Error> {
    let mut fixed = [0; HEADER_FIXED];
    read(file, &mut fixed, 0)?;
    let mut bytes = vec![0; Header::len(&fixed)?];
    read(file, &mut bytes, 0)?;
    Header::parse(&bytes)
}

fn read_trailer(file: &impl ReadAt, header: &Header) -> Result<Trailer, Error> {
    let size = file.size()?;
    let offset = size.checked_sub(TRAILER_LEN as u64).ok_or(Error::Incomplete)?;
    let mut bytes = [0; TRAILER_LEN];
    read(file, &mut bytes, offset)?;
    let trailer = Trailer::parse(&bytes).ok_or(Error::Incomplete)?;
    let fits = trailer.index_offset.checked_add(trailer.index_len) == Some(offset);
    if !fits || trailer.id != header.id {
        return Err(damaged(Part::Trailer, offset));
    }
    Ok(trailer)
}

fn read_index(
    file: &impl ReadAt,
    header: &Header,
    trailer: &Trailer,
) -> Result<Vec<Located>, Error> {
    let here = || damaged(Part::Index, trailer.index_offset);
    let groups = (trailer.groups as usize).saturating_mul(INDEX_GROUP);
    let expected = (trailer.clusters as usize).saturating_mul(ENTRY_LEN).saturating_add(groups);
    // The index is within the file, so no more is allocated than the file's length.
    if trailer.index_len != expected.saturating_add(INDEX_FIXED) as u64 {
        return Err(here());
    }
    let mut index = vec![0; trailer.index_len as usize];
    read(file, &mut index, trailer.index_offset)?;
    if libdeflater::crc32(&index) != trailer.index_crc
        || u32_at(&index, 0) != INDEX_MAGIC
        || u64::from(u32_at(&index, 4)) != trailer.groups
    {
        return Err(here());
    }
    let mut clusters: Vec<Located> = Vec::with_capacity(trailer.clusters as usize);
    let mut rest = &index[INDEX_FIXED..];
    while !rest.is_empty() {
        let (group, after) = rest.split_at_checked(INDEX_GROUP).ok_or_else(here)?;
        let (mut offset, count) = (u64_at(group, 0), u32_at(group, 8) as usize);
        let len = count.checked_mul(ENTRY_LEN).ok_or_else(here)?;
        let (entries, after) = after.split_at_checked(len).ok_or_else(here)?;
        rest = after;
        let last = clusters.last().map(|located| located.entry.cluster);
        offset = offset.saturating_add(table_len(count) as u64);
        for entry in parse_entries(entries, header, last).ok_or_else(here)? {
            clusters.push(Located { entry, offset });
            offset = offset.saturating_add(u64::from(entry.stored));
        }
        if offset > trailer.index_offset {
            return Err(here());
        }
    }
    Ok(clusters)
}

/// Fills `into`; an early end of the file means that the snapshot is incomplete.
pub(crate) fn read(file: &impl ReadAt, into: &mut [u8], offset: u64) -> Result<(), Error> {
    file.read_exact_at(into, offset).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::Incomplete,
        _ => error.into(),
    })
}
