//! A run of segments that goes to a worker to be inflated.
//!
//! Where an index says where segments begin, their lengths and checksums are known. Elsewhere a run ends
//! at a marker, and is inflated ahead. An empty stored block ends a segment, and the next one begins without
//! history. That is right if nothing in it refers further back, and if the marker at the end of the run is
//! such a block, and not data that looks like one.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use uadk_compress::{
    Block, BlockCompressor, Error as EngineError, Format, Level, SoftwareCompressor,
};
use zlib_rs::{Inflate, InflateFlush, Status};

use super::inflated::Inflated;
use super::place::Place;
use super::segment::{END, SEGMENT_LEN, SYNC_MARKER};
use super::segments::Segment;
use super::source::Source;
use crate::Error;

/// Bytes that a run has at least in the file, but for the first.
pub(super) const RUN_LEN: usize = 256 << 10;
/// Bytes among which a marker is looked for.
pub(super) const MAX_RUN_LEN: usize = 1 << 20;
/// Bytes that are read at once, where more are needed for a marker.
const STEP: usize = 64 << 10;
/// When a run has so much data, the rest of it waits.
const MUCH_DATA: usize = 2 << 20;
/// A segment with more data is inflated piece by piece.
const MAX_DATA: usize = 4 << 20;
/// So many markers may be data before it is found out block by block where a segment ends.
const MAX_TRIES: usize = 3;
/// Bytes of an empty stored block that are read from its first bit on. No other block without data has
/// so many: one with fixed codes has two at most, one with codes of its own at least ten.
const EMPTY_STORED: std::ops::RangeInclusive<usize> = 4..=5;

/// Segments, compressed and then inflated.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Byte of the file where it begins.
    pub(super) file_offset: u64,
    /// The bytes of the file, and room for a [`Probe`] behind them.
    compressed: Vec<u8>,
    len: usize,
    /// What an index says of its segments.
    known: Vec<Known>,
    /// Whether the file ends with it.
    at_end: bool,
    probe: Probe,
    /// Segments that are inflated.
    pub(super) done: Vec<Done>,
    /// Bytes of the file that are inflated.
    inflated: usize,
    data: Vec<u8>,
    data_len: usize,
    then: Option<Then>,
    /// Spent in inflating what is `done`.
    time: Duration,
}

/// A segment that an index tells of.
#[derive(Clone, Copy, Debug)]
struct Known {
    end: usize,
    data_len: usize,
    crc: u32,
}

/// A segment that is inflated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    /// Where it begins in the run.
    start: usize,
    end: usize,
    data_start: usize,
    pub(super) data_len: usize,
    pub(super) crc: u32,
    /// Whether the stream ends in it: nothing can follow.
    pub(super) is_last: bool,
}

impl Done {
    /// Where it is, if its run begins at byte `file` of the file and byte `data` of the data.
    pub(super) const fn segment(&self, file: u64, data: u64) -> Segment {
        Segment {
            file: file + self.start as u64,
            len: (self.end - self.start) as u32,
            data: data + self.data_start as u64,
            data_len: self.data_len as u32,
            crc: self.crc,
        }
    }
}

/// What comes when the data of a run is consumed.
#[derive(Clone, Debug)]
pub(super) enum Then {
    /// The next run.
    Next,
    /// More of this one.
    More,
    /// What is left from this byte on is inflated again, with more behind it: what was taken for a marker at
    /// the end of the run is data.
    Longer {
        at: usize,
    },
    /// What is left from this byte on has to be inflated in order.
    InOrder {
        at: usize,
        /// It is known to need no history: only its end is missing.
        torn: bool,
    },
    /// The member's trailer, at this byte.
    Trailer {
        at: usize,
    },
    Damaged(Error),
}

/// What there is to frame.
pub(super) enum Framed {
    /// A run, of so many bytes.
    Run(usize),
    /// No marker for a long time.
    NoMarker,
    /// More bytes are needed, so many in all.
    Needs(usize),
}

impl Run {
    pub(super) fn clear(&mut self, file_offset: u64) {
        self.file_offset = file_offset;
        self.len = 0;
        self.known.clear();
        self.at_end = false;
        self.done.clear();
        self.inflated = 0;
        self.data_len = 0;
        self.then = None;
        self.time = Duration::ZERO;
    }

    /// What was done of it since the last time that it was asked to go on.
    pub(super) fn inflated(&self) -> Inflated {
        Inflated {
            pieces: self.done.len() as u64,
            compressed: self.done.iter().map(|done| (done.end - done.start) as u64).sum(),
            bytes: self.data_len as u64,
            time: self.time,
        }
    }

    pub(super) fn data(&self) -> &[u8] {
        &self.data[..self.data_len]
    }

