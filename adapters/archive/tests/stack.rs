//! Streams and archives are written and read on threads with small stacks.
//!
//! The limit also holds for unoptimised builds, which use the most. `make test` runs this test in
//! one: `cargo test --profile unoptimised -p uadk-compress-archive --test stack`.

#[path = "archive/common.rs"]
#[allow(dead_code)]
mod common;

use std::fs::{self, File};
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::thread;

use common::{append_sample, make_tree, read_all, sample_files, snapshot, text};
use uadk_compress_archive::{
    ArchiveOptions, ArchiveReader, ExtractOptions, Extractor, GzOptions, TreeWriter,
};

/// 16 KiB for the calls, and 16 KiB for what the thread, the tests and the C library need.
const STACK: usize = 32 << 10;

/// Runs `call` on a thread with a small stack. An overflow aborts the process.
fn on_small_stack<T: Send>(call: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, call);
        thread.expect("a thread starts").join().expect("the call does not panic")
    })
}

#[test]
fn streams_are_written_and_read_on_a_small_stack() {
    let data = text(3_000_000, 1);
    for threads in [1, 2] {
        let options = || GzOptions::new().threads(threads);
        let file = on_small_stack(|| {
            let mut writer = options().writer(Vec::new()).expect("a writer");
            writer.write_all(&data).expect("writes to memory");
            writer.finish().expect("writes to memory")
        });
        // And a member that does not state its length.
        let mut plain = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        plain.write_all(&data).expect("writes to memory");
        for file in [file, plain.finish().expect("writes to memory")] {
            let (read, from) = on_small_stack(|| {
                let mut reader = options().reader(Cursor::new(&file)).expect("a reader");
                let mut read = Vec::new();
                reader.read_to_end(&mut read).expect("intact");
                let from = reader.seek(SeekFrom::End(-1000)).expect("a valid position");
                reader.read_to_end(&mut read).expect("intact");
                (read, from as usize)
            });
            assert!(read[..data.len()] == data && read[data.len()..] == data[from..]);
        }
    }
}

#[test]
fn archives_are_written_read_appended_to_and_resumed_on_a_small_stack() {
    for threads in [1, 2] {
        let options = || ArchiveOptions::new().threads(threads);
        let file = on_small_stack(|| {
            let mut archive = options().writer(Vec::new()).expect("an archive");
            append_sample(&mut archive);
            archive.finish().expect("writes to memory")
        });
        assert!(on_small_stack(|| read_all(&file)) == sample_files());
        on_small_stack(|| {
            let mut archive = options().reader(Cursor::new(&file)).expect("a reader");
            archive.verify().expect("intact");
            let entries = archive.index().expect("an index").entries().len();
            assert_eq!(entries, sample_files().len());
            let mut contents = Vec::new();
            archive.open("large").expect("it exists").read_to_end(&mut contents).expect("intact");
        });
        let longer = on_small_stack(|| {
            let mut archive = options().append(Cursor::new(file)).expect("an archive");
            archive.append_bytes("more", b"contents").expect("writes to memory");
            archive.finish().expect("writes to memory").into_inner()
        });
        let torn = longer[..longer.len() - 1000].to_vec();
        let resumed = on_small_stack(|| {
            let (archive, _) = options().resume(Cursor::new(torn)).expect("a torn end");
            archive.finish().expect("writes to memory").into_inner()
        });
        let torn = resumed[..resumed.len() / 2].to_vec();
        on_small_stack(|| options().rewrite(&resumed[..], Vec::new()).expect("writes to memory"));
        on_small_stack(|| options().resume(Cursor::new(torn)).map(drop).expect("a torn end"));
    }
}

#[test]
fn directories_are_archived_and_extracted_on_a_small_stack() {
    let folder = tempfile::tempdir().expect("a directory");
    let [from, to, path] = ["from", "to", "archive"].map(|name| folder.path().join(name));
    make_tree(&from);
    let file = File::create_new(&path).expect("a file");
    on_small_stack(|| {
        let mut archive = ArchiveOptions::new().threads(1).writer(file).expect("an archive");
        TreeWriter::new().append_tree(&mut archive, &from, Path::new(".")).expect("readable");
        archive.finish().expect("enough space");
    });
    fs::create_dir(&to).expect("a directory");
    let file = File::open(&path).expect("a file");
    on_small_stack(|| {
        let mut archive = ArchiveReader::new(file).expect("a reader");
        let mut extractor = Extractor::new(&to, ExtractOptions::new()).expect("a directory");
        while let Some(mut entry) = archive.next_entry().expect("intact") {
            extractor.extract(&mut entry).expect("extracted");
        }
        extractor.finish().expect("extracted");
    });
    assert_eq!(snapshot(&to).len(), snapshot(&from).len());
}
