//! RocksDB column families: ours against RocksDB's built-in zlib, zstd and lz4, on files of this
//! machine.
//!
//! `make bench BENCH=rocksdb`. Each family is loaded into its own database, compacted, read at
//! random and scanned, all without a block cache. Costs are CPU time of the process; the cheapest
//! of `ROUNDS` interleaved rounds counts.

use std::path::PathBuf;

use rocksdb::{DB, DBCompressionType, Options};
use uadk_compress_bench_support::corpus::{self, Record};
use uadk_compress_bench_support::database::{family_options, get, load, scan, size};
use uadk_compress_bench_support::report::Report;
use uadk_compress_rocksdb::{BlockCompressors, OptionsExt, Schema};

const CORPUS_BYTES: usize = 48 << 20;
const GETS: usize = 20_000;
const ROUNDS: usize = 5;
/// Bytes of a dictionary.
const DICTIONARY: i32 = 16 << 10;

/// The figures of a family, the best of all rounds.
#[derive(Clone, Copy, Debug)]
struct Figures {
    load_cpu_s: f64,
    get_cpu_us: f64,
    scan_mb_per_cpu_s: f64,
    size_mb: f64,
}

impl Figures {
    const WORST: Self = Self {
        load_cpu_s: f64::INFINITY,
        get_cpu_us: f64::INFINITY,
        scan_mb_per_cpu_s: 0.0,
        size_mb: f64::INFINITY,
    };

    fn best(self, other: Self) -> Self {
        Self {
            load_cpu_s: self.load_cpu_s.min(other.load_cpu_s),
            get_cpu_us: self.get_cpu_us.min(other.get_cpu_us),
            scan_mb_per_cpu_s: self.scan_mb_per_cpu_s.max(other.scan_mb_per_cpu_s),
            size_mb: self.size_mb.min(other.size_mb),
        }
    }
}

/// The compressor of a family.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Codec {
    /// Whether it is our compressor, or RocksDB's own.
    is_adapter: bool,
    kind: DBCompressionType,
    level: i32,
    /// Whether blocks have a trained dictionary of 16 KiB.
    has_dictionary: bool,
}

const fn ours(kind: DBCompressionType, level: i32) -> Codec {
    Codec { is_adapter: true, kind, level, has_dictionary: false }
}

const fn builtin(kind: DBCompressionType, level: i32) -> Codec {
    Codec { is_adapter: false, kind, level, has_dictionary: false }
}

const fn with_dictionary(codec: Codec) -> Codec {
    Codec { has_dictionary: true, ..codec }
}

/// The bounds of a comparison.
#[derive(Clone, Copy, Debug, Default)]
struct Bounds {
    load: Option<&'static str>,
    get: Option<&'static str>,
    scan: Option<&'static str>,
    size: Option<&'static str>,
}

const NONE: Bounds = Bounds { load: None, get: None, scan: None, size: None };
/// Ours does what RocksDB does.
const SAME: Bounds =
    Bounds { load: Some("<=1.02"), get: Some("<=1.02"), scan: Some(">=0.98"), size: None };

/// Two codecs to compare, and the bounds.
type Comparison = (Codec, Codec, Bounds);

/// Returns the comparisons for a block size.
fn comparisons(block_size: usize) -> Vec<Comparison> {
    use DBCompressionType::{Lz4, Zlib, Zstd};
    let is_16_kib = block_size == 16 << 10;
    let zlib =
        Bounds { load: Some("<=0.65"), get: Some("<=0.55"), scan: None, size: Some("<=1.02") };
    let [zlib, load] =
        if is_16_kib { [zlib, Bounds { load: Some("<=1.1"), ..NONE }] } else { [NONE; 2] };
    let mut all = vec![
        (ours(Zlib, 1), builtin(Zlib, 1), zlib),
        (ours(Zlib, 6), builtin(Zlib, 6), zlib),
        (ours(Zlib, 1), builtin(Zstd, 1), load),
        (ours(Zlib, 1), builtin(Lz4, -1), NONE),
        (ours(Zstd, 1), builtin(Zstd, 1), SAME),
        (ours(Lz4, -1), builtin(Lz4, -1), SAME),
    ];
    if is_16_kib {
        let get = Bounds { get: Some("<=1"), ..NONE };
        for (kind, level) in [(Zstd, 1), (Lz4, -1)] {
            let (ours, theirs) = (ours(kind, level), builtin(kind, level));
            all.push((with_dictionary(ours), with_dictionary(theirs), get));
        }
    }
    all
}

