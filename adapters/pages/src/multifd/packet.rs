//! Packets of a stream.

use super::settings::Settings;
use crate::error::ErrorKind;

/// The kind of a packet read from a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Pages, stored in the caller's packet.
    Pages,
    /// A SYNC; its number is stored in the caller's packet.
    Sync,
    /// A device's state, stored in the reader.
    DeviceState,
}

/// A packet of pages, decompressed.
///
/// ```
/// use uadk_compress_pages::multifd::{Event, Method, Receiver, Settings};
///
/// let settings = Settings::new(Method::Zstd);
/// # use std::sync::atomic::AtomicU64;
/// # use uadk_compress_pages::GuestRam;
/// # use uadk_compress_pages::multifd::{PacketNumbers, Sender};
/// # let memory: Vec<AtomicU64> = (0..1024).map(|i| AtomicU64::new(i / 512)).collect();
/// # let mut connection = Vec::new();
/// # let mut sender = Sender::new(&mut connection, 0, &settings, PacketNumbers::default())?;
/// # sender.send("pc.ram", &GuestRam::from_words(&memory), &[0, 4096])?;
/// # sender.sync()?;
/// let mut receiver = Receiver::new(&connection[..], &settings)?;
/// let Some(Event::Pages(packet)) = receiver.receive()? else { panic!("no pages") };
/// assert_eq!((packet.block(), packet.number()), ("pc.ram", 0));
/// assert_eq!(packet.zero_pages(), [0]);
/// let (offset, page) = packet.pages().next().expect("a page with data");
/// assert_eq!((offset, page.len()), (4096, 4096));
/// # Ok::<(), uadk_compress_pages::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Packet {
    pub(crate) number: u64,
    pub(crate) block: String,
    pub(crate) page_size: usize,
    /// Offsets of the pages with data, then those of the zero pages.
    pub(crate) offsets: Vec<u64>,
    pub(crate) normal: usize,
    /// The pages with data, contiguous.
    pub(crate) pages: Vec<u8>,
    /// The length of the page data in the stream, in bytes.
    pub(crate) payload: u32,
    /// That page data, unless the method is none.
    pub(crate) compressed: Vec<u8>,
}

impl Packet {
    /// Creates an empty packet with capacity for as many pages as a packet can have.
    pub(crate) fn with_capacity(settings: &Settings) -> Self {
        let pages = settings.pages_per_packet();
        Self {
            page_size: settings.page_size,
            offsets: Vec::with_capacity(pages),
            pages: Vec::with_capacity(settings.page_size * pages),
            ..Self::default()
        }
    }

    /// Returns the packet's number, counted over all channels of a migration.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Returns the name of the pages' ramblock.
    #[must_use]
    pub fn block(&self) -> &str {
        &self.block
    }

    /// Returns the pages with data, and their offsets in the ramblock.
    #[must_use]
    pub fn pages(&self) -> impl ExactSizeIterator<Item = (u64, &[u8])> {
        self.offsets[..self.normal].iter().copied().zip(self.pages.chunks_exact(self.page_size))
    }

    /// Returns the offsets of the zero pages.
    #[must_use]
    pub fn zero_pages(&self) -> &[u64] {
        &self.offsets[self.normal..]
    }

    /// Returns the length of the pages in the stream, without the header.
    #[must_use]
    pub const fn payload_len(&self) -> u32 {
        self.payload
    }

    /// Returns an error unless every offset is that of a page in a block of `size` bytes.
    pub(crate) fn check_offsets(&self, size: u64) -> Result<(), ErrorKind> {
        let page_size = self.page_size as u64;
        let valid = |offset: u64| {
            offset.is_multiple_of(page_size)
                && offset.checked_add(page_size).is_some_and(|end| end <= size)
        };
        match self.offsets.iter().position(|offset| !valid(*offset)) {
            None => Ok(()),
            Some(index) => Err(ErrorKind::Offset {
                index,
                offset: self.offsets[index],
                block: self.block.clone(),
                size,
            }),
        }
    }
}

/// A device's state, passed on unchanged.
///
/// ```
/// use uadk_compress_pages::multifd::{Event, Method, Receiver, Settings};
///
/// let settings = Settings::new(Method::None);
/// # use uadk_compress_pages::multifd::{CHANNEL_MAGIC, PacketNumbers, Sender};
/// # let mut connection: Vec<u8> = Vec::new();
/// # Sender::new(&mut connection, 0, &settings, PacketNumbers::default())?;
/// # connection.extend_from_slice(&CHANNEL_MAGIC);
/// # connection.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 0x40]);
/// # connection.extend_from_slice(b"vfio");
/// # connection.resize(64 + 12 + 256, 0);
/// # connection.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 5]);
/// # connection.extend_from_slice(b"state");
/// let mut receiver = Receiver::new(&connection[..], &settings)?;
/// let Some(Event::DeviceState(state)) = receiver.receive()? else { panic!("another packet") };
/// assert_eq!((state.device(), state.instance()), ("vfio", 1));
/// assert_eq!(state.payload(), b"state");
/// # Ok::<(), uadk_compress_pages::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct DeviceState {
    pub(crate) device: String,
    pub(crate) instance: u32,
    pub(crate) payload: Vec<u8>,
}

impl DeviceState {
    /// Returns the device's name.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Returns the device's number among those with this name.
    #[must_use]
    pub const fn instance(&self) -> u32 {
        self.instance
    }

    /// Returns the state.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }
}

/// A packet that a channel delivers.
///
/// ```
/// use uadk_compress_pages::multifd::{Event, Method, Receiver, Settings};
///
/// let settings = Settings::new(Method::Zstd);
/// # use std::sync::atomic::AtomicU64;
/// # use uadk_compress_pages::GuestRam;
/// # use uadk_compress_pages::multifd::{PacketNumbers, Sender};
/// # let memory: Vec<AtomicU64> = (0..1024).map(|i| AtomicU64::new(i / 512)).collect();
/// # let mut connection = Vec::new();
/// # let mut sender = Sender::new(&mut connection, 0, &settings, PacketNumbers::default())?;
/// # sender.send("pc.ram", &GuestRam::from_words(&memory), &[0, 4096])?;
/// # sender.sync()?;
/// let mut receiver = Receiver::new(&connection[..], &settings)?;
/// let mut log = Vec::new();
/// while let Some(event) = receiver.receive()? {
///     log.push(match event {
///         Event::Pages(packet) => format!("pages of {}", packet.block()),
///         Event::Sync { number } => format!("packet {number} is a SYNC"),
///         other => format!("{other:?}"),
///     });
/// }
/// assert_eq!(log, ["pages of pc.ram", "packet 1 is a SYNC"]);
/// # Ok::<(), uadk_compress_pages::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'r> {
    /// Pages of one ramblock.
    Pages(&'r Packet),
    /// The end of a round: every channel delivers one.
    Sync {
        /// The packet's number, counted over all channels.
        number: u64,
    },
    /// A device's state.
    DeviceState(&'r DeviceState),
}

impl<'r> Event<'r> {
    pub(super) const fn new(kind: Kind, packet: &'r Packet, state: &'r DeviceState) -> Self {
        match kind {
            Kind::Pages => Self::Pages(packet),
            Kind::Sync => Self::Sync { number: packet.number },
            Kind::DeviceState => Self::DeviceState(state),
        }
    }
}
