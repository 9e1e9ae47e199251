//! Appending to complete archives.

use std::io::{Cursor, Read};

use uadk_compress_archive::{ArchiveReader, ArchiveWriter, Error};

use crate::common::{gzip, options, read_all, sample_files, verify, write_sample};

#[test]
fn appending_in_steps_writes_the_same_bytes_as_writing_at_once() {
    let whole = write_sample(&options(1));
    let files = sample_files();
    for cut in [0, 1, 4, 5, files.len() - 1, files.len()] {
        let mut archive = options(3).writer(Vec::new()).expect("an archive");
        for (name, contents) in &files[..cut] {
            archive.append_bytes(name, contents).expect("writes to memory");
        }
        let mut file = archive.finish().expect("writes to memory");
        for (name, contents) in &files[cut..] {
            let mut archive = options(2).append(Cursor::new(file)).expect("intact");
            archive.append_bytes(name, contents).expect("writes to memory");
            file = archive.finish().expect("writes to memory").into_inner();
        }
        assert!(file == whole, "{cut}");
    }
}

#[test]
fn appending_to_an_archive_without_an_index_adds_one() {
    let whole = write_sample(&options(1));
    let mut tar = Vec::new();
    gzip(1).reader(&whole[..]).expect("a reader").read_to_end(&mut tar).expect("intact");
    let blocks = gzip(1).compress(&tar[..], Vec::new()).expect("writes to memory");
    let mut archive = ArchiveWriter::append(Cursor::new(blocks)).expect("it has blocks");
    archive.append_bytes("new", b"news").expect("writes to memory");
    let file = archive.finish().expect("writes to memory").into_inner();
    let verified = verify(&file).expect("intact");
    assert!(verified.indexed);
    assert_eq!(verified.entries, sample_files().len() as u64 + 1);
    assert_eq!(read_all(&file).last().map(|(_, contents)| &contents[..]), Some(&b"news"[..]));
}

#[test]
fn appending_to_gzip_without_blocks_is_refused() {
    let fixture = include_bytes!("../fixtures/crabz-gzip.tar.gz").to_vec();
    let error = ArchiveWriter::append(Cursor::new(fixture)).unwrap_err();
    assert!(matches!(error, Error::NoBlocks), "{error}");
}

#[test]
fn an_empty_archive_is_valid_and_can_be_appended_to() {
    let file =
        ArchiveWriter::new(Vec::new()).expect("an archive").finish().expect("writes to memory");
    assert_eq!(verify(&file).expect("intact").entries, 0);
    let mut archive = ArchiveWriter::append(Cursor::new(file)).expect("intact");
    archive.append_bytes("first", b"1").expect("writes to memory");
    let file = archive.finish().expect("writes to memory").into_inner();
    assert!(ArchiveReader::new(Cursor::new(file)).expect("a reader").open("first").is_ok());
}
