//! Buffers that the device writes to.
//!
//! The device writes only to memory of this module, never to the caller's: it may still write the
//! output of a block that was given up, at any later time. The memory is mapped separately instead
//! of allocated. It is prefaulted, since the device is several times slower when it is the first to
//! touch a page.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Buffers of this size and more ask for huge pages.
const HUGE_PAGE: usize = 2 << 20;

/// Mapped, prefaulted memory. Dropping it unmaps it.
#[derive(Debug)]
pub(super) struct Buffer {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: it is a separate mapping, which only the device writes to and only the owner reads.
unsafe impl Send for Buffer {}

/// Returns the page size in bytes: 4 KiB, or 64 KiB on many Arm servers.
pub(super) fn page_size() -> usize {
    static SIZE: AtomicUsize = AtomicUsize::new(0);
    let known = SIZE.load(Ordering::Relaxed);
    if known > 0 {
        return known;
    }
    // SAFETY: only reads a number. (rustix's function crashes under valgrind 3.19.)
    let size = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    SIZE.store(size, Ordering::Relaxed);
    size
}

impl Buffer {
    /// Maps `len` bytes, a multiple of the page size. Returns `None` if out of memory.
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
            // SAFETY: the range is the mapping. Advice that is ignored changes nothing.
            unsafe { libc::madvise(self.start.as_ptr().cast(), self.len, libc::MADV_HUGEPAGE) };
        }
        // Since Linux 5.14. Older kernels refuse; then each page is written to instead.
        // SAFETY: the range is the mapping, and its contents (zeros) do not change.
        let populated = unsafe {
            libc::madvise(self.start.as_ptr().cast(), self.len, libc::MADV_POPULATE_WRITE)
        };
        if populated != 0 {
            for page in (0..self.len).step_by(page_size()) {
                // SAFETY: within the mapping.
                let byte = unsafe { self.start.add(page) };
                // SAFETY: mapped and writable, and no one reads it yet.
                unsafe { byte.write_volatile(0) };
            }
        }
    }

    /// Returns the memory to the system and keeps the address range: later writes get new pages.
    pub(super) fn discard(&self) {
        // SAFETY: the range is the mapping, and no one reads its contents.
        unsafe { libc::madvise(self.start.as_ptr().cast(), self.len, libc::MADV_DONTNEED) };
    }

    /// Returns the address that the device writes to.
    pub(super) const fn start(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Copies `src` to `offset` and returns its address; `None` if it does not fit. The device must
    /// not have the buffer.
    pub(super) fn stage(&mut self, offset: usize, src: &[u8]) -> Option<*const u8> {
        if src.len() > self.len.checked_sub(offset)? {
            return None;
        }
        // SAFETY: within the mapping, as checked above.
        let copy = unsafe { self.start.add(offset) };
        // SAFETY: the source fits into the mapping there, does not overlap it, and the caller has
        // exclusive access.
        unsafe { copy.copy_from_nonoverlapping(NonNull::from(src).cast(), src.len()) };
        Some(copy.as_ptr().cast_const())
    }

    /// Returns the first `len` bytes of what the device wrote.
    ///
    /// # Safety
    ///
    /// The device must be done with the buffer.
    pub(super) unsafe fn written(&self, len: usize) -> &[u8] {
        let len = len.min(self.len);
        // SAFETY: within the mapping, initialised by the kernel, and no longer written to, as the
        // caller promises.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), len) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: the range is the mapping, and its owner is being dropped.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_staged_after_the_output_if_it_fits() {
        let mut buffer = Buffer::map(page_size()).expect("enough memory");
        let at = buffer.stage(100, b"source").expect("it fits");
        assert_eq!(at, buffer.start().cast_const().wrapping_add(100));
        // SAFETY: no device has the buffer.
        assert_eq!(unsafe { &buffer.written(106)[100..] }, b"source");
        assert!(buffer.stage(page_size() - 5, b"source").is_none());
        assert!(buffer.stage(page_size() + 1, b"").is_none());
    }
}
