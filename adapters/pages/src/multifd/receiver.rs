//! One channel, received.

use std::io::{self, Read};

use super::decode::{Decoder, payload_is_possible};
use super::packet::{DeviceState, Event, Packet};
use super::settings::Settings;
use super::wire::{self, Counts, Flags, Hello};
use crate::error::{Error, ErrorKind};
use crate::memory::GuestRam;

/// Bytes of a device's state that are allocated before they have arrived.
const STATE_STEP: usize = 1 << 20;

/// The memory that pages go to.
pub trait RamBlocks {
    /// The ramblock of this name.
    fn block(&self, name: &str) -> Option<GuestRam<'_>>;
}

impl RamBlocks for [(&str, GuestRam<'_>)] {
    fn block(&self, name: &str) -> Option<GuestRam<'_>> {
        self.iter().find(|(own, _)| *own == name).map(|(_, ram)| *ram)
    }
}

impl<const N: usize> RamBlocks for [(&str, GuestRam<'_>); N] {
    fn block(&self, name: &str) -> Option<GuestRam<'_>> {
        self.as_slice().block(name)
    }
}

impl RamBlocks for Vec<(String, GuestRam<'_>)> {
    fn block(&self, name: &str) -> Option<GuestRam<'_>> {
        self.iter().find(|(own, _)| own == name).map(|(_, ram)| *ram)
    }
}

/// What a call of [`Receiver::receive_into`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Received {
    /// Pages were written.
    Pages {
        /// Pages with data.
        normal: usize,
        /// Pages made zero.
        zero: usize,
    },
    /// A round ended.
    Sync,
    /// A device's state came, which is no memory's.
    DeviceState,
}

/// Reads one channel of a migration: checks everything, and never allocates more than a packet's
/// buffers on a stream's word.
///
/// ```no_run
/// use std::net::TcpStream;
/// use uadk_compress_pages::GuestRam;
/// use uadk_compress_pages::multifd::{Method, Receiver, Settings};
///
/// # fn example(connection: TcpStream, ram: GuestRam<'_>) -> Result<(), Box<dyn std::error::Error>> {
/// let mut receiver = Receiver::new(connection, &Settings::new(Method::Zlib))?;
/// let blocks = [("pc.ram", ram)];
/// while let Some(_received) = receiver.receive_into(&blocks)? {}
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Receiver<R> {
    input: R,
    settings: Settings,
    hello: Hello,
    /// Packets received so far.
    packets: u64,
    decoder: Decoder,
    header: Vec<u8>,
    payload: Vec<u8>,
    packet: Packet,
    state: DeviceState,
}

impl<R: Read> Receiver<R> {
    /// Reads the channel's hello.
    ///
    /// # Errors
    ///
    /// If it does not come, is damaged, or has another UUID than the settings demand; and for
    /// settings that do not go together.
    pub fn new(mut input: R, settings: &Settings) -> Result<Self, Error> {
        let unknown = |kind: ErrorKind| kind.at(None, None);
        let decoder = Decoder::new(settings).map_err(unknown)?;
        let mut bytes = [0; wire::HELLO_LEN];
        read(&mut input, &mut bytes, "the hello").map_err(unknown)?;
        let hello = Hello::parse(&bytes).map_err(unknown)?;
        if settings.uuid.is_some_and(|uuid| uuid != hello.uuid) {
            return Err(ErrorKind::Uuid.at(Some(hello.channel), None));
        }
        let packet = Packet {
            page_size: settings.page_size,
            offsets: Vec::with_capacity(settings.pages_per_packet()),
            pages: Vec::with_capacity(wire::PACKET_BYTES),
            ..Packet::default()
        };
        Ok(Self {
            input,
            settings: settings.clone(),
            hello,
            packets: 0,
            decoder,
            header: vec![0; wire::header_len(settings.page_size).max(wire::DEVICE_STATE_LEN)],
            payload: Vec::new(),
            packet,
            state: DeviceState::default(),
        })
    }

    /// What the channel said first.
    pub const fn hello(&self) -> Hello {
        self.hello
    }

