//! Runs of segments, which a worker inflates.
//!
//! If an index lists the segments, their lengths and checksums are known. Otherwise a run ends at a
//! sync marker, and is inflated speculatively: an empty stored block is assumed to end a segment,
//! and the next one to begin without history. This holds if nothing in it refers further back, and
//! if the marker at the end of the run is such a block and not data that looks like one.

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

/// Minimum length of a run in the file, except for the first one.
pub(super) const RUN_LEN: usize = 256 << 10;
/// Maximum length of a run, within which a marker is searched for.
pub(super) const MAX_RUN_LEN: usize = 1 << 20;
/// Bytes to read at once if more are needed to find a marker.
const STEP: usize = 64 << 10;
/// Once a run has this much data, inflating pauses until the data is consumed.
const PAUSE_LEN: usize = 2 << 20;
/// A segment with more data is inflated in order.
const MAX_DATA: usize = 4 << 20;
/// Number of markers to try as segment ends before inflating block by block.
const MAX_TRIES: usize = 3;
/// Bytes of an empty stored block, counted from its first bit. No other block without data has this
/// length: one with fixed codes has at most two bytes, a dynamic one at least ten.
const EMPTY_STORED: std::ops::RangeInclusive<usize> = 4..=5;

/// Segments, compressed and then inflated.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// File offset.
    pub(super) file_offset: u64,
    /// The bytes of the file, followed by space for a [`Probe`].
    compressed: Vec<u8>,
    len: usize,
    /// Its segments, if an index lists them.
    known: Vec<Known>,
    /// Whether the file ends with it.
    at_end: bool,
    probe: Probe,
    /// Segments that have been inflated.
    pub(super) done: Vec<Done>,
    /// Bytes of the file that have been inflated.
    inflated: usize,
    data: Vec<u8>,
    data_len: usize,
    then: Option<Then>,
    /// Time spent inflating the segments in `done`.
    time: Duration,
}

/// A segment listed in an index.
#[derive(Clone, Copy, Debug)]
struct Known {
    end: usize,
    data_len: usize,
    crc: u32,
}

/// An inflated segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    /// Offset in the run.
    start: usize,
    end: usize,
    data_start: usize,
    pub(super) data_len: usize,
    pub(super) crc: u32,
    /// Whether the stream ends in it, so that nothing can follow.
    pub(super) is_last: bool,
}

impl Done {
    /// Returns its location, given the offsets of its run in the file and in the data.
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

/// What to do when the data of a run is consumed.
#[derive(Clone, Debug)]
pub(super) enum Then {
    /// Continue with the next run.
    Next,
    /// Inflate more of this run.
    More,
    /// Inflate again from this byte on, with more bytes: the assumed marker at the end of the run
    /// was data.
    Longer {
        at: usize,
    },
    /// Inflate in order from this byte on.
    InOrder {
        at: usize,
        /// The data is known to need no history: only its end is missing.
        torn: bool,
    },
    /// Read the member's trailer at this byte.
    Trailer {
        at: usize,
    },
    Damaged(Error),
}

/// The result of framing.
pub(super) enum Framed {
    /// A run of this many bytes.
    Run(usize),
    /// No marker within the maximum length.
    NoMarker,
    /// More bytes are needed, this many in total.
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

    /// Returns statistics of the last call of [`inflate`](Self::inflate).
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

    /// Returns the place of the data byte after `consumed` bytes; `None` if the stream ends there
    /// without a marker, like streams that have no segments.
    pub(super) fn place(&self, consumed: usize) -> Option<Place> {
        let after = self.done.partition_point(|done| done.data_start + done.data_len <= consumed);
        let (start, within) = match self.done.get(after) {
            Some(done) if done.is_last && done.data_len > 0 => return None,
            Some(done) => (done.start, consumed - done.data_start),
            None => (self.inflated, 0),
        };
        Some(Place { block: self.file_offset + start as u64, within: within as u32 })
    }

    /// Returns the bytes of the file from `at` on.
    pub(super) fn compressed_from(&self, at: usize) -> &[u8] {
        &self.compressed[at..self.len]
    }

    pub(super) fn then(&mut self) -> Then {
        self.then.take().unwrap_or(Then::Next)
    }

    /// Adds a segment listed in an index.
    pub(super) fn push_known(&mut self, bytes: &[u8], segment: &Segment) {
        self.push(bytes);
        let data_len = segment.data_len as usize;
        self.known.push(Known { end: self.len, data_len, crc: segment.crc });
    }

