//! Damaged files are `Corruption`, even without checksums, and never cause a crash.

use std::fs;
use std::path::Path;

use rocksdb::{DB, ErrorKind, IteratorMode, Options, ReadOptions};
use uadk_compress::BlockCompressor;
use uadk_compress_rocksdb::{OptionsExt, Schema};

use crate::common::{fill, key, plain, set_table, software, sst_files, stock, value};
use crate::lz4::Lz4;

/// Damages a database's only table file with `damage`, and reads it in full. Returns the first
/// error.
fn read_damaged(
    dir: &Path,
    options: &Options,
    damage: impl FnOnce(&mut Vec<u8>),
) -> Result<(), rocksdb::Error> {
    let files = sst_files(dir);
    assert_eq!(files.len(), 1);
    let sound = fs::read(&files[0]).expect("readable");
    let mut damaged = sound.clone();
    damage(&mut damaged);
    fs::write(&files[0], damaged).expect("written");
    let result = DB::open_for_read_only(options, dir, false).and_then(|db| {
        let mut how = ReadOptions::default();
        how.set_verify_checksums(false);
        db.iterator_opt(IteratorMode::Start, how).try_for_each(|record| record.map(drop))?;
        (0..crate::common::RECORDS).step_by(101).try_for_each(|i| db.get(key(i)).map(drop))
    });
    fs::write(&files[0], sound).expect("written");
    result
}

fn assert_corruption(result: Result<(), rocksdb::Error>, case: &str) {
    let error = result.expect_err(case);
    assert_eq!(error.kind(), ErrorKind::Corruption, "{case}: {error}");
}

/// Creates a database of one file, with or without checksums. Returns options to read it.
fn database(dir: &Path, checksums: bool) -> Options {
    let mut options = stock(software());
    options.set_disable_auto_compactions(true);
    set_table(&mut options, 4096, 7, checksums);
    fill(&DB::open(&options, dir).expect("opened"));
    options
}

/// Without checksums, a flipped bit can turn a block into another one of the same size. This is
/// undetectable, and RocksDB trusts what it then reads, so such bits are not flipped here.
#[test]
fn flipped_bits_are_corruption_wherever_they_can_be_detected() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let options = database(dir.path(), false);
    let file = fs::read(&sst_files(dir.path())[0]).expect("readable");
    let (prefix, block) = file[..6000].split_at(2);
    let size = usize::from(prefix[0] & 0x7f) | usize::from(prefix[1]) << 7;
    let mut detectable = 0;
    for bit in (0..8 * 800).step_by(13) {
        let mut flipped = block.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if software().decompress(&flipped, &mut vec![0; size]) == Ok(size) {
            continue;
        }
        detectable += 1;
        let result = read_damaged(dir.path(), &options, |file| file[2 + bit / 8] ^= 1 << (bit % 8));
        assert_corruption(result, &format!("bit {bit}"));
    }
    assert!(detectable > 100, "{detectable} of the flipped bits can be detected");
}

#[test]
fn with_checksums_every_flipped_bit_of_a_block_is_corruption() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut options = database(dir.path(), true);
    options.set_paranoid_checks(true);
    for at in [0, 1, 2, 100, 1000, 5000] {
        let files = sst_files(dir.path());
        let sound = fs::read(&files[0]).expect("readable");
        let mut damaged = sound.clone();
        damaged[at] ^= 4;
        fs::write(&files[0], damaged).expect("written");
        let db = DB::open_for_read_only(&options, dir.path(), false).expect("opened");
        let result = db.iterator(IteratorMode::Start).try_for_each(|record| record.map(drop));
        assert_corruption(result, &format!("byte {at}"));
        fs::write(&files[0], sound).expect("written");
    }
}

#[test]
fn overwritten_blocks_are_corruption() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let options = database(dir.path(), false);
    for fill_byte in [0, 0xff, 0x55] {
        let case = format!("first 500 bytes {fill_byte:#x}");
        let result = read_damaged(dir.path(), &options, |file| file[..500].fill(fill_byte));
        assert_corruption(result, &case);
    }
}

