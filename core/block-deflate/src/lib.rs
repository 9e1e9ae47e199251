//! A fast deflate encoder for small independent blocks: storage engine blocks, memory pages, pieces
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
//! Measured on six kinds of files from one machine (source code and text, binaries, JSON and CSV, a
//! package tree, blocks as in `RocksDB`, memory pages), on one core of a Zen 4 at 3 to 3.6 GHz.
//! Figures are relative to libdeflate at level 1; contexts are reused, times are CPU time. Builds
//! are for any x86-64 and, where it differs, for x86-64-v3, both with this crate as one codegen
//! unit (`[profile.release.package.block-deflate] codegen-units = 1` in the program's manifest);
//! without it, speed is 1 to 3 % lower. The ratios depend on processor and data; `benches/encoder`
//! measures yours.
//!
//! | | 4 KiB | 16 KiB | 64 KiB |
//! |---|---|---|---|
//! | default mode, speed | 1.87, v3 1.91 | 1.84, v3 1.86 | 1.81, v3 1.82 |
//! | default mode, ratio | 0.996 | 0.993 | 0.992 |
//! | fast mode, speed | 2.06, v3 2.07 | 2.02 | 2.02, v3 2.01 |
//! | fast mode, ratio | 0.968 | 0.956 | 0.951 |
//! | zstd 1.5 at level 1, speed | 1.46 | 1.50 | 1.83 |
//! | zstd at level 1, ratio | 0.984 | 1.006 | 1.007 |
//! | ISA-L 2.30 at level 1, speed | 1.20 | 1.61 | 2.05 |
//! | ISA-L at level 1, ratio | 0.976 | 0.966 | 0.954 |
//!
//! Speed on random bytes is 3.9 (4 KiB), on zeros 14. libdeflate decodes the output of the default
//! mode at 1.01, 0.99 and 0.99 times the speed of its own. Of the 10 us for 4 KiB of text, parsing
//! and storing records takes two thirds, emission a seventh, codes and header a sixth. Of the 31 us
//! for 16 KiB, these take four fifths, a seventh and a sixteenth.
//!
//! Data that consists almost entirely of matches of maximum length compresses worse than with
//! libdeflate, since most positions of such matches aren't inserted into the hash table. The output
//! is a tenth to a third larger if the data repeats after kilobytes. It is up to twice as large, a
//! hundredth of the input, if it repeats after hundreds of bytes.
//!
//! # What was tried, and its effect
//!
//! | idea | effect |
//! |---|---|
//! | matches extended backwards into the step's literals: finds matches that begin at positions that weren't inserted | ratio +0.9 to +1.7 %, speed -4 %; fewer positions have to be inserted |
//! | candidates compared by the byte-swapped difference instead of the bits below the lowest one set: one instruction and one cycle of latency less | speed +4 % |
//! | records of three literals and a length *or* a fourth literal instead of four and a length; in one array instead of three | speed +3 %; +2 % |
//! | literals loaded from the block one by one instead of four in a register | speed +1 to +3 % |
//! | the longest of four matches, without a penalty for the literals before it | speed +4 to +6 %, ratio -0.1 to -0.2 % |
//! | symbols that occur up to four times counted as two: a shorter header, built faster | ratio +0.35 % at 4 KiB, +0.1 % at 16 KiB, speed +1 % |
//! | long matches extended in a separate function | speed +1 % |
//! | every sixteenth position of long matches inserted instead of every sixth; none | speed +1 %, ratio -0.1 %; +1.5 % more, but twice the size for repetitive data |
//! | distances checked against the window once a match is chosen, not for each candidate | speed +0.5 to +1 % at 64 KiB |
//! | space left by rounding code lengths assigned to the next symbols | ratio +0.04 %, speed -1 % |
//! | a match extended into the previous step's record of literals, too | ratio +0.04 %, speed -2 % |
//! | records stored one step later, when their data has been loaded | none |
//! | branches instead of a selection, two positions at a time, as in ISA-L | same speed, lower ratio |
//! | records stored by a function call: the loop keeps its registers for the critical path | speed +2 to +4 % |
//! | literals counted when they are stored, not in a separate pass | speed +1 % |
//! | codes for each 16 KiB, joined where alike, at 64 KiB | ratio +1.1 %, speed -1 %, decoding -2 % |
//! | the same for each 8 KiB, at 16 and 64 KiB | ratio +0.3, +0.4 % more, speed -2, -1 %, decoding -2, -3 % |
//! | codes of lengths and distances with space for their extra bits, distances stored as floating-point numbers | emission -10 % |
//! | the position carried through the choice of a match instead of the number of literals; then the match's end instead of its length | speed +0.7 %; +1 % |
//! | one or two zeros in the header without a branch; logarithms from floating-point numbers | speed +0.7 % at 4 KiB |
//! | optimal Huffman codes, at 4, 16 and 64 KiB | ratio +0.13, +0.07, +0.03 %; they take 2 us and more |
//! | hashes computed ahead, sixteen bits wide so that the compiler vectorises | parsing -9 %, offset by the cost of hashing; a few with each step: slower still |
//! | all positions inserted ahead of the parse, sixteen with each step | ratio +0.4 %, speed -4 % |
//! | distant matches of four bytes left out of the choice | ratio 0 to -0.3 % |
//! | eight bytes more compared for all four candidates, a branch for what is longer | speed -6 % |
//! | records stored after the next lookups | speed -3 to -5 %: register pressure |
//! | fast mode: two of four positions looked up, all inserted; longer steps after 8 misses | ratio -4 %; -1.2 %, speed +0.5 % |
//! | records whose absent literals take no bits, instead of loops over literals | emission -25 to -30 % |
//! | the bit writer passed by value instead of by reference | emission -10 % |
//! | code lengths rounded from logarithms, a list of the symbols that occur, a header without branches for common cases | -2.5 us per block |
//! | code tables kept from block to block: symbols that don't occur are never looked up | emission -1 us at 4 KiB |
//! | comparing candidates by a tree of conditional moves | parsing -4 % over a table of ranks |
//! | equal bits, literals and candidate packed into one number, the largest is best: 8 % fewer instructions | speed -1 to -3 %: higher latency |
//! | "no match" decided before the best match is known | speed +3 to +5 %: mispredicted branches are resolved earlier |
//! | "longer than 30" decided early in the same way | speed -4 % |
//! | extension lengths computed for all cases in parallel, then selected | speed -1 to -3 % |
//! | three positions per step instead of four | speed -3 %, ratio -0.2 % |
//! | the symbol of a distance from one conversion to a floating-point number and no comparison | speed +0.5 % |
//! | codes shifted in from the top of 64 bits, in pairs, with their lengths below them; shifts need no extra masks | speed +2 % |
//! | codes of at most 13 bits instead of 14 | none |
//! | matches extended to 24 bytes without a branch | parsing -3 % |
//! | two positions inserted at the end of a match | ratio +0.8 %, speed -2 % |
//! | the last and the third last instead of the last two | ratio +0.05 % |
//! | the last three | ratio +0.15 %, speed -1.5 % |
//! | the last four; at 64 KiB | ratio +0.2 %, speed -2.5 %; +0.5 %, -2 % |
//! | two, four, six more inserted within it | ratio +0.3, +0.4, +0.5 %, speed -5, -6, -9 % |
//! | all of them inserted | ratio +0.7 %, speed -15 % |
//! | the last distance as another candidate at two positions | ratio +0.25 %, speed -6 % |
//! | 2^13 instead of 2^14 entries at 16 KiB | ratio -0.3 %, speed +3 % |
//! | 2^15 at 64 KiB | ratio +0.3 %, speed -2 % |
//! | a hash of five bytes instead of four, at 4, 16 and 64 KiB | ratio -1.0, -0.6, -0.2 %, speed +3, +3, +4.5 %: used in fast mode and for long blocks |
//! | 2^12 entries in fast mode | ratio -0.5 %, speed +6 % |
//! | "no match here" by conditional moves instead of a branch | speed -6 %: with the branch, the next step starts early |
//! | a first pass that finds candidates and lengths for all positions, then a parse of its results | same time at 4 and 16 KiB, slower at 64; ratio +0.6 % |
//! | that pass fused with the parse | no gain on this processor |
//! | candidates in a first pass, then the block's halves parsed alternately, so that their latencies overlap | parsing the same; four parts: slower |
//! | halves parsed by lookups alternately, the second with its own table that covers the first | speed -10 %; without branches for "no match here" -16 %: at five instructions per cycle there is no capacity left |
//! | half the block from candidates, half by lookups, alternating stage by stage | speed -10 % |
//! | 16 bits of hash beside each entry instead of a comparison; no lazy choice | ratio -2 %, and slower |
//! | vector instructions, or those of newer processors chosen at run time | unavailable: calling a function with `#[target_feature]` from one without needs `unsafe`, even where the build enables it |
//!
//! Some of these were measured with earlier versions of the encoder, whose parser inserted more
//! positions and whose records were larger; effects that depend on that may differ now.
//!
//! Parsing is bound by latency: one more cycle between one match and the next costs 0.7 % of the
//! whole. Mispredicted branches are another seventh: if the same block is compressed repeatedly, so
//! that they are predicted, 16 KiB take 14 % less time. Compilers don't know the critical path; a
//! value on it that they spill to the stack costs a load. So differences of 1 or 2 % between
//! builds, or between runs, mean little. Emission runs at six instructions per cycle.
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
