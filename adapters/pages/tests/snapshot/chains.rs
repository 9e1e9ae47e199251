//! A base, and deltas on it.

use uadk_compress::Format;
use uadk_compress_pages::snapshot::{
    Chain, ChangedPages, Pages, Progress, RestoreOptions, SaveOptions, Snapshot, StreamReader,
    restore,
};
use uadk_compress_pages::{Error, ZeroPages};

use crate::guest::{Memory, PAGE};
use crate::{BASE, codec_of, layout, snapshot_by, snapshot_in, snapshot_with};

const PAGES: usize = 200;

/// Formats of a base and two deltas.
const FORMATS: [[Format; 3]; 3] = [
    [Format::RawDeflate; 3],
    [Format::RawDeflate, Format::Zstd, Format::Lz4],
    [Format::Lz4, Format::Gzip, Format::Zstd],
];

/// Returns a base, two deltas, and the memory at the end.
fn chain(formats: [Format; 3]) -> ([Vec<u8>; 3], Memory) {
    let memory = Memory::guest_like(PAGES);
    let [format, deltas @ ..] = formats;
    let base = snapshot_in(format, &memory);
    let mut parent = BASE;
    let mut number = BASE[0];
    let deltas = deltas.map(|format| {
        number += 1;
        let mut changed = ChangedPages::none(&layout(PAGES));
        // Some pages change, some become zero, some stop being zero, with overlaps.
        for page in (0..PAGES).skip(usize::from(number)).step_by(3) {
            let address = (page * PAGE) as u64;
            let byte = if page % 5 == 0 { 0 } else { number };
            memory.ram().write(address, &[byte; PAGE]).expect("in range");
            changed.insert(address + 5);
        }
        let options = SaveOptions::default().id([number; 16]).parent(parent);
        parent = [number; 16];
        snapshot_by(&codec_of(format), &memory, Pages::Changed(&changed), &options)
    });
    let [first, second] = deltas;
    ([base, first, second], memory)
}

fn open(file: &[u8]) -> Snapshot<&[u8]> {
    Snapshot::open(file).expect("intact")
}

#[test]
fn a_chain_of_any_formats_restores_to_the_newest_state() {
    for formats in FORMATS {
        let (files, memory) = chain(formats);
        let chain = Chain::new(files.iter().map(|file| open(file)).collect()).expect("a chain");
        assert_eq!(chain.layers().iter().map(|l| l.header().format).collect::<Vec<_>>(), formats);
        for zero_pages in [ZeroPages::Write, ZeroPages::Fresh] {
            let restored = match zero_pages {
                ZeroPages::Write => Memory::guest_like(PAGES),
                ZeroPages::Fresh => Memory::new(PAGES),
            };
            let options = RestoreOptions::default().threads(3).zero_pages(zero_pages);
            restore(&chain, &[restored.ram()][..], &options, &mut |_| {}).expect("restored");
            assert!(restored.bytes() == memory.bytes(), "{formats:?} {zero_pages:?}");
        }
        let mut pages = chain.pages();
        for (number, expected) in memory.bytes().chunks(PAGE).enumerate() {
            let page = pages.read((number * PAGE) as u64).expect("intact");
            assert!(page.unwrap_or(&[0; PAGE]) == expected, "{formats:?} {number}");
        }
    }
}

#[test]
fn streams_restore_a_chain_one_after_another() {
    for formats in FORMATS {
        let (files, memory) = chain(formats);
        let restored = Memory::guest_like(PAGES);
        for file in &files {
            let mut reader = StreamReader::new(&file[..]).expect("a header");
            let mut progress = Progress::default();
            reader
                .restore(&[restored.ram()][..], ZeroPages::Write, &mut progress, &mut |_, _| {})
                .expect("intact");
        }
        assert!(restored.bytes() == memory.bytes(), "{formats:?}");
    }
}

#[test]
fn a_delta_has_only_what_changed() {
    let (files, _) = chain([Format::RawDeflate; 3]);
    assert!(open(&files[1]).data_pages() < 60);
}

#[test]
fn snapshots_that_do_not_form_a_chain_are_refused() {
    let (files, _) = chain([Format::RawDeflate; 3]);
    let [base, first, second] = &files;
    let chain =
        |files: &[&Vec<u8>]| Chain::new(files.iter().map(|file| open(file)).collect()).map(|_| ());
    assert!(chain(&[base, first]).is_ok());
    assert!(matches!(chain(&[]), Err(Error::Chain(0))));
    assert!(matches!(chain(&[first]), Err(Error::NeedsParent)));
    assert!(matches!(chain(&[base, second]), Err(Error::Chain(2))));
    assert!(matches!(chain(&[base, first, first]), Err(Error::Chain(3))));
    assert!(matches!(chain(&[base, base]), Err(Error::Chain(2))));
    let other = snapshot_with(
        &Memory::new(PAGES + 1),
        Pages::All,
        &SaveOptions::default().id([9; 16]).parent(BASE),
    );
    assert!(matches!(chain(&[base, &other]), Err(Error::Chain(2))));
}