    /// Returns whether its segments are listed in an index.
    pub(super) fn is_known(&self) -> bool {
        !self.known.is_empty()
    }

    /// Returns whether it has enough bytes.
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

    /// Looks for whole segments at the beginning of `bytes` by their markers.
    pub(super) fn frame(&mut self, bytes: &[u8], search: Search) -> Framed {
        // After a run that was too short, double the length: every few bytes may contain a marker.
        let enough =
            if search.short { 1 } else { RUN_LEN }.max(search.min_len * 2).min(MAX_RUN_LEN);
        let from = enough.saturating_sub(SYNC_MARKER.len()).max(search.searched);
        let last = || rfind(bytes, search.searched).filter(|end| *end >= search.min_len);
        if let Some(end) = find(bytes, from) {
            Framed::Run(end)
        } else if search.ended {
            self.at_end = true;
            Framed::Run(bytes.len())
        } else if bytes.len() >= MAX_RUN_LEN {
            last().map_or(Framed::NoMarker, Framed::Run)
        } else {
            // Most segments end soon, and bytes read past their ends have to be copied.
            let far = bytes.len() >= RUN_LEN + 4 * STEP;
            let step = if far { bytes.len() } else { STEP };
            let more = Framed::Needs((bytes.len() + step).min(MAX_RUN_LEN));
            let ready = if search.waits { last() } else { None };
            ready.map_or(more, Framed::Run)
        }
    }

    /// Takes the `len` bytes that were framed.
    pub(super) fn take<R: std::io::Read>(&mut self, source: &mut Source<R>, len: usize) {
        source.take(len, Probe::LEN, &mut self.compressed);
        self.len = len;
    }

    /// Inflates segments until there is enough data or none is left.
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
        while self.data_len < PAUSE_LEN && self.inflated < self.len {
            let next = self.known.partition_point(|known| known.end <= self.inflated);
            match self.known.get(next) {
                Some(&known) => self.inflate_known(engine, known)?,
                None => self.inflate_ahead(inflate)?,
            }
        }
        Ok(())
    }

    /// Inflates a segment listed in an index.
    fn inflate_known(&mut self, engine: &dyn BlockCompressor, known: Known) -> Result<(), Then> {
        let Known { end, data_len: len, crc } = known;
        self.reserve(len);
        // With an empty last block appended, it is a stream of its own.
        let after = end + END.len();
        let saved = [self.compressed[end], self.compressed[end + 1]];
        self.compressed[end..after].copy_from_slice(&END);
        let src = &self.compressed[self.inflated..after];
        let mut block = Block::exact(src, &mut self.data[self.data_len..][..len]);
        let is_good =
            |block: &Block<'_>| block.output().is_ok_and(|data| libdeflater::crc32(data) == crc);
        block.run(|src, dst| engine.decompress(src, dst));
        if !is_good(&block) {
            // The engine may be at fault: the data is damaged only if software fails too.
            let software = SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED);
            block.run(|src, dst| software?.decompress(src, dst));
        }
        let what = match block.result() {
            Ok(_) if is_good(&block) => None,
            Ok(_) => Some("checksum mismatch"),
            Err(EngineError::WrongLength { .. } | EngineError::OutputFull) => {
                Some("its length differs from the index")
            }
            Err(_) => Some("invalid deflate stream"),
        };
        self.compressed[end..after].copy_from_slice(&saved);
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

