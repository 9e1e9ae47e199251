//! What comes out of a stream.

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
}

impl Packet {
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
