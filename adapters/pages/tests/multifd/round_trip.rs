//! What is sent arrives, with every method and page size.

use std::sync::Arc;

use uadk_compress::{Compressor, Format};
use uadk_compress_pages::Error;
use uadk_compress_pages::GuestRam;
use uadk_compress_pages::multifd::{
    Event, Method, PacketNumbers, Received, Receiver, Sender, Settings, ZlibMode, ZstdMode, relay,
};

use crate::guest::{Memory, PAGE, chain, device_state, receive, small_stream, stream};

#[test]
fn all_methods_carry_all_pages() {
    let memory = Memory::guest_like(1000);
    for method in Method::ALL {
        let modes = [(ZlibMode::Segments, ZstdMode::Stream), (ZlibMode::Stream, ZstdMode::Frames)];
        for (zlib, zstd) in modes {
            for page_size in [PAGE, 16 << 10, 64 << 10] {
                let settings = Settings::new(method).zlib(zlib).zstd(zstd).page_size(page_size);
                let offsets: Vec<u64> =
                    (0..memory.ram().len() / 65536 * 65536).step_by(page_size).collect();
                let stream = stream(&settings, |sender| {
                    sender.send("ram", &memory.ram(), &offsets)?;
                    sender.sync()
                });
                let arrived = Memory::new(1000);
                receive(&stream, &settings, &arrived)
                    .unwrap_or_else(|error| panic!("{method}, {page_size}: {error}"));
                let len = offsets.len() * page_size;
                assert!(arrived.bytes()[..len] == memory.bytes()[..len], "{method} {page_size}");
            }
        }
    }
}

#[test]
fn compression_compresses() {
    let memory = Memory::guest_like(400);
    let len = |method| {
        let settings = Settings::new(method).zstd(ZstdMode::Frames);
        stream(&settings, |sender| sender.send("ram", &memory.ram(), &memory.offsets())).len()
    };
    let none = len(Method::None);
    for method in [Method::Zlib, Method::Zstd, Method::Qpl, Method::Uadk] {
        assert!(len(method) < none * 6 / 10, "{method}: {} of {none}", len(method));
    }
}

#[test]
fn a_packet_has_pages_of_one_block_and_the_numbers_count_all_channels() {
    let memory = Memory::guest_like(8);
    let numbers = PacketNumbers::default();
    let settings = Settings::new(Method::Uadk);
    let mut streams = [Vec::new(), Vec::new()];
    let [first, second] = &mut streams;
    let mut first = Sender::new(first, 0, &settings, numbers.clone()).expect("a hello");
    let mut second = Sender::new(second, 1, &settings, numbers).expect("a hello");
    first.send("ram", &memory.ram(), &[0, 4096]).expect("sent");
    second.send("rom", &memory.ram(), &[8192, 12288]).expect("sent");
    first.send("rom", &memory.ram(), &[4 * 4096]).expect("sent");
    second.sync().expect("sent");

    let (ram, rom) = (Memory::new(8), Memory::new(8));
    for stream in &streams {
        let mut receiver = Receiver::new(&stream[..], &settings).expect("a hello");
        let blocks = [("ram", ram.ram()), ("rom", rom.ram())];
        while receiver.receive_into(&blocks).expect("intact").is_some() {}
    }
    assert_eq!(ram.bytes()[..8192], memory.bytes()[..8192]);
    assert_eq!(rom.bytes()[8192..16384], memory.bytes()[8192..16384]);
    let mut receiver = Receiver::new(&streams[0][..], &settings).expect("a hello");
    for (number, block) in [(0, "ram"), (2, "rom")] {
        let Ok(Some(Event::Pages(packet))) = receiver.receive() else { panic!("pages") };
        assert_eq!((packet.number(), packet.block()), (number, block));
    }
}

