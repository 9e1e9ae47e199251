//! A run of segments that goes to a worker to be inflated.
//!
//! Where an index says where segments begin, their lengths and checksums are known. Elsewhere the
//! marker between segments is looked for: what it delimits is inflated ahead, without history, and is
//! right if it ends exactly where the next one begins and nothing in it refers further back.

use uadk_compress::{
    Block, BlockCompressor, Error as EngineError, Format, Level, SoftwareCompressor,
};
use zlib_rs::{Inflate, InflateFlush, Status};

use super::place::Place;
use super::segment::{END, SEGMENT_LEN, SYNC_MARKER};
use super::segments::Segment;
use super::source::Source;
use crate::Error;

/// Bytes that a run has at least in the file, but for the first.
pub(super) const RUN_LEN: usize = 128 << 10;
/// Bytes among which a marker is looked for.
const MAX_RUN_LEN: usize = 1 << 20;
/// When a run has so much data, the rest of it waits.
const MUCH_DATA: usize = 2 << 20;
/// A segment with more data is inflated piece by piece.
const MAX_DATA: usize = 4 << 20;
/// A stored block, then an empty last one: put behind a segment to find out whether it ends with a
/// block. The bytes mean nothing.
const PROBE: [u8; 23] = [
    0, 16, 0, 0xef, 0xff, 0x9e, 0x37, 0x79, 0xb9, 0x7f, 0x4a, 0x7c, 0x15, 0xf3, 0x9c, 0xc0, 0x60,
    0x5c, 0xed, 0xc8, 0x34, END[0], END[1],
];
/// Where its data is.
const PROBE_DATA: std::ops::Range<usize> = 5..21;

/// Segments, compressed and then inflated.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Byte of the file where it begins.
    pub(super) file_offset: u64,
    /// The bytes of the file, and some room behind them.
    compressed: Vec<u8>,
    len: usize,
    cuts: Vec<Cut>,
    /// Segments that are inflated.
    pub(super) done: Vec<Done>,
    /// Bytes of the file that are inflated.
    inflated: usize,
    data: Vec<u8>,
    data_len: usize,
    then: Option<Then>,
}

