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
#![no_std]
#![forbid(unsafe_code)]
// Each use was measured: inlined code shares registers with its caller.
#![allow(clippy::inline_always)]

extern crate alloc;

mod bits;
mod encoder;
mod error;
mod frame;
mod fse;
mod histogram;
mod lengths;
mod literals;
mod log2;
mod offsets;
mod records;
mod sequence;
mod sequences;
mod symbols;
mod tree;

pub use encoder::Encoder;
pub use error::Error;
pub use frame::{MAX_BLOCK_LEN, max_compressed_len};
pub use sequence::Sequence;

/// Runs the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
