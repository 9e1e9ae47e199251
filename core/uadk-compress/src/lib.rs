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
//! | [`Compressor`] | for most programs: the accelerator where available, software everywhere |
//! | [`SoftwareCompressor`] | the software encoders and decoders of all formats |
//! | [`UadkCompressor`] | the engine for `HiSilicon` Kunpeng's ZIP device |
//! | [`Checked`] | wraps a third-party engine and checks its results |
//! | [`SegmentWriter`] | compresses one stream in parallel; any inflater reads the result |
//! | [`pool`] | worker threads that run jobs and return them in order |
//! | [`offload`] | [`OffloadCompressor`] combines any two engines under a [`Policy`] |
//! | [`stats`] | what each engine processed, and why blocks went to software |
//! | [`probe`] | what this machine offers for the accelerator, what is missing, and the remedy |
//! | [`conformance`] | checks that any `BlockCompressor`, yours too, keeps the trait's promises |
//! | [`clock`] | the system clock, and a manual one for tests |
//! | `fault` | makes an engine fail on demand (feature `fault-injection`) |
//!
//! # Crate features
//!
//! | feature | default | effect |
//! |---|---|---|
//! | `metrics` | no | publishes the counters through the `metrics` facade (`Stats::publish`) |
//! | `fault-injection` | no | adds `fault`, which makes any engine fail on demand, for tests |
#![cfg_attr(docsrs, feature(doc_cfg))]

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
#[cfg_attr(docsrs, doc(cfg(feature = "fault-injection")))]
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
mod verify;
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
/// The crate that loads UADK. [`Libwd`]'s methods use its types.
pub use uadk_sys;
pub use uadk_sys::Libwd;
pub use window::Window;

/// Runs the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
