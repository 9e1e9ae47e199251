//! Reading a single entry reads only its own blocks, and the index is invisible to other programs.

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use tar::{EntryType, Header};
use uadk_compress_archive::{ArchiveReader, ArchiveWriter, EntryKind, Error};

use crate::common::{
    bgzf, bgzf_options, chain, gzip, options, read_all, sample_files, text, write_sample,
};

/// Counts the bytes that are read.
struct Counted<'a> {
    file: Cursor<&'a [u8]>,
    read: &'a std::cell::Cell<u64>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.read.set(self.read.get() + n as u64);
        Ok(n)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[test]
fn every_entry_is_found_by_its_name() {
    for (threads, options) in [(1, options(1)), (4, options(4)), (3, bgzf_options(3))] {
        let file = write_sample(&options);
        let options = options.threads(threads);
        let mut archive = options.reader(Cursor::new(&file[..])).expect("a reader");
        assert!(archive.index().expect("an index").is_stored());
        for (name, contents) in sample_files().into_iter().rev() {
            let mut read = Vec::new();
            let mut entry = archive.open(&name).expect("it exists");
            assert_eq!(entry.entry().size(), contents.len() as u64);
            entry.read_to_end(&mut read).expect("intact");
            assert!(read == contents, "{name}");
        }
        assert!(
            matches!(archive.open("nothing"), Err(Error::Entry { name, .. }) if name == "nothing")
        );
        let names = archive.index().expect("an index").entries().iter();
        let names: Vec<_> = names.map(|entry| entry.path().display().to_string()).collect();
        assert!(names.into_iter().eq(sample_files().into_iter().map(|(name, _)| name)));
    }
}

#[test]
fn reading_an_entry_reads_only_its_blocks_and_the_index() {
    // In blocks and in segments.
    check_costs(&write_sample(&bgzf_options(2)), 1 << 16);
    check_costs(&write_sample(&options(2)), 512 << 10);
}

fn check_costs(file: &[u8], block: u64) {
    let read = std::cell::Cell::new(0);
    let counted = Counted { file: Cursor::new(file), read: &read };
    let mut archive = options(2).reader(counted).expect("a reader");
    archive.index().expect("an index");
    let index_cost = read.replace(0);
    assert!(index_cost < 10_000, "{index_cost} bytes for the index");
    archive.open("dir/one").expect("it exists").read_to_end(&mut Vec::new()).expect("intact");
    // A block and possibly the rest of another.
    assert!(read.get() <= 2 * block, "{} bytes read for one entry", read.get());
    read.set(0);
    archive.open("large").expect("it exists").read_to_end(&mut Vec::new()).expect("intact");
    let entries = archive.index().expect("an index").entries();
    let large =
        entries.iter().position(|entry| entry.path().ends_with("large")).expect("it exists");
    let span = entries[large + 1].block_offset().expect("a block")
        - entries[large].block_offset().expect("a block");
    assert!(read.get() <= span + 2 * block, "{} bytes read for {span}", read.get());
}

#[test]
fn the_last_entry_of_a_name_counts() {
    let mut archive = ArchiveWriter::new(Vec::new()).expect("an archive");
    for contents in ["old", "new"] {
        archive.append_bytes("./name", contents.as_bytes()).expect("writes to memory");
    }
    let file = archive.finish().expect("writes to memory");
    let mut archive = ArchiveReader::new(Cursor::new(file)).expect("a reader");
    let mut text = String::new();
    archive.open("name/").expect("it exists").read_to_string(&mut text).expect("intact");
    assert_eq!(text, "new");
}

#[test]
fn reading_continues_behind_the_opened_entry() {
    let file = write_sample(&options(2));
    let mut archive = options(2).reader(Cursor::new(&file)).expect("a reader");
    archive.open("many/010").expect("it exists");
    let next = archive.next_entry().expect("intact").expect("another entry");
    assert_eq!(next.entry().path().to_str(), Some("many/011"));
    archive.rewind().expect("seeks in memory");
    let first = archive.next_entry().expect("intact").expect("another entry");
    assert_eq!(first.entry().path().to_str(), Some("empty"));
}