#[test]
fn a_hello_has_channel_and_uuid_and_another_guests_is_refused() {
    let uuid = [7; 16];
    let settings = Settings::new(Method::None).uuid(uuid);
    let stream = stream(&settings, |_| Ok(()));
    let hello = Receiver::new(&stream[..], &settings).expect("the same").hello();
    assert_eq!((hello.channel, hello.uuid), (3, uuid));
    assert!(
        Receiver::new(&stream[..], &Settings::new(Method::None)).is_ok(),
        "any UUID is accepted"
    );
    let error = Receiver::new(&stream[..], &settings.uuid([8; 16])).unwrap_err();
    assert_eq!(
        chain(&error),
        "multifd channel 3 failed at its hello: the stream belongs to another guest: \
         its UUID differs"
    );
}

fn sync(sender: &mut Sender<&mut Vec<u8>>) -> Result<(), Error> {
    sender.sync()
}

#[test]
fn a_relay_keeps_packets_and_passes_device_state_on() {
    let memory = Memory::guest_like(300);
    for from in Method::ALL {
        for to in Method::ALL {
            let (from, to) = (Settings::new(from), Settings::new(to));
            let mut sent =
                stream(&from, |sender| sender.send("ram", &memory.ram(), &memory.offsets()));
            sent.extend_from_slice(&device_state(&[5; 3000]));
            sent.extend_from_slice(&stream(&from, sync)[64..]);
            let mut relayed = Vec::new();
            let mut receiver = Receiver::new(&sent[..], &from).expect("a hello");
            let numbers = PacketNumbers::default();
            let mut sender = Sender::new(&mut relayed, 3, &to, numbers).expect("a hello");
            let mut relayed_packets = 0;
            relay(&mut receiver, &mut sender, |_, _| relayed_packets += 1).expect("intact");
            assert_eq!(relayed_packets, 5);
            let arrived = Memory::new(300);
            let packets = receive(&relayed, &to, &arrived).expect("intact");
            assert_eq!(packets[3..], [Received::DeviceState, Received::Sync]);
            assert!(arrived.bytes() == memory.bytes(), "{from:?} {to:?}");
            let at =
                relayed.windows(4).position(|bytes| bytes == b"vfio").expect("the device's name");
            assert!(relayed[at - 12..].starts_with(&device_state(&[5; 3000])));
        }
    }
}

#[test]
fn a_codec_of_another_format_is_refused() {
    let gzip = Compressor::builder().format(Format::Gzip).build().expect("software");
    let settings = Settings::new(Method::Uadk).codec(Arc::new(gzip));
    let error = Sender::new(Vec::new(), 0, &settings, PacketNumbers::default()).unwrap_err();
    assert!(chain(&error).contains("needs a codec of format zlib"), "{error}");
}

#[test]
fn pages_outside_the_memory_and_invalid_page_sizes_are_refused() {
    let memory = Memory::guest_like(4);
    let mut sender =
        Sender::new(Vec::new(), 0, &Settings::new(Method::None), PacketNumbers::default())
            .expect("a hello");
    for offset in [4 * 4096, u64::MAX - 4095, 4] {
        assert!(sender.send("ram", &memory.ram(), &[offset]).is_err());
    }
    assert!(sender.send(&"n".repeat(256), &memory.ram(), &[0]).is_err());
    for page_size in [0, 1, 2048, 5000, 128 << 10, usize::MAX] {
        let settings = Settings::new(Method::None).page_size(page_size);
        let new = Sender::new(Vec::new(), 0, &settings, PacketNumbers::default());
        assert!(new.is_err(), "{page_size}");
    }
}

#[test]
fn one_call_may_take_any_number_of_pages() {
    let memory = Memory::guest_like(300);
    let settings = Settings::new(Method::None);
    let stream = stream(&settings, |sender| {
        sender.send("ram", &memory.ram(), &[])?;
        sender.send("ram", &memory.ram(), &memory.offsets())
    });
    let received = receive(&stream, &settings, &Memory::new(300)).expect("intact");
    assert_eq!(received[2], Received::Pages { normal: 33, zero: 11 });
    assert_eq!(received.len(), 3);
    let ram = GuestRam::from_words(memory.words());
    assert_eq!(ram.len(), 300 * 4096);
    assert!(!small_stream(Method::None).is_empty());
}