    /// Reads a packet; `None` when the channel has ended, which it may between packets only.
    ///
    /// # Errors
    ///
    /// If the connection fails or anything in the packet is wrong. The stream can't be read any
    /// further then.
    pub fn receive(&mut self) -> Result<Option<Event<'_>>, Error> {
        let place = (Some(self.hello.channel), Some(self.packets));
        let kind = self.receive_packet().map_err(|kind| kind.at(place.0, place.1))?;
        self.packets += 1;
        Ok(kind.map(|kind| match kind {
            Kind::Pages => Event::Pages(&self.packet),
            Kind::Sync => Event::Sync { number: self.packet.number },
            Kind::DeviceState => Event::DeviceState(&self.state),
        }))
    }

    /// Reads a packet and puts its pages where they belong; `None` when the channel has ended.
    ///
    /// Zero pages are made zero, in whatever round they come.
    ///
    /// # Errors
    ///
    /// As for [`receive`](Self::receive), and if a page is outside of its block; then nothing of the
    /// packet has been written.
    pub fn receive_into(&mut self, blocks: &impl RamBlocks) -> Result<Option<Received>, Error> {
        let place = (Some(self.hello.channel), Some(self.packets));
        match self.receive()? {
            None => Ok(None),
            Some(Event::Sync { .. }) => Ok(Some(Received::Sync)),
            Some(Event::DeviceState(_)) => Ok(Some(Received::DeviceState)),
            Some(Event::Pages(packet)) => {
                packet.apply(blocks).map_err(|kind| kind.at(place.0, place.1))?;
                let (normal, zero) = (packet.normal, packet.zero_pages().len());
                Ok(Some(Received::Pages { normal, zero }))
            }
        }
    }

    fn receive_packet(&mut self) -> Result<Option<Kind>, ErrorKind> {
        if !self.read_prefix()? {
            return Ok(None);
        }
        wire::check_magic(&self.header)?;
        let flags = Flags::parse(&self.header)?;
        if flags.device_state {
            return self.read_device_state().map(|()| Some(Kind::DeviceState));
        }
        let page_size = self.settings.page_size;
        let header = &mut self.header[..wire::header_len(page_size)];
        read(&mut self.input, &mut header[wire::PREFIX_LEN..], "a packet's header")?;
        let counts = Counts::parse(header);
        self.packet.number = counts.number;
        let empty = counts.normal == 0 && counts.zero == 0;
        if flags.sync != empty {
            return Err(ErrorKind::OldQemu);
        }
        if flags.sync {
            // What else is in it is left over from the packet before.
            return Ok(Some(Kind::Sync));
        }
        if flags.method != self.settings.method.bits() {
            let expected = self.settings.method;
            return Err(ErrorKind::Method { found: flags.method, expected });
        }
        counts.check(page_size)?;
        self.read_pages(counts)?;
        Ok(Some(Kind::Pages))
    }

    /// The bytes that all headers have in common; false at the end of the stream.
    fn read_prefix(&mut self) -> Result<bool, ErrorKind> {
        let mut filled = 0;
        while filled < wire::PREFIX_LEN {
            match self.input.read(&mut self.header[filled..wire::PREFIX_LEN]) {
                Ok(0) if filled == 0 => return Ok(false),
                Ok(0) => return Err(ErrorKind::Ends("a packet's header")),
                Ok(len) => filled += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    fn read_pages(&mut self, counts: Counts) -> Result<(), ErrorKind> {
        let Settings { page_size, method, .. } = self.settings;
        let normal = counts.normal as usize;
        let packet = &mut self.packet;
        packet.block.clear();
        packet.block.push_str(wire::block_name(&self.header)?);
        packet.offsets.clear();
        packet.offsets.extend(wire::offsets(&self.header, normal + counts.zero as usize));
        packet.normal = normal;
        packet.payload = counts.payload;
        packet.check_offsets(u64::MAX)?;
        if !payload_is_possible(method, counts.payload, normal, page_size) {
            return Err(ErrorKind::Payload { payload: counts.payload, pages: normal, method });
        }
        packet.pages.resize(normal * page_size, 0);
        if let Decoder::None = self.decoder {
            return read(&mut self.input, &mut packet.pages, "a packet's pages");
        }
        self.payload.resize(counts.payload as usize, 0);
        read(&mut self.input, &mut self.payload, "a packet's pages")?;
        self.decoder.decode(&self.payload, page_size, &mut packet.pages)
    }

    fn read_device_state(&mut self) -> Result<(), ErrorKind> {
        let header = &mut self.header[..wire::DEVICE_STATE_LEN];
        read(&mut self.input, &mut header[wire::PREFIX_LEN..], "a device's header")?;
        let name_end = wire::PREFIX_LEN + wire::NAME_LEN;
        let device = wire::name(&header[wire::PREFIX_LEN..name_end])?;
        let len = wire::u32_at(header, name_end + 4);
        let limit = self.settings.max_device_state;
        if len > limit {
            return Err(ErrorKind::DeviceState { device: device.to_owned(), len, limit });
        }
        self.state.device.clear();
        self.state.device.push_str(device);
        self.state.instance = wire::u32_at(header, name_end);
        self.state.payload.clear();
        let mut left = len as usize;
        while left > 0 {
            let (filled, step) = (self.state.payload.len(), left.min(STATE_STEP));
            self.state.payload.resize(filled + step, 0);
            read(&mut self.input, &mut self.state.payload[filled..], "a device's state")?;
            left -= step;
        }
        Ok(())
    }
}

enum Kind {
    Pages,
    Sync,
    DeviceState,
}

impl Packet {
    /// Fails unless every offset is that of a page in a block of `size` bytes.
    fn check_offsets(&self, size: u64) -> Result<(), ErrorKind> {
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

    fn apply(&self, blocks: &impl RamBlocks) -> Result<(), ErrorKind> {
        let unknown = || ErrorKind::UnknownBlock(self.block.clone());
        let ram = blocks.block(&self.block).ok_or_else(unknown)?;
        self.check_offsets(ram.len())?;
        let outside = |error: crate::OutOfRange| ErrorKind::Offset {
            index: 0,
            offset: error.offset,
            block: self.block.clone(),
            size: error.size,
        };
        for (offset, page) in self.pages() {
            ram.write(offset, page).map_err(outside)?;
        }
        for offset in self.zero_pages() {
            ram.clear(*offset, self.page_size).map_err(outside)?;
        }
        Ok(())
    }
}

/// Fills `buffer`.
fn read(input: &mut impl Read, buffer: &mut [u8], what: &'static str) -> Result<(), ErrorKind> {
    input.read_exact(buffer).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => ErrorKind::Ends(what),
        _ => error.into(),
    })
}
