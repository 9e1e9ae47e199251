//! Guest memory in compressed pages: batches, QEMU's multifd streams, and snapshots.
//!
//! | module or type | what it is |
//! |---|---|
//! | [`GuestRam`] | memory that changes while it is read |
//! | [`Channel`] | batches of pages, zero, raw or compressed, processed in one call |
//! | [`multifd`] | the streams in which QEMU migrates memory: sender, receiver, relay |
//! | [`snapshot`] | guest memory in a file: sparse, compressed, checksummed, with random access |
//!
//! A [`BlockCompressor`](uadk_compress::BlockCompressor) does the compression: an accelerator where
//! there is one, software everywhere else.
//!
//! # Crate features
//!
//! | feature | default | effect |
//! |---|---|---|
//! | `vm-memory` | no | `snapshot::VmMemory` saves and restores vm-memory's `GuestMemoryBackend` |

#![cfg_attr(docsrs, feature(doc_cfg))]

mod batch;
mod codec;
mod damage;
mod error;
mod frame;
mod memory;
mod method;
pub mod multifd;
mod reuse;
mod segment;
pub mod snapshot;
mod stage;

pub use batch::{Channel, Page, PageBatch, ZeroPages};
pub use error::{Error, PageFault};
pub use memory::{GuestRam, OutOfRange};
/// The crate that compresses and decompresses pages.
pub use uadk_compress;
/// The crate whose guest memory [`snapshot::VmMemory`] saves and restores.
#[cfg(feature = "vm-memory")]
#[cfg_attr(docsrs, doc(cfg(feature = "vm-memory")))]
pub use vm_memory;

/// Runs the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
