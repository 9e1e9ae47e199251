//! Damaged archives: reading returns an error or the original data, never anything else.

use std::io::{Cursor, Read};

use uadk_compress_archive::{ArchiveOptions, ArchiveReader, Error, Layout};

use crate::common::{chain, options, text, verify};
use crate::engines::Trouble;

/// Returns a small archive and its files.
fn small(layout: Layout) -> (Vec<u8>, Vec<(String, Vec<u8>)>) {
    let files: Vec<_> = (0..6)
        .map(|i| {
            let len = [0, 5, 700, 1500, 1500, 40][i];
            // One crosses a block boundary.
            (format!("dir/file{i}"), text(len, i as u64).repeat(if i == 4 { 50 } else { 1 }))
        })
        .collect();
    let mut archive = options(1).layout(layout).writer(Vec::new()).expect("an archive");
    for (name, contents) in &files {
        archive.append_bytes(name, contents).expect("writes to memory");
    }
    (archive.finish().expect("writes to memory"), files)
}

/// Reads as far as possible. Whatever is read must be a prefix of what was written.
fn read_prefix(file: &[u8], files: &[(String, Vec<u8>)], what: &str) -> Result<(), Error> {
    let mut archive = options(1).reader(file)?;
    let mut expected = files.iter();
    while let Some(mut entry) = archive.next_entry()? {
        let (name, contents) =
            expected.next().unwrap_or_else(|| panic!("{what}: unexpected entry"));
        assert_eq!(entry.entry().path().to_str(), Some(&name[..]), "{what}");
        let mut read = Vec::new();
        let result = entry.read_to_end(&mut read);
        assert!(contents.starts_with(&read), "{what}: wrong bytes in {name}");
        result?;
        assert_eq!(read.len(), contents.len(), "{what}: {name} is too short");
    }
    // Either all entries or an error.
    archive.verify_stream()?;
    assert!(expected.next().is_none(), "{what}: entries are missing without an error");
    // The tar is complete; a warning says that block gzip may have been cut off behind it.
    match archive.gz_warnings() {
        [] => Ok(()),
        warnings => Err(Error::Unsupported(warnings[0].to_string().into())),
    }
}

/// Opens each file by name, which uses the index.
fn open_each(file: &[u8], files: &[(String, Vec<u8>)], what: &str) {
    let Ok(mut archive) = options(1).reader(Cursor::new(file)) else { return };
    for (name, contents) in files {
        let mut read = Vec::new();
        if let Ok(mut entry) = archive.open(name) {
            match entry.read_to_end(&mut read) {
                Ok(_) => assert!(&read == contents, "{what}: wrong bytes in {name}"),
                Err(_) => assert!(contents.starts_with(&read), "{what}: wrong bytes in {name}"),
            }
        }
    }
}

#[test]
fn every_flipped_byte_is_detected_or_harmless() {
    let (file, files) = small(Layout::Bgzf);
    let mut undetected = 0;
    for i in 0..file.len() {
        let mut damaged = file.clone();
        damaged[i] ^= 1 << (i % 8);
        let what = format!("byte {i} of {}", file.len());
        let read = read_prefix(&damaged, &files, &what);
        // Opening reads the same blocks; a sample of the bytes is enough.
        if i % 5 == 0 || i > file.len() - 700 {
            open_each(&damaged, &files, &what);
        }
        match (read, verify(&damaged)) {
            (Err(error), _) | (_, Err(error)) => {
                assert!(!matches!(error, Error::Io(_)), "{what}: {error}");
            }
            // Time, flags and OS in gzip headers; bytes that mark the index.
            (Ok(()), Ok(_)) => undetected += 1,
        }
    }
    let members = 3 + 2 * 2 + 1;
    assert!(
        undetected <= members * 60,
        "{undetected} of {} flipped bytes are undetected",
        file.len()
    );
}

#[test]
fn every_flipped_byte_of_one_member_is_detected_or_harmless() {
    let (file, files) = small(Layout::OneMember);
    let mut undetected = Vec::new();
    for i in 0..file.len() {
        let mut damaged = file.clone();
        damaged[i] ^= 1 << (i % 8);
        let what = format!("byte {i} of {}", file.len());
        let Ok(mut archive) = options(1).reader(Cursor::new(&damaged)) else { continue };
        // Without its index, data is returned before its checksum is verified.
        if archive.load_stored_index().is_ok_and(|loaded| loaded) {
            let mut expected = files.iter();
            while let Ok(Some(mut entry)) = archive.next_entry() {
                let (name, contents) =
                    expected.next().unwrap_or_else(|| panic!("{what}: too many"));
                assert_eq!(entry.entry().path().to_str(), Some(&name[..]), "{what}");
                let mut read = Vec::new();
                let _ = entry.read_to_end(&mut read);
                assert!(contents.starts_with(&read), "{what}: wrong bytes in {name}");
            }
            open_each(&damaged, &files, &what);
        }
        if verify(&damaged).is_ok() {
            undetected.push(i);
        }
    }
    // Time, flags and OS of the header; the magic, the version and other bytes that mark the index
    // (the checksum of the whole would detect these); padding bits in a byte.
    assert!(undetected.len() < 10, "{undetected:?} of {} flipped bytes are undetected", file.len());
}

