//! Sends one channel.

use std::io::{self, IoSlice, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::encode::Encoder;
use super::packet::{DeviceState, Packet};
use super::settings::Settings;
use super::wire::{self, Counts, Hello};
use crate::error::{Error, ErrorKind};
use crate::memory::GuestRam;
use crate::reuse::reuse;
use crate::stage::Stage;

/// Numbers packets over all channels of a migration: each channel's sender gets a clone.
///
/// ```
/// use uadk_compress_pages::multifd::{Event, Method, PacketNumbers, Receiver, Sender, Settings};
///
/// let (numbers, settings) = (PacketNumbers::default(), Settings::new(Method::None));
/// let (mut first, mut second) = (Vec::new(), Vec::new());
/// Sender::new(&mut first, 0, &settings, numbers.clone())?.sync()?;
/// Sender::new(&mut second, 1, &settings, numbers)?.sync()?;
///
/// let mut receiver = Receiver::new(&second[..], &settings)?;
/// assert!(matches!(receiver.receive()?, Some(Event::Sync { number: 1 })));
/// # Ok::<(), uadk_compress_pages::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct PacketNumbers(Arc<AtomicU64>);

impl PacketNumbers {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Relaxed)
    }
}

/// Writes one channel of a migration, for QEMU or a [`Receiver`](super::Receiver) to read.
///
/// It writes a packet with one `write_vectored` where the connection allows: pass it the
/// connection itself, unbuffered.
///
/// ```
/// use std::sync::atomic::AtomicU64;
/// use uadk_compress_pages::GuestRam;
/// use uadk_compress_pages::multifd::{Method, PacketNumbers, Receiver, Sender, Settings};
///
/// let memory: Vec<AtomicU64> = (0..1024).map(AtomicU64::new).collect();
/// let settings = Settings::new(Method::Uadk);
/// let mut connection = Vec::new();
/// let mut sender = Sender::new(&mut connection, 0, &settings, PacketNumbers::default())?;
/// sender.send("pc.ram", &GuestRam::from_words(&memory), &[0, 4096])?;
/// sender.sync()?;
///
/// let arrived: Vec<AtomicU64> = (0..1024).map(|_| AtomicU64::new(0)).collect();
/// let mut receiver = Receiver::new(&connection[..], &settings)?;
/// while receiver.receive_into(&[("pc.ram", GuestRam::from_words(&arrived))])?.is_some() {}
/// assert_eq!(arrived[1023].load(std::sync::atomic::Ordering::Relaxed), 1023);
/// # Ok::<(), uadk_compress_pages::Error>(())
/// ```
#[derive(Debug)]
pub struct Sender<W> {
    output: W,
    channel: u8,
    settings: Settings,
    numbers: PacketNumbers,
    packets: u64,
    encoder: Encoder,
    /// Whether a payload has been written.
    begun: bool,
    stage: Stage,
    header: Vec<u8>,
    slices: Vec<IoSlice<'static>>,
    payload_bytes: u64,
}

impl<W: Write> Sender<W> {
    /// Sends the hello of channel number `channel`.
    ///
    /// # Errors
    ///
    /// If the connection fails, or the settings contradict each other.
    pub fn new(
        mut output: W,
        channel: u8,
        settings: &Settings,
        numbers: PacketNumbers,
    ) -> Result<Self, Error> {
        let here = |kind: ErrorKind| kind.at(Some(channel), None);
        let settings = settings.resolved().map_err(here)?;
        let encoder = Encoder::new(&settings).map_err(here)?;
        let hello = Hello { uuid: settings.uuid.unwrap_or_default(), channel };
        output.write_all(&hello.to_bytes()).map_err(|error| here(error.into()))?;
        let pages = settings.pages_per_packet();
        Ok(Self {
            output,
            channel,
            numbers,
            packets: 0,
            encoder,
            begun: false,
            stage: Stage::new(settings.page_size, pages),
            header: vec![0; wire::header_len(settings.page_size).max(wire::DEVICE_STATE_LEN)],
            settings,
            slices: Vec::with_capacity(2 * pages + 2),
            payload_bytes: 0,
        })
    }

