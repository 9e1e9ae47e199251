//! Names that a command lists while it works.

use std::fs::File;
use std::io::{ErrorKind, IsTerminal, Write};

use super::job::Lister;
use super::long::{Lines, Row, Style};
use crate::error::Error;
use crate::streams;

/// Lines for a person or the next program, written in large pieces.
#[derive(Debug)]
pub(super) struct Listing {
    lines: Lines,
    out: Option<File>,
    buffer: Vec<u8>,
    /// Bytes that may wait: none where a person looks on.
    room: usize,
}

impl Listing {
    pub(super) fn new(lister: Lister, style: Style) -> Result<Self, Error> {
        let out = match lister {
            Lister::Nowhere => None,
            Lister::Stdout => Some(streams::stdout()?),
            Lister::Stderr => Some(streams::stderr()?),
        };
        let watched = out.as_ref().is_some_and(File::is_terminal);
        let room = if watched { 0 } else { 1 << 16 };
        Ok(Self { lines: Lines::new(style), out, buffer: Vec::new(), room })
    }

    pub(super) fn push(&mut self, row: &Row<'_>) -> Result<(), Error> {
        if self.out.is_some() {
            self.lines.push(&mut self.buffer, row);
        }
        if self.buffer.len() > self.room { self.finish() } else { Ok(()) }
    }

    /// Adds text as it is.
    pub(super) fn push_text(&mut self, text: &str) {
        if self.out.is_some() {
            self.buffer.extend(text.as_bytes());
        }
    }

    /// Writes what is left.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        if let Some(out) = &mut self.out {
            match out.write_all(&self.buffer) {
                // Who reads the names has seen enough; the work goes on.
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
        // After an error, which is what is told.
        let _ = self.finish();
    }
}
