//! RocksDB column families: ours against RocksDB's built-in zlib, zstd and lz4, on files of this
//! machine.
//!
//! `make bench BENCH=rocksdb`. Each family is loaded into its own database, compacted, read at
//! random and scanned, all without a block cache. Costs are CPU time of the process; the cheapest
//! of `ROUNDS` interleaved rounds counts.

use std::path::PathBuf;

use rocksdb::{DB, DBCompressionType, Options};
use uadk_compress::{Compressor, Level};
use uadk_compress_bench_support::corpus::{self, Record};
use uadk_compress_bench_support::database::{family_options, get, load, scan, size};
use uadk_compress_bench_support::report::Report;
use uadk_compress_rocksdb::{OptionsExt, Schema};

const CORPUS_BYTES: usize = 48 << 20;
const GETS: usize = 20_000;
const ROUNDS: usize = 3;

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
#[derive(Clone, Copy, Debug)]
enum Codec {
    Ours(i32),
    Builtin(DBCompressionType, i32, &'static str),
}

const OURS: [Codec; 2] = [Codec::Ours(1), Codec::Ours(6)];
const PEERS: [Codec; 4] = [
    Codec::Builtin(DBCompressionType::Zlib, 1, "builtin zlib 1"),
    Codec::Builtin(DBCompressionType::Zlib, 6, "builtin zlib 6"),
    Codec::Builtin(DBCompressionType::Zstd, 1, "builtin zstd 1"),
    Codec::Builtin(DBCompressionType::Lz4, -1, "builtin lz4"),
];

impl Codec {
    fn options(self, block_size: usize) -> Result<Options, Box<dyn std::error::Error>> {
        let mut options = family_options(block_size);
        match self {
            Self::Ours(level) => {
                let compressor = Compressor::builder().level(Level::nearest(level)).build()?;
                options.set_block_compressor(compressor, Schema::Stock)?;
            }
            Self::Builtin(kind, level, _) => {
                options.set_compression_type(kind);
                options.set_compression_options(-14, level, 0, 0);
            }
        }
        Ok(options)
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
        let mut ours = [Figures::WORST; OURS.len()];
        let mut peers = [Figures::WORST; PEERS.len()];
        for _ in 0..ROUNDS {
            for (codec, best) in OURS.iter().zip(&mut ours).chain(PEERS.iter().zip(&mut peers)) {
                *best = best.best(codec.measure(block_size, &records)?);
            }
        }
        for (codec, ours) in OURS.iter().zip(ours) {
            for (peer, theirs) in PEERS.iter().zip(peers) {
                compare(&mut report, block_size, (*codec, ours), (*peer, theirs));
            }
        }
    }
    let missed = report.finish()?;
    std::process::exit(i32::from(missed > 0));
}

/// Adds the rows of one codec against one peer. The bounds apply to blocks of 16 KiB: against
/// RocksDB's zlib at the same level, and against zstd for loading at level 1.
fn compare(
    report: &mut Report,
    block_size: usize,
    (codec, ours): (Codec, Figures),
    (peer, theirs): (Codec, Figures),
) {
    let (Codec::Ours(level), Codec::Builtin(kind, peer_level, name)) = (codec, peer) else {
        return;
    };
    let zlib = kind == DBCompressionType::Zlib;
    if zlib && level != peer_level {
        return;
    }
    let case = format!("{} KiB, level {level}", block_size >> 10);
    let bounded = block_size == 16 << 10;
    let bound = |bound| (zlib && bounded).then_some(bound);
    let zstd = kind == DBCompressionType::Zstd && level == 1 && bounded;
    let load = if zstd { Some("<=1.1") } else { bound("<=0.65") };
    let rows = [
        ("load+compact CPU s", ours.load_cpu_s, theirs.load_cpu_s, load),
        ("get CPU us", ours.get_cpu_us, theirs.get_cpu_us, bound("<=0.55")),
        ("scan MB/CPU s", ours.scan_mb_per_cpu_s, theirs.scan_mb_per_cpu_s, None),
        ("size MB", ours.size_mb, theirs.size_mb, bound("<=1.02")),
    ];
    for (metric, ours, theirs, bound) in rows {
        report.add(case.clone(), metric, (ours, theirs), name, bound);
    }
}
