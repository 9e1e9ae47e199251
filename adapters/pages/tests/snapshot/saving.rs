//! Saves and restores snapshots.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use uadk_compress::{BlockCompressor, Compressor, Format, Level};
use uadk_compress_pages::snapshot::{
    Chain, ImageFile, Layout, Pages, Progress, Region, RestoreOptions, SaveOptions, Snapshot,
    restore, save,
};
use uadk_compress_pages::{Error, ZeroPages};

use crate::guest::{Memory, PAGE};
use crate::{BASE, FORMATS, codec, snapshot, snapshot_by, snapshot_in};

#[test]
fn what_is_saved_is_restored_with_any_sizes_formats_and_regions() {
    let (low, high) = (Memory::guest_like(333), Memory::guest_like(80));
    let regions = vec![
        Region { address: 0, len: 320 * PAGE as u64 },
        Region { address: 1 << 32, len: 80 * PAGE as u64 },
    ];
    for format in FORMATS {
        let codec = crate::codec_of(format);
        for (page_size, cluster_size) in [
            (4096, 4096),
            (4096, 16 << 10),
            (4096, 256 << 10),
            (16 << 10, 64 << 10),
            (65536, 65536),
        ] {
            let layout =
                Layout::with_sizes(regions.clone(), page_size, cluster_size).expect("a layout");
            let mut file = Vec::new();
            let ram = [low.ram(), high.ram()];
            let options = SaveOptions::default();
            save(&mut file, &layout, &ram[..], Pages::All, &codec, &options, &mut |_| {})
                .expect("saved");
            let chain =
                Chain::new(vec![Snapshot::open(&file[..]).expect("intact")]).expect("a base");
            let (restored_low, restored_high) = (Memory::guest_like(333), Memory::new(80));
            let ram = [restored_low.ram(), restored_high.ram()];
            restore(&chain, &ram[..], &RestoreOptions::default(), &mut |_| {}).expect("restored");
            assert!(restored_low.bytes()[..320 * PAGE] == low.bytes()[..320 * PAGE]);
            assert!(restored_high.bytes() == high.bytes(), "{format} {page_size} {cluster_size}");
        }
    }
}

#[test]
fn higher_levels_of_each_format_make_smaller_files() {
    let memory = Memory::new(200);
    let mut table = vec![0; PAGE];
    for page in 0..200 {
        crate::guest::fill(&mut table, 4 * page + 2);
        memory.ram().write(page * PAGE as u64, &table).expect("in range");
    }
    let len = |format, level| {
        let builder = Compressor::builder().format(format).level(Level::nearest(level));
        let codec: Arc<dyn BlockCompressor> = Arc::new(builder.build().expect("software"));
        snapshot_by(&codec, &memory, Pages::All, &SaveOptions::default()).len()
    };
    for (format, low, high) in
        [(Format::RawDeflate, 1, 12), (Format::Zstd, -50, 19), (Format::Lz4, -50, 12)]
    {
        let lens = (len(format, low), len(format, high));
        assert!(lens.0 > lens.1, "{format}: {lens:?}");
    }
}

#[test]
fn the_bytes_do_not_depend_on_the_number_of_threads() {
    let memory = Memory::guest_like(3000);
    for format in [Format::RawDeflate, Format::Zstd, Format::Lz4] {
        let codec = crate::codec_of(format);
        let saved = |threads| {
            let options = SaveOptions::default().id(BASE).threads(threads);
            snapshot_by(&codec, &memory, Pages::All, &options)
        };
        let one = saved(1);
        for threads in [0, 2, 3, 8] {
            assert!(saved(threads) == one, "{format}, {threads} threads");
        }
    }
}

#[test]
fn zero_pages_take_no_space() {
    let empty = snapshot(&Memory::new(1));
    assert_eq!(snapshot(&Memory::new(100_000)).len(), empty.len());
    // A page with data takes only its own space, even among zero pages of its cluster.
    let memory = Memory::new(64);
    memory.ram().write(17 * PAGE as u64, &[9; PAGE]).expect("in range");
    assert!(snapshot(&memory).len() < empty.len() + 200);
}

#[test]
fn a_page_is_read_without_the_others() {
    let memory = Memory::guest_like(500);
    for format in FORMATS {
        let file = snapshot_in(format, &memory);
        let chain = Chain::new(vec![Snapshot::open(&file[..]).expect("intact")]).expect("a base");
        let mut pages = chain.pages();
        let bytes = memory.bytes();
        for number in (0..500).rev().chain([7, 499, 7]) {
            let expected = &bytes[number * PAGE..][..PAGE];
            let read = pages.read((number * PAGE + 123) as u64).expect("intact");
            assert!(read.unwrap_or(&[0; PAGE]) == expected, "{format}, {number}");
            assert_eq!(read.is_none(), number % 4 == 0);
        }
        let outside = pages.read(500 * PAGE as u64).unwrap_err();
        assert!(outside.to_string().contains("no memory at 0x1f4000"), "{outside}");
    }
}

#[test]
fn files_are_saved_and_restored_sparse() {
    let dir = tempfile::TempDir::new().expect("a temporary directory");
    let memory = Memory::new(4096);
    memory.ram().write(1000 * PAGE as u64, &[1; 2 * PAGE]).expect("in range");
    let path = dir.path().join("image");
    std::fs::write(&path, memory.bytes()).expect("written");
    let layout = crate::layout(4096);
    let image = ImageFile::new(File::open(&path).expect("open"), &layout);
    let mut file = Vec::new();
    let mut reports: Vec<Progress> = Vec::new();
    let saved = save(
        &mut file,
        &layout,
        &image,
        Pages::All,
        &codec(),
        &SaveOptions::default(),
        &mut |progress| reports.push(progress),
    )
    .expect("saved");
    assert_eq!((saved.progress.pages, saved.progress.file), (2, file.len() as u64));
    assert_eq!(reports.last().map(|last| last.memory), Some(4096 * PAGE as u64));
    assert!(reports.is_sorted_by_key(|report| report.memory));

    let path = dir.path().join("restored");
    let output = File::create_new(&path).expect("created");
    output.set_len(layout.len()).expect("resized");
    let output = File::options().read(true).write(true).open(&path).expect("open");
    let image = ImageFile::new(output, &layout);
    let chain = Chain::new(vec![Snapshot::open(&file[..]).expect("intact")]).expect("a base");
    let options = RestoreOptions::default().zero_pages(ZeroPages::Write);
    restore(&chain, &image, &options, &mut |_| {}).expect("restored");
    assert!(std::fs::read(&path).expect("read") == memory.bytes());
    assert!(std::fs::metadata(&path).expect("exists").blocks() < 100, "not sparse");
}

#[test]
fn memory_or_output_that_fails_ends_a_save() {
    struct Full(usize);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let memory = Memory::guest_like(2000);
    let layout = crate::layout(2000);
    let ram = [memory.ram()];
    let options = SaveOptions::default().threads(4);
    for capacity in [0, 10, 1 << 10, 1 << 20, 1_700_000] {
        let result =
            save(Full(capacity), &layout, &ram[..], Pages::All, &codec(), &options, &mut |_| {});
        assert!(matches!(result, Err(Error::Io(_))), "{capacity}");
    }
    let nothing: [uadk_compress_pages::GuestRam<'_>; 0] = [];
    let result =
        save(Vec::new(), &layout, &nothing[..], Pages::All, &codec(), &options, &mut |_| {});
    assert!(matches!(result, Err(Error::Memory(_))));
}
