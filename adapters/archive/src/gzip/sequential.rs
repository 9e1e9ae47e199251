//! Members, or what is left of one, inflated piece by piece.

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

/// Inflates a member, or what is left of one, in bounded memory.
pub(super) struct Sequential {
    inflate: Inflate,
    crc: Crc,
    len: u64,
    /// The checksum of what the member has before this; `None` if that has not been read.
    before: Option<Joiner>,
    /// Byte of the file where it begins.
    start_offset: u64,
    output: Box<[u8]>,
    start: usize,
    end: usize,
    state: State,
    /// Spent in inflating.
    time: Duration,
}

/// What of a member is left.
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
    /// Goes on inside a member, at the byte `start_offset` of the file, where a block begins. `history`
    /// is the data before that; matches reach back at most 32 KiB.
    pub(super) fn new(start_offset: u64, before: Option<Joiner>, history: &[u8]) -> Box<Self> {
        let mut inflate = Inflate::new(false, 15);
        // It fails only for streams with a zlib header.
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

    /// Whether the member has not ended yet.
    pub(super) fn is_active(&self) -> bool {
        self.state != State::Nothing
    }

    /// Byte of the file where it began.
    pub(super) const fn start_offset(&self) -> u64 {
        self.start_offset
    }

    /// Bytes of data that have been consumed.
    pub(super) const fn consumed(&self) -> u64 {
        self.len - (self.end - self.start) as u64
    }

    /// What it has done, if all its data is consumed.
    pub(super) fn inflated(&self) -> Inflated {
        let compressed = self.inflate.total_in();
        Inflated { pieces: 1, compressed, bytes: self.consumed(), time: self.time }
    }

    /// Data that is ready.
    pub(super) fn data(&self) -> &[u8] {
        &self.output[self.start..self.end]
    }

    pub(super) const fn consume(&mut self, n: usize) {
        self.start += n;
    }

    /// Makes more data ready; when there is none, the member has ended and is as its trailer says.
    pub(super) fn fill<R: Read>(&mut self, source: &mut Source<R>) -> Result<(), Error> {
        self.inflate_some(source).inspect_err(|_| {
            // The piece with the error in it is not returned.
            self.end = 0;
            self.state = State::Nothing;
        })
    }

    fn inflate_some<R: Read>(&mut self, source: &mut Source<R>) -> Result<(), Error> {
        self.start = 0;
        self.end = 0;
        while self.state == State::Data && self.end == 0 {
            if !source.fill(1)? {
                let what = "the last gzip member is not all there";
                return Err(Error::truncated(source.offset(), what));
            }
            let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
            let begun = Instant::now();
            let status =
                self.inflate.decompress(source.buffered(), &mut self.output, InflateFlush::NoFlush);
            self.time += begun.elapsed();
            let status = status
                .map_err(|_| Error::damaged(self.start_offset, "its deflate stream is wrong"))?;
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
                    let what = "its deflate stream stands still";
                    return Err(Error::damaged(self.start_offset, what));
                }
            }
        }
        // What is wrong with it is said when all data is consumed.
        if self.state == State::Trailer && self.end == 0 {
            check_trailer(source, self.before.as_ref(), self.start_offset)?;
            self.state = State::Nothing;
        }
        Ok(())
    }
}

/// Reads the trailer of a member, which comes next, and compares it with the checksum of the data, if
/// all of that has been read.
pub(super) fn check_trailer<R: Read>(
    source: &mut Source<R>,
    joiner: Option<&Joiner>,
    offset: u64,
) -> Result<(), Error> {
    if !source.fill(TRAILER_LEN)? {
        let end = source.offset() + source.buffered().len() as u64;
        return Err(Error::truncated(end, "the last gzip member has no checksum"));
    }
    let trailer = &source.buffered()[..TRAILER_LEN];
    if let Some(joiner) = joiner {
        let frame = joiner.trailer();
        let expected = frame.as_bytes();
        if expected[..4] != trailer[..4] {
            return Err(Error::damaged(offset, "its checksum is wrong"));
        }
        if expected != trailer {
            let ((_, is), (_, says)) =
                (member::read_trailer(expected), member::read_trailer(trailer));
            let what = format!("it holds {is} bytes and says {says} (modulo 2^32)");
            return Err(Error::damaged(offset, what));
        }
    }
    source.consume(TRAILER_LEN);
    Ok(())
}