impl Codec {
    fn options(self, block_size: usize) -> Result<Options, Box<dyn std::error::Error>> {
        let mut options = family_options(block_size);
        if self.is_adapter {
            options.set_block_compressor(BlockCompressors::all()?, Schema::Stock)?;
        }
        options.set_compression_type(self.kind);
        let dictionary = if self.has_dictionary { DICTIONARY } else { 0 };
        options.set_compression_options(-14, self.level, 0, dictionary);
        options.set_zstd_max_train_bytes(100 * dictionary);
        Ok(options)
    }

    fn name(self) -> String {
        let kind = match self.kind {
            DBCompressionType::Zlib => "zlib",
            DBCompressionType::Zstd => "zstd",
            _ => "lz4",
        };
        let level = if self.level > 0 { format!(" {}", self.level) } else { String::new() };
        let dictionary = if self.has_dictionary { ", dictionary" } else { "" };
        format!("{kind}{level}{dictionary}")
    }

    fn measure(
        self,
        block_size: usize,
        records: &[Record],
    ) -> Result<Figures, Box<dyn std::error::Error>> {
        let dir = tempfile::tempdir()?;
        let options = self.options(block_size)?;
        let db = DB::open_cf_with_opts(&options, dir.path(), [("family", options.clone())])?;
        let cf = db.cf_handle("family").ok_or("column family not found")?;
        let load = load(&db, cf, records, |_| ())?;
        let get = get(&db, cf, records, GETS)?;
        let (bytes, scan) = scan(&db, cf)?;
        Ok(Figures {
            load_cpu_s: load.cpu.as_secs_f64(),
            get_cpu_us: get.cpu.as_secs_f64() * 1e6 / GETS as f64,
            scan_mb_per_cpu_s: bytes as f64 / 1e6 / scan.cpu.as_secs_f64(),
            size_mb: size(&db, cf)? as f64 / 1e6,
        })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let roots: Vec<PathBuf> =
        std::env::var_os("BENCH_DATA").map_or_else(corpus::default_roots, |path| vec![path.into()]);
    let mut records = corpus::records(&roots, CORPUS_BYTES)?;
    corpus::shuffle(&mut records, 1);
    let bytes: usize = records.iter().map(|record| record.value.len()).sum();
    println!("{} records, {:.1} MB of values from {roots:?}", records.len(), bytes as f64 / 1e6);

    let mut report = Report::new("rocksdb");
    for block_size in [4, 16, 64].map(|kib| kib << 10) {
        let comparisons = comparisons(block_size);
        let mut codecs: Vec<(Codec, Figures)> = Vec::new();
        for codec in comparisons.iter().flat_map(|(ours, theirs, _)| [*ours, *theirs]) {
            if !codecs.iter().any(|(known, _)| *known == codec) {
                codecs.push((codec, Figures::WORST));
            }
        }
        for round in 0..ROUNDS {
            // Neighbours of a family differ between rounds.
            let by = round % codecs.len();
            codecs.rotate_left(by);
            for (codec, best) in &mut codecs {
                *best = best.best(codec.measure(block_size, &records)?);
            }
        }
        let figures = |wanted: Codec| {
            let mut codecs = codecs.iter();
            codecs.find(|(codec, _)| *codec == wanted).map_or(Figures::WORST, |(_, best)| *best)
        };
        for (ours, theirs, bounds) in comparisons {
            let case = format!("{} KiB, {}", block_size >> 10, ours.name());
            let peer = format!("builtin {}", theirs.name());
            compare(&mut report, &case, &peer, [figures(ours), figures(theirs)], bounds);
        }
    }
    let missed = report.finish()?;
    std::process::exit(i32::from(missed > 0));
}

/// Adds the rows of one codec against one peer.
fn compare(report: &mut Report, case: &str, peer: &str, figures: [Figures; 2], bounds: Bounds) {
    let [ours, theirs] = figures;
    for (metric, ours, theirs, bound) in [
        ("load+compact CPU s", ours.load_cpu_s, theirs.load_cpu_s, bounds.load),
        ("get CPU us", ours.get_cpu_us, theirs.get_cpu_us, bounds.get),
        ("scan MB/CPU s", ours.scan_mb_per_cpu_s, theirs.scan_mb_per_cpu_s, bounds.scan),
        ("size MB", ours.size_mb, theirs.size_mb, bounds.size),
    ] {
        report.add(case.to_owned(), metric, (ours, theirs), peer, bound);
    }
}
