//! Lists names while a command works.

use std::fs::File;
use std::io::{ErrorKind, IsTerminal, Write};

use super::job::Lister;
use super::long::{Lines, Row, Style};
use crate::error::Error;
use crate::streams;

/// Lines for a person or another program, written in large chunks.
#[derive(Debug)]
pub(super) struct Listing {
    lines: Lines,
    out: Option<File>,
    buffer: Vec<u8>,
    /// The number of bytes that may be buffered: none on a terminal.
    max_buffered: usize,
}

impl Listing {
    pub(super) fn new(lister: Lister, style: Style) -> Result<Self, Error> {
        let out = match lister {
            Lister::Nowhere => None,
            Lister::Stdout => Some(streams::stdout()?),
            Lister::Stderr => Some(streams::stderr()?),
        };
        let is_terminal = out.as_ref().is_some_and(File::is_terminal);
        let max_buffered = if is_terminal { 0 } else { 1 << 16 };
        Ok(Self { lines: Lines::new(style), out, buffer: Vec::new(), max_buffered })
    }

    pub(super) fn push(&mut self, row: &Row<'_>) -> Result<(), Error> {
        if self.out.is_some() {
            self.lines.push(&mut self.buffer, row);
        }
        if self.buffer.len() > self.max_buffered { self.finish() } else { Ok(()) }
    }

    /// Adds text unchanged.
    pub(super) fn push_text(&mut self, text: &str) {
        if self.out.is_some() {
            self.buffer.extend(text.as_bytes());
        }
    }

    /// Writes the buffered lines.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        if let Some(out) = &mut self.out {
            match out.write_all(&self.buffer) {
                // The reader of the names has seen enough; the work continues.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => self.out = None,
                done => done?,
            }
            self.buffer.clear();
        }
        Ok(())
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        // Only after another error, which is reported.
        let _ = self.finish();
    }
}
