//! The cost of a block through the C functions, as the C++ plugin for RocksDB calls them, over that
//! through the trait, as the Rust adapter does. Blocks of 16 KiB of this machine's files, in
//! software.
//!
//! `make bench BENCH=capi`. Measures thread CPU time.

#![allow(unsafe_code, reason = "calls the functions as C does")]

use std::ffi::CString;
use std::ptr;
use std::sync::Arc;

use uadk_compress::{BlockCompressor, Checked, Compressor, Format, Level, Offload};
use uadk_compress_bench_support::corpus;
use uadk_compress_bench_support::duel::{compress_all, duel};
use uadk_compress_bench_support::report::Report;
use uadk_compress_capi::{
    uadk_compressor, uadk_compressor_compress, uadk_compressor_decompress, uadk_compressor_free,
    uadk_compressor_new, uadk_status,
};

const BLOCK: usize = 16 << 10;
const CORPUS_BYTES: usize = 8 << 20;
const BOUND: &str = "<=1.02";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let records = corpus::records(&corpus::default_roots(), CORPUS_BYTES)?;
    let data: Vec<u8> = records.into_iter().flat_map(|record| record.value).collect();
    let blocks: Vec<&[u8]> = data.chunks_exact(BLOCK).collect();
    println!("{} blocks of {BLOCK} bytes", blocks.len());

    let mut report = Report::new("capi");
    for (format, level) in [(Format::RawDeflate, 1), (Format::Zstd, 3), (Format::Lz4, 1)] {
        measure(&mut report, format, level, &blocks)?;
    }
    let missed = report.finish()?;
    std::process::exit(i32::from(missed > 0));
}

fn measure(
    report: &mut Report,
    format: Format,
    level: i32,
    blocks: &[&[u8]],
) -> Result<(), Box<dyn std::error::Error>> {
    let c = Handle::new(&format!("format={format};level={level};offload=off"))?;
    let builder = Compressor::builder().format(format).level(Level::nearest(level));
    // A trait object, as in the adapter, so that calls aren't inlined.
    let rust: Arc<dyn BlockCompressor> = Arc::new(builder.offload(Offload::Off).build()?);
    let rust = Checked::new(rust);

    let capacity = rust.max_compressed_len(BLOCK);
    let streams = compress_all(blocks, capacity, |block, dst| rust.compress(block, dst))?;
    let streams: Vec<&[u8]> = streams.iter().map(Vec::as_slice).collect();

    let compress = duel(
        blocks,
        capacity,
        |block, dst| c.call(uadk_compressor_compress, block, dst),
        |block, dst| rust.compress(block, dst).expect("the bound suffices"),
    );
    let decompress = duel(
        &streams,
        BLOCK,
        |stream, dst| c.call(uadk_compressor_decompress, stream, dst),
        |stream, dst| rust.decompress(stream, dst).expect("a valid stream"),
    );
    for (direction, sides) in [("compress", compress), ("decompress", decompress)] {
        let case = format!("{format}, level {level}");
        report.add(case, &format!("{direction} CPU us"), sides, "Rust", Some(BOUND));
    }
    Ok(())
}

/// A function that processes a block.
type Function = unsafe extern "C" fn(
    *const uadk_compressor,
    *const std::ffi::c_void,
    usize,
    *mut std::ffi::c_void,
    usize,
    *mut usize,
) -> uadk_status;

/// A handle, as a C program has it.
struct Handle(*mut uadk_compressor);

impl Handle {
    fn new(options: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let options = CString::new(options)?;
        let mut handle = ptr::null_mut();
        // SAFETY: a string, and a place for the handle.
        match unsafe { uadk_compressor_new(options.as_ptr(), &raw mut handle) } {
            uadk_status::Ok => Ok(Self(handle)),
            status => Err(format!("{status:?}").into()),
        }
    }

    fn call(&self, function: Function, src: &[u8], dst: &mut [u8]) -> usize {
        let mut written = 0;
        let (from, to) = (src.as_ptr().cast(), dst.as_mut_ptr().cast());
        // SAFETY: a live handle, and slices with their lengths.
        let status = unsafe { function(self.0, from, src.len(), to, dst.len(), &raw mut written) };
        assert_eq!(status, uadk_status::Ok);
        written
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: a live handle that is no longer used.
        unsafe { uadk_compressor_free(self.0) };
    }
}
