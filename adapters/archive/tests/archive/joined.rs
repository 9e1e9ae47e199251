//! Files of several members and concatenated archives: changing them loses nothing.

use std::io::{Cursor, Read, Write};

use flate2::read::MultiGzDecoder;
use uadk_compress_archive::{ArchiveOptions, ArchiveReader, ArchiveWriter, Error, Layout};

use crate::common::{
    bgzf, bgzf_options, gzip, noise, options, read_all, sample_files, text, verify, write_sample,
};

fn plain(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(data).expect("writes to memory");
    encoder.finish().expect("writes to memory")
}

fn gunzip(file: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    MultiGzDecoder::new(file).read_to_end(&mut data).expect("zlib reads it");
    data
}

/// A way to change an archive.
type Way = dyn Fn(&mut Cursor<Vec<u8>>) -> Result<(), Error>;
/// Compresses data to a file.
type Kind = dyn Fn(&[u8]) -> Vec<u8>;

/// Returns the tar of the sample.
fn sample_tar() -> Vec<u8> {
    gunzip(&write_sample(&bgzf_options(1)))
}

/// Returns an archive of one file.
fn archive_of(options: &ArchiveOptions, name: &str) -> Vec<u8> {
    let mut archive = options.writer(Vec::new()).expect("an archive");
    archive.append_bytes(name, &text(1000, 1)).expect("writes to memory");
    archive.finish().expect("writes to memory")
}

fn append_one(mut archive: ArchiveWriter<&mut Cursor<Vec<u8>>>) -> Result<(), Error> {
    archive.append_bytes("new", b"news")?;
    archive.finish().map(drop)
}

/// Changes a file in each way. Either it stays as it is, or all of its entries are still there.
/// Returns which ways succeeded.
fn change(file: &[u8], what: &str) -> Vec<bool> {
    let files = sample_files();
    let ways: [(&str, &Way); 4] = [
        ("append", &|file| options(2).append(file).and_then(append_one)),
        ("append in blocks", &|file| bgzf_options(2).append(file).and_then(append_one)),
        ("resume", &|file| options(2).resume(file).and_then(|(archive, _)| append_one(archive))),
        ("index", &|file| options(2).index(file).map(drop)),
    ];
    let changed = ways.map(|(change, make)| {
        let mut changed = Cursor::new(file.to_vec());
        let made = make(&mut changed);
        let changed = changed.into_inner();
        let Ok(()) = made else {
            assert!(changed == file, "{change} of {what} fails and changes the file");
            return false;
        };
        let mut entries = read_all(&changed);
        if change != "index" {
            assert_eq!(entries.pop().map(|(name, _)| name).as_deref(), Some("new"), "{what}");
        }
        assert!(entries == files, "{change} of {what} loses entries");
        let verified = verify(&changed).unwrap_or_else(|error| panic!("{change}, {what}: {error}"));
        assert!(verified.indexed, "{change} of {what}");
        gunzip(&changed);
        true
    });
    changed.to_vec()
}

#[test]
fn changing_a_tar_in_members_of_several_kinds_loses_nothing() {
    let tar = sample_tar();
    let kinds: [(&str, &Kind); 3] = [
        ("plain", &plain),
        ("segments", &|part| gzip(1).compress(part, Vec::new()).expect("writes to memory")),
        ("blocks", &|part| bgzf(1).compress(part, Vec::new()).expect("writes to memory")),
    ];
    // With the last cuts, the second part has the last entries, or nothing but zeros.
    for cut in [1_000_000, tar.len() - 40_000, tar.len() - 1024] {
        for (first, compress) in kinds {
            for (second, compress_second) in kinds {
                let (one, other) = tar.split_at(cut);
                let file = [compress(one), compress_second(other)].concat();
                assert_eq!(read_all(&file).len(), sample_files().len());
                change(&file, &format!("{first} and {second} from {cut} on"));
            }
        }
    }
    let blocks = bgzf(1).compress(&tar[..], Vec::new()).expect("writes to memory");
    let segments = gzip(1).compress(&tar[..], Vec::new()).expect("writes to memory");
    for (file, what) in [(blocks, "blocks"), (segments, "segments")] {
        assert_eq!(change(&file, what), [true; 4], "{what}");
        let behind_nothing = [plain(b""), file].concat();
        change(&behind_nothing, what);
    }
}

#[test]
fn data_behind_an_archive_is_not_cut_off() {
    for layout in [Layout::OneMember, Layout::Bgzf] {
        let options = options(1).layout(layout);
        let archive = write_sample(&options);
        let second = archive_of(&options, "second");
        let empty =
            options.writer(Vec::new()).expect("an archive").finish().expect("writes to memory");
        let garbage = b"notes of mine".repeat(50_000);
        for (first, behind) in [(&archive, &second), (&empty, &archive), (&archive, &garbage)] {
            let file = [&first[..], behind].concat();
            for discard in [false, true] {
                let options = options.clone().discard_damaged(discard);
                let mut appended = Cursor::new(file.clone());
                assert!(options.append(&mut appended).and_then(append_one).is_err(), "{layout:?}");
                assert!(appended.into_inner() == file);
                if discard && behind == &garbage {
                    continue;
                }
                let mut resumed = Cursor::new(file.clone());
                let result = options.resume(&mut resumed).and_then(|(w, _)| append_one(w));
                assert!(result.is_err(), "{layout:?}, {discard}");
                assert!(resumed.into_inner() == file);
            }
        }
    }
}

