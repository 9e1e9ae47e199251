//! The errors of this crate.

use std::io;

use uadk_compress::pool::Panicked;

use crate::damage::Damage;
use crate::memory::OutOfRange;
use crate::method::{Method, name_of_bits};

/// Why pages, a multifd stream or a snapshot can't be written or read.
///
/// Messages don't repeat their source: print the whole chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A range that is not inside the memory.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),

    /// A page size that pages don't have: they have 4096 to 65536 bytes, a power of two.
    #[error("{0} bytes are no page size")]
    PageSize(usize),
    /// A batch has more pages than the [`Channel`](crate::Channel) was made for.
    #[error("the batch has {pages} pages, more than the {max} that fit")]
    TooManyPages {
        /// Pages of the batch.
        pages: usize,
        /// The most that the channel takes.
        max: usize,
    },
    /// A page of a batch is outside of the memory.
    #[error("page {index} of the batch is outside of the memory")]
    Offset {
        /// Which of the batch's pages.
        index: usize,
        /// Where it would be.
        source: OutOfRange,
    },
    /// A page of a batch can't be decompressed.
    #[error("page {index} of the batch can't be decompressed")]
    Page {
        /// Which of the batch's pages.
        index: usize,
        /// What is wrong with it.
        source: PageFault,
    },

    /// A multifd channel failed: its stream is damaged, its connection broke, or its settings don't
    /// go together.
    #[error("{}", place(*channel, *packet))]
    Multifd {
        /// The channel, as its hello says; `None` before the hello.
        channel: Option<u8>,
        /// The packet, counted from 0 within its channel; `None` in the hello.
        packet: Option<u64>,
        /// What is wrong.
        #[source]
        kind: ErrorKind,
    },
    /// The source's side of a relayed channel failed.
    #[error("the channel from the source failed")]
    Source(#[source] Box<Error>),
    /// The destination's side of a relayed channel failed.
    #[error("the channel to the destination failed")]
    Destination(#[source] Box<Error>),

    /// The snapshot's file or pipe failed.
    #[error("the snapshot can't be read or written")]
    Io(#[from] io::Error),
    /// The guest's memory, or the file that stands for it, failed.
    #[error("the guest's memory can't be read or written")]
    Memory(#[source] io::Error),
    /// The compressor or the guest's memory, which may be the caller's own implementations,
    /// panicked.
    #[error("the snapshot can't be saved or restored")]
    Panicked(#[from] Panicked),
    /// The file is something other than a snapshot.
    #[error("the file is no snapshot: it begins with other bytes")]
    NotASnapshot,
    /// The snapshot has a version that is not known here: it was made by a newer program.
    #[error("the snapshot has version {0}, and only version 1 is known")]
    Version(u32),
    /// A part of the snapshot is damaged.
    #[error("{0}")]
    Damaged(Damage),
    /// The snapshot is incomplete: its writer did not finish, or its end is lost. What is whole of it
    /// can be restored by a [`StreamReader`](crate::snapshot::StreamReader).
    #[error("the snapshot is incomplete")]
    Incomplete,
    /// The layout can't be that of a guest.
    #[error("the memory's layout is not possible: {0}")]
    Layout(String),
    /// A delta and a snapshot that it was not made on. A chain begins with the base; the deltas follow
    /// in the order in which they were made.
    #[error("snapshot number {0} of the chain was not made on the one before it")]
    Chain(usize),
    /// A delta without the snapshot that it was made on.
    #[error("the snapshot has only the pages that changed since another one")]
    NeedsParent,
    /// No engine for the snapshot's format can be made.
    #[error("no engine for the snapshot can be made")]
    Engine(#[source] uadk_compress::Error),
    /// An engine that does not fit, or an address without memory.
    #[error("{0}")]
    Unsupported(String),
}

/// What is wrong with a compressed page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PageFault {
    /// The engine's error. Displays as that error.
    #[error(transparent)]
    Engine(#[from] uadk_compress::Error),
    /// It decompresses to less than a page.
    #[error("it decompresses to {len} bytes instead of {page_size}")]
    Short {
        /// Bytes that it decompressed to.
        len: usize,
        /// Bytes of a page.
        page_size: usize,
    },
    /// It decompresses to more than a page, is longer than a page, or is a raw page of another
    /// length.
    #[error("it has more or other than {page_size} bytes")]
    Long {
        /// Bytes of a page.
        page_size: usize,
    },
}

/// What is wrong with a multifd stream.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The connection failed.
    #[error("the connection failed")]
    Io(#[from] io::Error),
    /// The stream ends inside of something: the other side died, or the stream was cut off.
    #[error("the stream ends inside of {0}")]
    Ends(&'static str),
    /// It is no multifd stream, or bytes were lost before it.
    #[error("it begins with {0:#010x} instead of multifd's 0x11223344")]
    Magic(u32),
    /// A version that is not known. QEMU 9.1 to 10 have version 1.
    #[error("multifd version {0} is not known")]
    Version(u32),
    /// A damaged hello.
    #[error("the hello is damaged: {0}")]
    Hello(&'static str),
    /// Another guest's stream.
    #[error("the stream is of another guest: its UUID differs")]
    Uuid,
    /// Flags that don't exist, or not together: the packet is damaged, or of a QEMU newer than 10.
    #[error("flags {0:#x} are not known")]
    Flags(u32),
    /// A packet that only older QEMUs send. Use QEMU 9.1 or newer on the source.
    #[error("a SYNC packet with pages, or a packet without any, is what QEMU before 9.0 sends")]
    OldQemu,
    /// Another method than was agreed upon. `multifd-compression` must be the same on both sides.
    #[error("the packet's method is {}, but this side was told {expected}", name_of_bits(*found))]
    Method {
        /// The flags' bits.
        found: u32,
        /// What was agreed upon.
        expected: Method,
    },
    /// Another page size, or damage.
    #[error("the packet has room for {allocated} pages instead of {expected}")]
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
    /// A ramblock that this side does not have. Both QEMUs need the same memory and devices.
    #[error("there is no ramblock {0:?} here")]
    UnknownBlock(String),
    /// An offset outside of the block, or not at a page.
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
    /// Lengths that don't sum up.
    #[error("the lengths of its pages make {sum} bytes, and its payload has {payload}")]
    Lengths {
        /// What the pages claim together.
        sum: u64,
        /// What is there for them.
        payload: usize,
    },
    /// A page that does not decompress to a page.
    #[error("page {index} can't be decompressed")]
    Page {
        /// Which of the packet's pages.
        index: usize,
        /// What is wrong with it.
        source: PageFault,
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
    /// The pages can't be sent: they have a size that pages don't have, or are outside of the memory.
    #[error("the pages can't be sent")]
    Batch(#[source] Box<Error>),
    /// No engine for the method can be made.
    #[error("no engine for method {method} can be made")]
    Engine {
        /// The method.
        method: Method,
        /// Why not.
        source: uadk_compress::Error,
    },
    /// The engine, which may be the caller's own implementation, panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// What the caller asked for can't be sent.
    #[error("{0}")]
    Unsupported(String),
}

impl ErrorKind {
    pub(crate) const fn at(self, channel: Option<u8>, packet: Option<u64>) -> Error {
        Error::Multifd { channel, packet, kind: self }
    }

    pub(crate) fn batch(error: Error) -> Self {
        Self::Batch(Box::new(error))
    }
}

/// Where a multifd stream failed.
fn place(channel: Option<u8>, packet: Option<u64>) -> String {
    match (channel, packet) {
        (Some(channel), Some(packet)) => {
            format!("multifd channel {channel} failed at packet {packet}")
        }
        (Some(channel), None) => format!("multifd channel {channel} failed at its hello"),
        (None, _) => "a multifd channel failed before its hello".to_owned(),
    }
}
