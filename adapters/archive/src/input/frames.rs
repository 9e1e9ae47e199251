//! Sequential reading of a file of compressed frames.

use std::io::{Read, Seek};

use super::codec::{Codec, Fault};
use crate::gzip::Source;
use crate::{Error, GzWarning, Result};

const OUTPUT_LEN: usize = 128 << 10;
/// Upper limit for the length of a frame header.
const HEADER_LEN: usize = 18;

/// Decompresses frames one after another in bounded memory.
#[derive(Debug)]
pub(crate) struct Frames<R> {
    source: Source<R>,
    codec: Box<dyn Codec>,
    output: Box<[u8]>,
    start: usize,
    end: usize,
    /// Bytes of data consumed.
    position: u64,
    /// Offset of the frame being decompressed, if any.
    frame: Option<u64>,
    /// Whether a data frame has begun, even if it has no contents.
    has_data: bool,
    ended: bool,
    failed: Option<Error>,
    trailing_garbage: bool,
    warnings: Vec<GzWarning>,
}

impl<R: Read> Frames<R> {
    pub(super) fn new(source: Source<R>, codec: Box<dyn Codec>, garbage: bool) -> Box<Self> {
        Box::new(Self {
            source,
            codec,
            output: vec![0; OUTPUT_LEN].into_boxed_slice(),
            start: 0,
            end: 0,
            position: 0,
            frame: None,
            has_data: false,
            ended: false,
            failed: None,
            trailing_garbage: garbage,
            warnings: Vec::new(),
        })
    }

    pub(super) fn format(&self) -> &'static str {
        self.codec.format()
    }

    pub(super) fn warnings(&self) -> &[GzWarning] {
        &self.warnings
    }

    pub(super) fn into_inner(self) -> R {
        self.source.into_inner()
    }

    /// Returns decompressed data; empty at the end.
    pub(super) fn ready(&mut self) -> Result<&[u8]> {
        while self.start == self.end {
            if let Some(error) = &self.failed {
                return Err(error.clone());
            }
            match self.advance() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => self.failed = Some(error),
            }
        }
        Ok(&self.output[self.start..self.end])
    }

    pub(super) const fn consume(&mut self, n: usize) {
        self.start += n;
        self.position += n as u64;
    }

    /// Advances by one step. Returns `false` at the end.
    fn advance(&mut self) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let Some(frame) = self.frame else {
            self.ended = !self.begin_frame()?;
            return Ok(!self.ended);
        };
        let step = self.codec.run(self.source.buffered(), &mut self.output);
        let step = step.map_err(|fault| self.error(frame, fault))?;
        self.source.consume(step.read);
        (self.start, self.end) = (0, step.written);
        if step.ended {
            self.frame = None;
        } else if step.read == 0 && step.written == 0 {
            let wanted = self.source.buffered().len() + 1;
            if !self.source.fill(wanted)? {
                let at = self.source.offset() + wanted as u64 - 1;
                let what = format!("the last {} is incomplete", self.codec.frame());
                return Err(Error::truncated(at, what));
            }
        }
        Ok(true)
    }

    /// Begins the next frame. Returns `false` if there is none.
    fn begin_frame(&mut self) -> Result<bool> {
        let end = self.source.offset();
        let zeros = self.skip_zeros()?;
        self.source.fill(HEADER_LEN)?;
        let offset = self.source.offset();
        let rest = self.source.buffered();
        let start = &rest[..rest.len().min(self.codec.magic_len())];
        if self.codec.is_frame(start) {
            let padding = self.codec.padding();
            if zeros > 0 && (padding == 0 || !zeros.is_multiple_of(padding)) {
                let what = format!(
                    "the {zeros} zero bytes before it are not valid {} padding",
                    self.format()
                );
                return Err(self.error(offset, Fault::Damaged(what.into())));
            }
            self.has_data |= self.codec.is_data_frame(start);
            let begun = self.codec.begin(rest);
            begun.map_err(|fault| self.error(offset, fault))?;
            self.frame = Some(offset);
            return Ok(true);
        }
        if self.codec.is_cut_frame(rest) {
            let what = format!("the last {} is incomplete", self.codec.frame());
            return Err(Error::truncated(offset + rest.len() as u64, what));
        }
        if !self.has_data {
            let what = format!("no {} with data", self.codec.frame());
            return Err(Error::truncated(end, what));
        }
        // Tapes and some file systems leave trailing zeros.
        if rest.is_empty() {
            return Ok(false);
        }
        if !self.trailing_garbage {
            let what = format!("expected another {} or the end of the file", self.codec.frame());
            return Err(self.error(end, Fault::Damaged(what.into())));
        }
        let warning = GzWarning::TrailingGarbage { offset: end };
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
        Ok(false)
    }

    /// Skips zeros and returns how many there were.
    fn skip_zeros(&mut self) -> Result<u64> {
        let begin = self.source.offset();
        while self.source.fill(1)? {
            let buffered = self.source.buffered();
            let zeros = buffered.iter().take_while(|byte| **byte == 0).count();
            let is_over = zeros < buffered.len();
            self.source.consume(zeros);
            if is_over {
                break;
            }
        }
        Ok(self.source.offset() - begin)
    }

    fn error(&self, offset: u64, fault: Fault) -> Error {
        match fault {
            Fault::Damaged(what) => Error::Damaged { format: self.format(), offset, what },
            Fault::Unsupported(reason) => {
                let frame = self.codec.frame();
                Error::Unsupported(
                    format!("the {frame} at byte {offset} can't be decompressed: {reason}").into(),
                )
            }
        }
    }
}

impl<R: Read + Seek> Frames<R> {
    /// Seeks to a byte of the data by decompressing everything before it.
    pub(super) fn seek_to(&mut self, position: u64) -> Result<()> {
        if position < self.position || self.failed.is_some() {
            self.source.seek(0)?;
            (self.start, self.end, self.position) = (0, 0, 0);
            self.frame = None;
            self.ended = false;
            self.failed = None;
        }
        while self.position < position {
            let ready = self.ready()?.len() as u64;
            if ready == 0 {
                let what = format!("the tar ends before byte {position}");
                return Err(Error::truncated(self.source.offset(), what));
            }
            self.consume(ready.min(position - self.position) as usize);
        }
        Ok(())
    }
}
