//! Receives one channel.

use std::io::Read;

use super::decode::Decoder;
use super::packet::{DeviceState, Event, Kind, Packet};
use super::reader::PacketReader;
use super::settings::{Settings, ZstdMode};
use super::wire::Hello;
use crate::error::{Error, ErrorKind};
use crate::memory::GuestRam;

/// The memory that received pages are written to.
///
/// ```
/// use std::sync::atomic::AtomicU64;
/// use uadk_compress_pages::GuestRam;
/// use uadk_compress_pages::multifd::RamBlocks;
///
/// struct Guest(Vec<AtomicU64>);
///
/// impl RamBlocks for Guest {
///     fn block(&self, name: &str) -> Option<GuestRam<'_>> {
///         (name == "pc.ram").then(|| GuestRam::from_words(&self.0))
///     }
/// }
///
/// let guest = Guest((0..512).map(AtomicU64::new).collect());
/// assert_eq!(guest.block("pc.ram").map(|ram| ram.len()), Some(4096));
/// assert!(guest.block("pc.rom").is_none());
/// ```
pub trait RamBlocks {
    /// Returns the ramblock of this name.
    fn block(&self, name: &str) -> Option<GuestRam<'_>>;
}

impl RamBlocks for [(&str, GuestRam<'_>)] {
    fn block(&self, name: &str) -> Option<GuestRam<'_>> {
        self.iter().find(|(block, _)| *block == name).map(|(_, ram)| *ram)
    }
}

impl<const N: usize> RamBlocks for [(&str, GuestRam<'_>); N] {
    fn block(&self, name: &str) -> Option<GuestRam<'_>> {
        self.as_slice().block(name)
    }
}

impl RamBlocks for Vec<(String, GuestRam<'_>)> {
    fn block(&self, name: &str) -> Option<GuestRam<'_>> {
        self.iter().find(|(block, _)| block == name).map(|(_, ram)| *ram)
    }
}

/// The result of [`Receiver::receive_into`].
///
/// ```
/// use uadk_compress_pages::GuestRam;
/// use uadk_compress_pages::multifd::{Method, Received, Receiver, Settings};
///
/// let settings = Settings::new(Method::Zstd);
/// # use std::sync::atomic::AtomicU64;
/// # use uadk_compress_pages::multifd::{PacketNumbers, Sender};
/// # let memory: Vec<AtomicU64> = (0..1024).map(|i| AtomicU64::new(i / 512)).collect();
/// # let mut connection = Vec::new();
/// # let mut sender = Sender::new(&mut connection, 0, &settings, PacketNumbers::default())?;
/// # sender.send("pc.ram", &GuestRam::from_words(&memory), &[0, 4096])?;
/// # sender.sync()?;
/// let blocks = [("pc.ram", GuestRam::from_words(&memory))];
/// let mut receiver = Receiver::new(&connection[..], &settings)?;
/// assert_eq!(receiver.receive_into(&blocks)?, Some(Received::Pages { normal: 1, zero: 1 }));
/// assert_eq!(receiver.receive_into(&blocks)?, Some(Received::Sync));
/// assert_eq!(receiver.receive_into(&blocks)?, None);
/// # Ok::<(), uadk_compress_pages::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Received {
    /// Pages were written.
    Pages {
        /// Pages with data.
        normal: usize,
        /// Zero pages.
        zero: usize,
    },
    /// A round ended.
    Sync,
    /// A device's state was received, which is not written to memory.
    DeviceState,
}

/// Reads one channel of a migration. Checks everything: whatever lengths a stream claims, no more
/// than a packet's buffers are allocated for them.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
/// use uadk_compress_pages::GuestRam;
/// use uadk_compress_pages::multifd::{Method, Receiver, Settings};
///
/// # use uadk_compress_pages::multifd::{PacketNumbers, Sender};
/// # let source: Vec<AtomicU64> = (0..1024).map(AtomicU64::new).collect();
/// # let mut connection = Vec::new();
/// # let (settings, numbers) = (Settings::new(Method::Zlib), PacketNumbers::default());
/// # let mut sender = Sender::new(&mut connection, 3, &settings, numbers)?;
/// # sender.send("pc.ram", &GuestRam::from_words(&source), &[0, 4096])?;
/// # sender.sync()?;
/// // A slice, a `TcpStream`, or any other `Read`.
/// let mut receiver = Receiver::new(&connection[..], &Settings::new(Method::Zlib))?;
/// assert_eq!(receiver.hello().channel, 3);
/// let memory = [const { AtomicU64::new(0) }; 1024];
/// let blocks = [("pc.ram", GuestRam::from_words(&memory))];
/// while let Some(received) = receiver.receive_into(&blocks)? {
///     println!("{received:?}");
/// }
/// assert_eq!(memory[1023].load(Relaxed), 1023);
/// # Ok::<(), uadk_compress_pages::Error>(())
/// ```
#[derive(Debug)]
pub struct Receiver<R> {
    reader: PacketReader<R>,
    /// Packets received so far.
    packets: u64,
    decoder: Decoder,
    packet: Packet,
}