    /// Sends the pages at `offsets` of a ramblock, in as many packets as they need. Pages may
    /// change meanwhile: send those that did again after the next [`sync`](Self::sync).
    ///
    /// # Errors
    ///
    /// If the connection fails, a page is outside the memory, or the name is longer than 255 bytes.
    pub fn send(&mut self, block: &str, ram: &GuestRam<'_>, offsets: &[u64]) -> Result<(), Error> {
        for batch in offsets.chunks(self.settings.pages_per_packet()) {
            self.try_send(block, ram, batch).map_err(|kind| self.here(kind))?;
            self.packets += 1;
        }
        Ok(())
    }

    /// Sends a packet that a [`Receiver`](super::Receiver) received: the same pages under the same
    /// number, compressed as this channel's settings say.
    ///
    /// # Errors
    ///
    /// If the connection fails, or the packet has another page size.
    pub fn relay(&mut self, packet: &Packet) -> Result<(), Error> {
        self.relay_encoded(packet, None)
    }

    /// Like [`relay`](Self::relay), with the payload that a
    /// [`worker_encoder`](Self::worker_encoder) has encoded, if any.
    pub(super) fn relay_encoded(
        &mut self,
        packet: &Packet,
        encoded_by: Option<&Encoder>,
    ) -> Result<(), Error> {
        self.try_relay(packet, encoded_by).map_err(|kind| self.here(kind))?;
        self.packets += 1;
        Ok(())
    }

    /// Returns another encoder for this channel's packets, with pages of `page_size`, in any order;
    /// `None` if each packet depends on those before it.
    pub(super) fn worker_encoder(&self, page_size: usize) -> Result<Option<Encoder>, Error> {
        self.check_page_size(page_size).map_err(|kind| self.here(kind))?;
        if self.encoder.is_stateful() {
            return Ok(None);
        }
        Encoder::new(&self.settings).map(Some).map_err(|kind| self.here(kind))
    }

    /// Ends a round.
    ///
    /// # Errors
    ///
    /// If the connection fails.
    pub fn sync(&mut self) -> Result<(), Error> {
        let number = self.numbers.next();
        self.relay_sync(number)
    }

    /// Ends a round, under the number of a received packet.
    ///
    /// # Errors
    ///
    /// If the connection fails.
    pub fn relay_sync(&mut self, number: u64) -> Result<(), Error> {
        let header = &mut self.header[..wire::header_len(self.settings.page_size)];
        let counts = Counts { number, ..Counts::default() };
        wire::write_header(header, wire::SYNC, counts, "", std::iter::empty());
        let written = self.output.write_all(header);
        written.map_err(|error| self.here(error.into()))?;
        self.packets += 1;
        Ok(())
    }

    /// Passes a device's state on.
    ///
    /// # Errors
    ///
    /// If the connection fails.
    pub fn relay_device_state(&mut self, state: &DeviceState) -> Result<(), Error> {
        let header = &mut self.header[..wire::DEVICE_STATE_LEN];
        header.fill(0);
        wire::put_prefix(header, wire::DEVICE_STATE);
        let name_end = wire::PREFIX_LEN + wire::NAME_LEN;
        let name = state.device.as_bytes();
        header[wire::PREFIX_LEN..wire::PREFIX_LEN + name.len()].copy_from_slice(name);
        header[name_end..name_end + 4].copy_from_slice(&state.instance.to_be_bytes());
        header[name_end + 4..].copy_from_slice(&(state.payload.len() as u32).to_be_bytes());
        let written =
            self.output.write_all(header).and_then(|()| self.output.write_all(&state.payload));
        written.map_err(|error| self.here(error.into()))?;
        self.packets += 1;
        Ok(())
    }

