//! Random settings of a database, as RocksDB's option strings.

use std::fmt;

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_pcg::Pcg64Mcg;
use uadk_compress::Format;

use crate::family::FAMILIES;

/// The formats that the stock schema has compression types for.
pub(crate) const FORMATS: [Format; 3] = [Format::RawDeflate, Format::Zstd, Format::Lz4];

/// The settings for one round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) database: String,
    /// One for each family.
    pub(crate) families: Vec<String>,
    /// The formats that we have compressors for; RocksDB's own codecs handle the others.
    pub(crate) ours: Vec<Format>,
    pub(crate) wal: Wal,
}

/// How a write reaches the file of the log before it is acknowledged. All of these survive the end
/// of the process; only `Synced` survives the loss of power, which is not tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wal {
    Written,
    Synced,
    /// RocksDB keeps the log in memory until `flush_wal`.
    Flushed,
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, families, ours, wal } = self;
        writeln!(f, "  our compressors: {ours:?}; log: {wal:?}")?;
        write!(f, "  database: {database}")?;
        for (family, options) in FAMILIES.iter().zip(families) {
            write!(f, "\n  family {}: {options}", family.name)?;
        }
        Ok(())
    }
}

impl Settings {
    pub(crate) fn random(random: &mut Pcg64Mcg) -> Self {
        let wal = pick(random, &[Wal::Written, Wal::Written, Wal::Synced, Wal::Flushed]);
        let mut ours = FORMATS.to_vec();
        if random.random_ratio(1, 3) {
            ours.retain(|_| random.random());
        }
        let families = FAMILIES.iter();
        Self {
            database: database(random, wal),
            families: families.map(|family| self::family(random, family.is_stock)).collect(),
            ours,
            wal,
        }
    }
}

fn pick<T: Copy>(random: &mut Pcg64Mcg, choices: &[T]) -> T {
    *choices.choose(random).expect("there are choices")
}

fn database(random: &mut Pcg64Mcg, wal: Wal) -> String {
    // Atomic flushes and pipelined writes exclude each other.
    let (atomic, pipelined) = pick(random, &[(false, false), (true, false), (false, true)]);
    [
        format!("max_background_jobs={}", random.random_range(1..=4)),
        format!("max_subcompactions={}", random.random_range(1..=3)),
        format!("max_open_files={}", pick(random, &[-1, 40])),
        format!("max_total_wal_size={}", pick(random, &[0, 300_000])),
        format!("avoid_flush_during_recovery={}", random.random::<bool>()),
        format!("atomic_flush={atomic}"),
        format!("enable_pipelined_write={pipelined}"),
        format!("manual_wal_flush={}", wal == Wal::Flushed),
        format!("wal_compression={}", pick(random, &["kNoCompression", "kZSTD"])),
    ]
    .join(";")
}

const STOCK_TYPES: [&str; 6] = [
    "kNoCompression",
    "kZlibCompression",
    "kZSTD",
    "kZSTD",
    "kLZ4Compression",
    "kLZ4HCCompression",
];
const CUSTOM_TYPES: [&str; 4] =
    ["kCustomCompression80", "kCustomCompression80", "kNoCompression", "kZSTD"];

/// Returns the compression types of a family's files.
pub(crate) fn compression_types(is_stock: bool) -> &'static [&'static str] {
    if is_stock { &STOCK_TYPES } else { &CUSTOM_TYPES }
}

fn family(random: &mut Pcg64Mcg, is_stock: bool) -> String {
    let types = compression_types(is_stock);
    let buffer = pick(random, &[64, 128, 512]) << 10;
    let mut options = vec![
        format!("compression={}", pick(random, types)),
        format!("compression_opts={{{}}}", compression(random)),
        format!("write_buffer_size={buffer}"),
        format!("target_file_size_base={}", pick(random, &[32, 128, 1024]) << 10),
        format!("max_bytes_for_level_base={}", 4 * buffer),
        format!("level0_file_num_compaction_trigger={}", random.random_range(2..=4)),
        format!("level_compaction_dynamic_level_bytes={}", random.random::<bool>()),
        format!("block_based_table_factory={{{}}}", table(random, is_stock)),
    ];
    if random.random() {
        let per_level: Vec<_> =
            (0..random.random_range(2..5)).map(|_| pick(random, types)).collect();
        options.push(format!("compression_per_level={}", per_level.join(":")));
    }
    if random.random() {
        options.push(format!("bottommost_compression={}", pick(random, types)));
        let compression = compression(random);
        options.push(format!("bottommost_compression_opts={{enabled=true;{compression}}}"));
    }
    options.join(";")
}

fn compression(random: &mut Pcg64Mcg) -> String {
    let dictionary = pick(random, &[0, 0, 2048, 16_384]);
    // zstd trains the dictionary from samples if there are any.
    let samples = pick(random, &[0, 8 * dictionary, 32 * dictionary]);
    [
        format!("level={}", pick(random, &[32_767, 32_767, -3, -1, 0, 1, 3, 6, 9])),
        format!("max_dict_bytes={dictionary}"),
        format!("zstd_max_train_bytes={samples}"),
        format!("parallel_threads={}", pick(random, &[1, 1, 2, 4])),
        format!("checksum={}", random.random::<bool>()),
        format!("max_compressed_bytes_per_kb={}", pick(random, &[896, 896, 1024, 600])),
    ]
    .join(";")
}

fn table(random: &mut Pcg64Mcg, is_stock: bool) -> String {
    // Only files of version 7 name a custom codec.
    let version = if is_stock { pick(random, &[5, 6, 7, 7, 7]) } else { 7 };
    let (index, partitioned) = pick(
        random,
        &[
            ("kBinarySearch", false),
            ("kBinarySearchWithFirstKey", false),
            ("kTwoLevelIndexSearch", false),
            ("kTwoLevelIndexSearch", true),
        ],
    );
    // RocksDB refuses to cache index blocks without a cache.
    let (no_cache, cached_index) = pick(random, &[(true, false), (false, false), (false, true)]);
    [
        format!("block_size={}", pick(random, &[512, 1024, 4096, 4096, 16_384, 65_536])),
        format!("metadata_block_size={}", pick(random, &[256, 4096])),
        format!("format_version={version}"),
        format!("checksum={}", pick(random, &["kCRC32c", "kxxHash64", "kXXH3"])),
        format!("index_type={index}"),
        format!("partition_filters={partitioned}"),
        format!("filter_policy={}", pick(random, &["nullptr", "bloomfilter:10:false"])),
        format!("no_block_cache={no_cache}"),
        format!("cache_index_and_filter_blocks={cached_index}"),
        format!("verify_compression={}", random.random_ratio(1, 4)),
    ]
    .join(";")
}
