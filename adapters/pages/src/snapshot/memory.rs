//! Where a snapshot's pages come from and go to.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::extents::Extents;
use super::layout::Layout;
use crate::memory::GuestRam;

/// Memory to be saved. Threads read it at the same time, and a guest may write to it meanwhile.
pub trait ReadMemory: Sync {
    /// Copies a part of a region, given by its number in the layout, out.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    fn read(&self, region: usize, offset: u64, into: &mut [u8]) -> io::Result<()>;

    /// Whether a part of a region is known to be zero without copying it. Without an own
    /// implementation, never.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    fn is_zero(&self, region: usize, offset: u64, len: usize) -> io::Result<bool> {
        let _ = (region, offset, len);
        Ok(false)
    }
}

/// Memory to restore to. Threads write different parts of it at the same time.
pub trait WriteMemory: Sync {
    /// Copies pages into a region.
    ///
    /// # Errors
    ///
    /// If it can't be written.
    fn write(&self, region: usize, offset: u64, from: &[u8]) -> io::Result<()>;

    /// Makes a part of a region zero.
    ///
    /// # Errors
    ///
    /// If it can't be written.
    fn clear(&self, region: usize, offset: u64, len: usize) -> io::Result<()>;
}

/// One for each region.
impl ReadMemory for [GuestRam<'_>] {
    fn read(&self, region: usize, offset: u64, into: &mut [u8]) -> io::Result<()> {
        ram(self, region)?.read(offset, into).map_err(io::Error::other)
    }

    fn is_zero(&self, region: usize, offset: u64, len: usize) -> io::Result<bool> {
        ram(self, region)?.is_zero(offset, len).map_err(io::Error::other)
    }
}

/// One for each region.
impl WriteMemory for [GuestRam<'_>] {
    fn write(&self, region: usize, offset: u64, from: &[u8]) -> io::Result<()> {
        ram(self, region)?.write(offset, from).map_err(io::Error::other)
    }

    fn clear(&self, region: usize, offset: u64, len: usize) -> io::Result<()> {
        ram(self, region)?.clear(offset, len).map_err(io::Error::other)
    }
}

fn ram<'r, 'm>(regions: &'r [GuestRam<'m>], region: usize) -> io::Result<&'r GuestRam<'m>> {
    regions.get(region).ok_or_else(|| io::Error::other("there is no memory for this region"))
}

/// An image file: the regions one behind the other, without the gaps between them.
#[derive(Debug)]
pub struct ImageFile {
    file: File,
    extents: Extents,
    /// Where each region begins in the file.
    starts: Vec<u64>,
}

impl ImageFile {
    /// The image in `file`, of memory that is laid out so.
    #[must_use]
    pub fn new(file: File, layout: &Layout) -> Self {
        let starts = layout.regions().iter().scan(0, |end, region| {
            let start = *end;
            *end += region.len;
            Some(start)
        });
        Self { file, extents: Extents::default(), starts: starts.collect() }
    }

    /// The file.
    #[must_use]
    pub const fn file(&self) -> &File {
        &self.file
    }

    fn place(&self, region: usize, offset: u64) -> io::Result<u64> {
        let start = self.starts.get(region);
        start.map(|start| start + offset).ok_or_else(|| io::Error::other("there is no such region"))
    }
}

impl ReadMemory for ImageFile {
    fn read(&self, region: usize, offset: u64, into: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(into, self.place(region, offset)?)
    }

    /// Holes are zero; the file system says where they are.
    fn is_zero(&self, region: usize, offset: u64, len: usize) -> io::Result<bool> {
        let start = self.place(region, offset)?;
        Ok(self.extents.is_hole(&self.file, start..start + len as u64))
    }
}

/// Zeros are written where the file has something else, so that fresh files stay sparse.
impl WriteMemory for ImageFile {
    fn write(&self, region: usize, offset: u64, from: &[u8]) -> io::Result<()> {
        self.file.write_all_at(from, self.place(region, offset)?)
    }

    fn clear(&self, region: usize, offset: u64, len: usize) -> io::Result<()> {
        let start = self.place(region, offset)?;
        let mut buffer = vec![0; len];
        self.file.read_exact_at(&mut buffer, start)?;
        if is_zero(&buffer) {
            return Ok(());
        }
        buffer.fill(0);
        self.file.write_all_at(&buffer, start)
    }
}

/// Whether all bytes are zero, at the speed of the memory.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    let (strides, rest) = bytes.as_chunks::<128>();
    strides.iter().all(|stride| stride.iter().fold(0, |seen, byte| seen | byte) == 0)
        && rest.iter().all(|byte| *byte == 0)
}
