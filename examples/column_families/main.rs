//! Stores real files in four column families: uncompressed, RocksDB's built-in zlib, ours under
//! RocksDB's zlib schema, and ours with a custom codec. Then opens the database without this
//! library and compares every record of the stock family.
//!
//! `make demo`, or `cargo run --example column_families -- --help`

#[path = "../custom_codec/lz4.rs"]
mod lz4;
mod table;

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use rocksdb::{ColumnFamilyDescriptor, DB, DBCompressionType, IteratorMode, Options};
use uadk_compress::{Compressor, Level};
use uadk_compress_bench_support::corpus::{self, Record};
use uadk_compress_bench_support::database::{family_options, get, load, scan, size};
use uadk_compress_rocksdb::{OptionsExt, Schema, incidents};

use lz4::Lz4;
use table::Measured;

/// Compares four ways to store the same files in RocksDB.
#[derive(Debug, Parser)]
struct Arguments {
    /// Files to store: a file or directory [default: source code and documentation of this machine]
    path: Option<PathBuf>,
    /// Stop reading files after this many MiB
    #[arg(long, default_value_t = 64)]
    limit: usize,
    /// Compression level of zlib and ours
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=9))]
    level: u8,
    /// Block size in KiB
    #[arg(long, default_value_t = 16)]
    block_size: usize,
    /// Random lookups per family
    #[arg(long, default_value_t = 20_000)]
    gets: usize,
    /// Keep the database in this directory, which must not exist yet
    #[arg(long, value_name = "DIRECTORY")]
    keep: Option<PathBuf>,
}

const FAMILIES: [&str; 4] = ["uncompressed", "builtin zlib", "ours stock", "ours custom (lz4)"];
const STOCK: &str = FAMILIES[2];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let roots = arguments.path.clone().map_or_else(corpus::default_roots, |path| vec![path]);
    let mut records = corpus::records(&roots, arguments.limit << 20)?;
    let bytes: usize = records.iter().map(|record| record.key.len() + record.value.len()).sum();
    println!("{} records, {:.1} MB, from", records.len(), bytes as f64 / 1e6);
    for root in &roots {
        println!("  {}", root.display());
    }

    let temporary = tempfile::tempdir()?;
    let dir = match arguments.keep {
        Some(ref path) if path.exists() => {
            return Err(format!("{} already exists (choose a new path)", path.display()).into());
        }
        Some(ref path) => path.clone(),
        None => temporary.path().join("db"),
    };

    let compressor =
        Compressor::builder().level(Level::nearest(i32::from(arguments.level))).build()?;
    corpus::shuffle(&mut records, 1);
    {
        let db = open(&dir, &arguments, &compressor)?;
        let measured = FAMILIES
            .iter()
            .map(|name| measure(&db, name, &records, arguments.gets))
            .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
        table::print(&measured, bytes);
    }
    let stats = compressor.stats();
    match &stats.unavailable {
        Some(_) => println!(
            "\nno accelerator (`uadk-compress doctor` says why): {} blocks in software",
            stats.software.blocks()
        ),
        None => println!("\nour counters\n{stats}\n{:?}", incidents()),
    }

    records.sort_by_key(|record| record.key);
    verify_without_us(&dir, &records)?;
    if arguments.keep.is_some() {
        println!("the database is in {}", dir.display());
    }
    Ok(())
}

/// Opens a database with the four families.
fn open(dir: &Path, arguments: &Arguments, compressor: &Compressor) -> Result<DB, Box<dyn Error>> {
    let plain = || {
        let mut options = family_options(arguments.block_size << 10);
        options.set_compression_type(DBCompressionType::None);
        options
    };
    let mut zlib = plain();
    zlib.set_compression_type(DBCompressionType::Zlib);
    zlib.set_compression_options(-14, i32::from(arguments.level), 0, 0);
    let mut stock = plain();
    stock.set_block_compressor(compressor.clone(), Schema::Stock)?;
    let mut custom = plain();
    custom.set_block_compressor(Lz4, Schema::custom("MyLz4"))?;

    let options = [plain(), zlib, stock, custom];
    let families = FAMILIES.into_iter().zip(options);
    let families = families.map(|(name, options)| ColumnFamilyDescriptor::new(name, options));
    Ok(DB::open_cf_descriptors(&plain(), dir, families)?)
}

fn measure(
    db: &DB,
    name: &'static str,
    records: &[Record],
    gets: usize,
) -> Result<Measured, Box<dyn Error>> {
    let cf = db.cf_handle(name).ok_or("column family not found")?;
    let bar = ProgressBar::new(records.len() as u64)
        .with_style(ProgressStyle::with_template("{msg:<18} {bar:30} {percent:>3} % {eta}")?)
        .with_message(name);
    let load = load(db, cf, records, |done| bar.inc(done))?;
    bar.set_message(format!("{name}: reading"));
    let get = get(db, cf, records, gets)?;
    let (scanned, scan) = scan(db, cf)?;
    bar.finish_and_clear();
    Ok(Measured { name, size: size(db, cf)?, load, get, gets, scanned, scan })
}

/// Opens the stock family as any program with a stock RocksDB would, and compares all records.
fn verify_without_us(dir: &Path, records: &[Record]) -> Result<(), Box<dyn Error>> {
    let db = DB::open_cf_for_read_only(&Options::default(), dir, ["default", STOCK], false)?;
    let cf = db.cf_handle(STOCK).ok_or("stock family not found")?;
    let mut expected = records.iter();
    for record in db.iterator_cf(cf, IteratorMode::Start) {
        let (key, value) = record?;
        let same = expected.next().is_some_and(|e| e.key == *key && e.value == *value);
        if !same {
            return Err(format!("the record with key {key:02x?} differs").into());
        }
    }
    if let Some(missing) = expected.next() {
        return Err(format!("the record with key {:02x?} is missing", missing.key).into());
    }
    println!("\nread back without this library, all bytes equal: {} records", records.len());
    Ok(())
}
