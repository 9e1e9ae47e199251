//! All of RocksDB's types that the stock schema takes over: zlib, zstd, LZ4 and LZ4HC.

use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use rocksdb::{DB, DBCompressionType, ErrorKind, Options};
use uadk_compress::fault::{Fault, FaultInjector};
use uadk_compress::stats::Stats;
use uadk_compress::{BlockCompressor, Compressor, Error, Format, Level, SoftwareCompressor};
use uadk_compress_rocksdb::{BlockCompressors, OptionsExt, Schema};

use crate::common::{
    RECORDS, assert_full, builtin_zlib, compact, files_mention, fill, key, plain, set_table,
    sst_files, value,
};
use crate::probe::Probe;
use crate::stock_readers::sst_dump;

/// A type, the format of its blocks, and their name in `sst_dump`.
const TYPES: [(DBCompressionType, Format, &str); 4] = [
    (DBCompressionType::Zlib, Format::RawDeflate, "Zlib"),
    (DBCompressionType::Zstd, Format::Zstd, "ZSTD"),
    (DBCompressionType::Lz4, Format::Lz4, "LZ4"),
    (DBCompressionType::Lz4hc, Format::Lz4, "LZ4HC"),
];

fn software(format: Format) -> SoftwareCompressor {
    SoftwareCompressor::new(format, Level::FAST).expect("a supported format")
}

fn compressor(format: Format) -> Compressor {
    Compressor::builder().format(format).build().expect("software is always there")
}

/// Returns options with blocks of one type, compressed by RocksDB itself.
fn builtin(kind: DBCompressionType) -> Options {
    let mut options = plain();
    options.set_compression_type(kind);
    options
}

/// Returns options with blocks of one type, compressed by `compressors`.
fn ours(kind: DBCompressionType, compressors: impl Into<BlockCompressors>) -> Options {
    let mut options = plain();
    options.set_block_compressor(compressors, Schema::Stock).expect("formats of RocksDB");
    options.set_compression_type(kind);
    options
}

/// Sets small blocks and a dictionary: raw content, or trained (zstd alone).
fn with_dictionary(mut options: Options, trained: bool) -> Options {
    set_table(&mut options, 1024, 7, true);
    options.set_compression_options(-14, 32_767, 0, 16 * 1024);
    options.set_zstd_max_train_bytes(if trained { 512 * 1024 } else { 0 });
    options
}

/// Fills and compacts a database, and returns the size of its files.
fn make(dir: &Path, options: &Options) -> u64 {
    let db = DB::open(options, dir).expect("opened");
    fill(&db);
    compact(&db);
    assert_full(&db);
    let files = sst_files(dir);
    files.iter().map(|file| std::fs::metadata(file).expect("exists").len()).sum()
}

/// Returns the blocks that were compressed and decompressed.
fn blocks(stats: &Stats) -> (u64, u64) {
    let together = stats.together();
    (together.compress.blocks, together.decompress.blocks)
}

#[test]
fn flush_compaction_and_reads_go_through_the_compressor() {
    for (kind, format, name) in TYPES {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let compressor = compressor(format);
        make(dir.path(), &ours(kind, compressor.clone()));
        let (compressed, decompressed) = blocks(&compressor.stats());
        assert!(compressed > 20 && decompressed > 20, "{name}: {compressed}, {decompressed}");
        assert_eq!(compressor.stats().together().decompress.errors, 0, "{name}");
        assert_full(&DB::open(&plain(), dir.path()).expect("opened without the adapter"));
        let mark = format!("BuiltinV2;{:02X};", kind as u8);
        assert!(files_mention(dir.path(), &mark), "{name}: RocksDB's own name {mark}");
    }
}

#[test]
fn files_are_about_as_large_as_those_of_rocksdb() {
    for (kind, format, name) in TYPES {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let compressor = compressor(format);
        let ours = make(&dir.path().join("ours"), &ours(kind, compressor));
        let mut options = builtin(kind);
        if kind == DBCompressionType::Zstd || kind == DBCompressionType::Zlib {
            options.set_compression_options(-14, 1, 0, 0);
        }
        let theirs = make(&dir.path().join("theirs"), &options);
        // A device searches less than LZ4HC.
        assert!(ours * 100 <= theirs * 106, "{name}: {ours} and {theirs} bytes");
    }
}

#[test]
fn existing_files_of_every_type_are_read_by_the_compressor() {
    for (kind, format, name) in TYPES {
        let dir = tempfile::tempdir().expect("a temporary directory");
        make(dir.path(), &builtin(kind));
        let probe = Probe::with_engine(software(format));
        assert_full(&DB::open(&ours(kind, probe.clone()), dir.path()).expect("opened"));
        assert!(probe.seen.decompressed() > 10, "{name}");
    }
}

#[test]
fn types_without_a_compressor_are_left_to_rocksdb() {
    for (kind, _, name) in TYPES {
        for other in [Format::RawDeflate, Format::Zstd, Format::Lz4] {
            let handled = TYPES.iter().any(|(k, format, _)| *k == kind && *format == other);
            let dir = tempfile::tempdir().expect("a temporary directory");
            let compressor = compressor(other);
            make(dir.path(), &ours(kind, compressor.clone()));
            let (compressed, decompressed) = blocks(&compressor.stats());
            assert_eq!(compressed > 0 && decompressed > 0, handled, "{name} and {other}");
            assert_full(&DB::open(&plain(), dir.path()).expect("opened without the adapter"));
        }
    }
}

