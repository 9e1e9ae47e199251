//! What ends a multifd stream, and where.

use std::io;

use super::method::{Method, name_of_bits};

/// What is wrong with a stream, in which channel and packet.
#[derive(Debug)]
pub struct Error {
    /// The channel, as its hello says; `None` if it had not said hello yet.
    pub channel: Option<u8>,
    /// The packet, counted from 0 within its channel; `None` in the hello.
    pub packet: Option<u64>,
    /// What is wrong.
    pub kind: ErrorKind,
}

/// What is wrong with a stream.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// The stream ends inside of something.
    #[error("the stream ends inside of {0}: the other side died, or the stream was cut off")]
    Ends(&'static str),
    /// It is not a multifd stream.
    #[error(
        "it begins with {0:#010x} instead of multifd's 0x11223344: this is no multifd channel, or bytes were lost before it"
    )]
    Magic(u32),
    /// Of a version that is not known.
    #[error("multifd version {0} is not known: QEMU 9.1 to 10 have version 1")]
    Version(u32),
    /// A hello that is not as it must be.
    #[error("the hello is damaged: {0}")]
    Hello(&'static str),
    /// Another guest's stream.
    #[error("the stream is of another guest: its UUID differs")]
    Uuid,
    /// Flags that do not exist, or not together.
    #[error("flags {0:#x} are not known: the packet is damaged, or of a QEMU newer than 10")]
    Flags(u32),
    /// A packet that only older QEMUs send.
    #[error(
        "a SYNC packet with pages, or a packet without any, is what QEMU before 9.0 sends: use \
         QEMU 9.1 or newer on the source"
    )]
    OldQemu,
    /// Another method than was agreed upon.
    #[error("the packet's method is {}, but {expected} is what this side was told: set multifd-compression to the same on both sides", name_of_bits(*found))]
    Method {
        /// The flags' bits.
        found: u32,
        /// What was agreed upon.
        expected: Method,
    },
    /// Another page size, or damage.
    #[error(
        "the packet has room for {allocated} pages instead of {expected}: it is damaged, or of a target with another page size"
    )]
    PagesAllocated {
        /// What the packet says.
        allocated: u32,
        /// What the page size makes it.
        expected: usize,
    },
    /// More pages than there is room for.
    #[error(
        "{normal} pages and {zero} zero pages are more than the {room} that a packet has room for"
    )]
    TooManyPages {
        /// Pages with data.
        normal: u32,
        /// Pages without.
        zero: u32,
        /// The most that a packet has.
        room: usize,
    },
    /// A name without end, or not in UTF-8.
    #[error("a ramblock's or device's name is damaged")]
    Name,
    /// A block that this side does not have.
    #[error("there is no ramblock {0:?} here: start both QEMUs with the same memory and devices")]
    UnknownBlock(String),
    /// Outside of the block, or not at a page.
    #[error(
        "page {index} is at offset {offset:#x}, which is no page of ramblock {block:?} ({size:#x} bytes)"
    )]
    Offset {
        /// Which of the packet's pages.
        index: usize,
        /// What the packet says.
        offset: u64,
        /// The ramblock.
        block: String,
        /// Its length; `u64::MAX` if it is not known here.
        size: u64,
    },
    /// A payload of another length than its pages can have.
    #[error("a payload of {payload} bytes can't be that of {pages} pages by method {method}")]
    Payload {
        /// What the packet says.
        payload: u32,
        /// How many pages it is for.
        pages: usize,
        /// The method.
        method: Method,
    },
    /// A page that claims an impossible length.
    #[error("page {index} claims a length of {len} bytes")]
    PageLength {
        /// Which of the packet's pages.
        index: usize,
        /// What it claims.
        len: u32,
    },
    /// Lengths that do not sum up.
    #[error("the lengths of its pages make {sum} bytes, and its payload has {payload}")]
    Lengths {
        /// What the pages claim together.
        sum: u64,
        /// What is there for them.
        payload: usize,
    },
    /// A page that does not decompress to a page.
    #[error("page {index} is damaged: {why}")]
    Page {
        /// Which of the packet's pages.
        index: usize,
        /// What its decompression says.
        why: String,
    },
    /// A stream that does not decompress to the packet's pages.
    #[error("the {method} stream is damaged: {why}")]
    Stream {
        /// The method.
        method: Method,
        /// What its decompression says.
        why: String,
    },
    /// A device's state of a length that nobody sends.
    #[error("{len} bytes of state of device {device:?} are more than the {limit} allowed")]
    DeviceState {
        /// The device.
        device: String,
        /// What the packet says.
        len: u32,
        /// What is allowed.
        limit: u32,
    },
    /// What the caller asked for can't be sent.
    #[error("{0}")]
    Unsupported(String),
}

impl ErrorKind {
    pub(crate) const fn at(self, channel: Option<u8>, packet: Option<u64>) -> Error {
        Error { channel, packet, kind: self }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.channel, self.packet) {
            (Some(channel), Some(packet)) => {
                write!(f, "multifd channel {channel}, packet {packet}: {}", self.kind)
            }
            (Some(channel), None) => write!(f, "multifd channel {channel}: {}", self.kind),
            (None, _) => write!(f, "multifd channel that said no hello: {}", self.kind),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            ErrorKind::Io(error) => Some(error),
            _ => None,
        }
    }
}
