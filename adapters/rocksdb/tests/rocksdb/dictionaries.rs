//! Blocks with a dictionary are RocksDB's own. After RocksDB's test `PresetCompressionDict`.

use rocksdb::DB;

use crate::common::{assert_full, compact, fill, plain, stock};
use crate::probe::Probe;

#[test]
fn dictionaries_work_and_stay_readable_without_us() {
    let dir = tempfile::tempdir().expect("a folder");
    let probe = Probe::new();
    let mut options = stock(probe.clone());
    options.set_compression_options(-14, 6, 0, 16 * 1024);
    {
        let db = DB::open(&options, dir.path()).expect("opened");
        fill(&db);
        compact(&db);
        assert_full(&db);
    }
    // The data blocks have gone to RocksDB; what is left are index blocks, which have none.
    assert!(probe.seen.compressed() < 10, "{}", probe.seen.compressed());
    assert_full(&DB::open(&plain(), dir.path()).expect("opened without us"));
}
