//! Guest memory and streams for tests.

use std::sync::atomic::AtomicU64;

use rand::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;
use uadk_compress_pages::Error;
use uadk_compress_pages::GuestRam;
use uadk_compress_pages::multifd::{
    Method, PacketNumbers, Received, Receiver, Sender, Settings, ZlibMode, ZstdMode,
};

pub(crate) const PAGE: usize = 4096;

/// Memory that is compared as bytes.
#[derive(Debug)]
pub(crate) struct Memory(Vec<AtomicU64>);

impl Memory {
    pub(crate) fn new(pages: usize) -> Self {
        Self((0..pages * PAGE / 8).map(|_| AtomicU64::new(0)).collect())
    }

    /// Creates memory with zero pages, text, tables and noise in turn.
    pub(crate) fn guest_like(pages: usize) -> Self {
        let memory = Self::new(pages);
        let mut page = [0; PAGE];
        for number in 0..pages {
            fill(&mut page, number as u64);
            memory.ram().write((number * PAGE) as u64, &page).expect("in range");
        }
        memory
    }

    pub(crate) fn ram(&self) -> GuestRam<'_> {
        GuestRam::from_words(&self.0)
    }

    pub(crate) fn words(&self) -> &[AtomicU64] {
        &self.0
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.0.len() * 8];
        self.ram().read(0, &mut bytes).expect("in range");
        bytes
    }

    pub(crate) fn offsets(&self) -> Vec<u64> {
        (0..self.ram().len()).step_by(PAGE).collect()
    }
}

/// Fills a page with contents that depend on its number: every fourth page is zero.
pub(crate) fn fill(page: &mut [u8], number: u64) {
    match number % 4 {
        0 => page.fill(0),
        1 => page.as_chunks_mut().0.fill(*b"pagetext"),
        2 => {
            for (i, word) in page.as_chunks_mut().0.iter_mut().enumerate() {
                *word = (number * 512 + i as u64).to_le_bytes();
            }
        }
        _ => Pcg64Mcg::seed_from_u64(number).fill_bytes(page),
    }
}

/// Returns a channel's stream, written by `send`.
pub(crate) fn stream(
    settings: &Settings,
    send: impl FnOnce(&mut Sender<&mut Vec<u8>>) -> Result<(), Error>,
) -> Vec<u8> {
    let mut stream = Vec::new();
    let mut sender = Sender::new(&mut stream, 3, settings, PacketNumbers::default())
        .expect("writes to a vector");
    send(&mut sender).expect("writes to a vector");
    stream
}

/// Returns settings for both modes of zlib and zstd, and for every other method.
pub(crate) fn all_settings() -> impl Iterator<Item = Settings> {
    let stream = Settings::new(Method::Zlib).zlib(ZlibMode::Stream);
    Method::ALL.into_iter().map(Settings::new).chain([stream, frames()])
}

/// Returns settings for zstd, with each page as a frame.
pub(crate) fn frames() -> Settings {
    Settings::new(Method::Zstd).zstd(ZstdMode::Frames)
}

/// Returns a stream of six pages (two of them zero), a SYNC, and a zero page.
pub(crate) fn small_stream(method: Method) -> Vec<u8> {
    small_stream_of(&Settings::new(method))
}

/// Like [`small_stream`], with other settings.
pub(crate) fn small_stream_of(settings: &Settings) -> Vec<u8> {
    let memory = Memory::guest_like(6);
    stream(settings, |sender| {
        sender.send("ram", &memory.ram(), &memory.offsets())?;
        sender.sync()?;
        sender.send("ram", &memory.ram(), &[0])
    })
}

/// Returns a packet with a device's state: magic, version, flags, name, instance, length, and the
/// state.
pub(crate) fn device_state(payload: &[u8]) -> Vec<u8> {
    let mut packet = [&0x1122_3344_u32.to_be_bytes()[..], &[0, 0, 0, 1], &[0, 0, 0, 0x40]].concat();
    packet.extend_from_slice(b"vfio");
    packet.resize(12 + 256, 0);
    packet.extend_from_slice(&9_u32.to_be_bytes());
    packet.extend_from_slice(&(payload.len() as u32).to_be_bytes());
    packet.extend_from_slice(payload);
    packet
}

/// Reads a stream into `memory`, which is the block "ram". Returns the packets.
pub(crate) fn receive(
    stream: &[u8],
    settings: &Settings,
    memory: &Memory,
) -> Result<Vec<Received>, Error> {
    let mut receiver = Receiver::new(stream, settings)?;
    let mut packets = Vec::new();
    while let Some(received) = receiver.receive_into(&[("ram", memory.ram())])? {
        packets.push(received);
    }
    Ok(packets)
}

/// Returns the error and its sources, as a program prints them.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