#[test]
fn metadata_in_the_index_is_that_of_the_tar() {
    let mut archive = options(1).writer(Vec::new()).expect("an archive");
    let mut header = Header::new_gnu();
    header.set_mode(0o4751);
    header.set_uid(3_000_000_000);
    header.set_gid(77);
    header.set_mtime(1_700_000_000);
    header.set_size(4);
    archive.append_data(header.clone(), "f", &b"1234"[..]).expect("writes to memory");
    archive.append_link(header.clone(), "s", "target").expect("writes to memory");
    header.set_entry_type(EntryType::Link);
    archive.append_link(header, "h", "f").expect("writes to memory");
    let file = archive.finish().expect("writes to memory");

    let mut archive = ArchiveReader::new(Cursor::new(&file)).expect("a reader");
    let stored = archive.index().expect("an index").clone();
    let [file_entry, symlink, hardlink] = stored.entries() else { panic!("three entries") };
    assert_eq!((file_entry.mode(), file_entry.uid()), (0o4751, 3_000_000_000));
    assert_eq!((file_entry.gid(), file_entry.mtime(), file_entry.size()), (77, 1_700_000_000, 4));
    assert_eq!((symlink.kind(), hardlink.kind()), (EntryKind::Symlink, EntryKind::HardLink));
    assert_eq!(symlink.link().and_then(|link| link.to_str()), Some("target"));
    archive.verify().expect("index and tar agree");
}

#[test]
fn without_a_stored_index_one_is_built_by_reading() {
    let tar = sample_tar();
    let blocks = bgzf(1).compress(&tar[..], Vec::new()).expect("writes to memory");
    let segments = gzip(1).compress(&tar[..], Vec::new()).expect("writes to memory");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(&tar).expect("writes to memory");
    let unsized_file = encoder.finish().expect("writes to memory");
    for file in [blocks, segments, unsized_file] {
        let mut archive = ArchiveReader::new(Cursor::new(&file)).expect("a reader");
        assert!(!archive.index().expect("an index").is_stored());
        for (name, contents) in sample_files().into_iter().rev().step_by(5) {
            let mut read = Vec::new();
            archive.open(&name).expect("it exists").read_to_end(&mut read).expect("intact");
            assert!(read == contents, "{name}");
        }
        let verified = archive.verify().expect("intact");
        assert!(!verified.indexed && verified.ended);
    }
}

#[test]
fn archives_of_other_programs_get_an_index() {
    let tar = sample_tar();
    // In place if there are blocks or segments: the same bytes as if written with an index.
    for (options, gzip) in [(bgzf_options(1), bgzf(1)), (options(1), gzip(1))] {
        let made = write_sample(&options);
        let mut file = Cursor::new(gzip.compress(&tar[..], Vec::new()).expect("writes to memory"));
        let count = options.index(&mut file).expect("it has blocks");
        assert_eq!(count, sample_files().len() as u64);
        assert!(file.get_ref() == &made);
        // Doing it again changes nothing.
        options.index(&mut file).expect("it has blocks");
        assert!(file.get_ref() == &made);
    }
    // In files of other programs, the last segment has no marker.
    let mut file = Cursor::new(crate::common::run("pigz", "pigz", &["-i"], &tar));
    options(1).index(&mut file).expect("it has segments");
    crate::common::verify(file.get_ref()).expect("intact");
    assert!(read_all(file.get_ref()) == sample_files());

    // Rewritten if there are none.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(1));
    encoder.write_all(&tar).expect("writes to memory");
    let plain = encoder.finish().expect("writes to memory");
    let error = options(1).index(Cursor::new(plain.clone())).unwrap_err();
    assert!(matches!(error, Error::NoBlocks), "{error}");
    for options in [options(3), bgzf_options(3)] {
        let made = write_sample(&options);
        // An existing index is not part of the tar.
        for from in [&plain, &made] {
            let mut rewritten = Vec::new();
            options.rewrite(&from[..], &mut rewritten).expect("intact");
            assert!(rewritten == made);
        }
    }
}

/// Returns the tar of the sample.
fn sample_tar() -> Vec<u8> {
    let mut tar = Vec::new();
    let made = write_sample(&bgzf_options(1));
    gzip(1).reader(&made[..]).expect("a reader").read_to_end(&mut tar).expect("intact");
    tar
}

