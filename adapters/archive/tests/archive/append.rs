//! Adding to archives that are whole.

use std::io::{Cursor, Read};

use uadk_compress_archive::{ArchiveReader, ArchiveWriter, Error};

use crate::common::{gzip, options, read_all, sample_files, verify, write_sample};

#[test]
fn what_is_appended_in_pieces_is_as_if_it_had_been_written_at_once() {
    let whole = write_sample(&options(1));
    let files = sample_files();
    for cut in [0, 1, 4, 5, files.len() - 1, files.len()] {
        let mut archive = options(3).writer(Vec::new()).expect("an archive");
        for (name, contents) in &files[..cut] {
            archive.append_bytes(name, contents).expect("memory");
        }
        let mut file = archive.finish().expect("memory");
        for (name, contents) in &files[cut..] {
            let mut archive = options(2).append(Cursor::new(file)).expect("whole");
            archive.append_bytes(name, contents).expect("memory");
            file = archive.finish().expect("memory").into_inner();
        }
        assert!(file == whole, "{cut}");
    }
}

#[test]
fn archives_without_an_index_are_appended_to_and_get_one() {
    let whole = write_sample(&options(1));
    let mut tar = Vec::new();
    gzip(1).reader(&whole[..]).expect("a reader").read_to_end(&mut tar).expect("whole");
    let blocks = gzip(1).compress(&tar[..], Vec::new()).expect("memory");
    let mut archive = ArchiveWriter::append(Cursor::new(blocks)).expect("it has blocks");
    archive.append_bytes("new", b"news").expect("memory");
    let file = archive.finish().expect("memory").into_inner();
    let verified = verify(&file).expect("whole");
    assert!(verified.indexed);
    assert_eq!(verified.entries, sample_files().len() as u64 + 1);
    assert_eq!(read_all(&file).last().map(|(_, contents)| &contents[..]), Some(&b"news"[..]));
}

#[test]
fn gzip_without_blocks_stays_as_it_is() {
    let fixture = include_bytes!("../fixtures/crabz-gzip.tar.gz").to_vec();
    let error = ArchiveWriter::append(Cursor::new(fixture)).unwrap_err();
    assert!(matches!(error, Error::NoBlocks), "{error}");
}

#[test]
fn an_empty_archive_is_whole_and_can_be_appended_to() {
    let file = ArchiveWriter::new(Vec::new()).expect("an archive").finish().expect("memory");
    assert_eq!(verify(&file).expect("whole").entries, 0);
    let mut archive = ArchiveWriter::append(Cursor::new(file)).expect("whole");
    archive.append_bytes("first", b"1").expect("memory");
    let file = archive.finish().expect("memory").into_inner();
    assert!(ArchiveReader::new(Cursor::new(file)).expect("a reader").open("first").is_ok());
}
