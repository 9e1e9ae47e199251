//! QEMU's multifd: the streams in which it migrates memory, one connection for each channel.
//!
//! Each channel has a [`Sender`] and a [`Receiver`], over any `Write` and `Read`. They use the
//! packets of QEMU 9.1 to 10, which an unmodified QEMU reads and writes: see [migration].
//! Channels are independent of each other between two SYNCs. At a SYNC, everything that any channel
//! sent before it must be applied before anything sent after it.
//!
//! [migration]: https://github.com/uadk-compress/uadk-compress/blob/main/docs/migration.md
//!
//! ```
//! use std::sync::atomic::AtomicU64;
//! use uadk_compress_pages::GuestRam;
//! use uadk_compress_pages::multifd::{Method, PacketNumbers, Receiver, Sender, Settings, relay};
//!
//! let (plain, uadk) = (Settings::new(Method::None), Settings::new(Method::Uadk));
//! let memory: Vec<AtomicU64> = (0..1024).map(|i| AtomicU64::new(i / 64)).collect();
//! let (mut sent, mut relayed) = (Vec::new(), Vec::new());
//! let mut source = Sender::new(&mut sent, 0, &plain, PacketNumbers::default())?;
//! source.send("pc.ram", &GuestRam::from_words(&memory), &[0, 4096])?;
//!
//! let mut receiver = Receiver::new(&sent[..], &plain)?;
//! let mut sender = Sender::new(&mut relayed, 0, &uadk, PacketNumbers::default())?;
//! relay(&mut receiver, &mut sender, |_, _| {})?;
//! assert!(relayed.len() < sent.len() / 2, "only the relay compresses");
//! # Ok::<(), uadk_compress_pages::Error>(())
//! ```

mod decode;
mod encode;
mod packet;
mod reader;
mod receiver;
mod relay;
mod sender;
mod settings;
mod wire;

pub use crate::error::ErrorKind;
pub use crate::method::{Method, UnknownMethod};
pub use packet::{DeviceState, Event, Packet};
pub use receiver::{RamBlocks, Received, Receiver};
pub use relay::{relay, relay_pipelined};
pub use sender::{PacketNumbers, Sender};
pub use settings::{Settings, ZlibMode, ZstdMode};
pub use wire::Hello;

/// The first bytes of a multifd channel's connection.
pub const CHANNEL_MAGIC: [u8; 4] = wire::MAGIC.to_be_bytes();
/// The first bytes of a migration's main connection: `QEVM`.
pub const MAIN_MAGIC: [u8; 4] = *b"QEVM";
