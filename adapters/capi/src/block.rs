//! Compression and decompression, of single blocks and of batches.

#![allow(unsafe_code, reason = "exports functions to C")]

use std::ffi::c_void;
use std::mem::offset_of;

use uadk_compress::{Block, BlockCompressor, Error};

use crate::failure::{Failure, attempt, status};
use crate::{pointer, uadk_compressor, uadk_status};

/// One block of a batch.
///
/// ```c
/// char compressed[2][64];
/// uadk_block blocks[2] = {
///     {.src = "one block", .src_len = 9, .dst = compressed[0], .dst_capacity = 64},
///     {.src = "another", .src_len = 7, .dst = compressed[1], .dst_capacity = 64},
/// };
/// if (uadk_compressor_compress_batch(compressor, blocks, 2) == UADK_STATUS_OK) {
///     printf("%zu and %zu bytes\n", blocks[0].written, blocks[1].written);
/// }
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct uadk_block {
    /// The input; may be null if `src_len` is 0.
    pub src: *const c_void,
    /// Bytes of input.
    pub src_len: usize,
    /// The destination; may be null if `dst_capacity` is 0.
    pub dst: *mut c_void,
    /// Bytes that the destination holds.
    pub dst_capacity: usize,
    /// Set by the call: bytes written to the destination; 0 after a failure.
    pub written: usize,
    /// Set by the call: this block's result.
    pub status: uadk_status,
}

/// Returns the most bytes that a block of `len` bytes can compress to; 0 for an invalid handle. A
/// destination of this size is always large enough.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn uadk_compressor_max_compressed_len(
    compressor: *const uadk_compressor,
    len: usize,
) -> usize {
    let bound = attempt(|| {
        // SAFETY: the caller passes a handle.
        let compressor = unsafe { pointer::compressor(compressor) }?;
        Ok(compressor.codec().max_compressed_len(len))
    });
    bound.unwrap_or(0)
}

/// Returns the most bytes that a compressed block of `len` bytes can hold; 0 for an invalid handle.
/// Readers allocate no more than this for a block that may be damaged.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn uadk_compressor_max_decompressed_len(
    compressor: *const uadk_compressor,
    len: usize,
) -> usize {
    let bound = attempt(|| {
        // SAFETY: the caller passes a handle.
        let compressor = unsafe { pointer::compressor(compressor) }?;
        Ok(compressor.codec().max_decompressed_len(len).unwrap_or(usize::MAX))
    });
    bound.unwrap_or(0)
}

/// Compresses a block. `*written` is the number of bytes written to `dst`; 0 after a failure.
///
/// `UADK_STATUS_OUTPUT_FULL` is a normal result: the block does not shrink to `dst_capacity` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uadk_compressor_compress(
    compressor: *const uadk_compressor,
    src: *const c_void,
    src_len: usize,
    dst: *mut c_void,
    dst_capacity: usize,
    written: *mut usize,
) -> uadk_status {
    let block = RawBlock { src, src_len, dst, dst_capacity };
    // SAFETY: the caller passes a handle, buffers and a place for the length.
    unsafe { run(compressor, block, written, |codec, src, dst| codec.compress(src, dst)) }
}

/// Decompresses a block. `*written` is the number of bytes written to `dst`; 0 after a failure.
///
/// `dst` may be larger than the result. For raw deflate pass exactly the size of the result if it
/// is known: then software need not check whether the accelerator returned everything. An LZ4 block
/// has no end mark, so `src` must end with it; for the other formats, bytes after the block are
/// ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uadk_compressor_decompress(
    compressor: *const uadk_compressor,
    src: *const c_void,
    src_len: usize,
    dst: *mut c_void,
    dst_capacity: usize,
    written: *mut usize,
) -> uadk_status {
    let block = RawBlock { src, src_len, dst, dst_capacity };
    // SAFETY: the caller passes a handle, buffers and a place for the length.
    unsafe { run(compressor, block, written, |codec, src, dst| codec.decompress(src, dst)) }
}

