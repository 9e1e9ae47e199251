//! A compressor that fails costs compression, never data. After RocksDB's test
//! `CompressionFailures`.

use rocksdb::{DB, Options};
use uadk_compress::fault::{Fault, FaultInjector};

use crate::common::{assert_full, compact, fill, plain, software, stock};

#[test]
fn blocks_that_cannot_be_compressed_are_stored() {
    for fault in [
        Fault::Device(-62),
        Fault::Busy,
        Fault::Unavailable,
        Fault::Panic,
        Fault::WrongLength,
        Fault::NoLength,
    ] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let before = uadk_compress_rocksdb::incidents().stored_after_failure;
        let schedule = fault.clone();
        let broken = FaultInjector::new(software(), move |_| Some(schedule.clone()));
        {
            let db = DB::open(&stock(broken), dir.path()).expect("opened");
            fill(&db);
            compact(&db);
            assert_full(&db);
        }
        let stored = uadk_compress_rocksdb::incidents().stored_after_failure - before;
        // A block without length claims more than readers accept. That is not counted as a failure.
        assert!(stored > 10 || fault == Fault::NoLength, "{fault:?}: {stored}");
        assert_full(&DB::open(&plain(), dir.path()).expect("opened without the adapter"));
    }
}

#[test]
fn a_failing_decompressor_is_an_io_error_and_not_corruption() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fill(&DB::open(&stock(software()), dir.path()).expect("opened"));
    for fault in [Fault::Device(-62), Fault::Panic, Fault::WrongLength] {
        let schedule = fault.clone();
        let broken = FaultInjector::new(software(), move |_| Some(schedule.clone()));
        // The index is a block as well, so it may be the open that fails.
        let error = match DB::open(&stock(broken), dir.path()) {
            Ok(db) => db.get(crate::common::key(1)).expect_err("the codec fails"),
            Err(error) => error,
        };
        assert_eq!(error.kind(), rocksdb::ErrorKind::IOError, "{fault:?}: {error}");
    }
    assert_full(&DB::open(&plain(), dir.path()).expect("the data is intact"));
}

#[test]
fn blocks_that_a_compressor_cut_short_are_errors_and_never_wrong_records() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let cuts = FaultInjector::new(software(), |n| (n % 3 == 1).then_some(Fault::ShortLength));
    let db = DB::open(&stock(cuts), dir.path()).expect("opened");
    for i in 0..crate::common::RECORDS {
        db.put(crate::common::key(i), crate::common::value(i)).expect("written");
    }
    // The index is a block as well, so it may be the flush that fails.
    let flushed = db.flush();
    let errors = (0..crate::common::RECORDS).filter(|i| match db.get(crate::common::key(*i)) {
        Ok(found) => {
            assert_eq!(found, Some(crate::common::value(*i)));
            false
        }
        Err(error) => {
            assert_eq!(error.kind(), rocksdb::ErrorKind::Corruption, "{error}");
            true
        }
    });
    assert!(errors.count() > 0 || flushed.is_err());
}

#[test]
fn blocks_that_come_back_short_are_corruption() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fill(&DB::open(&stock(software()), dir.path()).expect("opened"));
    for fault in [Fault::ShortLength, Fault::NoLength] {
        let broken = FaultInjector::new(software(), move |_| Some(fault.clone()));
        let error = match DB::open(&stock(broken), dir.path()) {
            Ok(db) => db.get(crate::common::key(1)).expect_err("the codec reports wrong lengths"),
            Err(error) => error,
        };
        assert_eq!(error.kind(), rocksdb::ErrorKind::Corruption, "{error}");
    }
}

/// Returns options with `verify_compression`, for which rust-rocksdb has no function.
fn verifying(options: &mut Options) -> Options {
    options
        .get_options_from_string("block_based_table_factory={verify_compression=true}")
        .expect("a valid option")
}

#[test]
fn verify_compression_catches_a_compressor_that_corrupts() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let flips = FaultInjector::new(software(), |n| (n == 3).then_some(Fault::WrongOutput));
    let db = DB::open(&verifying(&mut stock(flips)), dir.path()).expect("opened");
    for i in 0..crate::common::RECORDS {
        db.put(crate::common::key(i), crate::common::value(i)).expect("written");
    }
    let error = db.flush().expect_err("a block is wrong");
    assert_eq!(error.kind(), rocksdb::ErrorKind::Corruption, "{error}");
}

#[test]
fn verify_compression_accepts_a_correct_compressor() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let db = DB::open(&verifying(&mut stock(software())), dir.path()).expect("opened");
    fill(&db);
    compact(&db);
    assert_full(&db);
}
