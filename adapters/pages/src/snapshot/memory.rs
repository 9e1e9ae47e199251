//! The memory that snapshots are saved from and restored to.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::extents::Extents;
use super::layout::Layout;
use crate::memory::GuestRam;

/// Memory to save. Threads read it at the same time, and a guest may write to it meanwhile.
///
/// ```
/// use std::io;
/// use uadk_compress_pages::snapshot::{ReadAt, ReadMemory};
///
/// /// A guest with one region, in a buffer.
/// struct Buffer(Vec<u8>);
///
/// impl ReadMemory for Buffer {
///     fn read(&self, _region: usize, offset: u64, into: &mut [u8]) -> io::Result<()> {
///         self.0.read_exact_at(into, offset)
///     }
/// }
///
/// let mut page = [0; 4096];
/// Buffer(vec![7; 8192]).read(0, 4096, &mut page)?;
/// assert_eq!(page, [7; 4096]);
/// # Ok::<(), io::Error>(())
/// ```
pub trait ReadMemory: Sync {
    /// Copies a part of a region, which is identified by its number in the layout, to `into`.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    fn read(&self, region: usize, offset: u64, into: &mut [u8]) -> io::Result<()>;

    /// Returns whether a part of a region is known to be zero without copying it. The default
    /// implementation returns `false`.
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
///
/// ```
/// use uadk_compress_pages::snapshot::{RestoreOptions, WriteMemory, restore};
///
/// struct DryRun;
///
/// impl WriteMemory for DryRun {
///     fn write(&self, _region: usize, _offset: u64, _from: &[u8]) -> std::io::Result<()> {
///         Ok(())
///     }
///     fn clear(&self, _region: usize, _offset: u64, _len: usize) -> std::io::Result<()> {
///         Ok(())
///     }
/// }
///
/// # use std::sync::Arc;
/// # use std::sync::atomic::AtomicU64;
/// # use uadk_compress::{BlockCompressor, Compressor};
/// # use uadk_compress_pages::GuestRam;
/// # use uadk_compress_pages::snapshot::{Layout, Pages, Region, SaveOptions, save};
/// # let memory = [const { AtomicU64::new(7) }; 512];
/// # let layout = Layout::new(vec![Region { address: 0, len: 4096 }])?;
/// # let codec: Arc<dyn BlockCompressor> = Arc::new(Compressor::builder().build()?);
/// # let regions = [GuestRam::from_words(&memory)];
/// # let (mut file, options) = (Vec::<u8>::new(), SaveOptions::default().id([1; 16]));
/// # save(&mut file, &layout, &regions[..], Pages::All, &codec, &options, &mut |_| {})?;
/// # use uadk_compress_pages::snapshot::{Chain, Snapshot};
/// # let chain = Chain::new(vec![Snapshot::open(&file[..])?])?;
/// let restored = restore(&chain, &DryRun, &RestoreOptions::default(), &mut |_| {})?;
/// assert_eq!(restored.progress.pages, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait WriteMemory: Sync {
    /// Copies pages into a region.
    ///
    /// # Errors
    ///
    /// If it can't be written.
    fn write(&self, region: usize, offset: u64, from: &[u8]) -> io::Result<()>;

    /// Zeroes a part of a region.
    ///
    /// # Errors
    ///
    /// If it can't be written.
    fn clear(&self, region: usize, offset: u64, len: usize) -> io::Result<()>;
}

/// One [`GuestRam`] for each region.
impl ReadMemory for [GuestRam<'_>] {
    fn read(&self, region: usize, offset: u64, into: &mut [u8]) -> io::Result<()> {
        ram(self, region)?.read(offset, into).map_err(io::Error::other)
    }

    fn is_zero(&self, region: usize, offset: u64, len: usize) -> io::Result<bool> {
        ram(self, region)?.is_zero(offset, len).map_err(io::Error::other)
    }
}

/// One [`GuestRam`] for each region.
impl WriteMemory for [GuestRam<'_>] {
    fn write(&self, region: usize, offset: u64, from: &[u8]) -> io::Result<()> {
        ram(self, region)?.write(offset, from).map_err(io::Error::other)
    }

    fn clear(&self, region: usize, offset: u64, len: usize) -> io::Result<()> {
        ram(self, region)?.clear(offset, len).map_err(io::Error::other)
    }
}

fn ram<'r, 'm>(regions: &'r [GuestRam<'m>], region: usize) -> io::Result<&'r GuestRam<'m>> {
    regions.get(region).ok_or_else(|| io::Error::other("no memory for this region"))
}

/// An image file: the regions one after another, without the gaps between them.
///
/// ```
/// use uadk_compress_pages::snapshot::{ImageFile, Layout, ReadMemory, Region, WriteMemory};
///
/// let layout = Layout::new(vec![Region { address: 1 << 32, len: 1 << 20 }])?;
/// let file = tempfile::tempfile()?;
/// file.set_len(layout.len())?;
/// let image = ImageFile::new(file, &layout);
/// image.write(0, 4096, &[7; 4096])?;
/// let mut page = [0; 4096];
/// image.read(0, 4096, &mut page)?;
/// assert_eq!(page, [7; 4096]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ImageFile {
    file: File,
    extents: Extents,
    /// Each region's offset in the file.
    starts: Vec<u64>,
}

impl ImageFile {
    /// Creates an image in `file`, of memory with this layout.
    #[must_use]
    pub fn new(file: File, layout: &Layout) -> Self {
        let starts = layout.regions().iter().scan(0, |end, region| {
            let start = *end;
            *end += region.len;
            Some(start)
        });
        Self { file, extents: Extents::default(), starts: starts.collect() }
    }

    /// Returns the file.
    #[must_use]
    pub const fn file(&self) -> &File {
        &self.file
    }

    fn file_offset(&self, region: usize, offset: u64) -> io::Result<u64> {
        let start = self.starts.get(region);
        start.map(|start| start + offset).ok_or_else(|| io::Error::other("no such region"))
    }
}

impl ReadMemory for ImageFile {
    fn read(&self, region: usize, offset: u64, into: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(into, self.file_offset(region, offset)?)
    }

    /// Returns whether the part is in a hole, according to the file system.
    fn is_zero(&self, region: usize, offset: u64, len: usize) -> io::Result<bool> {
        let start = self.file_offset(region, offset)?;
        Ok(self.extents.is_hole(&self.file, start..start + len as u64))
    }
}

/// Zeros are written only where the file has other data, so that fresh files stay sparse.
impl WriteMemory for ImageFile {
    fn write(&self, region: usize, offset: u64, from: &[u8]) -> io::Result<()> {
        self.file.write_all_at(from, self.file_offset(region, offset)?)
    }

    fn clear(&self, region: usize, offset: u64, len: usize) -> io::Result<()> {
        let start = self.file_offset(region, offset)?;
        let mut buffer = vec![0; len];
        self.file.read_exact_at(&mut buffer, start)?;
        if is_zero(&buffer) {
            return Ok(());
        }
        buffer.fill(0);
        self.file.write_all_at(&buffer, start)
    }
}

/// Returns whether all bytes are zero. This takes as long as reading the memory.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    let (strides, rest) = bytes.as_chunks::<128>();
    strides.iter().all(|stride| stride.iter().fold(0, |seen, byte| seen | byte) == 0)
        && rest.iter().all(|byte| *byte == 0)
}
