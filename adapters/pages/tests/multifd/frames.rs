//! Pages of zstd streams as frames of their own.

use std::sync::Arc;

use uadk_compress::{BlockCompressor, Compressor, Format, Level, SoftwareCompressor, UadkConfig};
use uadk_compress_pages::multifd::{Method, PacketNumbers, Receiver, Sender, Settings, ZstdMode};
use uadk_sim::{Machine, Simulator};
use zstd_safe::zstd_sys::ZSTD_EndDirective::{self, ZSTD_e_end, ZSTD_e_flush};
use zstd_safe::{CCtx, DCtx, InBuffer, OutBuffer};

use crate::guest::{Memory, PAGE, chain, fill, frames, receive, stream};

const HELLO: usize = 64;
/// `MULTIFD_PACKET_SIZE`.
const PACKET: usize = 512 << 10;

/// Returns the number of normal pages and the payload of each packet in a stream.
fn payloads(stream: &[u8], page_size: usize) -> Vec<(usize, &[u8])> {
    let mut payloads = Vec::new();
    let mut rest = &stream[HELLO..];
    while !rest.is_empty() {
        let field =
            |at: usize| u32::from_be_bytes(rest[at..at + 4].try_into().expect("4 bytes")) as usize;
        let (pages, payload) = (field(16), field(20));
        let start = 320 + 8 * (PACKET / page_size);
        payloads.push((pages, &rest[start..start + payload]));
        rest = &rest[start + payload..];
    }
    payloads
}

/// Decompresses a packet's pages as QEMU 10 does (`multifd_zstd_recv`): page by page, in a loop
/// that ends at the end of a frame, of the input, or of the page.
fn qemu_reads(
    stream: &mut DCtx<'_>,
    payload: &[u8],
    pages: usize,
    page_size: usize,
) -> Result<Vec<u8>, String> {
    // QEMU's buffer for the payload.
    assert!(payload.len() <= 2 * PACKET, "{}", payload.len());
    let mut memory = vec![0; pages * page_size];
    let mut input = InBuffer::around(payload);
    let mut size = 0;
    for page in memory.chunks_exact_mut(page_size) {
        let mut output = OutBuffer::around(page);
        let left = loop {
            let left = stream
                .decompress_stream(&mut output, &mut input)
                .map_err(|code| zstd_safe::get_error_name(code).to_owned())?;
            if left == 0 || input.pos() == payload.len() || output.pos() == page_size {
                break left;
            }
        };
        if left > 0 && output.pos() < page_size {
            return Err("decompressStream buffer too small".to_owned());
        }
        size += output.pos();
    }
    if size == memory.len() { Ok(memory) } else { Err(format!("{size} of {} bytes", memory.len())) }
}

/// Returns all pages of memory except for zero pages.
fn normal_pages(memory: &Memory, page_size: usize) -> Vec<u8> {
    let bytes = memory.bytes();
    let pages = bytes.chunks(page_size).filter(|page| page.iter().any(|byte| *byte != 0));
    pages.flatten().copied().collect()
}

/// Checks that a stream is read by QEMU's loop, packet by packet with one decoder, and that each
/// page is a frame that libzstd decompresses without the others. Returns the number of pages that
/// are not compressed.
fn check(stream: &[u8], expected: &[u8], page_size: usize) -> usize {
    let mut decoder = DCtx::create();
    let (mut qemu, mut single, mut stored) = (Vec::new(), Vec::new(), 0);
    for (pages, mut payload) in payloads(stream, page_size) {
        qemu.extend(qemu_reads(&mut decoder, payload, pages, page_size).expect("it reads"));
        for _ in 0..pages {
            let len = zstd_safe::find_frame_compressed_size(payload).expect("a frame");
            let (frame, rest) = payload.split_at(len);
            let size = zstd_safe::get_frame_content_size(frame).expect("a frame");
            assert_eq!(size, Some(page_size as u64));
            let mut page = vec![0; page_size];
            assert_eq!(zstd_safe::decompress(&mut page[..], frame), Ok(page_size));
            stored += usize::from(len >= page_size);
            single.extend(page);
            payload = rest;
        }
        assert!(payload.is_empty());
    }
    assert!(qemu == expected && single == expected, "other pages");
    stored
}

/// Returns memory with pages of one kind: 1 for text, 2 for tables, 3 for noise.
fn pages_of(kind: u64) -> Memory {
    let memory = Memory::new(1024);
    let mut page = vec![0; PAGE];
    for number in 0..1024 {
        fill(&mut page, 4 * number + kind);
        memory.ram().write(number * PAGE as u64, &page).expect("in range");
    }
    memory
}

