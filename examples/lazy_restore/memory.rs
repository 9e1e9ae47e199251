//! Guest memory that this process maps and that a snapshot can fill page by page.

use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::ptr::NonNull;
use std::sync::Arc;

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use uadk_compress_pages::GuestRam;
use uadk_compress_pages::snapshot::{Chain, PageReader};
use userfaultfd::{Error as UffdError, Event, Uffd, UffdBuilder};

const PAGE: usize = 4096;

/// Anonymous memory, initially zero or missing.
pub(crate) struct Mapping {
    start: NonNull<c_void>,
    len: usize,
}

impl Mapping {
    pub(crate) fn new(len: usize) -> io::Result<Self> {
        // SAFETY: it is a new mapping at an address that the kernel chooses.
        #[allow(unsafe_code)]
        let start = unsafe {
            mmap_anonymous(
                std::ptr::null_mut(),
                len,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE | MapFlags::NORESERVE,
            )
        }?;
        let start = NonNull::new(start).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, len })
    }

    /// Returns the memory.
    pub(crate) fn ram(&self) -> GuestRam<'_> {
        // SAFETY: it is mapped until `self` is dropped, there is no reference to it as plain data,
        // and only `GuestRam` and the kernel write to it.
        #[allow(unsafe_code)]
        let ram = unsafe { GuestRam::from_raw(self.start.as_ptr().cast(), self.len) };
        ram.expect("mappings are page-aligned")
    }

    /// Loads each page from a snapshot on first access. The mapping begins at guest address
    /// `address`. The thread that loads the pages runs until the process exits.
    pub(crate) fn fault_from(
        &self,
        chain: Arc<Chain<File>>,
        address: u64,
    ) -> Result<(), UffdError> {
        let uffd = UffdBuilder::new().close_on_exec(true).user_mode_only(true).create()?;
        uffd.register(self.start.as_ptr(), self.len)?;
        let start = self.start.as_ptr().addr();
        std::thread::spawn(move || {
            let mut pages = chain.pages();
            while let Ok(Some(event)) = uffd.read_event() {
                let Event::Pagefault { addr, .. } = event else { continue };
                let page = addr.map_addr(|addr| addr & !(PAGE - 1));
                let guest = address + (page.addr() - start) as u64;
                if let Err(error) = load(&uffd, page, &mut pages, guest) {
                    // The thread that accessed the page would wait forever.
                    eprintln!("failed to load the page at {guest:#x}: {error}");
                    std::process::abort();
                }
            }
        });
        Ok(())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: it is no longer in use: the result of `ram` borrows from `self`.
        #[allow(unsafe_code)]
        let unmapped = unsafe { munmap(self.start.as_ptr(), self.len) };
        debug_assert!(unmapped.is_ok(), "{unmapped:?}");
    }
}

/// Loads a missing page and wakes the threads that wait for it.
fn load(
    uffd: &Uffd,
    page: *mut c_void,
    pages: &mut PageReader<'_, File>,
    guest: u64,
) -> Result<(), Box<dyn std::error::Error>> {
    let loaded = match pages.read(guest)? {
        // SAFETY: the kernel checks that the page is missing in memory that is registered.
        #[allow(unsafe_code)]
        Some(bytes) => unsafe { uffd.copy(bytes.as_ptr().cast(), page, PAGE, true) },
        // SAFETY: as above.
        #[allow(unsafe_code)]
        None => unsafe { uffd.zeropage(page, PAGE, true) },
    };
    match loaded {
        Ok(_) => Ok(()),
        // Two threads accessed it at once, so it is already loaded.
        Err(UffdError::CopyFailed(errno) | UffdError::ZeropageFailed(errno))
            if errno as i32 == rustix::io::Errno::EXIST.raw_os_error() =>
        {
            uffd.wake(page, PAGE)?;
            Ok(())
        }
        Err(other) => Err(other.into()),
    }
}
