//! Snapshots of a virtual machine monitor's memory, from the crate `vm-memory` (version 0.18).

use std::io;

use vm_memory::{Bytes, GuestAddress, GuestMemoryBackend, GuestMemoryRegion};

use super::layout::{Layout, Region};
use super::memory::{ReadMemory, WriteMemory};
use crate::error::Error;

/// A virtual machine monitor's guest memory, to save and restore. Pages are copied once, through
/// `vm-memory`'s volatile slices; restored pages are marked in its dirty bitmap.
///
/// ```
/// use std::sync::Arc;
/// use uadk_compress::{BlockCompressor, Compressor};
/// use uadk_compress_pages::snapshot::{Chain, Pages, RestoreOptions, SaveOptions, Snapshot};
/// use uadk_compress_pages::snapshot::{VmMemory, restore, save};
/// use vm_memory::{Bytes, GuestAddress, GuestMemoryMmap};
///
/// let machine = GuestMemoryMmap::<()>::from_ranges(&[(GuestAddress(0), 1 << 20)])?;
/// machine.write_slice(b"a guest", GuestAddress(0x4000))?;
/// let memory = VmMemory::new(&machine)?;
/// let codec: Arc<dyn BlockCompressor> = Arc::new(Compressor::builder().build()?);
/// let mut file = Vec::new();
/// let options = SaveOptions::default();
/// save(&mut file, memory.layout(), &memory, Pages::All, &codec, &options, &mut |_| {})?;
///
/// let machine = GuestMemoryMmap::<()>::from_ranges(&[(GuestAddress(0), 1 << 20)])?;
/// let chain = Chain::new(vec![Snapshot::open(&file[..])?])?;
/// restore(&chain, &VmMemory::new(&machine)?, &RestoreOptions::default(), &mut |_| {})?;
/// let mut bytes = [0; 7];
/// machine.read_slice(&mut bytes, GuestAddress(0x4000))?;
/// assert_eq!(&bytes, b"a guest");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct VmMemory<'m, M> {
    memory: &'m M,
    layout: Layout,
}

impl<'m, M: GuestMemoryBackend> VmMemory<'m, M> {
    /// Divides the memory's regions into pages of 4096 bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Layout`] for regions that do not consist of whole pages.
    pub fn new(memory: &'m M) -> Result<Self, Error> {
        let regions = memory
            .iter()
            .map(|region| Region { address: region.start_addr().0, len: region.len() });
        Ok(Self { memory, layout: Layout::new(regions.collect())? })
    }

    /// Returns how the memory is divided.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    fn region(&self, region: usize) -> io::Result<&Region> {
        let regions = self.layout.regions();
        regions.get(region).ok_or_else(|| io::Error::other("no such region"))
    }
}

impl<M: GuestMemoryBackend + Sync> ReadMemory for VmMemory<'_, M> {
    fn read(&self, region: usize, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let address = GuestAddress(self.region(region)?.address + offset);
        self.memory.read_slice(into, address).map_err(io::Error::other)
    }
}

impl<M: GuestMemoryBackend + Sync> WriteMemory for VmMemory<'_, M> {
    fn write(&self, region: usize, offset: u64, from: &[u8]) -> io::Result<()> {
        let address = GuestAddress(self.region(region)?.address + offset);
        self.memory.write_slice(from, address).map_err(io::Error::other)
    }

    fn clear(&self, region: usize, offset: u64, len: usize) -> io::Result<()> {
        let mut page = vec![0; len];
        self.read(region, offset, &mut page)?;
        if super::memory::is_zero(&page) {
            return Ok(());
        }
        page.fill(0);
        self.write(region, offset, &page)
    }
}
