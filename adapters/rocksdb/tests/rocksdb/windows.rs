//! How far back the matches in blocks of each schema reach.

use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use rocksdb::{DB, Options};
use uadk_compress::{BlockCompressor, Compressor, Error, Format, Level, Settings, Window};
use uadk_compress_rocksdb::{OptionsExt, Schema};

use crate::common::{key, plain, set_table};
use crate::far_blocks::{block_with_far_matches, zlib_decodes_with_window};

/// Records the output of another compressor, at every level and window.
#[derive(Clone, Debug)]
struct Recorder {
    inner: Arc<dyn BlockCompressor>,
    recorded: Arc<Recorded>,
}

type Asked = (Option<Level>, Option<Window>);

#[derive(Debug, Default)]
struct Recorded {
    asked: Mutex<Vec<Asked>>,
    /// Uncompressed and compressed.
    blocks: Mutex<Vec<(Vec<u8>, Vec<u8>)>>,
}

impl Recorder {
    fn new() -> Self {
        let inner = Compressor::builder().build().expect("software is always there");
        Self { inner: Arc::new(inner), recorded: Arc::default() }
    }

    fn with(&self, inner: Arc<dyn BlockCompressor>) -> Arc<dyn BlockCompressor> {
        Arc::new(Self { inner, recorded: Arc::clone(&self.recorded) })
    }

    fn asked(&self) -> Vec<Asked> {
        self.recorded.asked.lock().clone()
    }

    /// Returns how many data blocks were compressed, and how many of them zlib reads with a window
    /// of 16 KiB.
    fn data_blocks(&self) -> (usize, usize) {
        let blocks = self.recorded.blocks.lock();
        let data = blocks.iter().filter(|(block, _)| block.len() > 60_000);
        let within = data.clone().filter(|(block, compressed)| {
            zlib_decodes_with_window(14, Format::RawDeflate, compressed, block)
        });
        (data.count(), within.count())
    }
}

impl BlockCompressor for Recorder {
    fn format(&self) -> Format {
        self.inner.format()
    }
    fn max_compressed_len(&self, len: usize) -> usize {
        self.inner.max_compressed_len(len)
    }
    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        let written = self.inner.compress(src, dst)?;
        let block = (src.to_vec(), dst[..written].to_vec());
        self.recorded.blocks.lock().push(block);
        Ok(written)
    }
    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        self.inner.decompress(src, dst)
    }
    fn reconfigured(&self, settings: &Settings) -> Option<Arc<dyn BlockCompressor>> {
        self.recorded.asked.lock().push((settings.level, settings.window));
        self.inner.reconfigured(settings).map(|inner| self.with(inner))
    }
}

/// Fills a database of 64 KiB blocks at level 1, whose data repeats after 25 KB.
fn fill_with_far_matches(mut options: Options, dir: &Path) {
    set_table(&mut options, 65_536, 7, true);
    options.set_compression_options(-14, 1, 0, 0);
    let bytes = block_with_far_matches(25_000);
    let values: Vec<&[u8]> = bytes.chunks(1000).collect();
    let db = DB::open(&options, dir).expect("opened");
    for i in 0..1000 {
        db.put(key(i), values[i as usize % 25]).expect("written");
    }
    db.flush().expect("flushed");
    for i in 0..1000 {
        let value = db.get(key(i)).expect("readable");
        assert!(value.as_deref() == Some(values[i as usize % 25]));
    }
}

#[test]
fn blocks_of_the_stock_schema_reach_back_16_kib_at_most() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let recorder = Recorder::new();
    let mut options = plain();
    options.set_block_compressor(recorder.clone(), Schema::Stock).expect("raw deflate");
    fill_with_far_matches(options, dir.path());
    let window = Some(Window::Kib16);
    // Once for the options, and once per file with its level.
    assert_eq!(recorder.asked(), [(None, window), (Some(Level::FAST), window)]);
    let (blocks, within) = recorder.data_blocks();
    assert!(blocks > 10 && within == blocks, "{within} of {blocks}");
}

#[test]
fn blocks_of_a_custom_schema_reach_back_further() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let recorder = Recorder::new();
    let mut options = plain();
    let schema = Schema::custom("TestWindows");
    options.set_block_compressor(recorder.clone(), schema).expect("a valid schema");
    fill_with_far_matches(options, dir.path());
    assert!(recorder.asked().iter().all(|(_, window)| window.is_none()));
    let (blocks, within) = recorder.data_blocks();
    assert!(blocks > 10 && within == 0, "{within} of {blocks}");
}
