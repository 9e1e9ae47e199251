//! Resuming archives whose writing was interrupted.

use std::io::{self, Cursor, Write};

use rand::Rng;
use uadk_compress_archive::{ArchiveReader, ArchiveWriter, Error, Recovered};

use crate::common::{
    append_sample, chain, noise, options, read_all, sample_files, seeded, verify, write_sample,
};

/// A disk that fails in the middle of a write.
struct FailingDisk {
    written: Vec<u8>,
    space: usize,
}

impl Write for &mut FailingDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = bytes.len().min(self.space);
        if n == 0 {
            return Err(io::Error::other("killed"));
        }
        self.space -= n;
        self.written.extend(&bytes[..n]);
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Appends the missing files of the sample. Returns the file and how many entries it had.
fn complete(
    (mut archive, recovered): (ArchiveWriter<Cursor<Vec<u8>>>, Recovered),
) -> (Vec<u8>, usize) {
    let kept = recovered.entries.len();
    let files = sample_files();
    for (entry, (name, contents)) in recovered.entries.iter().zip(&files) {
        assert_eq!(entry.path().to_str(), Some(&name[..]));
        assert_eq!(entry.size(), contents.len() as u64);
    }
    for (name, contents) in &files[kept..] {
        archive.append_bytes(name, contents).expect("writes to memory");
    }
    (archive.finish().expect("writes to memory").into_inner(), kept)
}

#[test]
fn a_writer_killed_anywhere_is_resumed_to_the_same_archive() {
    let whole = write_sample(&options(1));
    let mut numbers = seeded(0x5eed);
    let mut most_kept = 0;
    for round in 0..50 {
        let threads = 1 + round % 3;
        // Sometimes behind the large file, so that many entries are kept.
        let least = if round % 5 == 0 { whole.len() - 20_000 } else { 0 };
        let mut disk =
            FailingDisk { written: Vec::new(), space: numbers.random_range(least..whole.len()) };
        let killed = (|| {
            let mut archive = options(threads).writer(&mut disk)?;
            for (name, contents) in sample_files() {
                archive.append_bytes(&name, &contents)?;
            }
            archive.finish().map(drop)
        })();
        assert!(killed.is_err(), "round {round}");
        let torn = disk.written;
        let at = torn.len();
        let resumed = options(threads).resume(Cursor::new(torn)).expect("a torn end");
        let (file, kept) = complete(resumed);
        most_kept = most_kept.max(kept);
        assert!(file == whole, "round {round}, killed at {at}");
    }
    assert!(most_kept > 4, "complete entries are kept");
}

#[test]
fn a_file_cut_anywhere_near_its_end_is_resumed_to_the_same_archive() {
    let whole = write_sample(&options(1));
    for cut in (whole.len() - 3000..whole.len()).step_by(37).chain([0, 1, 17, 18, 100, whole.len()])
    {
        let resumed = options(1).resume(Cursor::new(whole[..cut].to_vec())).expect("a torn end");
        let (file, kept) = complete(resumed);
        assert!(file == whole, "cut at {cut}");
        assert!(cut < whole.len() - 400 || kept == sample_files().len(), "cut at {cut}: {kept}");
    }
}

#[test]
fn zero_pages_left_by_a_power_failure_are_a_torn_end() {
    let whole = write_sample(&options(1));
    for cut in [10, 5_000, whole.len() / 2, whole.len() - 200] {
        let mut torn = whole[..cut].to_vec();
        torn.resize(cut + 300_000, 0);
        match options(1).resume(Cursor::new(torn)) {
            Ok(resumed) => assert!(complete(resumed).0 == whole, "cut at {cut}"),
            Err(error) => panic!("cut at {cut}: {error}"),
        }
    }
}

#[test]
fn damage_with_entries_behind_it_is_cut_off_only_on_request() {
    let mut archive = options(1).writer(Vec::new()).expect("an archive");
    append_sample(&mut archive);
    archive.append_bytes("last", &noise(300_000, 77)).expect("writes to memory");
    let mut damaged = archive.finish().expect("writes to memory");
    let middle = damaged.len() / 3;
    damaged[middle] ^= 0x10;
    let error = options(1).resume(Cursor::new(damaged.clone())).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    let asked =
        options(1).discard_damaged(true).resume(Cursor::new(damaged)).expect("damage is discarded");
    assert!(asked.1.cut > 0 && asked.1.torn.is_some());
    let (file, _) = complete(asked);
    assert!(file == write_sample(&options(1)));
}

#[test]
fn other_files_are_not_resumed() {
    let not_tar =
        crate::common::gzip(1).compress(&noise(5000, 1)[..], Vec::new()).expect("writes to memory");
    for file in [b"some notes of mine".to_vec(), vec![0; 5000], not_tar] {
        for discard in [false, true] {
            let options = options(1).discard_damaged(discard);
            assert!(options.resume(Cursor::new(file.clone())).is_err());
        }
    }
    let plain = include_bytes!("../fixtures/crabz-gzip.tar.gz").to_vec();
    assert!(matches!(ArchiveWriter::resume(Cursor::new(plain)), Err(Error::NoBlocks)));
}

#[test]
fn a_complete_archive_is_resumed_by_appending() {
    let (mut archive, recovered) =
        options(2).resume(Cursor::new(write_sample(&options(1)))).expect("intact");
    assert!(recovered.torn.is_none() && recovered.cut == 0);
    archive.append_bytes("more", b"!").expect("writes to memory");
    let file = archive.finish().expect("writes to memory").into_inner();
    assert_eq!(verify(&file).expect("intact").entries, sample_files().len() as u64 + 1);
    assert_eq!(read_all(&file).len(), sample_files().len() + 1);
}

#[test]
fn an_interrupted_archive_is_read_up_to_its_torn_end() {
    let whole = write_sample(&options(1));
    let torn = &whole[..whole.len() * 2 / 3];
    let mut archive = ArchiveReader::new(torn).expect("a reader");
    let mut names = 0;
    let error = loop {
        match archive.next_entry() {
            Ok(Some(mut entry)) => match io::copy(&mut entry, &mut io::sink()) {
                Ok(_) => names += 1,
                Err(error) => break error.into(),
            },
            Ok(None) => panic!("it is torn"),
            Err(error) => break error,
        }
    };
    assert!(names >= 4, "{names} complete entries");
    assert!(chain(&error).contains("unexpected end of file at byte"), "{error}");
}