#[test]
fn qemus_loop_and_libzstd_read_pages_of_every_size() {
    let memory = Memory::guest_like(1024);
    for page_size in [PAGE, 16 << 10, 64 << 10] {
        let settings = frames().page_size(page_size);
        let offsets: Vec<u64> = (0..memory.ram().len()).step_by(page_size).collect();
        let stream = stream(&settings, |sender| {
            sender.send("ram", &memory.ram(), &offsets)?;
            sender.send("ram", &memory.ram(), &offsets)
        });
        let expected = normal_pages(&memory, page_size).repeat(2);
        let stored = check(&stream, &expected, page_size);
        // The pages of noise.
        assert_eq!(stored, if page_size == PAGE { 512 } else { 0 });
        let arrived = Memory::new(1024);
        receive(&stream, &Settings::new(Method::Zstd).page_size(page_size), &arrived)
            .expect("intact");
        assert!(arrived.bytes() == memory.bytes(), "{page_size}");
    }
}

#[test]
fn qemus_loop_and_libzstd_read_pages_of_every_level() {
    let memory = pages_of(2);
    let lens = [-50, -1, 0, 1, 19, 22].map(|level| {
        let settings = frames().level(level);
        let stream =
            stream(&settings, |sender| sender.send("ram", &memory.ram(), &memory.offsets()));
        assert_eq!(check(&stream, &memory.bytes(), PAGE), 0, "level {level}");
        stream.len()
    });
    assert!(lens[0] > lens[3] && lens[3] > lens[5], "{lens:?}");
}

#[test]
fn packets_of_incompressible_pages_are_not_too_long() {
    let memory = pages_of(3);
    for page_size in [PAGE, 64 << 10] {
        let settings = frames().page_size(page_size);
        let offsets: Vec<u64> = (0..memory.ram().len()).step_by(page_size).collect();
        let stream = stream(&settings, |sender| sender.send("ram", &memory.ram(), &offsets));
        assert_eq!(check(&stream, &memory.bytes(), page_size), offsets.len());
        for (pages, payload) in payloads(&stream, page_size) {
            assert_eq!(payload.len(), pages * (page_size + 10));
        }
        let arrived = Memory::new(1024);
        receive(&stream, &settings, &arrived).expect("intact");
        assert!(arrived.bytes() == memory.bytes());
    }
}

#[test]
fn packets_are_independent_of_each_other() {
    let memory = Memory::guest_like(512);
    let stream = stream(&frames(), |sender| sender.send("ram", &memory.ram(), &memory.offsets()));
    let mut decoders = DCtx::create();
    let mut pages: Vec<_> = payloads(&stream, PAGE)
        .into_iter()
        .rev()
        .map(|(pages, payload)| qemu_reads(&mut decoders, payload, pages, PAGE).expect("it reads"))
        .collect();
    pages.reverse();
    assert!(pages.concat() == normal_pages(&memory, PAGE));
}

/// Returns the payload of a packet in a stream that libzstd compresses, like QEMU's.
fn streamed(context: &mut CCtx<'_>, pages: &[u8], end: ZSTD_EndDirective) -> Vec<u8> {
    let mut payload = Vec::with_capacity(2 * pages.len() + 1024);
    let mut input = InBuffer::around(pages);
    let mut output = OutBuffer::around(&mut payload);
    let left = context.compress_stream2(&mut output, &mut input, end).expect("enough space");
    assert_eq!(left, 0);
    payload
}

#[test]
fn receivers_read_both_modes_in_one_stream() {
    let memory = Memory::guest_like(8 * 16);
    let bytes = memory.bytes();
    let pages = |nth: usize| &bytes[nth * 16 * PAGE..][..16 * PAGE];
    let offsets: Vec<u64> = memory.offsets();
    let mut context = CCtx::create();
    let mut whole = stream(&frames(), |_| Ok(()));
    for (nth, offsets) in offsets.chunks(16).enumerate() {
        let packet = stream(&frames(), |sender| sender.send("ram", &memory.ram(), offsets));
        let mut packet = packet[HELLO..].to_vec();
        // A stream ends before frames follow it, and flushes before it goes on.
        let end = match nth {
            1 | 4 => Some(ZSTD_e_flush),
            2 | 5 => Some(ZSTD_e_end),
            _ => None,
        };
        if let Some(end) = end {
            let normal: Vec<u8> = pages(nth)
                .chunks(PAGE)
                .filter(|page| page.iter().any(|byte| *byte != 0))
                .flatten()
                .copied()
                .collect();
            let payload = streamed(&mut context, &normal, end);
            packet.truncate(1344);
            packet[20..24].copy_from_slice(&(payload.len() as u32).to_be_bytes());
            packet.extend_from_slice(&payload);
        }
        whole.extend_from_slice(&packet);
    }
    for settings in [Settings::new(Method::Zstd), frames()] {
        let arrived = Memory::new(8 * 16);
        let packets = receive(&whole, &settings, &arrived).expect("intact");
        assert_eq!(packets.len(), 8);
        assert!(arrived.bytes() == memory.bytes());
    }
}

