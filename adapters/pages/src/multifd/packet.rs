//! What comes out of a stream.

use super::settings::Settings;
use crate::error::ErrorKind;

/// What was read from a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Pages, into the caller's packet.
    Pages,
    /// A SYNC; its number is the packet's.
    Sync,
    /// A device's state, which the reader keeps.
    DeviceState,
}

/// A packet of pages, decompressed.
#[derive(Debug, Default)]
pub struct Packet {
    pub(crate) number: u64,
    pub(crate) block: String,
    pub(crate) page_size: usize,
    /// Offsets of the pages with data, then those of the zero pages.
    pub(crate) offsets: Vec<u64>,
    pub(crate) normal: usize,
    /// The pages with data, one behind the other.
    pub(crate) pages: Vec<u8>,
    /// Bytes that the pages took in the stream.
    pub(crate) payload: u32,
    /// Those bytes, unless the method is none.
    pub(crate) compressed: Vec<u8>,
}

impl Packet {
    /// An empty packet with room for all pages that fit into one.
    pub(crate) fn with_room(settings: &Settings) -> Self {
        let pages = settings.pages_per_packet();
        Self {
            page_size: settings.page_size,
            offsets: Vec::with_capacity(pages),
            pages: Vec::with_capacity(settings.page_size * pages),
            ..Self::default()
        }
    }

    /// The packet's number, counted over all channels of a migration.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The ramblock that its pages are of.
    #[must_use]
    pub fn block(&self) -> &str {
        &self.block
    }

    /// The pages with data, and their offsets in the ramblock.
    #[must_use]
    pub fn pages(&self) -> impl ExactSizeIterator<Item = (u64, &[u8])> {
        self.offsets[..self.normal].iter().copied().zip(self.pages.chunks_exact(self.page_size))
    }

    /// Offsets of the pages that are zero.
    #[must_use]
    pub fn zero_pages(&self) -> &[u64] {
        &self.offsets[self.normal..]
    }

    /// Bytes that the pages took in the stream, without the header.
    #[must_use]
    pub const fn payload_len(&self) -> u32 {
        self.payload
    }

    /// Fails unless every offset is that of a page in a block of `size` bytes.
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

/// State of a device, passed along as it is.
#[derive(Debug, Default)]
pub struct DeviceState {
    pub(crate) device: String,
    pub(crate) instance: u32,
    pub(crate) payload: Vec<u8>,
}

impl DeviceState {
    /// The device's name.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Which of the devices with this name.
    #[must_use]
    pub const fn instance(&self) -> u32 {
        self.instance
    }

    /// The state.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }
}

/// What a channel delivers.
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