    /// Where the byte of data is that `consumed` bytes are before; `None` where the stream ends without
    /// a marker, as streams do that have no segments.
    pub(super) fn place(&self, consumed: usize) -> Option<Place> {
        let behind = self.done.partition_point(|done| done.data_start + done.data_len <= consumed);
        let (start, within) = match self.done.get(behind) {
            Some(done) if done.is_last && done.data_len > 0 => return None,
            Some(done) => (done.start, consumed - done.data_start),
            None => (self.inflated, 0),
        };
        Some(Place { block: self.file_offset + start as u64, within: within as u32 })
    }

    /// The bytes of the file from `at` on.
    pub(super) fn compressed_from(&self, at: usize) -> &[u8] {
        &self.compressed[at..self.len]
    }

    pub(super) fn then(&mut self) -> Then {
        self.then.take().unwrap_or(Then::Next)
    }

    /// Adds a segment that an index tells of.
    pub(super) fn push_known(&mut self, bytes: &[u8], segment: &Segment) {
        self.push(bytes);
        let data_len = segment.data_len as usize;
        self.known.push(Known { end: self.len, data_len, crc: segment.crc });
    }

    /// Whether an index tells of its segments.
    pub(super) fn is_known(&self) -> bool {
        !self.known.is_empty()
    }

    /// Whether it has enough of them.
    pub(super) fn is_long(&self) -> bool {
        self.len >= RUN_LEN
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn push(&mut self, bytes: &[u8]) {
        self.compressed.truncate(self.len);
        self.compressed.extend(bytes);
        self.len = self.compressed.len();
        self.compressed.extend([0; Probe::LEN]);
    }

    /// Looks for whole segments at the beginning of `bytes`, as far as markers tell.
    pub(super) fn frame(&mut self, bytes: &[u8], look: Look) -> Framed {
        // Where there was too little it takes much more: there may be a marker in every few bytes.
        let enough = if look.short { 1 } else { RUN_LEN }.max(look.least * 2).min(MAX_RUN_LEN);
        let from = enough.saturating_sub(SYNC_MARKER.len()).max(look.searched);
        let last = || rfind(bytes, look.searched).filter(|end| *end >= look.least);
        if let Some(end) = find(bytes, from) {
            Framed::Run(end)
        } else if look.ended {
            self.at_end = true;
            Framed::Run(bytes.len())
        } else if bytes.len() >= MAX_RUN_LEN {
            last().map_or(Framed::NoMarker, Framed::Run)
        } else {
            // Most segments end soon: what is read behind their ends has to be copied.
            let far = bytes.len() >= RUN_LEN + 4 * STEP;
            let step = if far { bytes.len() } else { STEP };
            let more = Framed::Needs((bytes.len() + step).min(MAX_RUN_LEN));
            let ready = if look.waits { last() } else { None };
            ready.map_or(more, Framed::Run)
        }
    }

    /// Takes the `len` bytes that were framed.
    pub(super) fn take<R: std::io::Read>(&mut self, source: &mut Source<R>, len: usize) {
        source.take(len, Probe::LEN, &mut self.compressed);
        self.len = len;
    }

    /// Inflates segments until there is much data or none is left.
    pub(super) fn inflate(
        &mut self,
        inflate: &mut Option<Box<Inflate>>,
        engine: &dyn BlockCompressor,
    ) {
        self.data_len = 0;
        self.done.clear();
        let begun = Instant::now();
        let then = self.inflate_some(inflate, engine);
        self.time = begun.elapsed();
        let rest = if self.inflated < self.len { Then::More } else { Then::Next };
        self.then = Some(then.err().unwrap_or(rest));
    }

    fn inflate_some(
        &mut self,
        inflate: &mut Option<Box<Inflate>>,
        engine: &dyn BlockCompressor,
    ) -> Result<(), Then> {
        while self.data_len < MUCH_DATA && self.inflated < self.len {
            let next = self.known.partition_point(|known| known.end <= self.inflated);
            match self.known.get(next) {
                Some(&known) => self.inflate_known(engine, known)?,
                None => self.inflate_ahead(inflate)?,
            }
        }
        Ok(())
    }

    /// Inflates a segment that an index tells of.
    fn inflate_known(&mut self, engine: &dyn BlockCompressor, known: Known) -> Result<(), Then> {
        let Known { end, data_len: len, crc } = known;
        self.make_room(len);
        // With an end behind it, it is a stream of its own.
        let behind = end + END.len();
        let saved = [self.compressed[end], self.compressed[end + 1]];
        self.compressed[end..behind].copy_from_slice(&END);
        let src = &self.compressed[self.inflated..behind];
        let mut block = Block::exact(src, &mut self.data[self.data_len..][..len]);
        let is_good =
            |block: &Block<'_>| block.output().is_ok_and(|data| libdeflater::crc32(data) == crc);
        block.run(|src, dst| engine.decompress(src, dst));
        if !is_good(&block) {
            // What an engine got wrong, software does again: only then is it the data that is damaged.
            let software = SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED);
            block.run(|src, dst| software?.decompress(src, dst));
        }
        let what = match block.result() {
            Ok(_) if is_good(&block) => None,
            Ok(_) => Some("its checksum is wrong"),
            Err(EngineError::WrongLength { .. } | EngineError::OutputFull) => {
                Some("it has another length than the index says")
            }
            Err(_) => Some("its deflate stream is wrong"),
        };
        self.compressed[end..behind].copy_from_slice(&saved);
        match what {
            None => {
                self.finish_segment(end, len, crc, false);
                Ok(())
            }
            Some(what) => {
                let offset = self.file_offset + self.inflated as u64;
                Err(Then::Damaged(Error::damaged(offset, what)))
            }
        }
    }

