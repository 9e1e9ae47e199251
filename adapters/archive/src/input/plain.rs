//! Uncompressed tar.

use std::io::{Read, Seek, SeekFrom};

use crate::Result;
use crate::gzip::Source;

/// Shorter distances are faster to read than to seek over.
const MIN_SEEK: u64 = 1 << 20;

/// Plain tar.
#[derive(Debug)]
pub(crate) struct Plain<R> {
    source: Source<R>,
    seeking: Option<Seeking<R>>,
}

/// How contents are skipped.
#[derive(Debug)]
struct Seeking<R> {
    file_len: u64,
    seek: fn(&mut Source<R>, u64) -> Result<()>,
}

impl<R: Read> Plain<R> {
    pub(super) const fn new(source: Source<R>) -> Self {
        Self { source, seeking: None }
    }

    pub(super) fn into_inner(self) -> R {
        self.source.into_inner()
    }

    /// Returns buffered data; empty at the end.
    pub(super) fn ready(&mut self) -> Result<&[u8]> {
        self.source.fill(1)?;
        Ok(self.source.buffered())
    }

    pub(super) fn consume(&mut self, n: usize) {
        self.source.consume(n);
    }

    /// Returns the number of bytes up to the end of the file; 0 if seeking is not enabled.
    pub(super) fn unread_len(&self) -> u64 {
        let seeking = self.seeking.as_ref();
        seeking.map_or(0, |seeking| seeking.file_len.saturating_sub(self.source.offset()))
    }

    /// Skips up to `bytes` bytes, but not past the end of the file. Returns how many were skipped.
    pub(super) fn pass(&mut self, bytes: u64) -> Result<u64> {
        let Some(seeking) = &self.seeking else { return Ok(0) };
        let here = self.source.offset();
        let bytes = bytes.min(self.unread_len());
        if bytes < MIN_SEEK {
            return Ok(0);
        }
        (seeking.seek)(&mut self.source, here + bytes)?;
        Ok(bytes)
    }
}

impl<R: Read + Seek> Plain<R> {
    pub(super) fn seek_to(&mut self, position: u64) -> Result<()> {
        self.source.seek(position)
    }

    pub(super) fn pass_by_seeking(&mut self, by_seeking: bool) -> Result<()> {
        self.seeking = None;
        if by_seeking {
            let file_len = self.source.with_inner(|file| file.seek(SeekFrom::End(0)))??;
            self.seeking = Some(Seeking { file_len, seek: Source::seek });
        }
        Ok(())
    }
}