    /// Inflates the next segment if no index lists it.
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
        // Not a typical segment: examine its blocks.
        self.inflate_blocks(inflate.get_or_insert_with(|| Box::new(Inflate::new(false, 15))))
    }

    /// Inflates a segment that ends at `end` and begins without history, as most do, with the
    /// fastest decoder. Returns the length of its data; `None` if it is anything else.
    fn inflate_whole(&mut self, end: usize) -> Option<usize> {
        // Our segments have at most `SEGMENT_LEN` bytes of data. Others rarely shrink to less than
        // a quarter.
        let space = ((end - self.inflated) * 4).clamp(SEGMENT_LEN, MAX_DATA) + Probe::LEN;
        self.reserve(space);
        let after = end + Probe::LEN;
        let mut saved = [0; Probe::LEN];
        saved.copy_from_slice(&self.compressed[end..after]);
        self.compressed[end..after].copy_from_slice(&self.probe.0);
        let software = SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED);
        let (src, dst) = (&self.compressed[self.inflated..after], &mut self.data[self.data_len..]);
        let inflated = software.and_then(|software| software.decompress(src, dst));
        self.compressed[end..after].copy_from_slice(&saved);
        self.probe.strip(&self.data[self.data_len..][..inflated.ok()?])
    }

    /// Inflates a segment block by block, up to an empty stored block.
    fn inflate_blocks(&mut self, inflate: &mut Inflate) -> Result<(), Then> {
        let start = self.inflated;
        let in_order = |torn| Err(Then::InOrder { at: start, torn });
        inflate.reset(false);
        loop {
            let (read, written) = (inflate.total_in() as usize, inflate.total_out() as usize);
            if written > MAX_DATA {
                return in_order(false);
            }
            // At first, reserve the usual length of a segment's data.
            let likely = (self.len - start).min(RUN_LEN) * 4;
            self.reserve((written * 2).max(likely).max(1 << 16));
            let src = &self.compressed[start + read..self.len];
            let dst = &mut self.data[self.data_len + written..];
            let space = dst.len();
            let status = inflate.decompress(src, dst, InflateFlush::Block);
            let (end, len) = (start + inflate.total_in() as usize, inflate.total_out() as usize);
            let (taken, made) = (end - start - read, len - written);
            match status {
                // It is damaged, or it refers to data before the segment.
                Err(_) => return in_order(false),
                Ok(Status::StreamEnd) => {
                    self.finish_segment(end, len, self.crc(len), true);
                    return Err(Then::Trailer { at: end });
                }
                // An empty stored block ends the segment, unless it is the last block.
                Ok(_) if made == 0 && EMPTY_STORED.contains(&taken) && !has_ended(inflate) => {
                    if end < self.len || is_between_blocks(inflate) {
                        self.finish_segment(end, len, self.crc(len), false);
                        return Ok(());
                    }
                }
                // Only output space was missing.
                Ok(_) if end < self.len || made == space => continue,
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

    /// Ensures space for `len` more bytes of data.
    fn reserve(&mut self, len: usize) {
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

/// Returns whether the block that has just ended was the last one.
fn has_ended(inflate: &mut Inflate) -> bool {
    inflate.decompress(&[], &mut [], InflateFlush::Block) == Ok(Status::StreamEnd)
}

/// Returns whether a block may have ended with the last byte read, rather than inside the header of
/// the next block.
fn is_between_blocks(inflate: &mut Inflate) -> bool {
    inflate.decompress(&END, &mut [], InflateFlush::NoFlush) == Ok(Status::StreamEnd)
}

/// Bytes appended to a marker to find out whether a block ends there, using a decoder that reports
/// neither that nor how much input it has read: a stored block, and a last block with one byte.
///
/// If no block ends there, one may end in the first bits of the probe. But a length follows only a
/// header of three zero bits, and those are the first three. If a block ended one bit earlier, that
/// bit, a one, would make the stored block the last one. Another stored block may end together with
/// the probe's; its data then includes the probe's header. The probe's contents can't come from
/// elsewhere: they are random, because data may be crafted to deceive.
#[derive(Debug)]
struct Probe([u8; Self::LEN]);

impl Probe {
    const LEN: usize = 5 + Self::DATA_LEN + Self::LAST.len();
    const DATA_LEN: usize = 16;
    const LAST: [u8; 3] = [0x0b, 0x05, 0];
    const LAST_DATA: u8 = b'U';

    /// Returns the length of `data` without the probe's data. `None` if `data` does not end with
    /// that, or contains the probe's header before it.
    fn strip(&self, data: &[u8]) -> Option<usize> {
        let (header, contents) = self.0[..5 + Self::DATA_LEN].split_at(5);
        let data = data.strip_suffix(&[Self::LAST_DATA])?.strip_suffix(contents)?;
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

/// Parameters of the search for segments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search {
    /// No bytes follow.
    pub(super) ended: bool,
    /// One segment is enough, as the caller may read little.
    pub(super) short: bool,
    /// More bytes may take a while to arrive.
    pub(super) waits: bool,
    /// Minimum length of the run: no segment ends at an apparent marker before that.
    pub(super) min_len: usize,
    /// Length of the prefix in which no marker begins.
    pub(super) searched: usize,
}

/// Returns the end of the first marker that begins at or after `from`.
fn find(bytes: &[u8], from: usize) -> Option<usize> {
    let i = memchr::memmem::find(bytes.get(from..)?, &SYNC_MARKER)?;
    Some(from + i + SYNC_MARKER.len())
}

/// Returns the end of the last marker that begins at or after `from`.
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
    fn a_probe_inflates_to_its_contents() {
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
