//! The binary format of a snapshot: see `docs/snapshot-format.md`. Integers are little-endian.

use libdeflater::Crc;
use uadk_compress::Format;

use super::error::damaged;
use super::layout::{Layout, MAX_REGIONS, Region};
use crate::damage::Part;
use crate::error::Error;

const MAGIC: [u8; 8] = *b"PAGESNAP";
const END_MAGIC: [u8; 8] = *b"PAGESEND";
const VERSION: u32 = 1;
/// The header without regions and checksum.
pub(crate) const HEADER_FIXED: usize = 64;
const REGION_LEN: usize = 16;
const CRC_LEN: usize = 4;
/// The magic of a group.
pub(crate) const GROUP_MAGIC: u32 = u32::from_le_bytes(*b"GRUP");
/// The magic of the index.
pub(crate) const INDEX_MAGIC: u32 = u32::from_le_bytes(*b"INDX");
/// A group's magic, number of entries and bytes of clusters.
pub(crate) const GROUP_FIXED: usize = 16;
pub(crate) const ENTRY_LEN: usize = 32;
/// The index's magic and number of groups.
pub(crate) const INDEX_FIXED: usize = 8;
/// The part of the index before a group's entries.
pub(crate) const INDEX_GROUP: usize = 16;
pub(crate) const TRAILER_LEN: usize = 64;
/// The maximum number of clusters in a group.
pub(crate) const MAX_GROUP: usize = 1 << 16;

/// The header of a snapshot.
///
/// ```
/// use uadk_compress::Format;
/// use uadk_compress_pages::snapshot::{Header, Snapshot};
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
/// let snapshot = Snapshot::open(&file[..])?;
/// let Header { layout, format, id, parent, .. } = snapshot.header();
/// assert_eq!((layout.len(), layout.page_size()), (4096, 4096));
/// assert_eq!((*format, *id, *parent), (Format::RawDeflate, [1; 16], None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// How memory is divided.
    pub layout: Layout,
    /// The format of compressed clusters.
    pub format: Format,
    /// The snapshot's name.
    pub id: [u8; 16],
    /// The name of the snapshot that it was made on; `None` for a base.
    pub parent: Option<[u8; 16]>,
}

impl Header {
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let format = format_number(self.format).ok_or_else(|| {
            Error::Unsupported(format!("format {} is not supported in snapshots", self.format))
        })?;
        let regions = self.layout.regions();
        let len = HEADER_FIXED + REGION_LEN * regions.len() + CRC_LEN;
        let mut bytes = Vec::with_capacity(len);
        bytes.extend_from_slice(&MAGIC);
        for field in [
            VERSION,
            len as u32,
            self.layout.page_size() as u32,
            self.layout.cluster_size() as u32,
            format,
            regions.len() as u32,
        ] {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        bytes.extend_from_slice(&self.id);
        bytes.extend_from_slice(&self.parent.unwrap_or_default());
        for region in regions {
            bytes.extend_from_slice(&region.address.to_le_bytes());
            bytes.extend_from_slice(&region.len.to_le_bytes());
        }
        let crc = libdeflater::crc32(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        Ok(bytes)
    }

    /// Returns the length of the whole header, according to its first [`HEADER_FIXED`] bytes.
    pub(crate) fn len(fixed: &[u8]) -> Result<usize, Error> {
        if fixed[..8] != MAGIC {
            return Err(Error::NotASnapshot);
        }
        let (version, len, regions) = (u32_at(fixed, 8), u32_at(fixed, 12), u32_at(fixed, 28));
        if version != VERSION {
            return Err(Error::Version(version));
        }
        let regions = regions as usize;
        let expected = HEADER_FIXED + REGION_LEN * regions.min(MAX_REGIONS) + CRC_LEN;
        if regions > MAX_REGIONS || len as usize != expected {
            return Err(damaged(Part::Header, 0));
        }
        Ok(expected)
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let (checked, crc) = bytes.split_at(bytes.len() - CRC_LEN);
        if libdeflater::crc32(checked) != u32_at(crc, 0) {
            return Err(damaged(Part::Header, 0));
        }
        let number = u32_at(bytes, 24);
        let format = format_of_number(number).ok_or_else(|| {
            Error::Unsupported(format!("the snapshot's clusters have an unknown format ({number})"))
        })?;
        let regions = checked[HEADER_FIXED..]
            .chunks_exact(REGION_LEN)
            .map(|region| Region { address: u64_at(region, 0), len: u64_at(region, 8) })
            .collect();
        let (page_size, cluster_size) = (u32_at(bytes, 16) as usize, u32_at(bytes, 20) as usize);
        let layout = Layout::with_sizes(regions, page_size, cluster_size)?;
        let parent = id_at(bytes, 48);
        Ok(Self {
            layout,
            format,
            id: id_at(bytes, 32),
            parent: (parent != [0; 16]).then_some(parent),
        })
    }
}

/// Returns the number of a cluster format in the header; `None` for formats that snapshots don't
/// have.
const fn format_number(format: Format) -> Option<u32> {
    match format {
        Format::RawDeflate => Some(1),
        Format::Zlib => Some(2),
        Format::Gzip => Some(3),
        Format::Zstd => Some(4),
        Format::Lz4 => Some(5),
        _ => None,
    }
}

/// Returns the cluster format with this number; `None` if it is unknown.
fn format_of_number(number: u32) -> Option<Format> {
    [Format::RawDeflate, Format::Zlib, Format::Gzip, Format::Zstd, Format::Lz4]
        .into_iter()
        .find(|format| format_number(*format) == Some(number))
}

/// The entry of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) cluster: u64,
    /// A bit for each page whose data is in the cluster.
    pub(crate) present: u64,
    /// A bit for each page that is zero. All other pages are the parent's, or zero.
    pub(crate) zero: u64,
    /// Bytes in the file: the length of the present pages if they are not compressed.
    pub(crate) stored: u32,
    /// CRC-32 of the stored bytes and, if these are compressed, of the plain pages after them.
    pub(crate) crc: u32,
}

