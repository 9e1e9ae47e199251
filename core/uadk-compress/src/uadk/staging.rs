//! Output buffers that the device writes to.
//!
//! The device writes to memory of this module alone, never to a caller's: a block that was given up
//! may still be written to at any later time. The memory is mapped by itself, not allocated, and
//! written to beforehand, since a device that hits a page for the first time is several times slower.

use std::ptr::NonNull;

/// Where huge pages fit.
const HUGE_PAGE: usize = 2 << 20;

/// Mapped, prefaulted memory. Dropping it unmaps it.
#[derive(Debug)]
pub(super) struct Buffer {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: it is memory of its own, which is only written to by the device and read by the owner.
unsafe impl Send for Buffer {}

impl Buffer {
    /// Maps `len` bytes, a multiple of the page size; `None` if there is no memory.
    pub(super) fn map(len: usize) -> Option<Self> {
        // SAFETY: a new mapping wherever the kernel likes, of memory that nobody has.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return None;
        }
        let buffer = Self { start: NonNull::new(start.cast())?, len };
        buffer.prefault();
        Some(buffer)
    }

    fn prefault(&self) {
        if self.len >= HUGE_PAGE {
            // SAFETY: the range is the mapping. Advice that isn't taken changes nothing.
            unsafe { libc::madvise(self.start.as_ptr().cast(), self.len, libc::MADV_HUGEPAGE) };
        }
        // Since Linux 5.14; older kernels refuse, and each page is written to instead.
        // SAFETY: the range is the mapping, and nothing is written that was not zero.
        let populated = unsafe {
            libc::madvise(self.start.as_ptr().cast(), self.len, libc::MADV_POPULATE_WRITE)
        };
        if populated != 0 {
            for page in (0..self.len).step_by(4096) {
                // SAFETY: within the mapping.
                let byte = unsafe { self.start.add(page) };
                // SAFETY: mapped and writable, and nobody reads it yet.
                unsafe { byte.write_volatile(0) };
            }
        }
    }

    /// Gives the memory back and keeps the address: whoever writes to it gets a new page.
    pub(super) fn discard(&self) {
        // SAFETY: the range is the mapping, and nobody wants its contents any more.
        unsafe { libc::madvise(self.start.as_ptr().cast(), self.len, libc::MADV_DONTNEED) };
    }

    /// Where the device writes to.
    pub(super) const fn start(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The first `len` bytes that the device wrote.
    ///
    /// # Safety
    ///
    /// The device must be done with the buffer.
    pub(super) unsafe fn written(&self, len: usize) -> &[u8] {
        let len = len.min(self.len);
        // SAFETY: within the mapping, initialised by the kernel, and, the caller says, written to
        // no more.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), len) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: the range is the mapping, and its owner is gone.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}
