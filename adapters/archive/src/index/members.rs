//! Bytes in gzip members that hold no data.
//!
//! They are in the extra field of an empty member, which gzip skips. htslib takes no other extra field
//! than its own of 6 bytes, so an empty block of BGZF goes before that member and says that it is as
//! long as both together: htslib skips both, having found an empty deflate stream at the
//! beginning and the checksum and length of nothing at the end.

use uadk_compress::{BlockCompressor, Format, Level, SoftwareCompressor};

use super::Footer;
use super::record::Encoder;
use crate::block_gzip::{EMPTY_DEFLATE, END_MARKER, Place, TRAILER_LEN};
use crate::checksum::Checksum;
use crate::{Entry, Error, Result};

/// Kinds of contents.
pub(super) const RECORDS: u8 = b'R';
pub(super) const FOOTER: u8 = b'F';

const SUBFIELD: [u8; 2] = *b"UI";
/// The empty block, and the empty member's header up to and with the kind.
const BEFORE: usize = END_MARKER.len() + 12 + 4 + 1;
/// Bytes around the contents.
pub(super) const OVERHEAD: usize = BEFORE + EMPTY_DEFLATE.len() + TRAILER_LEN;
/// Uncompressed bytes of records in a member: so many that they fit in stored blocks too.
const PIECE: usize = 60_000;

/// The two members around `contents`, of 65,000 bytes at most.
pub(super) fn wrap(kind: u8, contents: &[u8]) -> Vec<u8> {
    let len = OVERHEAD + contents.len();
    let mut bytes = Vec::with_capacity(len);
    bytes.extend(END_MARKER);
    bytes[16..18].copy_from_slice(&((len - 1) as u16).to_le_bytes());
    bytes.extend([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff]);
    bytes.extend((contents.len() as u16 + 5).to_le_bytes());
    bytes.extend(SUBFIELD);
    bytes.extend((contents.len() as u16 + 1).to_le_bytes());
    bytes.push(kind);
    bytes.extend(contents);
    bytes.extend(EMPTY_DEFLATE);
    bytes.extend([0; TRAILER_LEN]);
    bytes
}

/// Kind and contents of the two members at the beginning of `bytes`, and what is behind them.
pub(super) fn unwrap(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let len = usize::from(u16::from_le_bytes([*bytes.get(16)?, *bytes.get(17)?])) + 1;
    let member = bytes.get(..len)?;
    let contents = member.get(BEFORE..len.checked_sub(EMPTY_DEFLATE.len() + TRAILER_LEN)?)?;
    let kind = member[BEFORE - 1];
    // It is ours if it is what we would have made of it.
    let fits = contents.len() <= 65_000;
    (fits && wrap(kind, contents) == member).then_some((kind, contents, &bytes[len..]))
}

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
        let engine = SoftwareCompressor::new(Format::RawDeflate, Level::DEFAULT)
            .map_err(|error| Error::Unsupported(error.to_string().into()))?;
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
        let n = self
            .engine
            .compress(raw, &mut self.deflated)
            .map_err(|error| Error::index(error.to_string()))?;
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
    let engine =
        SoftwareCompressor::new(Format::RawDeflate, Level::DEFAULT).map_err(|_| damaged())?;
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
        if engine.decompress(deflated, &mut raw[start..]) != Ok(len) {
            return Err(damaged());
        }
    }
    if raw.len() as u64 != footer.raw_len || libdeflater::crc32(&raw) != footer.raw_crc {
        return Err(Error::index("its checksum is wrong"));
    }
    Ok(raw)
}
