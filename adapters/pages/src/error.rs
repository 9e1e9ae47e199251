//! The errors of this crate.

use std::io;

use uadk_compress::pool::Panicked;

use crate::damage::Damage;
use crate::memory::OutOfRange;
use crate::method::{Method, name_of_bits};

/// An error from writing or reading pages, a multifd stream or a snapshot.
///
/// Messages don't repeat their source: print the whole chain.
///
/// ```
/// use uadk_compress_pages::Error;
/// use uadk_compress_pages::snapshot::Snapshot;
///
/// let file = [0_u8; 100];
/// let message = match Snapshot::open(&file[..]) {
///     Ok(snapshot) => format!("{} pages with data", snapshot.data_pages()),
///     Err(Error::Incomplete) => "truncated: a StreamReader restores the intact part".to_owned(),
///     Err(Error::NotASnapshot) => "a file of another kind".to_owned(),
///     Err(error) => error.to_string(),
/// };
/// assert_eq!(message, "a file of another kind");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A range is not inside the memory.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),

    /// An invalid page size.
    #[error("invalid page size {0}: must be a power of two from 4096 to 65536")]
    PageSize(usize),
    /// A batch has more pages than its [`Channel`](crate::Channel) allows.
    #[error("the batch has {pages} pages, more than the channel's limit of {max}")]
    TooManyPages {
        /// Pages in the batch.
        pages: usize,
        /// The channel's limit.
        max: usize,
    },
    /// A page of a batch is outside the memory.
    #[error("page {index} of the batch is outside the memory")]
    Offset {
        /// The page's index in the batch.
        index: usize,
        /// The page's range.
        source: OutOfRange,
    },
    /// A page of a batch can't be decompressed.
    #[error("page {index} of the batch can't be decompressed")]
    Page {
        /// The page's index in the batch.
        index: usize,
        /// The page's fault.
        source: PageFault,
    },

    /// A multifd channel failed: its stream is damaged, its connection broke, or its settings
    /// contradict each other.
    #[error("{}", location(*channel, *packet))]
    Multifd {
        /// The channel's number from its hello; `None` before the hello.
        channel: Option<u8>,
        /// The packet, counted from 0 within its channel; `None` in the hello.
        packet: Option<u64>,
        /// The cause.
        #[source]
        kind: ErrorKind,
    },
    /// The source side of a relayed channel failed.
    #[error("the channel from the source failed")]
    Source(#[source] Box<Error>),
    /// The destination side of a relayed channel failed.
    #[error("the channel to the destination failed")]
    Destination(#[source] Box<Error>),

    /// Reading or writing the snapshot's file or pipe failed.
    #[error("failed to read or write the snapshot")]
    Io(#[from] io::Error),
    /// Reading or writing the guest's memory, or the file that holds it, failed.
    #[error("failed to read or write the guest's memory")]
    Memory(#[source] io::Error),
    /// The compressor or the guest's memory, which may be the caller's own implementations,
    /// panicked.
    #[error("failed to save or restore the snapshot")]
    Panicked(#[from] Panicked),
    /// The file is not a snapshot.
    #[error("not a snapshot (bad magic)")]
    NotASnapshot,
    /// The snapshot's version is unknown: a newer program made it.
    #[error("unsupported snapshot version {0}: only version 1 is supported")]
    Version(u32),
    /// A part of the snapshot is damaged.
    #[error("{0}")]
    Damaged(Damage),
    /// The snapshot is incomplete: its writer did not finish, or its end is lost. A
    /// [`StreamReader`](crate::snapshot::StreamReader) can restore the intact part.
    #[error("the snapshot is incomplete")]
    Incomplete,
    /// The memory layout is invalid.
    #[error("invalid memory layout: {0}")]
    Layout(String),
    /// A delta does not follow the snapshot that it was made on. A chain begins with the base; the
    /// deltas follow in the order in which they were made.
    #[error("snapshot {0} of the chain was not made on the one before it")]
    Chain(usize),
    /// A delta without the snapshot that it was made on.
    #[error("the snapshot has only the pages that changed since its parent")]
    NeedsParent,
    /// Creating an engine for the snapshot's format failed.
    #[error("failed to create an engine for the snapshot")]
    Engine(#[source] uadk_compress::Error),
    /// A snapshot or an engine of another format, or an address without memory.
    #[error("{0}")]
    Unsupported(String),
}

/// A fault of a compressed page.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::AtomicU64;
/// use uadk_compress::Compressor;
/// use uadk_compress_pages::{Channel, Error, GuestRam, Page, PageFault, ZeroPages};
///
/// let memory = [const { AtomicU64::new(0) }; 512];
/// let ram = GuestRam::from_words(&memory);
/// let mut channel = Channel::new(Arc::new(Compressor::builder().build()?), 4096, 1)?;
/// let pages = [(0, Page::Compressed(&[0xff; 10]))].into_iter();
/// let result = channel.decompress(&ram, pages, ZeroPages::Fresh);
/// let Err(Error::Page { index: 0, source }) = result else { panic!("not detected") };
/// assert_eq!(source, PageFault::Engine(uadk_compress::Error::Corrupt));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PageFault {
    /// The engine's error. Displays as that error.
    #[error(transparent)]
    Engine(#[from] uadk_compress::Error),
    /// It decompresses to less than a page.
    #[error("decompressed to {len} bytes instead of {page_size}")]
    Short {
        /// Its decompressed length.
        len: usize,
        /// The page size.
        page_size: usize,
    },
    /// It decompresses to more than a page, is longer than a page, or is a raw page of the wrong
    /// length.
    #[error("longer than {page_size} bytes, or a raw page of another length")]
    Long {
        /// The page size.
        page_size: usize,
    },
}

/// An error in a multifd stream.
///
/// ```
/// use uadk_compress_pages::Error;
/// use uadk_compress_pages::multifd::{ErrorKind, Method, Receiver, Settings};
///
/// // Another program has connected.
/// let connection = [b'x'; 64];
/// match Receiver::new(&connection[..], &Settings::new(Method::Zlib)) {
///     Err(Error::Multifd { kind: ErrorKind::Magic(magic), .. }) => assert_eq!(magic, 0x7878_7878),
///     other => panic!("{other:?}"),
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The connection failed.
    #[error("the connection failed")]
    Io(#[from] io::Error),
    /// The stream ends too early: the other side died, or the stream was cut off.
    #[error("the stream ends inside {0}")]
    Ends(&'static str),
    /// Not a multifd stream, or bytes were lost before this point.
    #[error("bad magic {0:#010x} (expected multifd's 0x11223344)")]
    Magic(u32),
    /// An unknown version. QEMU 9.1 to 10 use version 1.
    #[error("unknown multifd version {0}")]
    Version(u32),
    /// A damaged hello.
    #[error("the hello is damaged: {0}")]
    Hello(&'static str),
    /// Another guest's stream.
    #[error("the stream belongs to another guest: its UUID differs")]
    Uuid,
    /// Flags that are unknown or exclude each other: the packet is damaged, or from a QEMU newer
    /// than 10.
    #[error("unknown flags {0:#x}")]
    Flags(u32),
    /// A packet that only old QEMUs send. Use QEMU 9.1 or newer on the source.
    #[error("only QEMU before 9.0 sends SYNC packets with pages, or other packets without")]
    OldQemu,
    /// A different method than agreed. `multifd-compression` must be the same on both sides.
    #[error("the packet's method is {}, but this side expects {expected}", name_of_bits(*found))]
    Method {
        /// The method's bits in the flags.
        found: u32,
        /// The agreed method.
        expected: Method,
    },
    /// A different page size, or damage.
    #[error("the packet's capacity is {allocated} pages instead of {expected}")]
    PagesAllocated {
        /// The capacity in the packet.
        allocated: u32,
        /// The capacity that follows from the page size.
        expected: usize,
    },
    /// More pages than a packet can hold.
    #[error("{normal} pages and {zero} zero pages exceed the packet's capacity of {capacity}")]
    TooManyPages {
        /// Pages with data.
        normal: u32,
        /// Zero pages.
        zero: u32,
        /// A packet's capacity.
        capacity: usize,
    },
    /// A name that is not terminated or not UTF-8.
    #[error("a ramblock's or device's name is damaged")]
    Name,
    /// A ramblock that this side does not have. Both QEMUs need the same memory and devices.
    #[error("unknown ramblock {0:?}")]
    UnknownBlock(String),
    /// An offset outside the block, or not a multiple of the page size.
    #[error(
        "page {index} is at offset {offset:#x}, which is not a page of ramblock {block:?} \
         ({size:#x} bytes)"
    )]
    Offset {
        /// The page's index in the packet.
        index: usize,
        /// The offset in the packet.
        offset: u64,
        /// The ramblock.
        block: String,
        /// Its length; `u64::MAX` if it is not known yet.
        size: u64,
    },
    /// A payload length that is impossible for the number of pages.
    #[error("invalid payload length {payload} for {pages} pages with method {method}")]
    Payload {
        /// The length in the packet.
        payload: u32,
        /// The number of pages.
        pages: usize,
        /// The method.
        method: Method,
    },
    /// A page with an impossible length.
    #[error("page {index} has an invalid length of {len} bytes")]
    PageLength {
        /// The page's index in the packet.
        index: usize,
        /// Its length in the packet.
        len: u32,
    },
    /// Page lengths that don't add up.
    #[error("the lengths of the pages add up to {sum} bytes, but the payload has {payload}")]
    Lengths {
        /// The sum of the page lengths.
        sum: u64,
        /// Bytes of page data in the payload.
        payload: usize,
    },
    /// A page that can't be decompressed.
    #[error("page {index} can't be decompressed")]
    Page {
        /// The page's index in the packet.
        index: usize,
        /// The page's fault.
        source: PageFault,
    },
    /// A stream that does not decompress to the packet's pages.
    #[error("the {method} stream is damaged: {reason}")]
    Stream {
        /// The method.
        method: Method,
        /// The reason.
        reason: String,
    },
    /// A device's state that exceeds the limit in the settings.
    #[error("device {device:?} has {len} bytes of state, more than the limit of {limit}")]
    DeviceState {
        /// The device.
        device: String,
        /// The length in the packet.
        len: u32,
        /// The limit.
        limit: u32,
    },
    /// The pages can't be sent: their size is invalid, or they are outside the memory.
    #[error("the pages can't be sent")]
    Batch(#[source] Box<Error>),
    /// Creating an engine for the method failed.
    #[error("failed to create an engine for method {method}")]
    Engine {
        /// The method.
        method: Method,
        /// The cause.
        source: uadk_compress::Error,
    },
    /// The engine, which may be the caller's own implementation, panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// A request that is not supported.
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

/// Describes where a multifd stream failed.
fn location(channel: Option<u8>, packet: Option<u64>) -> String {
    match (channel, packet) {
        (Some(channel), Some(packet)) => {
            format!("multifd channel {channel} failed at packet {packet}")
        }
        (Some(channel), None) => format!("multifd channel {channel} failed at its hello"),
        (None, _) => "a multifd channel failed before its hello".to_owned(),
    }
}
