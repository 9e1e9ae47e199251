//! Guest memory in a file: zero pages take no space, clusters are compressed in parallel and
//! checksummed, and any page can be read without the others.
//!
//! The [format] is written sequentially, so the output may be a pipe. Only the last bytes make it
//! complete: a file left behind by a crash reads as
//! [`Error::Incomplete`](crate::Error::Incomplete).
//!
//! [format]: https://github.com/uadk-compress/uadk-compress/blob/main/docs/snapshot-format.md
//!
//! ```
//! use std::sync::Arc;
//! use std::sync::atomic::AtomicU64;
//! use uadk_compress::{BlockCompressor, Compressor};
//! use uadk_compress_pages::GuestRam;
//! use uadk_compress_pages::snapshot::{Chain, Layout, Pages, Region, SaveOptions, Snapshot, save};
//!
//! let memory: Vec<AtomicU64> = (0..1 << 17).map(|i| AtomicU64::new(i >> 13)).collect();
//! let layout = Layout::new(vec![Region { address: 0, len: 1 << 20 }])?;
//! let codec: Arc<dyn BlockCompressor> = Arc::new(Compressor::builder().build()?);
//! let mut file = Vec::new();
//! let regions = [GuestRam::from_words(&memory)];
//! let options = SaveOptions::default();
//! save(&mut file, &layout, &regions[..], Pages::All, &codec, &options, &mut |_| {})?;
//!
//! let chain = Chain::new(vec![Snapshot::open(&file[..])?])?;
//! assert!(chain.pages().read(0x0)?.is_none(), "a zero page");
//! assert_eq!(chain.pages().read(0x1_0000)?.map(|page| page[0]), Some(1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod chain;
mod codec;
mod error;
mod extents;
mod file;
mod format;
mod group;
mod layout;
mod memory;
mod pages;
mod restore;
mod stream;
mod verify;
#[cfg(feature = "vm-memory")]
mod vm;
mod writer;

pub use crate::damage::{Damage, Part};
pub use chain::{Chain, PageReader};
pub use file::{ReadAt, Snapshot};
pub use format::Header;
pub use layout::{Layout, Region};
pub use memory::{ImageFile, ReadMemory, WriteMemory};
pub use pages::{ChangedPages, Pages};
pub use restore::{RestoreOptions, Restored, restore};
pub use stream::{Position, StreamReader};
pub use verify::{Verified, verify};
#[cfg(feature = "vm-memory")]
#[cfg_attr(docsrs, doc(cfg(feature = "vm-memory")))]
pub use vm::VmMemory;
pub use writer::{Progress, SaveOptions, Saved, save};