#[test]
fn every_truncation_is_an_error_after_complete_entries() {
    for (file, files) in [Layout::Bgzf, Layout::OneMember].map(small) {
        truncate_everywhere(&file, &files);
    }
}

fn truncate_everywhere(file: &[u8], files: &[(String, Vec<u8>)]) {
    for len in 0..file.len() {
        let what = format!("cut at {len} of {}", file.len());
        let error = read_prefix(&file[..len], files, &what).expect_err(&what);
        let error = chain(&error);
        let is_expected =
            error.contains("unexpected end of file at byte") || error.contains("end marker");
        assert!(is_expected, "{what}: {error}");
        if len % 11 == 0 && !error.contains("end marker") {
            open_each(&file[..len], files, &what);
            assert!(verify(&file[..len]).is_err(), "{what}");
        }
    }
}

#[test]
fn errors_name_the_offset() {
    let (file, _) = small(Layout::Bgzf);
    let mut damaged = file.clone();
    damaged[500] ^= 0xff;
    let error = verify(&damaged).unwrap_err();
    assert!(chain(&error).contains("gzip data at byte 0 is damaged"), "{error}");
    let error = verify(&file[..600]).unwrap_err();
    assert!(chain(&error).contains("at byte 600"), "{error}");
}

/// Puts the index of one archive behind the tar of another. Blocks are stored, so that offsets are
/// the same.
fn with_foreign_index(names: impl Fn(usize) -> (String, Vec<u8>)) -> Vec<u8> {
    let stored = || {
        ArchiveOptions::new()
            .threads(1)
            .layout(Layout::Bgzf)
            .compressor(std::sync::Arc::new(Trouble::Fails(uadk_compress::Error::OutputFull)))
    };
    let write = |names: &dyn Fn(usize) -> (String, Vec<u8>)| {
        let mut archive = stored().writer(Vec::new()).expect("an archive");
        for i in 0..6 {
            let (name, contents) = names(i);
            archive.append_bytes(&name, &contents).expect("writes to memory");
        }
        archive.finish().expect("writes to memory")
    };
    let files = small(Layout::Bgzf).1;
    let (file, other) = (write(&|i| files[i].clone()), write(&names));
    let start = |file: &[u8]| {
        let footer = file.len() - 28 - 115;
        let at =
            file[footer..].windows(8).position(|w| w == b"uadkidx1").expect("a footer") + footer;
        u64::from_le_bytes(file[at + 8..at + 16].try_into().expect("8 bytes")) as usize
    };
    assert_eq!(start(&file), start(&other), "the offsets must match");
    [&file[..start(&file)], &other[start(&other)..]].concat()
}

#[test]
fn a_false_index_is_detected() {
    let (file, files) = small(Layout::Bgzf);
    // Another name of the same length, with data that compresses to the same length.
    let lies = with_foreign_index(|i| {
        let (name, contents) = files[i].clone();
        (if i == 3 { name.replace("dir", "rid") } else { name }, contents)
    });
    assert!(verify(&file).is_ok());
    let error = verify(&lies).unwrap_err();
    assert!(matches!(error, Error::Index { .. }), "{error}");
    assert!(error.to_string().contains("file3"), "{error}");
    let mut archive = ArchiveReader::new(Cursor::new(&lies[..])).expect("a reader");
    let error = archive.open("rid/file3").unwrap_err();
    assert!(matches!(error, Error::Index { .. }), "{error}");
    assert!(archive.open("dir/file3").is_err(), "the index does not know it");
    archive
        .open("dir/file4")
        .expect("its entry is correct")
        .read_to_end(&mut Vec::new())
        .expect("intact");
    // Reading in order does not use the index.
    read_prefix(&lies, &files, "in order").expect("the tar is intact");
}

#[test]
fn a_block_with_a_wrong_length_is_an_error() {
    let (file, _) = small(Layout::Bgzf);
    let len = usize::from(u16::from_le_bytes([file[16], file[17]])) + 1;
    for lie in [0_u32, 1, 65_279, 65_281, 65_536, 65_537, u32::MAX] {
        let mut damaged = file.clone();
        damaged[len - 4..len].copy_from_slice(&lie.to_le_bytes());
        let error = verify(&damaged).unwrap_err();
        assert!(matches!(error, Error::Damaged { offset: 0, .. }), "{lie}: {error}");
    }
}

#[test]
fn a_tar_header_with_a_wrong_size_is_an_error() {
    for size in [1_u64 << 33, u64::MAX, i64::MAX as u64, 600] {
        let mut header = tar::Header::new_gnu();
        header.set_path("liar").expect("a short name");
        header.set_mode(0o644);
        header.set_size(size);
        header.set_cksum();
        let tar = [&header.as_bytes()[..], &[7; 512]].concat();
        let file = crate::common::gzip(1).compress(&tar[..], Vec::new()).expect("writes to memory");
        let error = verify(&file).unwrap_err();
        assert!(matches!(error, Error::NotTar { .. }), "{size}: {error}");
    }
}