#[test]
fn one_set_of_compressors_serves_levels_of_different_types() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let [deflate, zstd, lz4] = [Format::RawDeflate, Format::Zstd, Format::Lz4].map(compressor);
    let set = BlockCompressors::new().with(deflate.clone()).with(zstd.clone()).with(lz4.clone());
    let mut options = plain();
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_block_compressor(set, Schema::Stock).expect("formats of RocksDB");
    options.set_bottommost_compression_type(DBCompressionType::Zstd);
    {
        let db = DB::open(&options, dir.path()).expect("opened");
        fill(&db);
        assert!(blocks(&lz4.stats()).0 > 10, "the flush writes LZ4: the type is unchanged");
        assert_eq!(blocks(&zstd.stats()).0, 0);
        compact(&db);
        assert!(blocks(&zstd.stats()).0 > 10, "the last level is zstd");
        assert_full(&db);
        db.set_options(&[("bottommost_compression", "kZlibCompression")]).expect("changed");
        compact(&db);
        assert!(blocks(&deflate.stats()).0 > 10);
        assert_full(&db);
    }
    assert_full(&DB::open(&plain(), dir.path()).expect("opened without the adapter"));
}

#[test]
fn dictionaries_are_used_as_by_rocksdb() {
    for (kind, format, name) in TYPES {
        for trained in [false, true] {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let compressor = compressor(format);
            let with = with_dictionary(ours(kind, compressor.clone()), trained);
            let ours = make(&dir.path().join("ours"), &with);
            let mut theirs = with_dictionary(builtin(kind), trained);
            if kind == DBCompressionType::Zstd {
                theirs.set_compression_options(-14, 1, 0, 16 * 1024);
            }
            let theirs = make(&dir.path().join("theirs"), &theirs);
            assert!(ours * 100 <= theirs * 104, "{name}, {trained}: {ours} and {theirs} bytes");
            assert!(files_mention(&dir.path().join("ours"), "rocksdb.compression_dict"), "{name}");
            let (compressed, decompressed) = blocks(&compressor.stats());
            // zlib's blocks with a dictionary are RocksDB's own.
            let all = kind != DBCompressionType::Zlib;
            assert_eq!(compressed > 100, all, "{name}: {compressed}");
            assert_eq!(decompressed > 100, all, "{name}: {decompressed}");
            // Each reads the other's.
            let plain = DB::open(&plain(), dir.path().join("ours"));
            assert_full(&plain.expect("opened without the adapter"));
            assert_full(&DB::open(&with, dir.path().join("theirs")).expect("opened"));
        }
    }
}

#[test]
fn dictionaries_go_together_with_verification_and_parallel_threads() {
    for (kind, format, _) in TYPES {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut options = with_dictionary(ours(kind, compressor(format)), true)
            .get_options_from_string("block_based_table_factory={verify_compression=true}")
            .expect("a valid option");
        options.set_compression_options_parallel_threads(4);
        make(dir.path(), &options);
        assert_full(&DB::open(&plain(), dir.path()).expect("opened without the adapter"));
    }
}

#[test]
fn rocksdb_7_8_verifies_every_type_with_and_without_a_dictionary() {
    for (kind, format, name) in TYPES {
        for dictionary in [false, true] {
            for block_size in [4096, 65_536] {
                let dir = tempfile::tempdir().expect("a temporary directory");
                let mut options = ours(kind, compressor(format));
                if dictionary {
                    options = with_dictionary(options, true);
                }
                set_table(&mut options, block_size, 5, true);
                make(dir.path(), &options);
                for file in sst_files(dir.path()) {
                    let (_, text) = sst_dump(&file, &["--command=verify"]);
                    assert!(text.contains("The file is ok"), "{name}: {text}");
                    let (_, text) = sst_dump(&file, &["--command=none", "--show_properties"]);
                    let algorithm = format!("SST file compression algo: {name}\n");
                    assert!(text.contains(&algorithm), "{name}: {text}");
                    assert!(text.contains(&format!("# entries: {RECORDS}")), "{name}: {text}");
                }
            }
        }
    }
}

#[test]
fn levels_are_those_of_rocksdb() {
    for (kind, format, asked, expected) in [
        (DBCompressionType::Zstd, Format::Zstd, 0, 3),
        (DBCompressionType::Zstd, Format::Zstd, -7, -7),
        (DBCompressionType::Zstd, Format::Zstd, 19, 19),
        (DBCompressionType::Lz4, Format::Lz4, -3, -3),
        (DBCompressionType::Lz4hc, Format::Lz4, 32_767, 9),
        (DBCompressionType::Lz4hc, Format::Lz4, 12, 12),
    ] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let probe = Probe::with_engine(software(format));
        let mut options = ours(kind, probe.clone());
        options.set_compression_options(-14, asked, 0, 0);
        make(dir.path(), &options);
        assert_eq!(probe.seen.levels(), [expected], "{kind:?}, {asked}");
    }
}

