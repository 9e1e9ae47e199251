//! Members that don't say how long they are, inflated one after the other.

use std::io::Read;

use libdeflater::Crc;
use zlib_rs::{Inflate, InflateFlush, Status};

use super::member::{self, TRAILER_LEN};
use super::source::Source;
use crate::Error;

const OUTPUT_LEN: usize = 128 << 10;

/// Inflates a member piece by piece, in bounded memory.
pub(super) struct Sequential {
    inflate: Inflate,
    crc: Crc,
    len: u64,
    /// Where the member begins in the file.
    member: u64,
    output: Box<[u8]>,
    start: usize,
    end: usize,
    active: bool,
}

impl std::fmt::Debug for Sequential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sequential").field("member", &self.member).finish_non_exhaustive()
    }
}

impl Sequential {
    pub(super) fn new() -> Box<Self> {
        Box::new(Self {
            inflate: Inflate::new(false, 15),
            crc: Crc::new(),
            len: 0,
            member: 0,
            output: vec![0; OUTPUT_LEN].into_boxed_slice(),
            start: 0,
            end: 0,
            active: false,
        })
    }

    /// Begins with the member whose header comes next.
    pub(super) fn begin<R: Read>(&mut self, source: &mut Source<R>, header_len: usize) {
        self.member = source.offset();
        source.consume(header_len);
        self.inflate.reset(false);
        self.crc = Crc::new();
        self.len = 0;
        self.start = 0;
        self.end = 0;
        self.active = true;
    }

    /// Whether a member has been begun and not been ended.
    pub(super) fn is_active(&self) -> bool {
        self.active
    }

    /// Where the member begins in the file, and how much of its data has been consumed.
    pub(super) fn place(&self) -> (u64, u64) {
        (self.member, self.len - (self.end - self.start) as u64)
    }

    /// Data that is ready.
    pub(super) fn data(&self) -> &[u8] {
        &self.output[self.start..self.end]
    }

    pub(super) fn consume(&mut self, n: usize) {
        self.start += n;
    }

    /// Makes more data ready; when there is none, the member has ended and is as its trailer says.
    pub(super) fn fill<R: Read>(&mut self, source: &mut Source<R>) -> Result<(), Error> {
        self.inflate_some(source).inspect_err(|_| {
            // The piece with the error in it is not given out.
            self.end = 0;
            self.active = false;
        })
    }

    fn inflate_some<R: Read>(&mut self, source: &mut Source<R>) -> Result<(), Error> {
        self.start = 0;
        self.end = 0;
        while self.active && self.end == 0 {
            if !source.fill(1)? {
                let what = "the last gzip member is not all there";
                return Err(Error::truncated(source.offset(), what));
            }
            let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self
                .inflate
                .decompress(source.buffered(), &mut self.output, InflateFlush::NoFlush)
                .map_err(|_| Error::damaged(self.member, "its deflate stream is wrong"))?;
            source.consume((self.inflate.total_in() - before_in) as usize);
            self.end = (self.inflate.total_out() - before_out) as usize;
            self.crc.update(&self.output[..self.end]);
            self.len += self.end as u64;
            match status {
                Status::StreamEnd => self.finish(source)?,
                Status::Ok => {}
                Status::BufError if self.inflate.total_in() > before_in || self.end > 0 => {}
                Status::BufError => {
                    return Err(Error::damaged(self.member, "its deflate stream stands still"));
                }
            }
        }
        Ok(())
    }

    fn finish<R: Read>(&mut self, source: &mut Source<R>) -> Result<(), Error> {
        self.active = false;
        if !source.fill(TRAILER_LEN)? {
            let end = source.offset() + source.buffered().len() as u64;
            return Err(Error::truncated(end, "the last gzip member has no checksum"));
        }
        let (crc, len) = member::read_trailer(&source.buffered()[..TRAILER_LEN]);
        if self.crc.sum() != crc {
            return Err(Error::damaged(self.member, "its checksum is wrong"));
        }
        if self.len as u32 != len {
            let what = format!("it holds {} bytes and says {len} (modulo 2^32)", self.len);
            return Err(Error::damaged(self.member, what));
        }
        source.consume(TRAILER_LEN);
        Ok(())
    }
}