#[test]
fn a_block_that_claims_too_much_or_too_little_is_corruption() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let options = database(dir.path(), false);
    // The first block is at the beginning of the file, and its size prefix has two bytes.
    let prefix = fs::read(&sst_files(dir.path())[0]).expect("readable")[..2].to_vec();
    assert!(prefix[0] >= 0x80 && prefix[1] < 0x80, "{prefix:?}");
    for claim in [[0xff, 0x7f], [0x80, 0x01], [0x80, 0x00], [prefix[0] ^ 1, prefix[1]]] {
        let result = read_damaged(dir.path(), &options, |file| file[..2].copy_from_slice(&claim));
        assert_corruption(result, &format!("{claim:02x?}"));
    }
    // Eight bytes of an absurd size: refused before anything is allocated.
    let endless = [0xff; 8];
    let result = read_damaged(dir.path(), &options, |file| file[..8].copy_from_slice(&endless));
    assert_corruption(result, "a prefix without an end");
    let huge = [0xff, 0xff, 0xff, 0xff, 0x0f];
    let result = read_damaged(dir.path(), &options, |file| file[..5].copy_from_slice(&huge));
    assert_corruption(result, "4 GiB");
}

/// Finds the first block's trailer with zlib: after the size prefix and the deflate stream.
fn first_trailer(file: &[u8]) -> usize {
    let mut inflate = flate2::Decompress::new(false);
    let mut block = vec![0; 64 << 10];
    let status = inflate
        .decompress(&file[2..], &mut block, flate2::FlushDecompress::Finish)
        .expect("an intact block");
    assert_eq!(status, flate2::Status::StreamEnd);
    let trailer = 2 + usize::try_from(inflate.total_in()).expect("a block");
    assert_eq!(file[trailer], 2, "the type of a zlib block");
    trailer
}

/// The type of a block is in its trailer. Whatever damage changes it to, RocksDB must not be told
/// to allocate what the first bytes then seem to claim.
#[test]
fn a_damaged_block_type_is_an_error_and_allocates_nothing_absurd() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let options = database(dir.path(), false);
    let trailer = first_trailer(&fs::read(&sst_files(dir.path())[0]).expect("readable"));
    for kind in (1..=255).filter(|&kind| kind != 2) {
        for endless_size in [false, true] {
            let result = read_damaged(dir.path(), &options, |file| {
                file[trailer] = kind;
                if endless_size {
                    file[..9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
                }
            });
            let error = result.expect_err("no such block was written");
            // Built-in types that are not linked are NotSupported in any RocksDB.
            let builtin = kind <= 7;
            assert!(
                error.kind() == ErrorKind::Corruption
                    || builtin && error.kind() == ErrorKind::NotSupported,
                "type {kind:#x}: {error}"
            );
        }
    }
}

#[test]
fn damaged_blocks_of_a_custom_codec_are_corruption() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut options = plain();
    options.set_block_compressor(Lz4, Schema::custom("TestDamage")).expect("a valid schema");
    options.set_disable_auto_compactions(true);
    set_table(&mut options, 4096, 7, false);
    fill(&DB::open(&options, dir.path()).expect("opened"));
    for (case, bytes) in [
        ("zeros", [0; 9]),
        ("ones", [0xff; 9]),
        ("a huge size", [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0]),
        ("a size of 0", [0x80, 0x00, 0, 0, 0, 0, 0, 0, 0]),
    ] {
        let result = read_damaged(dir.path(), &options, |file| file[..9].copy_from_slice(&bytes));
        assert_corruption(result, case);
    }
}

#[test]
fn a_truncated_file_is_an_error_at_open_or_read() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let options = database(dir.path(), false);
    let len = fs::metadata(&sst_files(dir.path())[0]).expect("exists").len() as usize;
    for keep in [0, 1, 100, len / 2, len - 1] {
        let result = read_damaged(dir.path(), &options, |file| file.truncate(keep));
        assert_corruption(result, &format!("{keep} of {len} bytes"));
    }
}

#[test]
fn damage_in_one_block_leaves_the_others_readable() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let options = database(dir.path(), false);
    let file = sst_files(dir.path()).remove(0);
    let mut damaged = fs::read(&file).expect("readable");
    damaged[..100].fill(0xff);
    fs::write(&file, damaged).expect("written");
    let db = DB::open_for_read_only(&options, dir.path(), false).expect("opened");
    assert!(db.get(key(0)).is_err(), "in the damaged block");
    let last = crate::common::RECORDS - 1;
    assert_eq!(db.get(key(last)).expect("in an intact block"), Some(value(last)));
}

#[test]
fn an_empty_value_and_an_empty_database_are_not_damage() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let db = DB::open(&stock(software()), dir.path()).expect("opened");
    db.flush().expect("nothing to flush");
    db.put(b"empty", b"").expect("written");
    db.flush().expect("flushed");
    assert_eq!(db.get(b"empty").expect("readable"), Some(vec![]));
    drop(db);
    let db = DB::open(&plain(), dir.path()).expect("opened without the adapter");
    assert_eq!(db.get(b"empty").expect("readable"), Some(vec![]));
}