    /// Inflates the next segment, where no index tells of it.
    fn inflate_ahead(&mut self, inflate: &mut Option<Box<Inflate>>) -> Result<(), Then> {
        let mut from = self.inflated;
        for _ in 0..MAX_TRIES {
            let Some(end) = find(&self.compressed[..self.len], from) else { break };
            if let Some(len) = self.inflate_whole(end) {
                self.finish_segment(end, len, self.crc(len), false);
                return Ok(());
            }
            from = end;
        }
        // It is not what most segments are: find out what.
        self.inflate_blocks(inflate.get_or_insert_with(|| Box::new(Inflate::new(false, 15))))
    }

    /// Inflates a segment that ends at `end` and begins without history, as most do, with the fastest
    /// decoder, and returns the length of its data; `None` if it is anything else.
    fn inflate_whole(&mut self, end: usize) -> Option<usize> {
        // Ours have no more data, and those of others rarely shrink to less than a quarter.
        let room = ((end - self.inflated) * 4).clamp(SEGMENT_LEN, MAX_DATA) + Probe::LEN;
        self.make_room(room);
        let behind = end + Probe::LEN;
        let mut saved = [0; Probe::LEN];
        saved.copy_from_slice(&self.compressed[end..behind]);
        self.compressed[end..behind].copy_from_slice(&self.probe.0);
        let software = SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED);
        let (src, dst) = (&self.compressed[self.inflated..behind], &mut self.data[self.data_len..]);
        let inflated = software.and_then(|software| software.decompress(src, dst));
        self.compressed[end..behind].copy_from_slice(&saved);
        self.probe.strip(&self.data[self.data_len..][..inflated.ok()?])
    }

    /// Inflates a segment block by block, up to an empty stored one.
    fn inflate_blocks(&mut self, inflate: &mut Inflate) -> Result<(), Then> {
        let start = self.inflated;
        let in_order = |torn| Err(Then::InOrder { at: start, torn });
        inflate.reset(false);
        loop {
            let (read, written) = (inflate.total_in() as usize, inflate.total_out() as usize);
            if written > MAX_DATA {
                return in_order(false);
            }
            // At the first it is as much as segments usually become.
            let likely = (self.len - start).min(RUN_LEN) * 4;
            self.make_room((written * 2).max(likely).max(1 << 16));
            let src = &self.compressed[start + read..self.len];
            let dst = &mut self.data[self.data_len + written..];
            let room = dst.len();
            let status = inflate.decompress(src, dst, InflateFlush::Block);
            let (end, len) = (start + inflate.total_in() as usize, inflate.total_out() as usize);
            let (taken, made) = (end - start - read, len - written);
            match status {
                // It is damaged, or it refers to what is before the segment.
                Err(_) => return in_order(false),
                Ok(Status::StreamEnd) => {
                    self.finish_segment(end, len, self.crc(len), true);
                    return Err(Then::Trailer { at: end });
                }
                // Not if it is the last block: the next call says so.
                Ok(_) if made == 0 && EMPTY_STORED.contains(&taken) && !has_ended(inflate) => {
                    if end < self.len || is_between_blocks(inflate) {
                        self.finish_segment(end, len, self.crc(len), false);
                        return Ok(());
                    }
                }
                // Only room was missing.
                Ok(_) if end < self.len || made == room => continue,
                Ok(_) => {}
            }
            if end == self.len && has_ended(inflate) {
                self.finish_segment(end, len, self.crc(len), true);
                return Err(Then::Trailer { at: end });
            }
            if end == self.len {
                return if self.at_end { in_order(true) } else { Err(Then::Longer { at: start }) };
            }
        }
    }

    fn make_room(&mut self, len: usize) {
        let wanted = self.data_len + len;
        if self.data.len() < wanted {
            self.data.resize(wanted, 0);
        }
    }

    fn crc(&self, len: usize) -> u32 {
        libdeflater::crc32(&self.data[self.data_len..][..len])
    }

    fn finish_segment(&mut self, end: usize, data_len: usize, crc: u32, is_last: bool) {
        let (start, data_start) = (self.inflated, self.data_len);
        self.done.push(Done { start, end, data_start, data_len, crc, is_last });
        self.inflated = end;
        self.data_len += data_len;
    }
}