impl Entry {
    pub(crate) fn to_bytes(self) -> [u8; ENTRY_LEN] {
        let mut bytes = [0; ENTRY_LEN];
        bytes[..8].copy_from_slice(&self.cluster.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.present.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.zero.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.stored.to_le_bytes());
        bytes[28..].copy_from_slice(&self.crc.to_le_bytes());
        bytes
    }

    /// Parses an entry; returns `None` if it is invalid.
    pub(crate) fn parse(bytes: &[u8], header: &Header) -> Option<Self> {
        let layout = &header.layout;
        let entry = Self {
            cluster: u64_at(bytes, 0),
            present: u64_at(bytes, 8),
            zero: u64_at(bytes, 16),
            stored: u32_at(bytes, 24),
            crc: u32_at(bytes, 28),
        };
        let pages = layout.span(entry.cluster)?.len / layout.page_size();
        let all = u64::MAX >> (64 - pages);
        let masks = (entry.present | entry.zero) & !all == 0 && entry.present & entry.zero == 0;
        let len = entry.len(layout);
        let stored = entry.stored as usize <= len && (entry.stored == 0) == (len == 0);
        (masks && stored && entry.is_possible(header)).then_some(entry)
    }

    /// Returns whether so few bytes can decompress to so many pages, before anything is allocated
    /// for them.
    fn is_possible(&self, header: &Header) -> bool {
        let most = header.format.max_decompressed_len(self.stored as usize);
        !self.is_compressed(&header.layout)
            || most.is_none_or(|most| self.len(&header.layout) <= most)
    }

    /// Returns the length of the pages whose data is in the cluster.
    pub(crate) fn len(&self, layout: &Layout) -> usize {
        self.present.count_ones() as usize * layout.page_size()
    }

    pub(crate) fn is_compressed(&self, layout: &Layout) -> bool {
        (self.stored as usize) < self.len(layout)
    }

    /// Computes the checksum of an entry.
    pub(crate) fn checksum(stored: &[u8], pages: Option<&[u8]>) -> u32 {
        let mut crc = Crc::new();
        crc.update(stored);
        if let Some(pages) = pages {
            crc.update(pages);
        }
        crc.sum()
    }
}

