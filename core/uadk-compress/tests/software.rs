//! The software engine against zlib.

mod common;

use common::{FORMATS, zlib_compress, zlib_decompress};
use proptest::prelude::*;
use uadk_compress::{BlockCompressor, Error, Format, Level, SoftwareCompressor, conformance};

fn engine(format: Format, level: Level) -> SoftwareCompressor {
    SoftwareCompressor::new(format, level).expect("a format of the engine")
}

fn levels() -> impl Iterator<Item = Level> {
    (0..=Level::BEST.get()).filter_map(Level::new)
}

#[test]
fn conforms_in_every_format() {
    for format in FORMATS {
        conformance::all(&engine(format, Level::DEFAULT));
    }
}

#[test]
fn a_codec_it_does_not_have_is_refused_by_name() {
    let error = SoftwareCompressor::new(Format::Custom("lz4"), Level::DEFAULT).unwrap_err();
    assert!(matches!(error, Error::Unsupported(_)), "{error:?}");
    assert!(error.to_string().contains("lz4"), "{error}");
}

#[test]
fn a_wrong_checksum_is_corrupt() {
    for format in [Format::Zlib, Format::Gzip] {
        let engine = engine(format, Level::DEFAULT);
        let mut compressed = zlib_compress(format, 6, &[7; 5000]).expect("into memory");
        let mut restored = [0; 5000];
        assert_eq!(engine.decompress(&compressed, &mut restored), Ok(5000));
        let checksum = compressed.len() - if format == Format::Gzip { 8 } else { 4 };
        compressed[checksum] ^= 1;
        assert_eq!(engine.decompress(&compressed, &mut restored), Err(Error::Corrupt));
    }
}

#[test]
fn the_greatest_expansion_of_deflate_is_within_the_bound() {
    let zeros = vec![0; 8 << 20];
    for format in FORMATS {
        let compressed = zlib_compress(format, 9, &zeros).expect("into memory");
        let bound = engine(format, Level::DEFAULT).max_decompressed_len(compressed.len());
        assert!(bound >= Some(zeros.len()), "{format}: {} -> {bound:?}", compressed.len());
    }
}

/// Data with repetitions at many distances, or none.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let noise = prop::collection::vec(any::<u8>(), 0..3000);
    let skewed = prop::collection::vec(prop::sample::select(b"aaaaaabbbc ".to_vec()), 0..70_000);
    let repeated = (prop::collection::vec(any::<u8>(), 1..300), 1..200_usize)
        .prop_map(|(unit, n)| unit.repeat(n));
    prop_oneof![noise, skewed, repeated]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn zlib_reads_what_we_make_and_we_read_what_zlib_makes(data in data(), zlib_level in 0..=9_u32) {
        for format in FORMATS {
            for level in levels() {
                let engine = engine(format, level);
                let mut compressed = vec![0; engine.max_compressed_len(data.len())];
                let written = engine.compress(&data, &mut compressed);
                compressed.truncate(written.expect("the bound holds"));
                prop_assert!(zlib_decompress(format, &compressed).expect("valid") == data);
            }
            let theirs = zlib_compress(format, zlib_level, &data).expect("into memory");
            let mut restored = vec![0; data.len()];
            let written = engine(format, Level::DEFAULT).decompress(&theirs, &mut restored);
            prop_assert_eq!(written, Ok(data.len()));
            prop_assert!(restored == data);
        }
    }
}
