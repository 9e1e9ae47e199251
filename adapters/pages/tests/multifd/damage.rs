//! Damaged streams are errors that name the position, and change nothing outside the block.

use uadk_compress_pages::Error;
use uadk_compress_pages::multifd::{ErrorKind, Method, Received, Receiver, Settings};

use crate::guest::{Memory, PAGE, chain, receive, small_stream, stream};

const HELLO: usize = 64;

/// Returns the stream with a field of the first packet's header replaced.
fn with(stream: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut damaged = stream.to_vec();
    damaged[HELLO + at..][..bytes.len()].copy_from_slice(bytes);
    damaged
}

/// Reads a stream into memory with other memory on both sides, which must not change.
fn read(stream: &[u8], method: Method) -> Result<Vec<Received>, Error> {
    let memory = Memory::guest_like(18);
    let before = memory.bytes();
    let settings = Settings::new(method).max_device_state(1 << 16);
    let result = {
        let inner = uadk_compress_pages::GuestRam::from_words(&memory.words()[6 * 512..12 * 512]);
        let receiver = Receiver::new(stream, &settings);
        receiver.and_then(|mut receiver| {
            let mut packets = Vec::new();
            while let Some(received) = receiver.receive_into(&[("ram", inner)])? {
                packets.push(received);
            }
            Ok(packets)
        })
    };
    let after = memory.bytes();
    assert_eq!(after[..6 * PAGE], before[..6 * PAGE]);
    assert_eq!(after[12 * PAGE..], before[12 * PAGE..]);
    result
}

fn error(stream: &[u8], method: Method) -> Error {
    match read(stream, method) {
        Err(error) => error,
        Ok(packets) => panic!("{method}: accepted as {packets:?}"),
    }
}

fn kind(error: &Error) -> &ErrorKind {
    match error {
        Error::Multifd { kind, .. } => kind,
        other => panic!("not a multifd error: {other}"),
    }
}

#[test]
fn a_stream_that_ends_anywhere_but_between_packets_is_an_error() {
    for method in Method::ALL {
        let stream = small_stream(method);
        let mut whole = 0;
        for len in 0..stream.len() {
            match read(&stream[..len], method) {
                Ok(_) => whole += 1,
                Err(error) => assert!(matches!(kind(&error), ErrorKind::Ends(_)), "{len}: {error}"),
            }
        }
        // After the hello, the pages and the SYNC.
        assert_eq!(whole, 3, "{method}");
    }
}

#[test]
fn extremes_in_every_field_of_hello_and_header_are_errors() {
    let extremes = [0, 1, 0x7f, 0xff, 0x8000, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, u32::MAX];
    for method in Method::ALL {
        let stream = small_stream(method);
        // Magic and version of hello and header, flags, pages, zero pages, payload.
        for at in
            [0, 4, HELLO, HELLO + 4, HELLO + 8, HELLO + 12, HELLO + 16, HELLO + 20, HELLO + 32]
        {
            for value in extremes {
                let mut damaged = stream.clone();
                damaged[at..at + 4].copy_from_slice(&value.to_be_bytes());
                if damaged == stream {
                    continue;
                }
                // A packet with fewer zero pages is valid, and so is a SYNC without pages.
                let zero_pages = at == HELLO + 32 && value < 2;
                match read(&damaged, method) {
                    Ok(_) => assert!(zero_pages, "{method}, field at {at}: {value:#x}"),
                    Err(error) => {
                        let location = match at {
                            ..HELLO => "a multifd channel failed before its hello",
                            _ => "multifd channel 3 failed at packet 0",
                        };
                        assert_eq!(error.to_string(), location);
                    }
                }
            }
        }
    }
}

#[test]
fn extremes_in_fields_that_are_names_or_unused_change_nothing_in_memory() {
    for method in Method::ALL {
        let stream = small_stream(method);
        let whole = read(&stream, method).expect("intact");
        // The hello's UUID, channel and reserved bytes; the header's packet number and unused
        // fields.
        let hello = (8..HELLO).map(|at| (at, at < 25));
        let header = (24..32).chain(36..64).map(|at| (HELLO + at, true));
        for (at, may_be_anything) in hello.chain(header) {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut damaged = stream.clone();
                damaged[at] = value;
                match read(&damaged, method) {
                    // Only receivers that expect a UUID notice another one: see the test of UUIDs.
                    Ok(packets) => assert_eq!(packets, whole, "{method}, byte {at}"),
                    Err(error) => assert!(!may_be_anything, "{method}, byte {at}: {error}"),
                }
            }
        }
    }
}

#[test]
fn every_offset_outside_the_block_is_an_error_before_anything_is_written() {
    let stream = small_stream(Method::None);
    let pages = 6 * PAGE as u64;
    for index in 0..6 {
        for offset in [pages, pages * 2, 1, 4095, u64::MAX, u64::MAX - 4095, 1 << 63, 1 << 32] {
            let damaged = with(&stream, 320 + 8 * index, &offset.to_be_bytes());
            let error = error(&damaged, Method::None);
            let ErrorKind::Offset { index: found, offset: at, .. } = kind(&error) else {
                panic!("{error}");
            };
            assert_eq!((*found, *at), (index, offset));
        }
    }
    let fresh = Memory::new(6);
    let last = with(&stream, 320 + 8 * 5, &pages.to_be_bytes());
    receive(&last, &Settings::new(Method::None), &fresh).unwrap_err();
    assert_eq!(fresh.ram().is_zero(0, 6 * PAGE), Ok(true));
}

