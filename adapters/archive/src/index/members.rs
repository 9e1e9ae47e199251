//! The members of the index, with the records of entries in them.

use uadk_compress::{BlockCompressor, Checked, Format, Level, SoftwareCompressor};

use super::footer::Footer;
use super::member::{RECORDS, unwrap, wrap};
use super::record::Encoder;
use crate::checksum::Checksum;
use crate::gzip::Place;
use crate::{Entry, Error, Result};

/// Uncompressed bytes of records in a member: so many that they fit in stored blocks too.
const PIECE: usize = 60_000;

/// Packs entries as they come, so that what waits for the end of the archive is small.
#[derive(Debug)]
pub(crate) struct IndexBuilder {
    encoder: Encoder,
    raw: Vec<u8>,
    raw_crc: Checksum,
    raw_len: u64,
    entries: u64,
    members: Vec<u8>,
    deflated: Vec<u8>,
    engine: SoftwareCompressor,
}

impl IndexBuilder {
    pub(crate) fn new() -> Result<Self> {
        let engine = SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED)
            .map_err(Error::Compressor)?;
        Ok(Self {
            encoder: Encoder::default(),
            raw: Vec::new(),
            raw_crc: Checksum::default(),
            raw_len: 0,
            entries: 0,
            members: Vec::new(),
            deflated: vec![0; engine.max_compressed_len(PIECE)],
            engine,
        })
    }

    /// Adds an entry whose place is known.
    pub(crate) fn push(&mut self, entry: &Entry) -> Result<()> {
        self.encoder.encode(entry, &mut self.raw);
        self.entries += 1;
        while self.raw.len() >= PIECE {
            self.pack(PIECE)?;
        }
        Ok(())
    }

    /// All members of the index, footer included, to be written at byte `index_start` of the file.
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
        self.members.extend(footer.encode());
        Ok(self.members)
    }

    fn pack(&mut self, len: usize) -> Result<()> {
        if len == 0 {
            return Ok(());
        }
        let raw = &self.raw[..len];
        self.raw_crc.update(raw);
        self.raw_len += len as u64;
        let n = self.engine.compress(raw, &mut self.deflated).map_err(Error::Compressor)?;
        let mut contents = (len as u16).to_le_bytes().to_vec();
        contents.extend(&self.deflated[..n]);
        self.members.extend(wrap(RECORDS, &contents));
        self.raw.drain(..len);
        Ok(())
    }
}

/// The records in the members before the footer.
pub(super) fn unpack(mut bytes: &[u8], footer: &Footer) -> Result<Vec<u8>> {
    let damaged = || Error::index("its members are damaged");
    let engine = SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED);
    let engine = Checked::new(engine.map_err(|_| damaged())?);
    let mut raw = Vec::new();
    while !bytes.is_empty() {
        let (kind, contents, rest) = unwrap(bytes).ok_or_else(damaged)?;
        bytes = rest;
        let (len, deflated) = contents.split_first_chunk::<2>().ok_or_else(damaged)?;
        if kind != RECORDS {
            return Err(damaged());
        }
        let (len, start) = (usize::from(u16::from_le_bytes(*len)), raw.len());
        raw.resize(start + len, 0);
        engine.decompress_exact(deflated, &mut raw[start..]).map_err(|_| damaged())?;
    }
    if raw.len() as u64 != footer.raw_len || libdeflater::crc32(&raw) != footer.raw_crc {
        return Err(Error::index("its checksum is wrong"));
    }
    Ok(raw)
}
