//! In steady state, batches and packets allocate nothing.

#[path = "multifd/guest.rs"]
#[allow(dead_code)]
mod guest;

use std::sync::Arc;

use guest::{Memory, all_settings};
use uadk_compress::{Compressor, Format};
use uadk_compress_pages::multifd::{PacketNumbers, Receiver, Sender};
use uadk_compress_pages::{Channel, Page, ZeroPages};

#[test]
fn batches_allocate_nothing() {
    let codec = Arc::new(Compressor::builder().format(Format::Zlib).build().expect("software"));
    let mut channel = Channel::new(codec.clone(), 4096, 128).expect("a page size");
    let mut back = Channel::new(codec, 4096, 128).expect("a page size");
    let (memory, restored) = (Memory::guest_like(128), Memory::new(128));
    let offsets = memory.offsets();
    let mut pages: Vec<(u64, Page<'_>)> = Vec::with_capacity(128);
    let batch = channel.compress(&memory.ram(), &offsets).expect("in range");
    pages.extend(offsets.iter().copied().zip(batch.pages()));
    back.decompress(&restored.ram(), pages.iter().copied(), ZeroPages::Write).expect("intact");
    let counted = allocation_counter::measure(|| {
        for _ in 0..10 {
            back.decompress(&restored.ram(), pages.iter().copied(), ZeroPages::Write)
                .expect("intact");
        }
    });
    assert_eq!(counted.count_total, 0);
    drop(pages);
    let counted = allocation_counter::measure(|| {
        for _ in 0..10 {
            let batch = channel.compress(&memory.ram(), &offsets).expect("in range");
            assert_eq!(batch.io_slices().count(), 96);
        }
    });
    assert_eq!(counted.count_total, 0);
    assert!(restored.bytes() == memory.bytes());
}

#[test]
fn packets_allocate_nothing() {
    for settings in all_settings() {
        let (memory, arrived) = (Memory::guest_like(128), Memory::new(128));
        let offsets = memory.offsets();
        let output = std::io::Cursor::new(vec![0; 16 << 20]);
        let mut sender =
            Sender::new(output, 0, &settings, PacketNumbers::default()).expect("a hello");
        let mut send = || sender.send("ram", &memory.ram(), &offsets).expect("sent");
        // libzstd itself allocates for its first packets.
        (0..4).for_each(|_| send());
        let counted = allocation_counter::measure(|| (0..10).for_each(|_| send()));
        assert_eq!(counted.count_total, 0, "sending by {settings:?}");

        let stream = sender.get_ref().get_ref().clone();
        let mut receiver = Receiver::new(&stream[..], &settings).expect("a hello");
        let blocks = [("ram", arrived.ram())];
        let mut receive = || receiver.receive_into(&blocks).expect("intact");
        (0..4).for_each(|_| assert!(receive().is_some()));
        let counted =
            allocation_counter::measure(|| (0..10).for_each(|_| assert!(receive().is_some())));
        assert_eq!(counted.count_total, 0, "receiving by {settings:?}");
    }
}
