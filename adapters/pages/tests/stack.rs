//! Batches, streams and snapshots work on threads with small stacks.
//!
//! The limit also holds for unoptimised builds, which use the most stack. `make test` runs this
//! test in one: `cargo test --profile unoptimised -p uadk-compress-pages --test stack`.

#[path = "multifd/guest.rs"]
#[allow(dead_code)]
mod guest;

use std::sync::Arc;
use std::thread;

use guest::{Memory, PAGE, all_settings, receive, stream};
use uadk_compress::{BlockCompressor, Compressor, Format};
use uadk_compress_pages::multifd::{PacketNumbers, Receiver, Sender};
use uadk_compress_pages::snapshot::{
    Chain, Layout, Pages, Progress, Region, RestoreOptions, SaveOptions, Snapshot, StreamReader,
    restore, save, verify,
};
use uadk_compress_pages::{Channel, Page, ZeroPages};

/// 16 KiB for the calls, and 16 KiB for the thread, the tests and the C library.
const STACK: usize = 32 << 10;

const PAGES: usize = 600;

/// Runs `call` on a thread with a small stack. An overflow aborts the process.
fn on_small_stack<T: Send>(call: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, call);
        thread.expect("a thread starts").join().expect("the call does not panic")
    })
}

fn codec(format: Format) -> Arc<dyn BlockCompressor> {
    Arc::new(Compressor::builder().format(format).build().expect("software is always there"))
}

#[test]
fn batches_work_on_a_small_stack() {
    let (memory, restored) = (Memory::guest_like(128), Memory::new(128));
    let offsets = memory.offsets();
    on_small_stack(|| {
        let codec = codec(Format::Zlib);
        let mut channel = Channel::new(codec.clone(), PAGE, 128).expect("a page size");
        let batch = channel.compress(&memory.ram(), &offsets).expect("in range");
        let pages: Vec<(u64, Page<'_>)> = offsets.iter().copied().zip(batch.pages()).collect();
        let mut back = Channel::new(codec, PAGE, 128).expect("a page size");
        back.decompress(&restored.ram(), pages.iter().copied(), ZeroPages::Write).expect("intact");
    });
    assert!(restored.bytes() == memory.bytes());
}

#[test]
fn streams_are_sent_received_and_relayed_on_a_small_stack() {
    let memory = Memory::guest_like(PAGES);
    for settings in all_settings() {
        let send = || {
            stream(&settings, |sender| {
                sender.send("ram", &memory.ram(), &memory.offsets())?;
                sender.sync()
            })
        };
        let stream = on_small_stack(send);
        let relayed = on_small_stack(|| {
            let mut relayed = Vec::new();
            let mut receiver = Receiver::new(&stream[..], &settings).expect("a hello");
            let mut sender = Sender::new(&mut relayed, 0, &settings, PacketNumbers::default())
                .expect("writes to a vector");
            uadk_compress_pages::multifd::relay(&mut receiver, &mut sender, |_, _| ())
                .expect("intact");
            relayed
        });
        for stream in [stream, relayed] {
            let arrived = Memory::new(PAGES);
            on_small_stack(|| receive(&stream, &settings, &arrived).expect("intact"));
            assert!(arrived.bytes() == memory.bytes());
        }
    }
}

#[test]
fn snapshots_are_saved_and_read_on_a_small_stack() {
    let memory = Memory::guest_like(PAGES);
    let region = Region { address: 0, len: (PAGES * PAGE) as u64 };
    let layout = Layout::new(vec![region]).expect("a layout");
    let formats = [Format::RawDeflate, Format::Zstd, Format::Lz4];
    for (threads, format) in [1, 2].into_iter().flat_map(|threads| formats.map(|f| (threads, f))) {
        let ram = [memory.ram()];
        let mut file = Vec::new();
        on_small_stack(|| {
            let options = SaveOptions::default().threads(threads);
            let codec = codec(format);
            save(&mut file, &layout, &ram[..], Pages::All, &codec, &options, &mut |_| {})
                .expect("saved");
        });
        let [restored, streamed] = [(); 2].map(|()| Memory::new(PAGES));
        on_small_stack(|| {
            let snapshot = Snapshot::open(&file[..]).expect("intact");
            let chain = Chain::new(vec![snapshot]).expect("a base");
            let options = RestoreOptions::default().threads(threads);
            restore(&chain, &[restored.ram()][..], &options, &mut |_| {}).expect("intact");
            assert!(chain.pages().read(PAGE as u64).expect("intact").is_some());
        });
        assert!(restored.bytes() == memory.bytes());
        on_small_stack(|| {
            let mut reader = StreamReader::new(&file[..]).expect("a header");
            let (zero, mut progress) = (ZeroPages::Write, Progress::default());
            reader
                .restore(&[streamed.ram()][..], zero, &mut progress, &mut |_, _| ())
                .expect("intact");
        });
        assert!(streamed.bytes() == memory.bytes());
        let verified = on_small_stack(|| verify(&file[..], &mut |_| {}).expect("intact"));
        assert!(verified.damage.is_empty());
    }
}
