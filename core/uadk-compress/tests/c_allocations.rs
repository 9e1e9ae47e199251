//! In steady state, libzstd and liblz4 allocate nothing for a block either. Their `malloc` is this
//! program's.

#![allow(unsafe_code, reason = "replaces `malloc`")]

mod common;

use std::cell::Cell;
use std::ffi::c_void;

use common::block;
use uadk_compress::{BlockCompressor, Dictionary, Format, Level, SoftwareCompressor};

unsafe extern "C" {
    fn __libc_malloc(len: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, len: usize) -> *mut c_void;
    fn __libc_realloc(old: *mut c_void, len: usize) -> *mut c_void;
}

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

#[unsafe(no_mangle)]
unsafe extern "C" fn malloc(len: usize) -> *mut c_void {
    count();
    // SAFETY: the C library's own function.
    unsafe { __libc_malloc(len) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn calloc(len: usize, size: usize) -> *mut c_void {
    count();
    // SAFETY: the C library's own function.
    unsafe { __libc_calloc(len, size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(old: *mut c_void, len: usize) -> *mut c_void {
    count();
    // SAFETY: the C library's own function, for its own memory.
    unsafe { __libc_realloc(old, len) }
}

/// Returns the number of allocations of `work` in this thread.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

#[test]
fn the_counter_counts_what_the_libraries_allocate() {
    assert_ne!(allocations(|| drop(zstd_safe::CCtx::create())), 0);
    let mut block = vec![0; 100_000];
    // A stream of its own, which it does not keep.
    let compress = || drop(std::hint::black_box(lz4_flex::compress(&block)));
    assert_ne!(allocations(compress), 0);
    block.clear();
    assert_eq!(allocations(|| block.extend([1; 1000])), 0);
}

#[test]
fn none_per_block() {
    let blocks: Vec<_> = (0..8).map(|seed| block(seed, 16_384)).collect();
    for (format, levels) in [(Format::Zstd, &[-5, 1, 3, 9, 19][..]), (Format::Lz4, &[-5, 1, 3, 9])]
    {
        for level in levels {
            let plain = SoftwareCompressor::new(format, Level::nearest(*level));
            let plain = plain.expect("a supported format");
            let dictionary = Dictionary::new(block(100, 16_384));
            let with = plain.clone().with_dictionary(dictionary).expect("both have dictionaries");
            for codec in [plain, with] {
                let mut compressed = vec![0; codec.max_compressed_len(16_384)];
                let mut restored = vec![0; 16_384];
                let mut round = || {
                    for block in &blocks {
                        let len = codec.compress(block, &mut compressed).expect("the bound holds");
                        codec.decompress(&compressed[..len], &mut restored).expect("just made");
                        codec.compress(block, &mut restored[..100]).expect_err("too small");
                    }
                };
                round();
                assert_eq!(allocations(round), 0, "{codec:?}");
            }
        }
    }
}
