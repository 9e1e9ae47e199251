//! Packs and unpacks the records of entries, for both locations of an index.

use std::io::BufRead;

use uadk_compress::{BlockCompressor, Checked, Format, Level, SoftwareCompressor};

use super::footer::Footer;
use super::inside;
use super::member::{RECORDS, read_members, unwrap, wrap};
use super::record::{self, Encoder};
use crate::checksum::Checksum;
use crate::gzip::{Layout, Place, Segments};
use crate::{Entry, Error, Result};

/// Uncompressed bytes of records in a member. They fit even if stored uncompressed.
const PIECE: usize = 60_000;

/// Packs entries as they are added, so that little memory is used until the archive ends.
#[derive(Debug)]
pub(crate) struct IndexBuilder {
    layout: Layout,
    encoder: Encoder,
    raw: Vec<u8>,
    raw_crc: Checksum,
    raw_len: u64,
    entries: u64,
    /// Members, or pieces of the index inside the stream.
    packed: Vec<u8>,
    deflated: Vec<u8>,
    engine: SoftwareCompressor,
}

impl IndexBuilder {
    pub(crate) fn new(layout: Layout) -> Result<Self> {
        let engine = SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED)
            .map_err(Error::Compressor)?;
        Ok(Self {
            layout,
            encoder: Encoder::new(layout == Layout::Bgzf),
            raw: Vec::new(),
            raw_crc: Checksum::default(),
            raw_len: 0,
            entries: 0,
            packed: Vec::new(),
            deflated: vec![0; engine.max_compressed_len(PIECE)],
            engine,
        })
    }

    /// Adds an entry. In block gzip, its place must be known.
    pub(crate) fn push(&mut self, entry: &Entry) -> Result<()> {
        self.encoder.encode(entry, &mut self.raw);
        self.entries += 1;
        self.pack_full()
    }

    /// For block gzip: returns all members of the index, including the footer, to be written at
    /// file offset `index_start`.
    pub(crate) fn finish(
        mut self,
        index_start: u64,
        tar_len: u64,
        end: u64,
        end_place: Place,
    ) -> Result<Vec<u8>> {
        self.pack(self.raw.len())?;
        let footer = Footer {
            index_start,
            entries: self.entries,
            raw_len: self.raw_len,
            raw_crc: self.raw_crc.sum(),
            tar_len,
            end,
            end_place,
        };
        self.packed.extend(footer.encode());
        Ok(self.packed)
    }

    /// For one member: returns the index that follows a tar of `tar_len` bytes whose last entry
    /// ends at `end`, and its footer.
    pub(crate) fn finish_inside(
        mut self,
        segments: &Segments,
        tar_len: u64,
        end: u64,
    ) -> Result<(Vec<u8>, inside::Footer)> {
        let records_len = self.raw_len + self.raw.len() as u64;
        record::encode_segments(segments, &mut self.raw);
        self.pack_full()?;
        self.pack(self.raw.len())?;
        let first = segments.as_slice().first();
        let footer = inside::Footer {
            file_len: 0,
            index_start: 0,
            data_start: first.map_or(0, |segment| segment.file),
            entries: self.entries,
            records_len,
            raw_len: self.raw_len,
            packed_len: self.packed.len() as u64,
            tar_len,
            end,
            raw_crc: self.raw_crc.sum(),
        };
        Ok((inside::wrap(&self.packed), footer))
    }

    fn pack_full(&mut self) -> Result<()> {
        while self.raw.len() >= PIECE {
            self.pack(PIECE)?;
        }
        Ok(())
    }

    fn pack(&mut self, len: usize) -> Result<()> {
        if len == 0 {
            return Ok(());
        }
        let raw = &self.raw[..len];
        self.raw_crc.update(raw);
        self.raw_len += len as u64;
        let n = self.engine.compress(raw, &mut self.deflated).map_err(Error::Compressor)?;
        match self.layout {
            Layout::Bgzf => {
                let mut contents = (len as u16).to_le_bytes().to_vec();
                contents.extend(&self.deflated[..n]);
                self.packed.extend(wrap(RECORDS, &contents));
            }
            Layout::OneMember => {
                self.packed.extend((len as u16).to_le_bytes());
                self.packed.extend((n as u16).to_le_bytes());
                self.packed.extend(&self.deflated[..n]);
            }
        }
        self.raw.drain(..len);
        Ok(())
    }
}

/// Unpacks the records in the pieces of an index inside the stream.
pub(super) fn unpack_pieces(mut bytes: &[u8], raw_len: u64, raw_crc: u32) -> Result<Vec<u8>> {
    let damaged = || Error::index("damaged pieces");
    let mut unpacking = Unpacking::new(raw_len)?;
    while let Some((lens, rest)) = bytes.split_first_chunk::<4>() {
        let len = u16::from_le_bytes([lens[0], lens[1]]);
        let deflated_len = usize::from(u16::from_le_bytes([lens[2], lens[3]]));
        let deflated = rest.get(..deflated_len).ok_or_else(damaged)?;
        unpacking.add(deflated, len).ok_or_else(damaged)?;
        bytes = &rest[deflated_len..];
    }
    if bytes.is_empty() { unpacking.finish(raw_crc) } else { Err(damaged()) }
}

/// Records inflated so far.
struct Unpacking {
    engine: Checked<SoftwareCompressor>,
    raw: Vec<u8>,
    /// Bytes of all records.
    raw_len: u64,
}

impl Unpacking {
    fn new(raw_len: u64) -> Result<Self> {
        let engine = SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED);
        let engine = Checked::new(engine.map_err(Error::Compressor)?);
        Ok(Self { engine, raw: Vec::new(), raw_len })
    }

    fn add(&mut self, deflated: &[u8], len: u16) -> Option<()> {
        let (start, end) = (self.raw.len(), self.raw.len() + usize::from(len));
        if end as u64 > self.raw_len {
            return None;
        }
        self.raw.resize(end, 0);
        self.engine.decompress_exact(deflated, &mut self.raw[start..]).ok()
    }

    fn finish(self, raw_crc: u32) -> Result<Vec<u8>> {
        if self.raw.len() as u64 != self.raw_len || libdeflater::crc32(&self.raw) != raw_crc {
            return Err(Error::index("checksum mismatch"));
        }
        Ok(self.raw)
    }
}

/// Unpacks the records in the members before the footer.
pub(super) fn unpack(mut input: impl BufRead, footer: &Footer) -> Result<Vec<u8>> {
    let damaged = || Error::index("damaged members");
    let mut unpacking = Unpacking::new(footer.raw_len)?;
    let mut member = Vec::new();
    while !input.fill_buf()?.is_empty() {
        read_members(&mut input, &mut member)?;
        let Some((RECORDS, contents, [])) = unwrap(&member) else { return Err(damaged()) };
        let (len, deflated) = contents.split_first_chunk::<2>().ok_or_else(damaged)?;
        unpacking.add(deflated, u16::from_le_bytes(*len)).ok_or_else(damaged)?;
    }
    unpacking.finish(footer.raw_crc)
}