/// Where a segment ends.
#[derive(Clone, Copy, Debug)]
struct Cut {
    end: usize,
    /// What an index says of its data: length and CRC-32.
    known: Option<(u32, u32)>,
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
    /// What is left from this byte on does not end where the run does: what was taken for a marker there
    /// is data.
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
        self.cuts.clear();
        self.done.clear();
        self.inflated = 0;
        self.data_len = 0;
        self.then = None;
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
        self.cuts.push(Cut { end: self.len, known: Some((segment.data_len, segment.crc)) });
    }

    /// Whether an index tells of its segments.
    pub(super) fn is_known(&self) -> bool {
        self.cuts.iter().any(|cut| cut.known.is_some())
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
        // For what is put behind a segment.
        self.compressed.extend(PROBE);
    }

    /// Looks for the segments at the beginning of `bytes`: for so many that they have `enough` bytes, or
    /// `least` if there are no more. `ended` says that no bytes follow.
    pub(super) fn frame(
        &mut self,
        bytes: &[u8],
        ended: bool,
        enough: usize,
        least: usize,
    ) -> Framed {
        let enough = enough.max(least).max(1);
        self.cuts.clear();
        let mut searched = 0;
        while let Some(i) = find_marker(&bytes[searched..]) {
            searched += i + SYNC_MARKER.len();
            self.cuts.push(Cut { end: searched, known: None });
            if searched >= enough {
                return Framed::Run(searched);
            }
        }
        if ended && bytes.len() >= least {
            if searched < bytes.len() {
                self.cuts.push(Cut { end: bytes.len(), known: None });
            }
            return Framed::Run(bytes.len());
        }
        if bytes.len() < MAX_RUN_LEN && !ended {
            return Framed::Needs((bytes.len() * 2).clamp(RUN_LEN / 2, MAX_RUN_LEN));
        }
        if searched == 0 || searched < least {
            return Framed::NoMarker;
        }
        Framed::Run(searched)
    }

    /// Takes the `len` bytes that were framed.
    pub(super) fn take<R: std::io::Read>(&mut self, source: &mut Source<R>, len: usize) {
        source.take(len, PROBE.len(), &mut self.compressed);
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
        let then = self.inflate_some(inflate, engine);
        let rest = if self.inflated < self.len { Then::More } else { Then::Next };
        self.then = Some(then.err().unwrap_or(rest));
    }

    fn inflate_some(
        &mut self,
        inflate: &mut Option<Box<Inflate>>,
        engine: &dyn BlockCompressor,
    ) -> Result<(), Then> {
        let mut next = self.cuts.partition_point(|cut| cut.end <= self.inflated);
        while self.data_len < MUCH_DATA
            && let Some(&cut) = self.cuts.get(next)
        {
            if let Some((len, crc)) = cut.known {
                self.inflate_known(engine, cut.end, len as usize, crc)?;
            } else {
                let inflate = inflate.get_or_insert_with(|| Box::new(Inflate::new(false, 15)));
                // Where the marker turns out to be data, the segment is longer.
                while !self.inflate_ahead(inflate, self.cuts[next].end)? {
                    next += 1;
                    if next == self.cuts.len() {
                        return Err(Then::Longer { at: self.inflated });
                    }
                }
            }
            next += 1;
        }
        Ok(())
    }

    /// Inflates a segment that an index tells of.
    fn inflate_known(
        &mut self,
        engine: &dyn BlockCompressor,
        end: usize,
        len: usize,
        crc: u32,
    ) -> Result<(), Then> {
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

    /// Inflates a segment that may end at `end`; false if it does not end there.
    fn inflate_ahead(&mut self, inflate: &mut Inflate, end: usize) -> Result<bool, Then> {
        let start = self.inflated;
        let in_order = |torn| Then::InOrder { at: start, torn };
        inflate.reset(false);
        let is_last = end == self.len && !self.compressed[..end].ends_with(&SYNC_MARKER);
        if !is_last && let Some(len) = self.inflate_whole(end) {
            self.finish_segment(end, len, self.crc(len), false);
            return Ok(true);
        }
        // It is not what most segments are: find out what.
        loop {
            let (read, written) = (inflate.total_in() as usize, inflate.total_out() as usize);
            if written > MAX_DATA {
                return Err(in_order(false));
            }
            // At the first it is as much as segments usually become.
            self.make_room((written * 2).max((end - start) * 4).max(1 << 16));
            let src = &self.compressed[start + read..end];
            let dst = &mut self.data[self.data_len + written..];
            let room = dst.len();
            let status = inflate.decompress(src, dst, InflateFlush::NoFlush);
            let made = inflate.total_out() as usize - written;
            match status {
                Ok(Status::StreamEnd) => {
                    let (end, len) =
                        (start + inflate.total_in() as usize, inflate.total_out() as usize);
                    self.finish_segment(end, len, self.crc(len), true);
                    return Err(Then::Trailer { at: end });
                }
                // It is damaged, or it refers to what is before the segment.
                Err(_) => return Err(in_order(false)),
                Ok(_) if inflate.total_in() as usize == end - start && made < room => break,
                Ok(Status::BufError) if made == 0 && room > 0 => break,
                Ok(_) => {}
            }
        }
        if is_last {
            // The end of the file, and not of the stream.
            return Err(in_order(true));
        }
        let (read, len) = (inflate.total_in(), inflate.total_out());
        let mut probe = [0; PROBE.len()];
        let probed = inflate.decompress(&PROBE, &mut probe, InflateFlush::NoFlush);
        let ends_here = probed == Ok(Status::StreamEnd)
            && inflate.total_in() == read + PROBE.len() as u64
            && inflate.total_out() == len + PROBE_DATA.len() as u64
            && probe.starts_with(&PROBE[PROBE_DATA]);
        if ends_here {
            let len = len as usize;
            self.finish_segment(end, len, self.crc(len), false);
        }
        Ok(ends_here)
    }

    /// Inflates a segment that ends at `end` and begins without history, as most do, with the fastest
    /// decoder, and returns the length of its data; `None` if it is anything else. That decoder does not
    /// say how much of its input it has read: that it was all shows in the probe's data, which comes last.
    fn inflate_whole(&mut self, end: usize) -> Option<usize> {
        // Ours have no more data, and those of others rarely shrink to less than a quarter.
        let room = ((end - self.inflated) * 4).clamp(SEGMENT_LEN, MAX_DATA) + PROBE.len();
        self.make_room(room);
        let behind = end + PROBE.len();
        let mut saved = [0; PROBE.len()];
        saved.copy_from_slice(&self.compressed[end..behind]);
        self.compressed[end..behind].copy_from_slice(&PROBE);
        let software = SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED);
        let (src, dst) = (&self.compressed[self.inflated..behind], &mut self.data[self.data_len..]);
        let inflated = software.and_then(|software| software.decompress(src, dst));
        self.compressed[end..behind].copy_from_slice(&saved);
        let len = inflated.ok()?.checked_sub(PROBE_DATA.len())?;
        let data = &self.data[self.data_len..];
        data[len..].starts_with(&PROBE[PROBE_DATA]).then_some(len)
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

/// Where the first marker is.
fn find_marker(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, &SYNC_MARKER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_anywhere() {
        assert_eq!(find_marker(&[0, 0, 0, 0xff, 0xff]), Some(1));
        assert_eq!(find_marker(&[0, 0, 0xff, 0, 0, 0xff, 0xff]), Some(3));
        assert_eq!(find_marker(&[0, 0, 0xff]), None);
    }
}
