//! Other ways to write and move files: `SstFileWriter`, checkpoints, backups.

use rocksdb::backup::{BackupEngine, BackupEngineOptions, RestoreOptions};
use rocksdb::checkpoint::Checkpoint;
use rocksdb::{DB, Env, SstFileWriter};

use crate::common::{RECORDS, assert_full, files_mention, fill, key, plain, stock, value};
use crate::probe::Probe;

#[test]
fn files_of_an_sst_file_writer_are_compressed_and_can_be_ingested_anywhere() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("made.sst");
    let probe = Probe::new();
    let options = stock(probe.clone());
    let mut writer = SstFileWriter::create(&options);
    writer.open(&path).expect("created");
    for i in 0..RECORDS {
        writer.put(key(i), value(i)).expect("written");
    }
    writer.finish().expect("finished");
    assert!(probe.seen.compressed() > 10);
    assert!(files_mention(dir.path(), "BuiltinV2;02;"));

    for (name, options) in [("without", plain()), ("with", stock(Probe::new()))] {
        let db = DB::open(&options, dir.path().join(name)).expect("opened");
        db.ingest_external_file(vec![&path]).expect("ingested");
        assert_full(&db);
    }
}

#[test]
fn a_checkpoint_opens_with_and_without_the_adapter() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let db = DB::open(&stock(Probe::new()), dir.path().join("db")).expect("opened");
    fill(&db);
    let copy = dir.path().join("checkpoint");
    Checkpoint::new(&db).expect("made").create_checkpoint(&copy).expect("created");
    assert_full(&DB::open(&plain(), &copy).expect("opened without the adapter"));
    assert_full(&DB::open(&stock(Probe::new()), &copy).expect("opened with the adapter"));
}

#[test]
fn a_backup_is_restored_without_the_adapter() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let db = DB::open(&stock(Probe::new()), dir.path().join("db")).expect("opened");
    fill(&db);
    let options = BackupEngineOptions::new(dir.path().join("backup")).expect("a path");
    let env = Env::new().expect("the default");
    let mut engine = BackupEngine::open(&options, &env).expect("opened");
    engine.create_new_backup(&db).expect("backed up");
    engine.verify_backup(1).expect("intact");
    let restored = dir.path().join("restored");
    engine
        .restore_from_latest_backup(&restored, &restored, &RestoreOptions::default())
        .expect("restored");
    assert_full(&DB::open(&plain(), &restored).expect("opened without the adapter"));
}
