//! Guest memory. Only this module accesses memory that others use at the same time.
//!
//! A guest's processors and devices write to its memory while it is saved or migrated. So it is
//! never a `&[u8]` here, which would promise the compiler that it does not change. It is a slice of
//! atomic words, read and written one relaxed access at a time. A page that is written to while it
//! is read comes out as a mixture of words from different moments; migration and snapshots send it
//! again.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Bytes of a word: the unit in which memory is read and written.
const WORD: usize = 8;
/// Words that are processed at a time.
const STRIDE: usize = 16;

/// A range of guest memory (a QEMU ramblock, a memory region), borrowed for `'m`.
///
/// ```
/// use std::sync::atomic::AtomicU64;
/// use uadk_compress_pages::GuestRam;
///
/// let memory: Vec<AtomicU64> = (0..1024).map(AtomicU64::new).collect();
/// let ram = GuestRam::from_words(&memory);
/// let mut page = [0; 4096];
/// ram.read(4096, &mut page)?;
/// assert_eq!(page[..8], 512_u64.to_ne_bytes());
/// # Ok::<(), uadk_compress_pages::OutOfRange>(())
/// ```
#[derive(Clone, Copy)]
pub struct GuestRam<'m> {
    words: &'m [AtomicU64],
}

/// A range that is not inside the memory, or does not begin and end at multiples of eight bytes.
///
/// ```
/// use std::sync::atomic::AtomicU64;
/// use uadk_compress_pages::{GuestRam, OutOfRange};
///
/// let memory: Vec<AtomicU64> = (0..512).map(AtomicU64::new).collect();
/// match GuestRam::from_words(&memory).read(4096, &mut [0; 8]) {
///     Err(OutOfRange { offset, size, .. }) => assert_eq!((offset, size), (4096, 4096)),
///     Ok(()) => panic!("read outside the memory"),
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid range of {len} bytes at offset {offset:#x}: must be whole words within {size:#x} \
     bytes of memory"
)]
#[non_exhaustive]
pub struct OutOfRange {
    /// The start of the range.
    pub offset: u64,
    /// Its length.
    pub len: usize,
    /// The length of the memory.
    pub size: u64,
}

impl<'m> GuestRam<'m> {
    /// Borrows memory that consists of `words`.
    #[must_use]
    pub const fn from_words(words: &'m [AtomicU64]) -> Self {
        Self { words }
    }

    /// Borrows memory that nothing else uses at the same time, such as a buffer in a test.
    ///
    /// # Errors
    ///
    /// If its address or length is not a multiple of eight.
    pub fn from_mut(memory: &'m mut [u8]) -> Result<Self, OutOfRange> {
        // SAFETY: for `'m`, the exclusive borrow keeps the memory mapped and everything else out.
        #[allow(unsafe_code)]
        unsafe {
            Self::from_raw(memory.as_mut_ptr(), memory.len())
        }
    }

    /// Borrows the `len` bytes of mapped memory at `start`.
    ///
    /// # Errors
    ///
    /// If `start` or `len` is not a multiple of eight.
    ///
    /// # Safety
    ///
    /// For `'m`, the range stays mapped, readable and (if anything is written through the result)
    /// writable; no Rust reference to plain data in it is used, and Rust code of this process
    /// changes it only through atomic or volatile accesses. Other processes, a hypervisor's guest
    /// and devices may change it freely.
    #[allow(unsafe_code)]
    pub unsafe fn from_raw(start: *mut u8, len: usize) -> Result<Self, OutOfRange> {
        // The alignment is checked below.
        #[allow(clippy::cast_ptr_alignment)]
        let words = start.cast::<AtomicU64>();
        if start.is_null() || !words.is_aligned() || !len.is_multiple_of(WORD) {
            return Err(OutOfRange { offset: start.addr() as u64, len, size: len as u64 });
        }
        // SAFETY: the caller keeps the range mapped for `'m`; it is aligned and not null, as just
        // checked; any bytes are a valid `AtomicU64`; and as these are interior mutable, others
        // may change them meanwhile.
        let words = unsafe { std::slice::from_raw_parts(words, len / WORD) };
        Ok(Self { words })
    }

    /// Returns the length of the memory in bytes.
    #[must_use]
    pub const fn len(&self) -> u64 {
        (self.words.len() * WORD) as u64
    }

