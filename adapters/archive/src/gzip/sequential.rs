//! Inflates a member, or the rest of one, in order.

use std::io::Read;
use std::time::{Duration, Instant};

use block_deflate::segment::Joiner;
use libdeflater::Crc;
use zlib_rs::{Inflate, InflateFlush, Status};

use super::inflated::Inflated;
use super::member::{self, TRAILER_LEN};
use super::source::Source;
use crate::Error;

const OUTPUT_LEN: usize = 128 << 10;

/// Inflates a member, or the rest of one, in bounded memory.
pub(super) struct Sequential {
    inflate: Inflate,
    crc: Crc,
    len: u64,
    /// The checksum of the member's data before this; `None` if that has not been read.
    before: Option<Joiner>,
    /// File offset where it begins.
    start_offset: u64,
    output: Box<[u8]>,
    start: usize,
    end: usize,
    state: State,
    /// Time spent inflating.
    time: Duration,
}

/// The part of a member that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Data,
    Trailer,
    Nothing,
}

impl std::fmt::Debug for Sequential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sequential")
            .field("start_offset", &self.start_offset)
            .finish_non_exhaustive()
    }
}

impl Sequential {
    /// Continues inside a member, at file offset `start_offset`, where a block begins. `history` is
    /// the data before that; matches reach back at most 32 KiB.
    pub(super) fn new(start_offset: u64, before: Option<Joiner>, history: &[u8]) -> Box<Self> {
        let mut inflate = Inflate::new(false, 15);
        // Fails only for streams with a zlib header.
        let _ = history.is_empty() || inflate.set_dictionary(history).is_ok();
        Box::new(Self {
            inflate,
            crc: Crc::new(),
            len: 0,
            before,
            start_offset,
            output: vec![0; OUTPUT_LEN].into_boxed_slice(),
            start: 0,
            end: 0,
            state: State::Data,
            time: Duration::ZERO,
        })
    }

    /// Returns whether the member has not ended yet.
    pub(super) fn is_active(&self) -> bool {
        self.state != State::Nothing
    }

    /// Returns the file offset where it began.
    pub(super) const fn start_offset(&self) -> u64 {
        self.start_offset
    }

    /// Returns the number of bytes of data consumed so far.
    pub(super) const fn consumed(&self) -> u64 {
        self.len - (self.end - self.start) as u64
    }

    /// Returns statistics; complete once all data is consumed.
    pub(super) fn inflated(&self) -> Inflated {
        let compressed = self.inflate.total_in();
        Inflated { pieces: 1, compressed, bytes: self.consumed(), time: self.time }
    }

    /// Returns the inflated data that is not consumed yet.
    pub(super) fn data(&self) -> &[u8] {
        &self.output[self.start..self.end]
    }

    pub(super) const fn consume(&mut self, n: usize) {
        self.start += n;
    }

    /// Inflates more data. If there is none, the member has ended and matches its trailer.
    pub(super) fn fill<R: Read>(&mut self, source: &mut Source<R>) -> Result<(), Error> {
        self.inflate_some(source).inspect_err(|_| {
            // The piece that contains the error is not returned.
            self.end = 0;
            self.state = State::Nothing;
        })
    }

    fn inflate_some<R: Read>(&mut self, source: &mut Source<R>) -> Result<(), Error> {
        self.start = 0;
        self.end = 0;
        while self.state == State::Data && self.end == 0 {
            if !source.fill(1)? {
                let what = "the last gzip member is incomplete";
                return Err(Error::truncated(source.offset(), what));
            }
            let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
            let begun = Instant::now();
            let status =
                self.inflate.decompress(source.buffered(), &mut self.output, InflateFlush::NoFlush);
            self.time += begun.elapsed();
            let status =
                status.map_err(|_| Error::damaged(self.start_offset, "invalid deflate stream"))?;
            source.consume((self.inflate.total_in() - before_in) as usize);
            self.end = (self.inflate.total_out() - before_out) as usize;
            self.crc.update(&self.output[..self.end]);
            self.len += self.end as u64;
            match status {
                Status::StreamEnd => {
                    self.state = State::Trailer;
                    if let Some(joiner) = &mut self.before {
                        joiner.add(self.crc.sum(), self.len);
                    }
                }
                Status::Ok => {}
                Status::BufError if self.inflate.total_in() > before_in || self.end > 0 => {}
                Status::BufError => {
                    let what = "its deflate stream makes no progress";
                    return Err(Error::damaged(self.start_offset, what));
                }
            }
        }
        // The trailer is checked only when all data is consumed.
        if self.state == State::Trailer && self.end == 0 {
            check_trailer(source, self.before.as_ref(), self.start_offset)?;
            self.state = State::Nothing;
        }
        Ok(())
    }
}

/// Reads the trailer of a member, which comes next, and checks it against the data if all of the
/// data has been read.
pub(super) fn check_trailer<R: Read>(
    source: &mut Source<R>,
    joiner: Option<&Joiner>,
    offset: u64,
) -> Result<(), Error> {
    if !source.fill(TRAILER_LEN)? {
        let end = source.offset() + source.buffered().len() as u64;
        return Err(Error::truncated(end, "the trailer of the last gzip member is incomplete"));
    }
    let trailer = &source.buffered()[..TRAILER_LEN];
    if let Some(joiner) = joiner {
        let frame = joiner.trailer();
        let expected = frame.as_bytes();
        if expected[..4] != trailer[..4] {
            return Err(Error::damaged(offset, "checksum mismatch"));
        }
        if expected != trailer {
            let ((_, actual), (_, recorded)) =
                (member::read_trailer(expected), member::read_trailer(trailer));
            let what =
                format!("length mismatch: {actual} bytes, expected {recorded} (modulo 2^32)");
            return Err(Error::damaged(offset, what));
        }
    }
    source.consume(TRAILER_LEN);
    Ok(())
}