impl<R: Read> Receiver<R> {
    /// Reads the channel's hello.
    ///
    /// # Errors
    ///
    /// If the hello is missing, damaged, or has another UUID than the settings require; and if the
    /// settings contradict each other.
    pub fn new(input: R, settings: &Settings) -> Result<Self, Error> {
        let unknown = |kind: ErrorKind| kind.at(None, None);
        // The decoder reads both modes of zstd, without a codec.
        let settings = settings.clone().zstd(ZstdMode::Stream).resolved().map_err(unknown)?;
        let decoder = Decoder::new(&settings).map_err(unknown)?;
        let packet = Packet::with_capacity(&settings);
        let reader = PacketReader::new(input, settings)?;
        Ok(Self { reader, packets: 0, decoder, packet })
    }

    /// Returns the channel's hello.
    pub const fn hello(&self) -> Hello {
        self.reader.hello()
    }

    /// Reads a packet; returns `None` at the end of the channel, which may only be between packets.
    ///
    /// # Errors
    ///
    /// If the connection fails or anything in the packet is wrong. The stream can't be read any
    /// further then.
    pub fn receive(&mut self) -> Result<Option<Event<'_>>, Error> {
        let (channel, packet) = (Some(self.hello().channel), Some(self.packets));
        let kind = self.receive_packet().map_err(|kind| kind.at(channel, packet))?;
        self.packets += 1;
        Ok(kind.map(|kind| Event::new(kind, &self.packet, self.reader.state())))
    }

    /// Reads a packet and writes its pages to their ramblock; returns `None` at the end of the
    /// channel.
    ///
    /// Zero pages are zeroed in every round.
    ///
    /// # Errors
    ///
    /// As for [`receive`](Self::receive), and if a page is outside its block; then no part of the
    /// packet has been written.
    pub fn receive_into(&mut self, blocks: &impl RamBlocks) -> Result<Option<Received>, Error> {
        let (channel, number) = (Some(self.hello().channel), Some(self.packets));
        match self.receive()? {
            None => Ok(None),
            Some(Event::Sync { .. }) => Ok(Some(Received::Sync)),
            Some(Event::DeviceState(_)) => Ok(Some(Received::DeviceState)),
            Some(Event::Pages(packet)) => {
                packet.apply(blocks).map_err(|kind| kind.at(channel, number))?;
                let (normal, zero) = (packet.normal, packet.zero_pages().len());
                Ok(Some(Received::Pages { normal, zero }))
            }
        }
    }

    fn receive_packet(&mut self) -> Result<Option<Kind>, ErrorKind> {
        let kind = self.reader.read(&mut self.packet)?;
        if kind == Some(Kind::Pages) {
            self.decoder.decode(&mut self.packet)?;
        }
        Ok(kind)
    }

    /// Reads a packet into `packet`, for [`relay`](super::relay). Its pages stay compressed if
    /// [`worker_decoder`](Self::worker_decoder) returns a decoder for them.
    pub(super) fn read(&mut self, packet: &mut Packet) -> Result<Option<Kind>, ErrorKind> {
        let kind = self.reader.read(packet)?;
        if kind == Some(Kind::Pages) && self.decoder.is_stateful() {
            self.decoder.decode(packet)?;
        }
        self.packets += 1;
        Ok(kind)
    }

    /// Returns another decoder for this channel's packets, in any order; `None` if each packet
    /// depends on those before it.
    pub(super) fn worker_decoder(&self) -> Result<Option<Decoder>, Error> {
        if self.decoder.is_stateful() {
            return Ok(None);
        }
        let here = |kind: ErrorKind| kind.at(Some(self.hello().channel), Some(self.packets));
        Decoder::new(self.reader.settings()).map(Some).map_err(here)
    }

    /// Creates a packet to read into.
    pub(super) fn new_packet(&self) -> Packet {
        Packet::with_capacity(self.reader.settings())
    }

    /// Returns the number of packets received so far.
    pub(super) const fn packets(&self) -> u64 {
        self.packets
    }

    /// Returns the last device state that was received.
    pub(super) const fn device_state(&self) -> &DeviceState {
        self.reader.state()
    }
}

impl Packet {
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
