//! A fast deflate encoder for small independent blocks: storage engine blocks, memory pages, chunks
//! of archives. It is designed for 4 to 64 KiB; any length works.
//!
//! ```
//! use block_deflate::{Encoder, Mode};
//!
//! let mut encoder = Encoder::new(Mode::Default);
//! for block in [&b"one block and another block"[..], b"a third, third, third"] {
//!     let mut output = vec![0; encoder.bound(block.len())];
//!     let len = encoder.compress(block, &mut output)?;
//!     output.truncate(len);
//! }
//! # Ok::<(), block_deflate::DoesNotFit>(())
//! ```
//!
//! - Raw deflate, zlib and gzip ([`Format`]); windows of 4 to 32 KiB ([`Window`]), for decoders
//!   with little memory or a fixed window.
//! - Whole streams, or *segments* that are compressed independently and joined ([`segment`]).
//! - A buffer that is too small is detected before anything is written; the error states the size
//!   needed ([`DoesNotFit`]).
//! - No allocation after an [`Encoder`] is created; less than 16 KiB of stack; deterministic
//!   output.
//! - Safe Rust, `no_std` with `alloc`, no dependencies.
//!
//! # How it works
//!
//! General-purpose encoders work on streams: they learn about the data as it arrives. A block is
//! available as a whole and is processed in simple passes:
//!
//! 1. `input`: copies the block into an array of fixed size, where positions are `u16` and need few
//!    bounds checks. Blocks of one repeated byte are detected here and skip the next step.
//! 2. `parse`: looks up four positions at a time in a table with one entry per hash (`hash`), takes
//!    the longest match among them, and continues after it. After many misses, steps get longer
//!    (skip acceleration).
//! 3. `tokens`: extends matches backwards, stores records of up to three literals and a match or of
//!    four literals, in the form that emission needs, and counts symbols per 16 KiB. Neighbouring
//!    parts that differ get their own codes. Parts with almost no matches and evenly distributed
//!    bytes are stored.
//! 4. `lengths`, `codes`, `header`: determine code lengths without sorting; build the code tables
//!    and the header, which is shorter because rare symbols are treated alike. The size is now
//!    known to the bit and decides between a stored block, fixed and dynamic codes.
//! 5. `emit`, `bits`, `sink`: write each record without a branch, 64 bits at a time.
//! 6. `framing`, `checksum`: headers and trailers.
//!
//! # Performance
//!
//! Speed and ratio relative to libdeflate at level 1, in CPU time on one core of a Zen 4:
//!
//! | | 4 KiB | 16 KiB | 64 KiB |
//! |---|---|---|---|
//! | [`Mode::Default`], speed | 1.87 | 1.84 | 1.81 |
//! | [`Mode::Default`], ratio | 0.996 | 0.993 | 0.992 |
//! | [`Mode::Fast`], speed | 2.06 | 2.02 | 2.02 |
//! | [`Mode::Fast`], ratio | 0.968 | 0.956 | 0.951 |
//!
//! Compile this crate as one codegen unit (`[profile.release.package.block-deflate] codegen-units =
//! 1`) for the last 1 to 3 %. Highly repetitive data compresses worse than with libdeflate: by a
//! tenth to a third if it repeats after kilobytes. If it repeats after hundreds of bytes, the
//! output is up to twice as large, though still a hundredth of the input. The
//! [notes on the encoder][notes] compare more encoders and list what was tried.
//!
//! [notes]: https://github.com/uadk-compress/uadk-compress/blob/main/docs/encoder-notes.md
#![no_std]
#![forbid(unsafe_code)]
// Each use was measured: inlined code shares registers with its caller.
#![allow(clippy::inline_always)]

extern crate alloc;

mod bits;
pub mod checksum;
mod codes;
mod emit;
mod encoder;
mod error;
mod framing;
mod hash;
mod header;
mod input;
mod lengths;
mod parse;
pub mod segment;
mod sink;
mod symbols;
mod tokens;
mod window;

pub use encoder::{Encoder, Mode};
pub use error::DoesNotFit;
pub use framing::{Format, Frame};
pub use window::Window;

/// Runs the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
