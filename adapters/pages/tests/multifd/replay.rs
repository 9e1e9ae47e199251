//! Streams that real QEMUs sent, kept as files. A test of `uadk-compress-cli` recorded them
//! (`UADK_COMPRESS_FIXTURES` in tests/migration) with QEMU 10.0.2. Two channels, at least two
//! rounds, a megabyte of memory.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use uadk_compress_pages::multifd::{
    Method, PacketNumbers, Received, Receiver, Sender, Settings, relay,
};

use crate::guest::{Memory, all_settings};

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Returns the guest's memory at the end.
fn guest_ram() -> Vec<u8> {
    let file = File::open(fixture("ram.gz")).expect("a fixture");
    let mut ram = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut ram).expect("a fixture");
    ram
}

fn streams(method: Method) -> [Vec<u8>; 2] {
    [0, 1].map(|channel| {
        fs::read(fixture(&format!("{method}-{channel}.multifd"))).expect("a fixture")
    })
}

/// Reads both channels, each up to its next SYNC in turn, as a destination must.
fn replay(streams: &[Vec<u8>; 2], settings: &Settings) -> Vec<u8> {
    let (ram, bios, rom) = (Memory::new(256), Memory::new(64), Memory::new(32));
    let blocks = [("ram0", ram.ram()), ("pc.bios", bios.ram()), ("pc.rom", rom.ram())];
    let mut receivers =
        streams.each_ref().map(|stream| Receiver::new(&stream[..], settings).expect("a hello"));
    let mut rounds = 0;
    loop {
        let mut ended = 0;
        for receiver in &mut receivers {
            loop {
                match receiver.receive_into(&blocks).expect("an intact stream") {
                    Some(Received::Sync) => break,
                    None => {
                        ended += 1;
                        break;
                    }
                    Some(_) => {}
                }
            }
        }
        if ended == 2 {
            break;
        }
        assert_eq!(ended, 0, "both have the same rounds");
        rounds += 1;
    }
    assert!(rounds >= 2, "{rounds}");
    ram.bytes()
}

#[test]
fn streams_of_real_qemus_restore_the_guests_memory() {
    for method in [Method::None, Method::Zlib, Method::Zstd] {
        let ram = replay(&streams(method), &Settings::new(method));
        assert!(ram == guest_ram(), "{method}");
    }
}

#[test]
fn streams_of_real_qemus_restore_it_after_a_relay_with_any_method() {
    for from in [Method::None, Method::Zlib, Method::Zstd] {
        for to in all_settings() {
            let relayed = streams(from).map(|stream| {
                let mut relayed = Vec::new();
                let mut receiver =
                    Receiver::new(&stream[..], &Settings::new(from)).expect("a hello");
                let channel = receiver.hello().channel;
                let numbers = PacketNumbers::default();
                let mut sender = Sender::new(&mut relayed, channel, &to, numbers).expect("a hello");
                relay(&mut receiver, &mut sender, |_, _| {}).expect("an intact stream");
                relayed
            });
            assert!(replay(&relayed, &to) == guest_ram(), "{from} to {to:?}");
        }
    }
}

#[test]
fn without_compression_we_write_what_qemu_writes() {
    for stream in streams(Method::None) {
        let settings = Settings::new(Method::None);
        let mut relayed = Vec::new();
        let mut receiver = Receiver::new(&stream[..], &settings).expect("a hello");
        let channel = receiver.hello().channel;
        let mut sender = Sender::new(&mut relayed, channel, &settings, PacketNumbers::default())
            .expect("a hello");
        relay(&mut receiver, &mut sender, |_, _| {}).expect("an intact stream");
        assert!(relayed == stream, "channel {channel}");
    }
}