    /// Returns whether the length is 0.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Fills `into` with the memory that starts at `offset`.
    ///
    /// # Errors
    ///
    /// If the range is outside the memory, or does not consist of whole words.
    pub fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), OutOfRange> {
        let words = self.words(offset, into.len())?;
        let load = |(word, bytes): (&AtomicU64, &mut [u8; WORD])| {
            *bytes = word.load(Relaxed).to_ne_bytes();
        };
        // Whole strides first: the compiler does not optimise loops over atomics.
        let (strides, rest) = words.as_chunks::<STRIDE>();
        let (targets, end) = into.as_chunks_mut::<{ STRIDE * WORD }>();
        for (stride, target) in strides.iter().zip(targets) {
            stride.iter().zip(target.as_chunks_mut().0).for_each(load);
        }
        rest.iter().zip(end.as_chunks_mut().0).for_each(load);
        Ok(())
    }

    /// Copies `from` to the memory at `offset`.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn write(&self, offset: u64, from: &[u8]) -> Result<(), OutOfRange> {
        let words = self.words(offset, from.len())?;
        let store = |(word, bytes): (&AtomicU64, &[u8; WORD])| {
            word.store(u64::from_ne_bytes(*bytes), Relaxed);
        };
        let (strides, rest) = words.as_chunks::<STRIDE>();
        let (sources, end) = from.as_chunks::<{ STRIDE * WORD }>();
        for (stride, source) in strides.iter().zip(sources) {
            stride.iter().zip(source.as_chunks().0).for_each(store);
        }
        rest.iter().zip(end.as_chunks().0).for_each(store);
        Ok(())
    }

    /// Returns whether all bytes of a range are zero. For zeros this takes as long as reading the
    /// memory; most other pages differ within the first few words.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    #[inline]
    pub fn is_zero(&self, offset: u64, len: usize) -> Result<bool, OutOfRange> {
        let words = self.words(offset, len)?;
        let (strides, rest) = words.as_chunks::<STRIDE>();
        for stride in strides {
            if stride.iter().fold(0, |seen, word| seen | word.load(Relaxed)) != 0 {
                return Ok(false);
            }
        }
        Ok(rest.iter().fold(0, |seen, word| seen | word.load(Relaxed)) == 0)
    }

    /// Zeroes a range. A range that is already zero is not written to, so that memory which was
    /// never touched stays unallocated.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn clear(&self, offset: u64, len: usize) -> Result<(), OutOfRange> {
        if !self.is_zero(offset, len)? {
            for word in self.words(offset, len)? {
                word.store(0, Relaxed);
            }
        }
        Ok(())
    }

    fn words(&self, offset: u64, len: usize) -> Result<&'m [AtomicU64], OutOfRange> {
        let range = || {
            let start = usize::try_from(offset).ok()?;
            let end = start.checked_add(len)?;
            if !start.is_multiple_of(WORD) || !len.is_multiple_of(WORD) {
                return None;
            }
            self.words.get(start / WORD..end / WORD)
        };
        range().ok_or(OutOfRange { offset, len, size: self.len() })
    }
}

impl std::fmt::Debug for GuestRam<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GuestRam({} bytes at {:p})", self.len(), self.words.as_ptr())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(words: usize) -> Vec<AtomicU64> {
        (0..words).map(|_| AtomicU64::new(0)).collect()
    }

    #[test]
    fn what_is_written_is_read_and_nothing_around_it_changes() {
        let words = memory(4);
        let ram = GuestRam::from_words(&words);
        ram.write(8, &[7; 16]).expect("in range");
        let mut all = [1; 32];
        ram.read(0, &mut all).expect("in range");
        assert_eq!(all, [[0; 8], [7; 8], [7; 8], [0; 8]].concat()[..]);
    }

    #[test]
    fn no_range_outside_or_between_words_is_touched() {
        let words = memory(4);
        let ram = GuestRam::from_words(&words);
        for (offset, len) in [(32, 8), (24, 16), (u64::MAX - 7, 8), (4, 8), (0, 4), (0, 40)] {
            let wrong = OutOfRange { offset, len, size: 32 };
            assert_eq!(ram.read(offset, &mut vec![0; len]), Err(wrong));
            assert_eq!(ram.write(offset, &vec![1; len]), Err(wrong));
            assert_eq!(ram.is_zero(offset, len), Err(wrong));
            assert_eq!(ram.clear(offset, len), Err(wrong));
        }
        assert_eq!(ram.is_zero(0, 32), Ok(true));
    }

    #[test]
    fn a_single_bit_anywhere_is_not_zero() {
        let words = memory(512);
        let ram = GuestRam::from_words(&words);
        for (at, word) in words.iter().enumerate() {
            word.store(1 << (at % 64), Relaxed);
            assert_eq!(ram.is_zero(0, 4096), Ok(false), "word {at}");
            ram.clear(0, 4096).expect("in range");
            assert_eq!(ram.is_zero(0, 4096), Ok(true));
        }
    }

    #[test]
    fn memory_that_is_not_whole_words_is_refused() {
        let mut bytes = [0; 64];
        let aligned = bytes.as_ptr().align_offset(8);
        assert!(GuestRam::from_mut(&mut bytes[aligned + 1..aligned + 17]).is_err());
        assert!(GuestRam::from_mut(&mut bytes[aligned..aligned + 12]).is_err());
        assert_eq!(
            GuestRam::from_mut(&mut bytes[aligned..aligned + 16]).map(|ram| ram.len()),
            Ok(16)
        );
    }
}