#[test]
fn frames_that_are_cut_or_too_long_are_errors() {
    let memory = Memory::guest_like(4);
    // Pages of text and of numbers.
    let sent = stream(&frames(), |sender| sender.send("ram", &memory.ram(), &[4096, 8192]));
    let (_, payload) = payloads(&sent, PAGE)[0];
    let first = zstd_safe::find_frame_compressed_size(payload).expect("a frame");
    let whole = |payload: &[u8]| {
        let mut stream = sent[..HELLO + 1344].to_vec();
        stream[HELLO + 20..HELLO + 24].copy_from_slice(&(payload.len() as u32).to_be_bytes());
        [&stream[..], payload].concat()
    };
    let arrived = Memory::new(4);
    receive(&whole(payload), &frames(), &arrived).expect("intact");
    let two_pages = zstd_frame(&memory.bytes()[PAGE..3 * PAGE]);
    receive(&whole(&two_pages), &frames(), &arrived).expect("a frame may have more pages");
    for damaged in [
        // Without the last byte, without the second frame, without the end of the first frame.
        payload[..payload.len() - 1].to_vec(),
        payload[..first].to_vec(),
        [&payload[..first - 1], &payload[first..]].concat(),
        // More than two pages.
        [payload, &payload[..first]].concat(),
        [payload, &zstd_frame(&[1])].concat(),
        // Something that is not a frame.
        [payload, &[0]].concat(),
    ] {
        let arrived = Memory::new(4);
        let error = receive(&whole(&damaged), &frames(), &arrived).unwrap_err();
        assert!(chain(&error).contains("the zstd stream is damaged"), "{}", chain(&error));
        assert!(arrived.bytes() == Memory::new(4).bytes());
    }
}

fn zstd_frame(data: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(zstd_safe::compress_bound(data.len()));
    zstd_safe::compress(&mut frame, data, 1).expect("enough space");
    frame
}

#[test]
fn the_accelerator_compresses_pages_as_frames() {
    let sim = Simulator::acquire(Machine::lz77());
    let config = UadkConfig::default().with_background(false);
    let builder = Compressor::builder().format(Format::Zstd).uadk(config);
    let compressor = builder.build_on(&uadk_sim::libwd_of("2.10")).expect("there is a device");
    let codec: Arc<dyn BlockCompressor> = Arc::new(compressor.clone());
    let memory = Memory::guest_like(512);
    let settings = frames().codec(codec);
    for script in ["no-faults", "busy=1/10", "no-faults; status=1/30:67"] {
        sim.script(script).expect("a script");
        let stream =
            stream(&settings, |sender| sender.send("ram", &memory.ram(), &memory.offsets()));
        check(&stream, &normal_pages(&memory, PAGE), PAGE);
        let arrived = Memory::new(512);
        receive(&stream, &settings, &arrived).expect(script);
        assert!(arrived.bytes() == memory.bytes(), "{script}");
    }
    let stats = compressor.stats();
    assert!(stats.accelerator.compress.blocks > 128, "{stats}");
    assert!(stats.software.compress.blocks > 0, "{stats}");
}

#[test]
fn a_codec_of_another_format_is_refused_by_senders_and_not_needed_by_receivers() {
    let zlib = SoftwareCompressor::new(Format::Zlib, Level::FAST).expect("supports the format");
    let settings = frames().codec(Arc::new(zlib));
    let memory = Memory::guest_like(4);
    let sent = stream(&frames(), |sender| sender.send("ram", &memory.ram(), &memory.offsets()));
    let sender = Sender::new(Vec::new(), 0, &settings, PacketNumbers::default());
    let error = sender.unwrap_err();
    assert!(chain(&error).contains("needs a codec of format zstd, not zlib"), "{error}");
    assert!(Receiver::new(&sent[..], &settings).is_ok());
    let settings = settings.zstd(ZstdMode::Stream);
    let sender = Sender::new(Vec::new(), 0, &settings, PacketNumbers::default());
    assert!(sender.is_ok(), "a stream needs no codec");
}