    /// Returns the number of payload bytes written so far: compressed pages, without headers.
    pub const fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    /// Returns the connection.
    pub const fn get_ref(&self) -> &W {
        &self.output
    }

    fn try_send(
        &mut self,
        block: &str,
        ram: &GuestRam<'_>,
        offsets: &[u64],
    ) -> Result<(), ErrorKind> {
        self.stage.gather(ram, offsets).map_err(ErrorKind::batch)?;
        let stage = std::mem::replace(&mut self.stage, Stage::new(0, 0));
        let number = self.numbers.next();
        let (normal, zero) = (stage.normal(), stage.zero());
        let sent =
            self.write(None, &Contents { block, number, normal, zero, pages: stage.pages() });
        self.stage = stage;
        sent
    }

    fn try_relay(
        &mut self,
        packet: &Packet,
        encoded_by: Option<&Encoder>,
    ) -> Result<(), ErrorKind> {
        self.check_page_size(packet.page_size)?;
        let (normal, zero) = packet.offsets.split_at(packet.normal);
        let Packet { number, ref block, ref pages, .. } = *packet;
        self.write(encoded_by, &Contents { block, number, normal, zero, pages })
    }

    fn check_page_size(&self, page_size: usize) -> Result<(), ErrorKind> {
        if page_size == self.settings.page_size {
            Ok(())
        } else {
            Err(ErrorKind::Unsupported("the packet has another page size".into()))
        }
    }

    /// Writes a packet with the payload that `encoded_by` has, or encodes the payload itself.
    fn write(
        &mut self,
        encoded_by: Option<&Encoder>,
        contents: &Contents<'_>,
    ) -> Result<(), ErrorKind> {
        let Contents { block, number, normal, zero, pages } = *contents;
        let page_size = self.settings.page_size;
        if block.len() >= wire::NAME_LEN {
            return Err(ErrorKind::Name);
        }
        let encoder = if let Some(encoder) = encoded_by {
            encoder
        } else {
            self.encoder.encode(pages, page_size)?;
            &self.encoder
        };
        let mut slices: Vec<IoSlice<'_>> = reuse(std::mem::take(&mut self.slices));
        if !pages.is_empty() && !std::mem::replace(&mut self.begun, true) {
            slices.extend(encoder.stream_header().map(IoSlice::new));
        }
        encoder.payload(pages, page_size, &mut slices);
        let payload: usize = slices.iter().map(|slice| slice.len()).sum();
        self.payload_bytes += payload as u64;
        let header = &mut self.header[..wire::header_len(page_size)];
        let counts = Counts {
            allocated: self.settings.pages_per_packet() as u32,
            normal: normal.len() as u32,
            payload: payload as u32,
            number,
            zero: zero.len() as u32,
        };
        let flags = wire::flags(self.settings.method, false);
        wire::write_header(header, flags, counts, block, normal.iter().chain(zero).copied());
        slices.insert(0, IoSlice::new(header));
        let written = write_all(&mut self.output, &mut slices);
        self.slices = reuse(slices);
        Ok(written?)
    }

    const fn here(&self, kind: ErrorKind) -> Error {
        kind.at(Some(self.channel), Some(self.packets))
    }
}

/// The contents of a packet of pages.
struct Contents<'c> {
    block: &'c str,
    number: u64,
    /// Offsets of the pages with data.
    normal: &'c [u64],
    /// Offsets of the zero pages.
    zero: &'c [u64],
    /// The pages with data, contiguous.
    pages: &'c [u8],
}

/// The most slices that Linux takes at once (`UIO_MAXIOV`).
const MAX_SLICES: usize = 1024;

fn write_all(output: &mut impl Write, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
    while !slices.is_empty() {
        let some = slices.len().min(MAX_SLICES);
        match output.write_vectored(&slices[..some]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(len) => IoSlice::advance_slices(&mut slices, len),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
