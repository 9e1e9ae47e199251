//! An image that is written from beginning to end.

use std::io::{self, Write};

use parking_lot::Mutex;
use uadk_compress_pages::snapshot::{Layout, WriteMemory};

static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// Memory in a pipe: written in the order of addresses; gaps are filled with zeros.
#[derive(Debug)]
pub(super) struct Sequential<W> {
    /// The pipe, and the number of bytes written to it.
    to: Mutex<(W, u64)>,
    /// The offset of each region.
    starts: Vec<u64>,
    len: u64,
}

impl<W: Write + Send> Sequential<W> {
    pub(super) fn new(to: W, layout: &Layout) -> Self {
        let starts = layout.regions().iter().scan(0, |end, region| {
            let start = *end;
            *end += region.len;
            Some(start)
        });
        Self { to: Mutex::new((to, 0)), starts: starts.collect(), len: layout.len() }
    }

    /// Writes the remaining zeros.
    pub(super) fn finish(self) -> io::Result<()> {
        let (mut to, mut position) = self.to.into_inner();
        pad(&mut to, &mut position, self.len)?;
        to.flush()
    }
}

impl<W: Write + Send> WriteMemory for Sequential<W> {
    fn write(&self, region: usize, offset: u64, from: &[u8]) -> io::Result<()> {
        let (to, position) = &mut *self.to.lock();
        let start = self.starts.get(region).map_or(0, |start| start + offset);
        if start < *position {
            return Err(io::Error::other("pages out of order"));
        }
        pad(to, position, start)?;
        to.write_all(from)?;
        *position += from.len() as u64;
        Ok(())
    }

    fn clear(&self, _: usize, _: u64, _: usize) -> io::Result<()> {
        Ok(())
    }
}

fn pad(to: &mut impl Write, position: &mut u64, until: u64) -> io::Result<()> {
    while *position < until {
        let n = (until - *position).min(ZEROS.len() as u64);
        to.write_all(&ZEROS[..n as usize])?;
        *position += n;
    }
    Ok(())
}