/// Writes a group's table, which is everything before its clusters, to `table`.
pub(crate) fn group_table(entries: &[Entry], table: &mut Vec<u8>) {
    let payload: u64 = entries.iter().map(|entry| u64::from(entry.stored)).sum();
    table.clear();
    table.extend_from_slice(&GROUP_MAGIC.to_le_bytes());
    table.extend_from_slice(&(entries.len() as u32).to_le_bytes());
    table.extend_from_slice(&payload.to_le_bytes());
    for entry in entries {
        table.extend_from_slice(&entry.to_bytes());
    }
    let crc = libdeflater::crc32(table);
    table.extend_from_slice(&crc.to_le_bytes());
}

/// Returns the length of the table of a group with this many entries.
pub(crate) const fn table_len(entries: usize) -> usize {
    GROUP_FIXED + ENTRY_LEN * entries + CRC_LEN
}

/// Parses the entries of a group's table; returns `None` if it is damaged.
pub(crate) fn parse_table(table: &[u8], header: &Header, after: Option<u64>) -> Option<Vec<Entry>> {
    let (checked, crc) = table.split_at(table.len() - CRC_LEN);
    if libdeflater::crc32(checked) != u32_at(crc, 0) {
        return None;
    }
    let entries = parse_entries(&checked[GROUP_FIXED..], header, after)?;
    let payload: u64 = entries.iter().map(|entry| u64::from(entry.stored)).sum();
    (payload == u64_at(table, 8)).then_some(entries)
}

/// Parses entries, which must be in the order of their clusters and all after cluster `after`.
pub(crate) fn parse_entries(
    bytes: &[u8],
    header: &Header,
    mut after: Option<u64>,
) -> Option<Vec<Entry>> {
    bytes
        .chunks_exact(ENTRY_LEN)
        .map(|bytes| {
            let entry = Entry::parse(bytes, header)?;
            let in_order = after.is_none_or(|after| entry.cluster > after);
            after = Some(entry.cluster);
            in_order.then_some(entry)
        })
        .collect()
}

/// Returns the part of the index before a group's entries.
pub(crate) fn index_group(offset: u64, entries: usize) -> [u8; INDEX_GROUP] {
    let mut bytes = [0; INDEX_GROUP];
    bytes[..8].copy_from_slice(&offset.to_le_bytes());
    bytes[8..12].copy_from_slice(&(entries as u32).to_le_bytes());
    bytes
}

/// The trailer of a complete snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trailer {
    pub(crate) id: [u8; 16],
    pub(crate) index_offset: u64,
    pub(crate) index_len: u64,
    pub(crate) clusters: u64,
    pub(crate) groups: u64,
    pub(crate) index_crc: u32,
}

impl Trailer {
    pub(crate) fn to_bytes(self) -> [u8; TRAILER_LEN] {
        let mut bytes = [0; TRAILER_LEN];
        bytes[..8].copy_from_slice(&END_MAGIC);
        bytes[8..24].copy_from_slice(&self.id);
        let fields = [self.index_offset, self.index_len, self.clusters, self.groups];
        for (slot, field) in bytes[24..56].chunks_exact_mut(8).zip(fields) {
            slot.copy_from_slice(&field.to_le_bytes());
        }
        bytes[56..60].copy_from_slice(&self.index_crc.to_le_bytes());
        let crc = libdeflater::crc32(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Parses a trailer; returns `None` if it is damaged or not a trailer.
    pub(crate) fn parse(bytes: &[u8; TRAILER_LEN]) -> Option<Self> {
        if bytes[..8] != END_MAGIC || libdeflater::crc32(&bytes[..60]) != u32_at(bytes, 60) {
            return None;
        }
        Some(Self {
            id: id_at(bytes, 8),
            index_offset: u64_at(bytes, 24),
            index_len: u64_at(bytes, 32),
            clusters: u64_at(bytes, 40),
            groups: u64_at(bytes, 48),
            index_crc: u32_at(bytes, 56),
        })
    }
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut field = [0; 4];
    field.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(field)
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut field = [0; 8];
    field.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(field)
}

fn id_at(bytes: &[u8], at: usize) -> [u8; 16] {
    let mut id = [0; 16];
    id.copy_from_slice(&bytes[at..at + 16]);
    id
}
