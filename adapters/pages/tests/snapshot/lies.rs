//! Engines that report wrong lengths: nothing panics, and no wrong page is restored.

use std::sync::Arc;

use uadk_compress::fault::{Fault, FaultInjector};
use uadk_compress::{BlockCompressor, Format, Level, SoftwareCompressor};
use uadk_compress_pages::snapshot::{
    Chain, Pages, RestoreOptions, SaveOptions, Snapshot, restore, save,
};
use uadk_compress_pages::{Error, ZeroPages};

use crate::guest::{Memory, PAGE};
use crate::{FORMATS, layout, snapshot_in};

const PAGES: usize = 200;

fn faulty(format: Format, fault: Fault) -> Arc<dyn BlockCompressor> {
    let software = SoftwareCompressor::new(format, Level::FAST).expect("supports the format");
    Arc::new(FaultInjector::new(software, move |_| Some(fault.clone())))
}

fn save_with(memory: &Memory, format: Format, fault: Fault) -> Vec<u8> {
    let (mut file, ram) = (Vec::new(), [memory.ram()]);
    let options = SaveOptions::default();
    let codec = faulty(format, fault);
    save(&mut file, &layout(PAGES), &ram[..], Pages::All, &codec, &options, &mut |_| {})
        .expect("writes to a vector");
    file
}

fn restored(snapshot: Snapshot<&[u8]>) -> Result<Vec<u8>, Error> {
    let (chain, memory) = (Chain::new(vec![snapshot])?, Memory::new(PAGES));
    let options = RestoreOptions::default().zero_pages(ZeroPages::Fresh);
    restore(&chain, &[memory.ram()][..], &options, &mut |_| {})?;
    Ok(memory.bytes())
}

#[test]
fn clusters_of_impossible_lengths_are_saved_as_they_are() {
    let memory = Memory::guest_like(PAGES);
    for format in FORMATS {
        for fault in [Fault::WrongLength, Fault::NoLength] {
            let file = save_with(&memory, format, fault.clone());
            let snapshot = Snapshot::open(&file[..]).expect("intact");
            assert!(restored(snapshot).expect("intact") == memory.bytes(), "{format} {fault:?}");
        }
    }
}

#[test]
fn clusters_that_were_cut_short_are_damaged() {
    for format in FORMATS {
        let file = save_with(&Memory::guest_like(PAGES), format, Fault::ShortLength);
        let result = restored(Snapshot::open(&file[..]).expect("intact"));
        assert!(matches!(result, Err(Error::Damaged(_))), "{format}");
    }
}

#[test]
fn software_decompresses_what_an_engine_reports_wrongly() {
    let memory = Memory::guest_like(PAGES);
    let faults = [
        Fault::WrongLength,
        Fault::ShortLength,
        Fault::NoLength,
        Fault::WrongOutput,
        Fault::Busy,
        Fault::Device(-5),
        Fault::Refuse,
    ];
    for format in FORMATS {
        let file = snapshot_in(format, &memory);
        for fault in &faults {
            let codec = || faulty(format, fault.clone());
            let open = || Snapshot::open_with(&file[..], codec()).expect("intact");
            assert!(restored(open()).expect("intact") == memory.bytes(), "{format} {fault:?}");
            let chain = Chain::new(vec![open()]).expect("a base");
            let (mut pages, bytes) = (chain.pages(), memory.bytes());
            for (page, expected) in bytes.chunks(PAGE).enumerate() {
                let read = pages.read((page * PAGE) as u64).expect("intact");
                assert!(read.unwrap_or(&[0; PAGE]) == expected, "{format} {fault:?}: {page}");
            }
        }
    }
}
