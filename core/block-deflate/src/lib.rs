//! A fast deflate encoder for small independent blocks: storage engine blocks, memory pages, pieces of
//! archives. 4 to 64 KiB is what it is made for, but any length works.
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
//! - Raw deflate, zlib and gzip ([`Format`]); windows of 4 to 32 KiB ([`Window`]), for decoders with
//!   little memory or readers that ask for one.
//! - Whole streams, or *segments* that are made independently and joined ([`segment`]).
//! - "Does not fit" is known, with the size that is needed, before anything is written ([`DoesNotFit`]).
//! - No allocation once an [`Encoder`] has been made; the same output for the same input, always.
//! - Safe Rust, `no_std` with `alloc`, no dependencies.
//!
//! # How it works
//!
//! General encoders are made for streams: they find out what data is like as it comes. A block is at
//! hand as a whole, and is handled in passes that are each as simple as can be:
//!
//! 1. `input`: the block is copied into an array of fixed size, where positions are `u16` and need
//!    few checks. Blocks of one byte over and over are recognised here and skip the next step.
//! 2. `parse`: looks up four positions at a time in a table with one entry per hash (`hash`), takes the
//!    longest match among them, jumps behind it. Where nothing is found for long, steps get longer.
//! 3. `tokens`: extends matches backwards, takes down records of up to three literals and a match or of
//!    four literals, in the form that emission needs, and counts symbols, for each 16 KiB. Neighbours
//!    that differ get codes of their own. Next to no matches and evenly distributed bytes: stored.
//! 4. `lengths`, `codes`, `header`: code lengths without sorting; the header, which is shorter for
//!    treating rare symbols alike; tables of codes. Now the size is known to the bit, and stored,
//!    fixed or own codes are chosen by it.
//! 5. `emit`, `bits`, `sink`: each record is written without a branch, 64 bits at a time.
//! 6. `framing`, `checksum`: headers and trailers.
//!
//! # What it takes
//!
//! Six kinds of files of one machine (sources and texts, binaries, JSON and CSV, a tree of packages,
//! blocks as in `RocksDB`, memory pages) on one core of a Zen 4 at 3 to 3.6 GHz, libdeflate at level 1
//! = 1, contexts reused, CPU time; a build for any x86-64 and, where it differs, one for x86-64-v3, both
//! with this crate as one codegen unit (`[profile.release.package.block-deflate] codegen-units = 1` in
//! the program's manifest), without which it is 1 to 3 % slower. What the ratios are to each other
//! depends on processor and data; `benches/encoder` tells for yours.
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
//! Random bytes: 3.9 (4 KiB), zeros: 14. libdeflate decodes what the default mode makes at 1.01, 0.99 and
//! 0.99 times the speed of its own. Of the 10 us that 4 KiB of text take, parsing and taking records
//! down is two thirds, emission a seventh, codes and header a sixth; of 16 KiB's 31 us it is four fifths,
//! a seventh and a sixteenth.
//!
//! Data that repeats for long, so that hardly anything but the longest matches is left, gets larger than
//! libdeflate's, since most positions of such matches aren't noted: by a tenth to a third where it repeats
//! after kilobytes, up to twice as large, a hundredth of the input, after hundreds of bytes.
//!
//! # What was tried, and what it was worth
//!
//! | idea | worth |
//! |---|---|
//! | equal bytes before a match taken into it, as far as this step's literals go: finds what begins at positions that weren't noted | ratio +0.9 to +1.7 %, speed -4 %; then fewer need be noted |
//! | candidates compared by the difference with its bytes swapped: one instruction, and a cycle less on the way to the next position, than by the bits below the lowest | speed +4 % |
//! | records of three literals and a length *or* a fourth literal instead of four and a length; in one array instead of three | speed +3 %; +2 % |
//! | literals taken from the block one by one instead of four in a register | speed +1 to +3 % |
//! | the longest of four matches, without a penalty for the literals before it | speed +4 to +6 %, ratio -0.1 to -0.2 % |
//! | symbols that occur up to four times counted as two: a shorter header, faster made | ratio +0.35 % at 4 KiB, +0.1 % at 16 KiB, speed +1 % |
//! | long matches extended in a function of their own | speed +1 % |
//! | every sixteenth position of long matches noted instead of every sixth; none | speed +1 %, ratio -0.1 %; +1.5 % more, but twice the size where all is repeated |
//! | distances checked against the window once a match is chosen, not for each candidate | speed +0.5 to +1 % at 64 KiB |
//! | room left by the rounding of code lengths given to those next in turn | ratio +0.04 %, speed -1 % |
//! | a match taken into a record of literals before this step, too | ratio +0.04 %, speed -2 % |
//! | taking records down a step later, when all they need is at hand | nothing |
//! | branches instead of a selection, two positions a time, as ISA-L has it | the same speed for less ratio |
//! | taking records down by a call: the loop has its registers for what it waits for | speed +2 to +4 % |
//! | counting literals when they are taken down, not in a pass | speed +1 % |
//! | codes for each 16 KiB, joined where alike, at 64 KiB | ratio +1.1 %, speed -1 %, decoding -2 % |
//! | the same for each 8 KiB, at 16 and 64 KiB | ratio +0.3, +0.4 % more, speed -2, -1 %, decoding -2, -3 % |
//! | each length's and distance's code with the room for its extra bits, distances recorded as floating-point numbers | emission -10 % |
//! | the position carried through the choice of a match, not its number of literals; then the match's end, not its length | speed +0.7 %; +1 % |
//! | one or two zeros in the header without a branch; logarithms from floating-point numbers | speed +0.7 % at 4 KiB |
//! | optimal Huffman codes, at 4, 16 and 64 KiB | ratio +0.13, +0.07, +0.03 %; they take 2 us and more |
//! | hashes made ahead, sixteen bits wide so that the compiler finds vector instructions | parsing -9 %, which hashing takes again; a few with each step: slower still |
//! | all positions noted ahead of the parse, sixteen with each step | ratio +0.4 %, speed -4 % |
//! | matches of four bytes and far away left out, in the choice | ratio 0 to -0.3 % |
//! | eight bytes more compared for all four candidates, a branch for what is longer | speed -6 % |
//! | records taken down after the next lookups | speed -3 to -5 %: registers |
//! | fast mode: two of four positions looked up, all noted; longer steps after 8 misses | ratio -4 %; -1.2 %, speed +0.5 % |
//! | records whose absent literals take no bits, instead of loops over literals | emission -25 to -30 % |
//! | a writer of bits by value, not behind a reference | emission -10 % |
//! | code lengths rounded from logarithms, symbols that occur in a list, a header without branches for what is common | -2.5 us per block |
//! | tables of codes kept from block to block: what doesn't occur is never looked up | emission -1 us at 4 KiB by fewer copies |
//! | comparing candidates by a tree of conditional moves | parsing -4 % over a table of ranks |
//! | equal bits, literals and candidate in one number, of which the largest is the best: 8 % fewer instructions | speed -1 to -3 %: the way to the next position is longer |
//! | whether there is a match at all decided before the best one is known | speed +3 to +5 %: mispredicted branches are noticed earlier |
//! | "longer than 30" decided earlier in the same way | speed -4 % |
//! | the lengths of an extension for all cases side by side, then the selection | speed -1 to -3 % |
//! | three positions a step instead of four | speed -3 %, ratio -0.2 % |
//! | the symbol of a distance from one conversion to a floating-point number and no comparison | speed +0.5 % |
//! | codes shifted in from the top of 64 bits, in pairs, with their lengths left below them; no masks for shifts but those of the instruction | speed +2 % |
//! | codes of at most 13 bits instead of 14 | nothing |
//! | matches extended to 24 bytes without a branch | parsing -3 % |
//! | noting two positions at the end of a match | ratio +0.8 %, speed -2 % |
//! | the last and the last but two, instead of the last two | ratio +0.05 % |
//! | the last three | ratio +0.15 %, speed -1.5 % |
//! | the last four; at 64 KiB | ratio +0.2 %, speed -2.5 %; +0.5 %, -2 % |
//! | noting two, four, six more within it | ratio +0.3, +0.4, +0.5 %, speed -5, -6, -9 % |
//! | noting all of them | ratio +0.7 %, speed -15 % |
//! | the last distance as another candidate at two positions | ratio +0.25 %, speed -6 % |
//! | 2^13 instead of 2^14 entries at 16 KiB | ratio -0.3 %, speed +3 % |
//! | 2^15 at 64 KiB | ratio +0.3 %, speed -2 % |
//! | a hash of five bytes instead of four, at 4, 16 and 64 KiB | ratio -1.0, -0.6, -0.2 %, speed +3, +3, +4.5 %: in the fast mode, and for long blocks |
//! | 2^12 entries in the fast mode | ratio -0.5 %, speed +6 % |
//! | "no match here" by conditional moves instead of a branch | speed -6 %: the branch lets the next step start early |
//! | a first pass over all positions that finds candidates and lengths, then a parse along its results | the same time at 4 and 16 KiB, slower at 64; ratio +0.6 % |
//! | that pass fused with the parse | no gain on this processor |
//! | candidates in a first pass, then the block's two halves parsed in turns, so that their latencies overlap | parsing the same; four parts: slower |
//! | two halves by lookups in turns, the second with a table of its own that knows the first half | speed -10 %; without branches for "no match here" -16 %: at five instructions a cycle there is no time left |
//! | half the block from candidates, half by lookups, in turns, stage by stage | slower by 10 % |
//! | 16 bits of hash beside each entry, to leave out the comparison; no lazy choice then | ratio -2 %, and slower |
//! | vector instructions, or those of newer processors chosen at run time | not to be had: calling a function with `#[target_feature]` from one without needs `unsafe`, even where the build enables it |
//!
//! Some of these were measured in earlier states of the encoder, whose parser noted more and whose
//! records were larger; what depends on that may be worth something else now.
//!
//! Parsing is bound by latency: a cycle more on the way from one match to the next costs 0.7 % of
//! everything. Mispredicted branches are another seventh: where the same block comes again and again, so
//! that they are predicted, 16 KiB take 14 % less time. Compilers don't know which way counts: a value
//! of it that is kept on the stack costs as much as a load, so that differences of 1 or 2 % between
//! builds say little, nor do those between runs. Emission runs at six instructions a cycle.
#![no_std]
#![forbid(unsafe_code)]
// Each was measured: what is inlined shares registers with its caller.
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