/// Compresses `count` blocks, and sets `written` and `status` of each.
///
/// An accelerator keeps many blocks in flight, so a batch is several times faster than one block at
/// a time. Returns the status of the first block that failed, or `UADK_STATUS_OK`. If a pointer is
/// invalid, no block is processed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uadk_compressor_compress_batch(
    compressor: *const uadk_compressor,
    blocks: *mut uadk_block,
    count: usize,
) -> uadk_status {
    // SAFETY: the caller passes a handle and an array.
    unsafe { run_batch(compressor, blocks, count, |codec, batch| codec.compress_batch(batch)) }
}

/// Decompresses `count` blocks; the counterpart of `uadk_compressor_compress_batch`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uadk_compressor_decompress_batch(
    compressor: *const uadk_compressor,
    blocks: *mut uadk_block,
    count: usize,
) -> uadk_status {
    // SAFETY: the caller passes a handle and an array.
    unsafe { run_batch(compressor, blocks, count, |codec, batch| codec.decompress_batch(batch)) }
}

/// The buffers of a block, as C passes them: the first fields of [`uadk_block`].
#[derive(Clone, Copy)]
#[repr(C)]
struct RawBlock {
    src: *const c_void,
    src_len: usize,
    dst: *mut c_void,
    dst_capacity: usize,
}

/// The results of a block: the last fields of [`uadk_block`].
#[repr(C)]
struct RawResult {
    written: usize,
    status: uadk_status,
}

const _: () = {
    assert!(offset_of!(RawBlock, src) == offset_of!(uadk_block, src));
    assert!(offset_of!(RawBlock, src_len) == offset_of!(uadk_block, src_len));
    assert!(offset_of!(RawBlock, dst) == offset_of!(uadk_block, dst));
    assert!(offset_of!(RawBlock, dst_capacity) == offset_of!(uadk_block, dst_capacity));
    assert!(offset_of!(uadk_block, written) == size_of::<RawBlock>());
    assert!(
        offset_of!(uadk_block, status) == size_of::<RawBlock>() + offset_of!(RawResult, status)
    );
    assert!(size_of::<uadk_block>() == size_of::<RawBlock>() + size_of::<RawResult>());
};

impl RawBlock {
    /// Borrows both buffers.
    ///
    /// # Safety
    ///
    /// They are valid during `'a`, and nothing else uses the destination.
    unsafe fn borrow<'a>(self) -> Result<(&'a [u8], &'a mut [u8]), Failure> {
        pointer::check_disjoint(self.src, self.src_len, self.dst, self.dst_capacity)?;
        // SAFETY: guaranteed by the caller.
        let src = unsafe { pointer::source(self.src, self.src_len, "the source") }?;
        // SAFETY: guaranteed by the caller.
        let dst = unsafe { pointer::destination(self.dst, self.dst_capacity) }?;
        Ok((src, dst))
    }
}

/// Processes one block.
///
/// # Safety
///
/// The handle and the buffers are valid, and `written` is null or writable.
unsafe fn run(
    compressor: *const uadk_compressor,
    block: RawBlock,
    written: *mut usize,
    work: impl FnOnce(&dyn BlockCompressor, &[u8], &mut [u8]) -> Result<usize, Error>,
) -> uadk_status {
    status(|| {
        // SAFETY: guaranteed by the caller.
        let written = unsafe { pointer::place(written, "the place for the length") }?;
        written.write(0);
        // SAFETY: guaranteed by the caller.
        let compressor = unsafe { pointer::compressor(compressor) }?;
        // SAFETY: guaranteed by the caller.
        let (src, dst) = unsafe { block.borrow() }?;
        let mut block = Block::new(src, dst);
        block.run(|src, dst| work(compressor.codec(), src, dst));
        written.write(block.result()?);
        Ok(())
    })
}

