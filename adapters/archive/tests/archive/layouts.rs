//! Archives in one member, in blocks, and of version 0.1.0.

use std::io::{Cursor, Read};

use uadk_compress_archive::{ArchiveReader, Error};

use crate::builder::Entry;
use crate::common::{
    bgzf, bgzf_options, options, read_all, run, sample_files, verify, write_sample,
};

/// Written by version 0.1.0: `tar create --threads 1` of five entries in `dir`.
const OLD: &[u8] = include_bytes!("../fixtures/version-0.1.0.tar.gz");

#[test]
fn an_archive_of_version_0_1_0_is_read_and_appended_to() {
    let verified = verify(OLD).expect("intact");
    assert!(verified.indexed && verified.ended);
    assert_eq!(verified.entries, 5);
    let mut archive = ArchiveReader::new(Cursor::new(OLD)).expect("a reader");
    assert!(archive.index().expect("an index").is_stored());
    let mut numbers = String::new();
    archive.open("dir/numbers").expect("it exists").read_to_string(&mut numbers).expect("intact");
    assert_eq!(numbers.lines().count(), 30_000);

    // It stays block gzip with an index of the old kind.
    let mut archive = options(1).append(Cursor::new(OLD.to_vec())).expect("an archive");
    archive.append_bytes("more", b"!").expect("writes to memory");
    let file = archive.finish().expect("writes to memory").into_inner();
    run("tabix", "bgzip", &["-t"], &file);
    assert_eq!(verify(&file).expect("intact").entries, 6);
    let cut = file[..file.len() - 300].to_vec();
    let (mut archive, recovered) = options(1).resume(Cursor::new(cut)).expect("a torn end");
    archive.append_bytes("last", b"?").expect("writes to memory");
    let resumed = archive.finish().expect("writes to memory").into_inner();
    assert_eq!(verify(&resumed).expect("intact").entries, recovered.entries.len() as u64 + 1);
}

#[test]
fn one_member_is_a_single_member() {
    let file = write_sample(&options(2));
    let mut decoder = flate2::bufread::GzDecoder::new(&file[..]);
    let mut data = Vec::new();
    decoder.read_to_end(&mut data).expect("zlib reads it");
    assert!(decoder.into_inner().is_empty(), "nothing follows it");
    // The tar, and behind its end the index, which tar ignores even with `-i`.
    for arguments in [&["tf", "-"][..], &["tif", "-"]] {
        let names = String::from_utf8(run("tar", "tar", arguments, &data)).expect("ASCII");
        assert_eq!(names.lines().count(), sample_files().len(), "{arguments:?}");
    }
}

#[test]
fn the_first_of_concatenated_archives_is_read() {
    for options in [options(1), bgzf_options(1)] {
        let first = write_sample(&options);
        let mut second = options.writer(Vec::new()).expect("an archive");
        second.append_bytes("second", b"2").expect("writes to memory");
        let file = [first, second.finish().expect("writes to memory")].concat();
        assert!(read_all(&file) == sample_files());
        let mut archive = options.reader(Cursor::new(&file)).expect("a reader");
        let index = archive.index().expect("an index built by reading");
        assert!(!index.is_stored());
        assert_eq!(index.entries().len(), sample_files().len());
        let mut read = Vec::new();
        archive.open("dir/one").expect("it exists").read_to_end(&mut read).expect("intact");
        assert_eq!(read, b"1");
    }
}

#[test]
fn an_archive_with_a_damaged_index_is_read_in_order() {
    // The damage is in the records of the index, which are before the footer.
    for (options, behind) in [(options(1), 1037 + 50), (bgzf_options(1), 143 + 50)] {
        let mut file = write_sample(&options);
        let at = file.len() - behind;
        file[at] ^= 0x40;
        let mut archive = options.reader(Cursor::new(&file)).expect("a reader");
        assert!(!archive.load_stored_index().expect("reads from memory"));
        assert!(matches!(archive.index_error(), Some(Error::Index { .. })));
        let mut names = Vec::new();
        let end = loop {
            match archive.next_entry() {
                Ok(Some(entry)) => names.push(entry.entry().path().display().to_string()),
                end => break end.map(drop),
            }
        };
        // The checksum of one member covers its index, too.
        let in_member = !file.starts_with(&[0x1f, 0x8b, 8, 4]);
        assert_eq!(matches!(end, Err(Error::Damaged { .. })), in_member);
        assert!(names.into_iter().eq(sample_files().into_iter().map(|(name, _)| name)));
        assert!(verify(&file).is_err());
    }
}

#[test]
fn a_lone_block_of_zeros_ends_an_archive_and_is_reported() {
    let header = |name| Entry::file(name, b"").bytes();
    for (zeros, notices) in [(1, 1), (2, 0), (3, 0)] {
        let tar = [header("one"), vec![0; zeros * 512], header("two"), vec![0; 1024]].concat();
        let mut archive = options(1).reader(Cursor::new(&tar)).expect("a reader");
        assert!(archive.next_entry().expect("whole").is_some());
        assert!(archive.next_entry().expect("whole").is_none());
        let warnings = archive.take_warnings();
        let lone = warnings.iter().filter(|warning| warning.to_string().contains("lone"));
        assert_eq!(lone.count(), notices, "{warnings:?}");
        assert!(warnings.iter().all(uadk_compress_archive::Warning::is_notice), "{warnings:?}");
    }
}

#[test]
fn one_block_of_zeros_without_an_end_marker_ends_an_archive() {
    let tar = [Entry::file("one", b"").bytes(), vec![0; 512]].concat();
    let mut writer = bgzf(1).writer(Vec::new()).expect("a writer");
    std::io::Write::write_all(&mut writer, &tar).expect("writes to memory");
    let file = writer.finish().expect("writes to memory");
    // Without block gzip's end marker, an empty block of 28 bytes.
    let file = &file[..file.len() - 28];
    let mut archive = options(1).reader(Cursor::new(file)).expect("a reader");
    assert!(archive.next_entry().expect("intact").is_some());
    assert!(archive.next_entry().expect("the end").is_none());
    assert_eq!(archive.index().expect("the tar is complete").entries().len(), 1);
}