/// Whether the block that has ended was the last one.
fn has_ended(inflate: &mut Inflate) -> bool {
    inflate.decompress(&[], &mut [], InflateFlush::Block) == Ok(Status::StreamEnd)
}

/// Whether a block has ended with the last byte that was read, for all that is known: not in the header of
/// the next one.
fn is_between_blocks(inflate: &mut Inflate) -> bool {
    inflate.decompress(&END, &mut [], InflateFlush::NoFlush) == Ok(Status::StreamEnd)
}

/// What is put behind a marker to find out whether a block ends there, with a decoder that says neither
/// that nor how much of its input it has read: a stored block, and a last one with one byte.
///
/// If a block has not ended there, it may end in the first bits of the probe; but only three zeros make a
/// header that is followed by a length, and those are the first ones. If it has ended a bit before, that bit
/// is one, and makes the stored block the last one. A stored block may end with the probe's; then the header
/// of that is data. And what the probe is inflated to can't come from elsewhere: it is random, for data may
/// be made to deceive.
#[derive(Debug)]
struct Probe([u8; Self::LEN]);

impl Probe {
    const LEN: usize = 5 + Self::DATA_LEN + Self::LAST.len();
    const DATA_LEN: usize = 16;
    const LAST: [u8; 3] = [0x0b, 0x05, 0];
    const LAST_DATA: u8 = b'U';

    /// The length of the data without the probe's, if that is what it ends in.
    fn strip(&self, data: &[u8]) -> Option<usize> {
        let (header, own) = self.0[..5 + Self::DATA_LEN].split_at(5);
        let data = data.strip_suffix(&[Self::LAST_DATA])?.strip_suffix(own)?;
        (!data.ends_with(header)).then_some(data.len())
    }
}

impl Default for Probe {
    fn default() -> Self {
        let mut probe = [0; Self::LEN];
        probe[..5].copy_from_slice(&[0b1111_1000, Self::DATA_LEN as u8, 0, !16, !0]);
        for (i, piece) in probe[5..][..Self::DATA_LEN].chunks_mut(8).enumerate() {
            piece.copy_from_slice(&RandomState::new().hash_one(i).to_le_bytes());
        }
        probe[5 + Self::DATA_LEN..].copy_from_slice(&Self::LAST);
        Self(probe)
    }
}

/// How segments are looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// No bytes follow.
    pub(super) ended: bool,
    /// One segment is enough, for the caller may read little.
    pub(super) short: bool,
    /// More bytes would have to be waited for.
    pub(super) waits: bool,
    /// Bytes that a run must have: at what looks like a marker before, none ends.
    pub(super) least: usize,
    /// Bytes in which no marker begins.
    pub(super) searched: usize,
}

/// The end of the first marker that begins at `from` or behind it.
fn find(bytes: &[u8], from: usize) -> Option<usize> {
    let i = memchr::memmem::find(bytes.get(from..)?, &SYNC_MARKER)?;
    Some(from + i + SYNC_MARKER.len())
}

/// The end of the last one.
fn rfind(bytes: &[u8], from: usize) -> Option<usize> {
    let i = memchr::memmem::rfind(bytes.get(from..)?, &SYNC_MARKER)?;
    Some(from + i + SYNC_MARKER.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_anywhere() {
        assert_eq!(find(&[0, 0, 0, 0xff, 0xff], 0), Some(5));
        assert_eq!(find(&[0, 0, 0xff, 0, 0, 0xff, 0xff], 0), Some(7));
        assert_eq!(find(&[0, 0, 0xff], 0), None);
        assert_eq!(find(&[0, 0, 0xff, 0xff], 1), None);
        assert_eq!(rfind(&[0, 0, 0xff, 0xff, 7], 0), Some(4));
    }

    #[test]
    fn a_probe_is_what_it_says() {
        let probe = Probe::default();
        let software = SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED);
        let mut data = [0; 100];
        let n = software.and_then(|software| software.decompress(&probe.0, &mut data));
        assert_eq!(n, Ok(Probe::DATA_LEN + 1));
        assert_eq!(probe.strip(&data[..=Probe::DATA_LEN]), Some(0));
        assert_eq!(probe.strip(&data[..Probe::DATA_LEN]), None);
        assert_eq!(probe.strip(&[]), None);
    }
}
