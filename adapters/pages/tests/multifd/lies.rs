//! Engines that report wrong lengths: nothing panics, and no wrong page arrives.

use std::sync::Arc;

use uadk_compress::fault::{Fault, FaultInjector};
use uadk_compress::{BlockCompressor, Format, Level, SoftwareCompressor};
use uadk_compress_pages::multifd::{ErrorKind, Method, Settings, ZstdMode};
use uadk_compress_pages::{Channel, Error, Page, PageFault, ZeroPages};

use crate::guest::{Memory, PAGE, receive, stream};

const PAGES: usize = 16;

fn faulty(format: Format, fault: Fault) -> Arc<dyn BlockCompressor> {
    let software = SoftwareCompressor::new(format, Level::FAST).expect("supports the format");
    Arc::new(FaultInjector::new(software, move |_| Some(fault.clone())))
}

fn single_pages() -> impl Iterator<Item = (Method, Format)> {
    Method::ALL.into_iter().filter_map(|method| Some((method, method.page_format()?)))
}

/// Returns the settings of senders that compress page by page, whose engine has this fault.
fn senders(fault: &Fault) -> impl Iterator<Item = (Method, Settings)> {
    let frames = (Method::Zstd, Format::Zstd);
    single_pages().chain([frames]).map(|(method, format)| {
        let settings = Settings::new(method).zstd(ZstdMode::Frames);
        (method, settings.codec(faulty(format, fault.clone())))
    })
}

#[test]
fn pages_of_impossible_lengths_are_sent_as_they_are() {
    let memory = Memory::guest_like(PAGES);
    for fault in [Fault::WrongLength, Fault::NoLength] {
        for (method, settings) in senders(&fault) {
            let stream =
                stream(&settings, |sender| sender.send("ram", &memory.ram(), &memory.offsets()));
            let arrived = Memory::new(PAGES);
            receive(&stream, &Settings::new(method), &arrived).expect("intact");
            assert!(arrived.bytes() == memory.bytes(), "{method}");
        }
    }
}

#[test]
fn pages_that_were_cut_short_are_errors() {
    let memory = Memory::guest_like(PAGES);
    for (method, settings) in senders(&Fault::ShortLength) {
        let stream =
            stream(&settings, |sender| sender.send("ram", &memory.ram(), &memory.offsets()));
        let arrived = Memory::new(PAGES);
        receive(&stream, &Settings::new(method), &arrived).unwrap_err();
        assert!(arrived.bytes() == Memory::new(PAGES).bytes(), "{method}");
    }
}

#[test]
fn received_pages_of_wrong_lengths_are_errors_and_nothing_is_written() {
    let memory = Memory::guest_like(PAGES);
    for (method, format) in single_pages() {
        let stream = stream(&Settings::new(method), |sender| {
            sender.send("ram", &memory.ram(), &memory.offsets())
        });
        for fault in [Fault::WrongLength, Fault::ShortLength, Fault::NoLength] {
            let settings = Settings::new(method).codec(faulty(format, fault.clone()));
            let arrived = Memory::new(PAGES);
            let error = receive(&stream, &settings, &arrived).unwrap_err();
            let Error::Multifd { kind: ErrorKind::Page { source, .. }, .. } = error else {
                panic!("{error:?}");
            };
            let too_long = matches!(source, PageFault::Engine(_));
            assert_eq!(too_long, fault == Fault::WrongLength, "{source:?}");
            assert!(arrived.bytes() == Memory::new(PAGES).bytes(), "{method}");
        }
    }
}

#[test]
fn channels_refuse_impossible_lengths() {
    let memory = Memory::guest_like(PAGES);
    let offsets = memory.offsets();
    let sound =
        Arc::new(SoftwareCompressor::new(Format::Zlib, Level::FAST).expect("supports the format"));
    let mut sound = Channel::new(sound, PAGE, PAGES).expect("a page size");
    let batch = sound.compress(&memory.ram(), &offsets).expect("in range");
    let pages: Vec<_> = offsets.iter().copied().zip(batch.pages()).collect();
    for fault in [Fault::WrongLength, Fault::ShortLength, Fault::NoLength] {
        let engine = faulty(Format::Zlib, fault.clone());
        let mut channel = Channel::new(engine, PAGE, PAGES).expect("a page size");
        let restored = Memory::new(PAGES);
        let result = channel.decompress(&restored.ram(), pages.iter().copied(), ZeroPages::Write);
        assert!(matches!(result, Err(Error::Page { .. })), "{fault:?}: {result:?}");
        assert!(restored.bytes() == Memory::new(PAGES).bytes());
        if fault != Fault::ShortLength {
            let batch = channel.compress(&memory.ram(), &offsets).expect("in range");
            assert!(batch.pages().all(|page| !matches!(page, Page::Compressed(_))), "{fault:?}");
        }
    }
}