#[test]
fn unterminated_names_and_unknown_blocks_are_errors() {
    let stream = small_stream(Method::Uadk);
    let endless = error(&with(&stream, 64, &[b'a'; 256]), Method::Uadk);
    assert!(matches!(kind(&endless), ErrorKind::Name), "{endless}");
    let binary = error(&with(&stream, 64, &[0xff, 0]), Method::Uadk);
    assert!(matches!(kind(&binary), ErrorKind::Name), "{binary}");
    let unknown = error(&with(&stream, 64, b"rom"), Method::Uadk);
    let expected = "multifd channel 3 failed at packet 0: unknown ramblock \"rom\"";
    assert_eq!(chain(&unknown), expected);
}

#[test]
fn another_method_is_named() {
    for sent in Method::ALL {
        for expected in Method::ALL.into_iter().filter(|expected| *expected != sent) {
            let text = chain(&error(&small_stream(sent), expected));
            let expected = format!("method is {sent}, but this side expects {expected}");
            assert!(text.contains(&expected), "{text}");
        }
    }
    let qatzip = with(&small_stream(Method::None), 8, &32_u32.to_be_bytes());
    assert!(chain(&error(&qatzip, Method::None)).contains("method is qatzip"));
}

/// QEMU 7.2 was seen to send both.
#[test]
fn packets_that_only_old_qemus_send_are_recognised() {
    let stream = small_stream(Method::None);
    let sync_with_pages = with(&stream, 8, &1_u32.to_be_bytes());
    let neither = with(&with(&stream, 16, &0_u32.to_be_bytes()), 32, &0_u32.to_be_bytes());
    for old in [sync_with_pages, neither] {
        let error = error(&old, Method::None);
        assert!(matches!(kind(&error), ErrorKind::OldQemu), "{error}");
    }
}

#[test]
fn wrong_page_lengths_are_errors() {
    for method in [Method::Qpl, Method::Uadk] {
        let stream = small_stream(method);
        for index in 0..4 {
            for len in [0, 1, 4097, 0x8000_0000, u32::MAX] {
                let damaged = with(&stream, 1344 + 4 * index, &u32::to_be_bytes(len));
                let error = error(&damaged, method);
                let known = matches!(
                    kind(&error),
                    ErrorKind::PageLength { .. } | ErrorKind::Lengths { .. }
                );
                assert!(known, "{error}");
            }
        }
    }
}

/// Returns a stream of one packet with one page and this payload.
fn one_page(method: Method, payload: &[u8]) -> Vec<u8> {
    let memory = Memory::guest_like(2);
    let settings = Settings::new(method);
    let sent = stream(&settings, |sender| sender.send("ram", &memory.ram(), &[4096]));
    let mut stream = with(&sent, 20, &(payload.len() as u32).to_be_bytes());
    stream.truncate(HELLO + 1344);
    stream.extend_from_slice(payload);
    stream
}

fn deflated(len: usize, zlib: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 << 20);
    flate2::Compress::new(flate2::Compression::best(), zlib)
        .compress_vec(&vec![1; len], &mut out, flate2::FlushCompress::Finish)
        .expect("enough space");
    out
}

fn flushed(len: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 << 20);
    flate2::Compress::new(flate2::Compression::best(), true)
        .compress_vec(&vec![1; len], &mut out, flate2::FlushCompress::Sync)
        .expect("enough space");
    out
}

#[test]
fn bombs_and_stubs_are_errors() {
    for len in [0, 1, 4095, 4097, 8192, 1 << 20, 4 << 20] {
        for (method, zlib) in [(Method::Qpl, false), (Method::Uadk, true)] {
            let blob = deflated(len, zlib);
            let payload = [&(blob.len() as u32).to_be_bytes()[..], &blob].concat();
            let error = error(&one_page(method, &payload), method);
            // A blob longer than a page is refused unread.
            let known = matches!(kind(&error), ErrorKind::Page { index: 0, .. })
                || (blob.len() >= 4096
                    && matches!(
                        kind(&error),
                        ErrorKind::PageLength { .. } | ErrorKind::Payload { .. }
                    ));
            assert!(known, "{method}, {len}: {error}");
        }
        let error = error(&one_page(Method::Zlib, &flushed(len)), Method::Zlib);
        assert!(matches!(kind(&error), ErrorKind::Stream { .. }), "{len}: {error}");
    }
    assert!(read(&one_page(Method::Zlib, &flushed(4096)), Method::Zlib).is_ok());
    let ended = error(&one_page(Method::Zlib, &deflated(4096, true)), Method::Zlib);
    assert!(chain(&ended).contains("ends before the migration does"), "{ended}");
}

#[test]
fn zstd_bombs_windows_and_stubs_are_errors() {
    for len in [0, 1, 4095, 4097, 1 << 20] {
        let mut out = Vec::with_capacity(1 << 20);
        zstd_safe::compress(&mut out, &vec![1; len], 1).expect("enough space");
        let error = error(&one_page(Method::Zstd, &out), Method::Zstd);
        assert!(matches!(kind(&error), ErrorKind::Stream { .. }), "{len}: {error}");
    }
    // A frame that asks for a window of 2 GiB: magic, descriptor, window.
    let window = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    let error = error(&one_page(Method::Zstd, &window), Method::Zstd);
    assert!(matches!(kind(&error), ErrorKind::Stream { .. }), "{error}");
}

#[test]
fn device_states_longer_than_allowed_are_errors_before_any_allocation() {
    let mut packet = small_stream(Method::None)[..HELLO].to_vec();
    packet.extend_from_slice(&[0x11, 0x22, 0x33, 0x44, 0, 0, 0, 1, 0, 0, 0, 0x40]);
    packet.extend_from_slice(b"vfio");
    packet.resize(HELLO + 12 + 256 + 4, 0);
    packet.extend_from_slice(&u32::MAX.to_be_bytes());
    let error = error(&packet, Method::None);
    assert!(chain(&error).contains("device \"vfio\" has 4294967295 bytes of state"), "{error}");
}