/// Processes a batch.
///
/// # Safety
///
/// The handle, the array and its buffers are valid.
unsafe fn run_batch(
    compressor: *const uadk_compressor,
    blocks: *mut uadk_block,
    count: usize,
    work: impl FnOnce(&dyn BlockCompressor, &mut [Block<'_>]),
) -> uadk_status {
    status(|| {
        pointer::check_array(blocks, count, "the array of blocks")?;
        let set = |number: usize, written: usize, status: uadk_status| {
            let block = blocks.wrapping_add(number);
            let result = block.wrapping_byte_add(offset_of!(uadk_block, written));
            // SAFETY: the array has `count` blocks. Their buffers, which may be borrowed, are
            // elsewhere.
            unsafe { result.cast::<RawResult>().write(RawResult { written, status }) };
        };
        // What the blocks keep if a pointer is invalid.
        (0..count).for_each(|number| set(number, 0, uadk_status::InvalidArgument));
        // SAFETY: guaranteed by the caller.
        let compressor = unsafe { pointer::compressor(compressor) }?;
        let mut batch = Vec::with_capacity(count);
        for number in 0..count {
            // Not the results, which may not have been written yet.
            let raw = blocks.wrapping_add(number).cast::<RawBlock>();
            // SAFETY: the array has `count` blocks.
            let raw = unsafe { raw.read() };
            // SAFETY: guaranteed by the caller.
            let (src, dst) = unsafe { raw.borrow() }?;
            batch.push(Block::new(src, dst));
        }
        // What they keep if the engine panics.
        (0..count).for_each(|number| set(number, 0, uadk_status::Internal));
        work(compressor.codec(), &mut batch);

        let mut first_error = None;
        for (number, block) in batch.iter().enumerate() {
            match block.result() {
                Ok(written) => set(number, written, uadk_status::Ok),
                Err(error) => {
                    set(number, 0, (&error).into());
                    first_error.get_or_insert(error);
                }
            }
        }
        first_error.map_or(Ok(()), |error| Err(error.into()))
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;
    use std::sync::Arc;

    use uadk_compress::fault::{Fault, FaultInjector};
    use uadk_compress::{Compressor, Format, Level, SoftwareCompressor};

    use super::*;
    use crate::uadk_compress_last_error;

    /// A handle whose codec fails.
    fn failing(fault: Fault) -> uadk_compressor {
        let compressor = Compressor::builder().offload(uadk_compress::Offload::Off).build();
        let software = SoftwareCompressor::new(Format::Zlib, Level::FAST).expect("a format");
        let codec = FaultInjector::new(software, move |_| Some(fault.clone()));
        uadk_compressor::with_codec(compressor.expect("software"), Arc::new(codec))
    }

    fn last_error() -> String {
        // SAFETY: the text ends with NUL and is alive until the next call.
        let text = unsafe { CStr::from_ptr(uadk_compress_last_error()) };
        text.to_str().expect("UTF-8").to_owned()
    }

    fn compress(compressor: &uadk_compressor) -> (uadk_status, usize) {
        let (src, mut dst, mut written) = ([7_u8; 4096], [0_u8; 8192], 99);
        let (src, dst) = (src.as_ptr().cast(), dst.as_mut_ptr().cast());
        // SAFETY: valid pointers and lengths.
        let status =
            unsafe { uadk_compressor_compress(compressor, src, 4096, dst, 8192, &raw mut written) };
        (status, written)
    }

    #[test]
    fn a_codec_that_panics_is_an_internal_error() {
        let compressor = failing(Fault::Panic);
        assert_eq!(compress(&compressor), (uadk_status::Internal, 0));
        assert!(last_error().starts_with("panicked: "), "{}", last_error());
    }

    #[test]
    fn a_batch_whose_codec_panics_ends_with_an_internal_error_for_each_block() {
        let compressor = failing(Fault::Panic);
        let (src, mut dst) = ([7_u8; 4096], [[0_u8; 4096]; 3]);
        let mut blocks = dst.each_mut().map(|dst| uadk_block {
            src: src.as_ptr().cast(),
            src_len: src.len(),
            dst: dst.as_mut_ptr().cast(),
            dst_capacity: dst.len(),
            written: 99,
            status: uadk_status::Ok,
        });
        // SAFETY: valid pointers and lengths.
        let status = unsafe {
            uadk_compressor_compress_batch(&raw const compressor, blocks.as_mut_ptr(), 3)
        };
        assert_eq!(status, uadk_status::Internal);
        for block in blocks {
            assert_eq!((block.status, block.written), (uadk_status::Internal, 0));
        }
    }

    #[test]
    fn an_impossible_length_of_a_codec_is_an_internal_error() {
        let compressor = failing(Fault::WrongLength);
        assert_eq!(compress(&compressor), (uadk_status::Internal, 0));
    }
}