#[test]
fn a_checksum_in_the_options_is_one_in_each_zstd_frame() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let options = ours(DBCompressionType::Zstd, compressor(Format::Zstd))
        .get_options_from_string("compression_opts={checksum=true}")
        .expect("a valid option");
    make(dir.path(), &options);
    let file = std::fs::read(&sst_files(dir.path())[0]).expect("readable");
    // The first block follows its size prefix of two bytes. Frame_Header_Descriptor, RFC 8878,
    // 3.1.1.1.1.
    assert_eq!(file[2..6], 0xfd2f_b528_u32.to_le_bytes());
    assert_eq!(file[6] & 4, 4);
}

#[test]
fn compressors_that_fail_cost_compression_and_never_data() {
    for (kind, format, name) in TYPES {
        for fault in [Fault::Device(-62), Fault::Busy, Fault::Panic, Fault::WrongLength] {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let schedule = fault.clone();
            let broken = FaultInjector::new(software(format), move |_| Some(schedule.clone()));
            make(dir.path(), &ours(kind, broken));
            let db = DB::open(&plain(), dir.path()).expect("opened without the adapter");
            assert_full(&db);
            drop(db);

            let dir = tempfile::tempdir().expect("a temporary directory");
            make(dir.path(), &builtin(kind));
            let schedule = fault.clone();
            let broken = FaultInjector::new(software(format), move |_| Some(schedule.clone()));
            let error = match DB::open(&ours(kind, broken), dir.path()) {
                Ok(db) => db.get(key(1)).expect_err("the codec fails"),
                Err(error) => error,
            };
            assert_eq!(error.kind(), ErrorKind::IOError, "{name}, {fault:?}: {error}");
        }
    }
}

/// Blocks, and the lengths that they were compressed to.
type Blocks = Arc<Mutex<Vec<(Vec<u8>, usize)>>>;

/// Refuses to decompress to anything that it didn't compress: RocksDB doesn't check the records of
/// a block without checksum, and would read invalid memory.
#[derive(Debug)]
struct Watchful {
    engine: SoftwareCompressor,
    blocks: Blocks,
}

impl BlockCompressor for Watchful {
    fn format(&self) -> Format {
        self.engine.format()
    }
    fn max_compressed_len(&self, len: usize) -> usize {
        self.engine.max_compressed_len(len)
    }
    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        let len = self.engine.compress(src, dst)?;
        self.blocks.lock().push((src.to_vec(), len));
        Ok(len)
    }
    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        let len = self.engine.decompress(src, dst)?;
        let is_known = self.blocks.lock().iter().any(|(block, _)| *block == dst[..len]);
        is_known.then_some(len).ok_or(Error::Corrupt)
    }
}

#[test]
fn damage_is_corruption() {
    for (kind, format, name) in TYPES {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let blocks = Blocks::default();
        let engine = Watchful { engine: software(format), blocks: Arc::clone(&blocks) };
        let mut options = ours(kind, engine);
        options.set_disable_auto_compactions(true);
        set_table(&mut options, 4096, 7, false);
        fill(&DB::open(&options, dir.path()).expect("opened"));
        let path = sst_files(dir.path()).remove(0);
        let sound = std::fs::read(&path).expect("readable");
        // Not the type of the first block, which follows it.
        let bits = 8 * blocks.lock()[0].1;
        let mut corrupt = 0;
        for bit in (0..bits).step_by(31) {
            let mut damaged = sound.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, damaged).expect("written");
            let db = DB::open_for_read_only(&options, dir.path(), false).expect("opened");
            match db.get(key(0)) {
                Ok(record) => assert_eq!(record, Some(value(0)), "{name}, bit {bit}"),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Corruption, "{name}, bit {bit}: {error}");
                    corrupt += 1;
                }
            }
        }
        assert!(corrupt > bits / 31 / 2, "{name}: {corrupt} of {bits} bits");
        for fill_byte in [0, 0xff, 0x55] {
            let mut damaged = sound.clone();
            damaged[..500].fill(fill_byte);
            std::fs::write(&path, damaged).expect("written");
            let db = DB::open_for_read_only(&options, dir.path(), false).expect("opened");
            let error = db.get(key(0)).expect_err("in the damaged block");
            assert_eq!(error.kind(), ErrorKind::Corruption, "{name}: {error}");
            assert_eq!(db.get(key(RECORDS - 1)), Ok(Some(value(RECORDS - 1))), "an intact block");
        }
    }
}

#[test]
fn a_database_may_change_its_type_and_go_back_to_rocksdb() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fill(&DB::open(&builtin_zlib(), dir.path()).expect("opened"));
    for (kind, _, _) in TYPES {
        let all = BlockCompressors::all().expect("software is always there");
        let db = DB::open(&ours(kind, all), dir.path()).expect("opened");
        assert_full(&db);
        compact(&db);
        assert_full(&db);
    }
    assert_full(&DB::open(&builtin(DBCompressionType::Zstd), dir.path()).expect("opened"));
}
