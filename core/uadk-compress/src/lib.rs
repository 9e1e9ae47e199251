//! Block compression for storage engines, archives and VM tooling: one trait, an accelerator
//! engine and a software engine behind it, and a policy that decides block by block.
//!
//! What most programs need is [`Compressor`]:
//!
//! ```
//! use uadk_compress::{BlockCompressor, Compressor, Format, Level};
//!
//! let compressor = Compressor::builder().format(Format::Zlib).level(Level::FAST).build()?;
//!
//! let block = b"block block block block block block".repeat(100);
//! let mut compressed = vec![0; compressor.max_compressed_len(block.len())];
//! let n = compressor.compress(&block, &mut compressed)?;
//!
//! let mut restored = vec![0; block.len()];
//! let m = compressor.decompress(&compressed[..n], &mut restored)?;
//! assert_eq!(restored[..m], block);
//! println!("{}", compressor.stats());
//! # Ok::<(), uadk_compress::Error>(())
//! ```
//!
//! | module or type | what it is |
//! |---|---|
//! | [`BlockCompressor`] | the trait: independent blocks, one format, all threads |
//! | [`Compressor`] | what users build: an accelerator where there is one, software everywhere |
//! | [`SoftwareCompressor`] | `block-deflate` and libdeflate, with one context per thread and level |
//! | [`UadkCompressor`] | the engine for `HiSilicon` Kunpeng's ZIP device |
//! | [`Checked`] | somebody else's engine, with its answers checked |
//! | [`SegmentWriter`] | a stream of many pieces, compressed in parallel, that any inflater reads |
//! | [`pool`] | worker threads that do jobs and return them in order |
//! | [`offload`] | [`OffloadCompressor`] joins any two engines under a [`Policy`] |
//! | [`stats`] | which engine did what, how much, and why not the other |
//! | [`probe`] | what this machine offers for the accelerator, what is missing, and the remedy |
//! | [`conformance`] | checks that any `BlockCompressor`, yours too, keeps the trait's promises |
//! | [`clock`] | time, and a clock for tests |
//! | `fault` | makes an engine fail on demand (feature `fault-injection`) |

mod block;
mod block_compressor;
mod checked;
mod checksum;
pub mod clock;
mod compressor;
pub mod conformance;
mod direction;
mod error;
#[cfg(feature = "fault-injection")]
pub mod fault;
mod fork;
mod format;
mod level;
mod mode;
pub mod offload;
pub mod pool;
pub mod probe;
mod segments;
mod settings;
mod software;
pub mod stats;
mod uadk;
mod window;

pub use block::Block;
pub use block_compressor::BlockCompressor;
pub use checked::Checked;
pub use compressor::{Compressor, CompressorBuilder};
pub use error::Error;
pub use format::Format;
pub use level::Level;
pub use mode::Offload;
pub use offload::{OffloadCompressor, Policy};
pub use segments::SegmentWriter;
pub use settings::{Dictionary, Settings};
pub use software::{SoftwareCompressor, SoftwareEncoder};
pub use stats::Stats;
pub use uadk::{UadkCompressor, UadkConfig, UadkStats};
pub use uadk_sys::Libwd;
pub use window::Window;