#[test]
fn an_archive_stays_as_it_is_until_something_is_appended() {
    for layout in [Layout::OneMember, Layout::Bgzf] {
        let options = options(2).layout(layout);
        let whole = write_sample(&options);
        let mut file = Cursor::new(whole.clone());
        let mut archive = options.append(&mut file).expect("intact");
        archive.append_bytes("little", b"not enough to be written").expect("writes to memory");
        // As if the program had failed before finishing it.
        drop(archive);
        assert!(file.get_ref() == &whole, "{layout:?}");
        file.set_position(0);
        let mut archive = options.append(&mut file).expect("intact");
        archive.append_bytes("little", b"not enough to be written").expect("writes to memory");
        archive.flush().expect("writes to memory");
        drop(archive);
        // Now it is an interrupted archive with all entries.
        let (mut archive, recovered) = options.resume(&mut file).expect("an interrupted archive");
        assert_eq!(recovered.entries.len(), sample_files().len() + 1);
        archive.append_bytes("more", b"!").expect("writes to memory");
        archive.finish().expect("writes to memory");
        let entries = verify(file.get_ref()).expect("intact").entries;
        assert_eq!(entries, sample_files().len() as u64 + 2);
    }
}

#[test]
fn continuing_an_archive_does_not_hide_a_wrong_checksum() {
    // Without an index, only the checksum shows that contents are damaged.
    let tar = sample_tar();
    let mut file = gzip(1).compress(&tar[..], Vec::new()).expect("writes to memory");
    let at = file.len() - 8;
    file[at] ^= 1;
    for result in [
        options(1).append(Cursor::new(file.clone())).map(drop),
        options(1).resume(Cursor::new(file.clone())).map(drop),
        options(1).index(Cursor::new(file.clone())).map(drop),
    ] {
        assert!(matches!(result, Err(Error::Damaged { .. })), "{result:?}");
    }
}

#[test]
fn rewriting_keeps_all_of_a_tar() {
    let tar = sample_tar();
    // As written by `git archive`: with a header like those of an index.
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::XGlobalHeader);
    header.set_path("pax_global_header").expect("a short name");
    header.set_mode(0o666);
    header.set_mtime(1_700_000_000);
    header.set_username("root").expect("a short name");
    header.set_size(52);
    header.set_cksum();
    let mut from_git = header.as_bytes().to_vec();
    from_git.extend(format!("52 comment={}\n", "c0ffee0123".repeat(4)).bytes());
    from_git.resize(1024, 0);
    from_git.extend(gunzip(&archive_of(&bgzf_options(1), "in git")));
    let joined = [&tar[..], &from_git].concat();
    let without_end = &tar[..tar.len() - 1024];
    for options in [options(2), bgzf_options(2)] {
        for tar in [&joined[..], without_end] {
            let mut rewritten = Vec::new();
            options.rewrite(&plain(tar)[..], &mut rewritten).expect("intact");
            assert!(gunzip(&rewritten).starts_with(tar), "{}", tar.len());
            assert_eq!(verify(&rewritten).expect("intact").entries, sample_files().len() as u64);
            let mut file = Cursor::new(rewritten);
            // With its index, an archive is known to be complete.
            if tar == without_end {
                options.append(&mut file).and_then(append_one).expect("intact");
                let entries = verify(file.get_ref()).expect("intact").entries;
                assert_eq!(entries, sample_files().len() as u64 + 1);
            }
        }
        // In concatenated archives, an index of the first is not part of the tar.
        let made = write_sample(&options);
        let joined = [made, archive_of(&options, "second")].concat();
        let mut rewritten = Vec::new();
        options.rewrite(&joined[..], &mut rewritten).expect("intact");
        let mut archive = ArchiveReader::new(&rewritten[..]).expect("a reader");
        archive.ignore_zeros(true);
        let mut count = 0;
        while archive.next_entry().expect("intact").is_some() {
            count += 1;
        }
        assert_eq!(count, sample_files().len() + 1);
        assert!(gunzip(&rewritten).starts_with(&tar));
    }
}

#[test]
fn a_tar_without_its_end_gets_an_index_in_place() {
    let tar = sample_tar();
    let without_end = &tar[..tar.len() - 1024];
    for (options, gzip) in [(options(1), gzip(1)), (bgzf_options(1), bgzf(1))] {
        let mut file =
            Cursor::new(gzip.compress(without_end, Vec::new()).expect("writes to memory"));
        options.index(&mut file).expect("it has blocks");
        assert!(verify(file.get_ref()).expect("intact").indexed);
        options.append(&mut file).and_then(append_one).expect("intact");
        let entries = verify(file.get_ref()).expect("intact").entries;
        assert_eq!(entries, sample_files().len() as u64 + 1);
    }
}
#[test]
fn an_archive_of_compressed_files_is_resumed() {
    // The files contain markers where no segment ends.
    let contents = noise(70_000, 5);
    let mut compressed = Vec::new();
    while compressed.len() < 3_000_000 {
        compressed.extend(&contents[..10_000 + compressed.len() % 50_000]);
        compressed.extend([0, 0, 0xff, 0xff]);
    }
    let write = |count: usize| {
        let mut archive = options(1).writer(Vec::new()).expect("an archive");
        archive.append_bytes("first", b"1").expect("writes to memory");
        for i in 0..count {
            archive.append_bytes(format!("compressed{i}"), &compressed).expect("writes to memory");
        }
        archive
    };
    let whole = write(2).finish().expect("writes to memory");
    for threads in [1, 3] {
        for cut in [whole.len() - 2000, whole.len() / 2, 400_000] {
            let torn = Cursor::new(whole[..cut].to_vec());
            let (mut archive, recovered) = options(threads).resume(torn).expect("a torn end");
            for i in recovered.entries.len() - 1..2 {
                archive
                    .append_bytes(format!("compressed{i}"), &compressed)
                    .expect("writes to memory");
            }
            let file = archive.finish().expect("writes to memory").into_inner();
            assert!(file == whole, "cut at {cut}");
        }
    }
}