#[test]
fn data_that_ends_early_is_an_error_and_padded_with_zeros() {
    struct Broken(usize);
    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = self.0.min(buffer.len());
            self.0 -= n;
            buffer[..n].fill(b'x');
            if n == 0 { Err(io::Error::other("the disk is gone")) } else { Ok(n) }
        }
    }
    let mut archive = options(2).writer(Vec::new()).expect("an archive");
    let mut header = Header::new_gnu();
    header.set_size(100_000);
    let short = archive.append_data(header.clone(), "short", &text(70_000, 1)[..]).unwrap_err();
    assert!(short.to_string().contains("30000 bytes are zeros"), "{short}");
    let broken = archive.append_data(header.clone(), "broken", Broken(99)).unwrap_err();
    assert_eq!(
        chain(&broken),
        "broken: its last 99901 bytes are zeros in the archive: the disk is gone"
    );
    for bad in ["/absolute", "a/../b", ""] {
        let error = archive.append_data(header.clone(), bad, io::empty()).unwrap_err();
        assert!(matches!(error, Error::Entry { .. }), "{error}");
    }
    archive.append_bytes("after", b"whole").expect("writes to memory");
    let file = archive.finish().expect("writes to memory");
    assert_eq!(crate::common::verify(&file).expect("intact").entries, 3);
    let entries = read_all(&file);
    assert!(entries[0].1[70_000..].iter().all(|byte| *byte == 0) && entries[0].1.len() == 100_000);
    assert_eq!(entries[2].1, b"whole");
}

/// A file with a large hole between its header and its tail.
struct Holed<'a> {
    header: &'a [u8],
    tail: &'a [u8],
    len: u64,
    at: u64,
}

impl Read for Holed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let tail_at = self.len - self.tail.len() as u64;
        let n = if self.at < self.header.len() as u64 {
            (&self.header[self.at as usize..]).read(buffer)?
        } else if self.at < tail_at {
            let n = buffer.len().min(usize::try_from(tail_at - self.at).unwrap_or(usize::MAX));
            buffer[..n].fill(0);
            n
        } else {
            let at = (self.at - tail_at).min(self.tail.len() as u64) as usize;
            (&self.tail[at..]).read(buffer)?
        };
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Holed<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(to) => Some(to),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        // As with files, whose sizes are signed.
        self.at = to.filter(|to| i64::try_from(*to).is_ok()).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[test]
fn a_footer_with_any_numbers_is_used_or_refused_in_little_memory() {
    // The magic before the footer's numbers, and how many there are before their checksum.
    for (options, magic, numbers) in
        [(options(1), b"uadkidx2", 9), (bgzf_options(1), b"uadkidx1", 7)]
    {
        let whole = write_sample(&options);
        let at = whole.windows(8).rposition(|bytes| bytes == magic).expect("a footer");
        let crc_at = at + 8 + 8 * numbers + if magic == b"uadkidx2" { 4 } else { 8 };
        let len = whole.len() as u64;
        for number in 0..numbers {
            let offset = at + 8 + 8 * number;
            let was = u64::from_le_bytes(whole[offset..offset + 8].try_into().expect("8 bytes"));
            for lie in [
                0,
                1,
                511,
                was ^ 1,
                was + 512,
                was * 2,
                len,
                len - 1037,
                1 << 32,
                1 << 40,
                1 << 62,
                u64::MAX >> 1,
                u64::MAX,
            ] {
                let mut file = whole.clone();
                file[offset..offset + 8].copy_from_slice(&lie.to_le_bytes());
                let crc = crate::common::crc(&file[at..crc_at]);
                file[crc_at..crc_at + 4].copy_from_slice(&crc.to_le_bytes());
                let used = allocation_counter::measure(|| {
                    let mut archive = options.reader(Cursor::new(&file)).expect("a reader");
                    let is_used = archive.load_stored_index().expect("reads from memory");
                    if is_used {
                        let _ = archive
                            .open("dir/one")
                            .map(|mut entry| entry.read_to_end(&mut Vec::new()));
                    }
                });
                assert!(used.bytes_max < 40 << 20, "{number} as {lie}: {} bytes", used.bytes_max);

                // With a file as long as the footer says, which is mostly a hole.
                if magic != b"uadkidx2" {
                    continue;
                }
                let len: u64 = 1 << 40;
                file[at + 8..at + 16].copy_from_slice(&len.to_le_bytes());
                let crc = crate::common::crc(&file[at..crc_at]);
                file[crc_at..crc_at + 4].copy_from_slice(&crc.to_le_bytes());
                let used = allocation_counter::measure(|| {
                    let holed = Holed { header: &whole[..10], tail: &file, len, at: 0 };
                    let archive = options.reader(holed).map(|mut a| a.load_stored_index());
                    assert!(matches!(archive, Ok(Ok(false))), "{number} as {lie}");
                });
                assert!(used.bytes_max < 40 << 20, "{number} as {lie}: {} bytes", used.bytes_max);
            }
        }
    }
}
