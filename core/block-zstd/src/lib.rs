//! Makes zstd frames from LZ77 sequences that were found elsewhere: by a hardware device, or any
//! match finder. It does what remains after the search: literals, Huffman and FSE codes, blocks and
//! frames.
//!
//! ```
//! use block_zstd::{Encoder, Sequence, max_compressed_len};
//!
//! let mut encoder = Encoder::new();
//! let block = b"one block and one block and one block";
//! // After 14 literals, 23 bytes repeat those 14 bytes before them.
//! let sequences = [Sequence { literals: 14, match_len: 23, offset: 14 }];
//! let mut frame = vec![0; max_compressed_len(block.len())];
//! let len = encoder.compress(block, &sequences, &mut frame)?;
//! frame.truncate(len);
//! # Ok::<(), block_zstd::Error>(())
//! ```
//!
//! - Any zstd decoder reads the result: one frame per block, or frames of many blocks.
//! - Sequences may be in the form of zstd itself, as devices write them ([`CodedSequence`]).
//! - They may come from a device that isn't trusted. All are checked, and each match is
//!   compared with the bytes that it repeats. So the result is an error or a frame that decodes to
//!   the source ([`Error`]).
//! - A buffer that is too small is detected before anything is written; the error states the size
//!   needed.
//! - No allocation after an [`Encoder`] is created; less than 16 KiB of stack; deterministic
//!   output.
//! - Safe Rust, `no_std` with `alloc`, no dependencies.
//!
//! # How it works
//!
//! 1. `gather`, `source`: checks sequences, compares matches, and copies the literals to one place,
//!    32 bytes at a time. Sequences in zstd's own form are read as they are, and their repeat codes
//!    resolved in the same loop: a loop of its own takes 6 % more time in all, since it waits for
//!    memory.
//! 2. `records`, `offsets`, `symbols`, `histograms`: convert the sequences to what encoding needs,
//!    with the short codes for repeated offsets, and count their symbols and the literals. Lengths
//!    that are short, as almost all are, are indices into tables.
//! 3. `literals`, `lengths`, `tree`: Huffman codes, whose lengths are determined without sorting.
//!    Streams of literals are written two at a time.
//! 4. `chooser`, `scaled`, `fse`: choose the codes of sequences by their cost, describe them, and
//!    build their tables.
//! 5. `sequences`, `bits`: write the sequences without a branch that can't be predicted, 64 bits at
//!    a time.
//! 6. `frame`: headers. Blocks that would grow are stored.
//!
//! # Performance
//!
//! Relative to libzstd at level 1, which searches too, in CPU time on one core of a Zen 4. The
//! sequences are from a match finder with lazy matching and a window of 32 KiB, in zstd's own form.
//!
//! | | 4 KiB | 16 KiB | 64 KiB | 128 KiB |
//! |---|---|---|---|---|
//! | time | 0.49 | 0.42 | 0.41 | 0.40 |
//! | size | 0.97 | 0.96 | 0.94 | 0.95 |
//!
//! Comparing the matches takes 6 % of the time. From the same sequences, libzstd
//! (`ZSTD_compressSequences`) makes frames of the same size within 0.4 %.
//!
//! Compile this crate as one codegen unit (`[profile.release.package.block-zstd] codegen-units =
//! 1`).
#![no_std]
#![forbid(unsafe_code)]
// Each use was measured: inlined code shares registers with its caller.
#![allow(clippy::inline_always)]

extern crate alloc;

mod bits;
mod chooser;
mod encoder;
mod error;
mod frame;
mod fse;
mod gather;
mod histograms;
mod lengths;
mod literals;
mod log2;
mod offsets;
mod planes;
mod records;
mod scaled;
mod sequence;
mod sequences;
mod source;
mod symbols;
mod tree;

pub use encoder::Encoder;
pub use error::Error;
pub use frame::{MAX_BLOCK_LEN, max_compressed_len};
pub use sequence::{CodedSequence, CodedSequences, Sequence};

/// Runs the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
