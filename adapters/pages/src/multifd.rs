//! QEMU's multifd: the streams in which it migrates memory, one connection for each channel.
//!
//! Each channel has a [`Sender`] and a [`Receiver`], over any `Write` and `Read`. They use the
//! packets of QEMU 9.1 to 10, which an unmodified QEMU reads and writes: see `docs/migration.md`.
//! Channels are independent of each other between two SYNCs. At a SYNC, everything that any channel
//! sent before it must be applied before anything sent after it.

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
pub use settings::{Settings, ZlibMode};
pub use wire::Hello;

/// The first bytes of a multifd channel's connection.
pub const CHANNEL_MAGIC: [u8; 4] = wire::MAGIC.to_be_bytes();
/// The first bytes of a migration's main connection: `QEVM`.
pub const MAIN_MAGIC: [u8; 4] = *b"QEVM";
