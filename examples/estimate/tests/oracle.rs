//! Projected sizes against those of files that RocksDB wrote.

use std::path::Path;

use rocksdb::{DBCompressionType, Options};
use uadk_compress::{Format, Level, SoftwareCompressor};
use uadk_compress_rocksdb::{OptionsExt, Schema};

use super::databases::{compact, family, fill, open, options, report, size};
use crate::report::{CodecReport, Report};

/// Returns options of RocksDB's own codec at a level.
fn builtin(compression: DBCompressionType, level: i32, block_size: usize) -> Options {
    let mut options = options(compression, block_size);
    options.set_compression_options(-14, level, 0, 0);
    options
}

/// Returns options with our codec.
fn ours(format: Format, level: i32, block_size: usize) -> Options {
    let mut options = options(DBCompressionType::None, block_size);
    let codec = SoftwareCompressor::new(format, Level::nearest(level)).expect("a known format");
    options.set_block_compressor(codec, Schema::Stock).expect("a format of RocksDB");
    options
}

/// Rewrites the database's only family with the options' codec and returns the size of its files.
fn rewritten(dir: &Path, options: Options) -> u64 {
    let db = open(dir, vec![("default", options)]);
    compact(&db, family(&db, "default"));
    size(&db, family(&db, "default"))
}

fn codec<'a>(
    report: &'a Report,
    format: &str,
    level: Option<i32>,
    engine: &str,
) -> &'a CodecReport {
    let same = |codec: &&CodecReport| {
        codec.format == format && codec.level == level && codec.engine.contains(engine)
    };
    report.codecs.iter().find(same).expect("a codec of that name")
}

/// Asserts that `projected` is within 3 % of `real`.
fn assert_near(projected: u64, real: u64, what: &str) {
    let ratio = projected as f64 / real as f64;
    assert!((0.97..1.03).contains(&ratio), "{what}: {projected} projected, {real} in files");
}

#[test]
fn projected_sizes_are_those_of_a_real_compaction() {
    for block_size in [4096, 16_384] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        {
            let db = open(
                dir.path(),
                vec![("default", builtin(DBCompressionType::Zlib, 6, block_size))],
            );
            fill(&db, family(&db, "default"));
            compact(&db, family(&db, "default"));
        }
        let report = report(dir.path());
        assert!(report.sample.blocks > 100, "{report:?}");
        let cases = [
            ("none", None, "", options(DBCompressionType::None, block_size)),
            ("zlib", Some(1), "RocksDB", builtin(DBCompressionType::Zlib, 1, block_size)),
            ("zlib", Some(6), "RocksDB", builtin(DBCompressionType::Zlib, 6, block_size)),
            ("zlib", Some(1), "ours", ours(Format::RawDeflate, 1, block_size)),
            ("zlib", Some(6), "ours", ours(Format::RawDeflate, 6, block_size)),
            ("zstd", Some(1), "", builtin(DBCompressionType::Zstd, 1, block_size)),
            ("zstd", Some(3), "", ours(Format::Zstd, 3, block_size)),
            ("lz4", Some(1), "", options(DBCompressionType::Lz4, block_size)),
        ];
        for (format, level, engine, options) in cases {
            let projected = codec(&report, format, level, engine).projected_bytes;
            let what = format!("{format} {level:?} {engine}, blocks of {block_size}");
            assert_near(projected, rewritten(dir.path(), options), &what);
        }
    }
}

#[test]
fn each_family_is_projected_with_its_own_data_and_block_size() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let families = || {
        let other = options(DBCompressionType::Zstd, 32_768);
        vec![("default", options(DBCompressionType::None, 4096)), ("zeros", other)]
    };
    let sizes = {
        let db = open(dir.path(), families());
        fill(&db, family(&db, "default"));
        for n in 0..30_000_u32 {
            let value = [0; 200];
            db.put_cf(family(&db, "zeros"), n.to_be_bytes(), value).expect("written");
        }
        db.flush_cf(family(&db, "zeros")).expect("flushed");
        ["default", "zeros"].map(|name| {
            compact(&db, family(&db, name));
            size(&db, family(&db, name))
        })
    };
    let report = report(dir.path());
    assert_eq!(report.bytes, sizes.iter().sum::<u64>());
    let today = report.families.iter().map(|f| (f.name.as_str(), f.bytes, f.block_size));
    let expected = [("default", sizes[0], 4096), ("zeros", sizes[1], 32_768)];
    assert_eq!(today.collect::<Vec<_>>(), expected);
    // What each has today is what is projected for the codec that it has.
    for (index, (format, level)) in [("none", None), ("zstd", Some(3))].into_iter().enumerate() {
        let projected = &codec(&report, format, level, "").families[index];
        assert_near(projected.projected_bytes, sizes[index], &projected.name);
    }
}
