//! Reads packets from a connection and checks them, without decompressing them.

use std::io::{self, Read};

use super::decode::payload_is_possible;
use super::packet::{DeviceState, Kind, Packet};
use super::settings::Settings;
use super::wire::{self, Counts, Flags, Hello};
use crate::error::{Error, ErrorKind};
use crate::method::Method;

/// A device's state is allocated in steps of this size, as its bytes arrive.
const STATE_STEP: usize = 1 << 20;

/// Reads and checks the packets of one channel's connection.
#[derive(Debug)]
pub(super) struct PacketReader<R> {
    input: R,
    settings: Settings,
    hello: Hello,
    header: Vec<u8>,
    state: DeviceState,
}

impl<R: Read> PacketReader<R> {
    /// Reads the channel's hello.
    pub(super) fn new(mut input: R, settings: Settings) -> Result<Self, Error> {
        let unknown = |kind: ErrorKind| kind.at(None, None);
        let mut bytes = [0; wire::HELLO_LEN];
        read(&mut input, &mut bytes, "the hello").map_err(unknown)?;
        let hello = Hello::parse(&bytes).map_err(unknown)?;
        if settings.uuid.is_some_and(|uuid| uuid != hello.uuid) {
            return Err(ErrorKind::Uuid.at(Some(hello.channel), None));
        }
        let header = vec![0; wire::header_len(settings.page_size).max(wire::DEVICE_STATE_LEN)];
        Ok(Self { input, settings, hello, header, state: DeviceState::default() })
    }

    pub(super) const fn hello(&self) -> Hello {
        self.hello
    }

    pub(super) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the last device state that was read.
    pub(super) const fn state(&self) -> &DeviceState {
        &self.state
    }

    /// Reads a packet; returns `None` at the end of the stream. Pages stay compressed: see
    /// [`Decoder::decode`](super::decode::Decoder::decode).
    pub(super) fn read(&mut self, packet: &mut Packet) -> Result<Option<Kind>, ErrorKind> {
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
        packet.number = counts.number;
        let empty = counts.normal == 0 && counts.zero == 0;
        if flags.sync != empty {
            return Err(ErrorKind::OldQemu);
        }
        if flags.sync {
            // The rest of the header is left over from the previous packet.
            return Ok(Some(Kind::Sync));
        }
        if flags.method != self.settings.method.bits() {
            let expected = self.settings.method;
            return Err(ErrorKind::Method { found: flags.method, expected });
        }
        counts.check(page_size)?;
        self.read_pages(counts, packet)?;
        Ok(Some(Kind::Pages))
    }

    /// Reads the bytes that all headers have in common; returns `false` at the end of the stream.
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

    fn read_pages(&mut self, counts: Counts, packet: &mut Packet) -> Result<(), ErrorKind> {
        let Settings { page_size, method, .. } = self.settings;
        let normal = counts.normal as usize;
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
        let payload = if method == Method::None {
            &mut packet.pages
        } else {
            packet.compressed.resize(counts.payload as usize, 0);
            &mut packet.compressed
        };
        read(&mut self.input, payload, "a packet's pages")
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

/// Fills `buffer`.
fn read(input: &mut impl Read, buffer: &mut [u8], what: &'static str) -> Result<(), ErrorKind> {
    input.read_exact(buffer).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => ErrorKind::Ends(what),
        _ => error.into(),
    })
}
