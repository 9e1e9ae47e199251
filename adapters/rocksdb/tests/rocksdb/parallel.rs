//! `parallel_threads`. After RocksDB's test `GetRecommendedParallelThreads`.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use rocksdb::DB;
use uadk_compress::{BlockCompressor, Error, Format, SoftwareCompressor};

use crate::common::{assert_full, compact, compressor, fill, software, stock};

/// Holds the first block until a second one is being compressed as well.
#[derive(Debug)]
struct Rendezvous {
    engine: SoftwareCompressor,
    met: Arc<(Mutex<Meeting>, Condvar)>,
}

#[derive(Debug, Default)]
struct Meeting {
    blocks: u32,
    missed: bool,
}

impl BlockCompressor for Rendezvous {
    fn format(&self) -> Format {
        self.engine.format()
    }
    fn max_compressed_len(&self, len: usize) -> usize {
        self.engine.max_compressed_len(len)
    }
    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        let (meeting, arrived) = &*self.met;
        let mut here = meeting.lock();
        here.blocks += 1;
        arrived.notify_all();
        let timeout = Duration::from_secs(60);
        let alone = |m: &mut Meeting| m.blocks < 2 && !m.missed;
        let waited = arrived.wait_while_for(&mut here, alone, timeout);
        here.missed |= waited.timed_out();
        drop(here);
        self.engine.compress(src, dst)
    }
    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        self.engine.decompress(src, dst)
    }
}

#[test]
fn blocks_of_one_file_are_compressed_by_several_threads_at_once() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let met = Arc::<(Mutex<Meeting>, Condvar)>::default();
    let mut options = stock(Rendezvous { engine: software(), met: Arc::clone(&met) });
    options.set_compression_options_parallel_threads(4);
    let db = DB::open(&options, dir.path()).expect("opened");
    fill(&db);
    assert!(!met.0.lock().missed, "timed out waiting for a second thread");
    assert_full(&db);
}

#[test]
fn the_counters_of_all_threads_add_up() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let blocks = |threads| {
        let dir = dir.path().join(format!("{threads}"));
        let compressor = compressor();
        let mut options = stock(compressor.clone());
        options.set_compression_options_parallel_threads(threads);
        let db = DB::open(&options, dir).expect("opened");
        fill(&db);
        compact(&db);
        assert_full(&db);
        compressor.stats().together().compress.blocks
    };
    assert_eq!(blocks(1), blocks(4), "the number of threads does not change the number of blocks");
}
