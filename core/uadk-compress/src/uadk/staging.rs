//! Buffers that the device writes to.
//!
//! The device writes to memory of this module alone, never to a caller's: a block that was given up
//! may still be written to at any later time. The memory is mapped by itself, not allocated, and
//! touched beforehand, since a device that hits a page for the first time is several times slower.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where huge pages fit.
const HUGE_PAGE: usize = 2 << 20;

/// Mapped, prefaulted memory. Dropping it unmaps it.
#[derive(Debug)]
pub(super) struct Buffer {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: it is memory of its own, which only the device writes to and only the owner reads.
unsafe impl Send for Buffer {}

/// Bytes of a page: 4 KiB, or 64 KiB on many Arm servers.
pub(super) fn page_size() -> usize {
    static SIZE: AtomicUsize = AtomicUsize::new(0);
    let known = SIZE.load(Ordering::Relaxed);
    if known > 0 {
        return known;
    }
    // SAFETY: only reads a number. (Not rustix's, which crashes under valgrind 3.19.)
    let size = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    SIZE.store(size, Ordering::Relaxed);
    size
}

impl Buffer {
    /// Maps `len` bytes, a multiple of the page size; `None` if there is no memory.
    pub(super) fn map(len: usize) -> Option<Self> {
        // SAFETY: a new mapping at an address of the kernel's choice.
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
            for page in (0..self.len).step_by(page_size()) {
                // SAFETY: within the mapping.
                let byte = unsafe { self.start.add(page) };
                // SAFETY: mapped and writable, and nobody reads it yet.
                unsafe { byte.write_volatile(0) };
            }
        }
    }

    /// Gives the memory back and keeps the address: whatever writes to it gets a new page.
    pub(super) fn discard(&self) {
        // SAFETY: the range is the mapping, and nobody reads its contents any more.
        unsafe { libc::madvise(self.start.as_ptr().cast(), self.len, libc::MADV_DONTNEED) };
    }

    /// Where the device writes to.
    pub(super) const fn start(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Copies `src` behind the first `room` bytes, and returns where it is; `None` if it does not
    /// fit. The device must not have the buffer.
    pub(super) fn stage(&mut self, room: usize, src: &[u8]) -> Option<*const u8> {
        if src.len() > self.len.checked_sub(room)? {
            return None;
        }
        // SAFETY: within the mapping, as checked above.
        let copy = unsafe { self.start.add(room) };
        // SAFETY: the mapping has room for the source there, overlaps with nothing else, and nobody
        // but the caller, who has it exclusively, uses it.
        unsafe { copy.copy_from_nonoverlapping(NonNull::from(src).cast(), src.len()) };
        Some(copy.as_ptr().cast_const())
    }

    /// The first `len` bytes that the device wrote.
    ///
    /// # Safety
    ///
    /// The device must be done with the buffer.
    pub(super) unsafe fn written(&self, len: usize) -> &[u8] {
        let len = len.min(self.len);
        // SAFETY: within the mapping, initialised by the kernel, and, as the caller promises, not
        // written to any more.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), len) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: the range is the mapping, and its owner is gone.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_staged_behind_the_output_if_it_fits() {
        let mut buffer = Buffer::map(page_size()).expect("memory");
        let at = buffer.stage(100, b"source").expect("it fits");
        assert_eq!(at, buffer.start().cast_const().wrapping_add(100));
        // SAFETY: no device knows of it.
        assert_eq!(unsafe { &buffer.written(106)[100..] }, b"source");
        assert!(buffer.stage(page_size() - 5, b"source").is_none());
        assert!(buffer.stage(page_size() + 1, b"").is_none());
    }
}
