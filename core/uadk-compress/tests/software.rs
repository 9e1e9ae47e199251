//! The software engine compared with zlib.

mod common;

use common::{
    FORMATS, block_with_far_matches, compress, zlib_compress, zlib_decodes_with_window,
    zlib_decompress,
};
use proptest::prelude::*;
use uadk_compress::{
    BlockCompressor, Error, Format, Level, Settings, SoftwareCompressor, SoftwareEncoder, Window,
};

fn engine(format: Format, level: Level) -> SoftwareCompressor {
    SoftwareCompressor::new(format, level).expect("a supported format")
}

fn levels() -> impl Iterator<Item = Level> {
    (0..=12).filter_map(Level::new)
}

#[test]
fn an_unsupported_format_is_refused_by_name() {
    let error = SoftwareCompressor::new(Format::Custom("snappy"), Level::BALANCED).unwrap_err();
    assert!(matches!(error, Error::Unsupported(_)), "{error:?}");
    assert!(error.to_string().contains("snappy"), "{error}");
}

#[test]
fn a_wrong_checksum_is_corrupt() {
    for format in [Format::Zlib, Format::Gzip] {
        let engine = engine(format, Level::BALANCED);
        let mut compressed = zlib_compress(format, 6, &[7; 5000]).expect("writes to memory");
        let mut restored = [0; 5000];
        assert_eq!(engine.decompress(&compressed, &mut restored), Ok(5000));
        let checksum = compressed.len() - if format == Format::Gzip { 8 } else { 4 };
        compressed[checksum] ^= 1;
        assert_eq!(engine.decompress(&compressed, &mut restored), Err(Error::Corrupt));
    }
}

#[test]
fn the_maximum_expansion_of_deflate_is_within_the_bound() {
    let zeros = vec![0; 8 << 20];
    for format in FORMATS {
        let compressed = zlib_compress(format, 9, &zeros).expect("writes to memory");
        let bound = engine(format, Level::BALANCED).max_decompressed_len(compressed.len());
        assert!(bound >= Some(zeros.len()), "{format}: {} -> {bound:?}", compressed.len());
    }
}

#[test]
fn matches_stay_within_the_window_that_the_zlib_header_states() {
    let data = block_with_far_matches(65_536);
    let windows = [
        (Window::Kib4, 12),
        (Window::Kib16, 14),
        (Window::Kib32, 15),
        (Window::Kib24, 14),
        (Window::Kib8, 13),
    ];
    for format in FORMATS {
        for level in [Level::FASTEST, Level::new(1).expect("a level")] {
            let engine = engine(format, level);
            let whole = compress(&engine, &data);
            for (window, bits) in windows {
                let limited = compress(&engine.clone().with_window_limit(window), &data);
                assert!(
                    zlib_decodes_with_window(bits, format, &limited, &data),
                    "{format}, {window:?}"
                );
                let less = zlib_decodes_with_window(bits - 1, format, &limited, &data);
                assert!(!less, "{format}, {window:?}: no match reaches that far back");
                if window < Window::Kib32 {
                    assert!(whole.len() * 3 < limited.len() * 2, "{format}, {window:?}");
                } else {
                    assert!(limited == whole, "{format}");
                }
            }
        }
    }
}

#[test]
fn a_reconfigured_window_is_kept_and_never_grows() {
    let data = block_with_far_matches(65_536);
    let engine = engine(Format::Zlib, Level::BALANCED);
    let reconfigure = |engine: &dyn BlockCompressor, settings: &Settings| {
        engine.reconfigured(settings).expect("levels and windows are supported")
    };
    let limited = reconfigure(&engine, &Settings::new().with_window(Window::Kib16));
    let wider = reconfigure(&limited, &Settings::new().with_window(Window::Kib32));
    for (engine, within) in [(limited, true), (wider, true), (std::sync::Arc::new(engine), false)] {
        let fastest = reconfigure(&engine, &Settings::new().with_level(Level::FASTEST));
        let compressed = compress(&fastest, &data);
        assert_eq!(zlib_decodes_with_window(14, Format::Zlib, &compressed, &data), within);
    }
}

#[test]
fn libdeflate_ignores_the_window() {
    let data = block_with_far_matches(65_536);
    for format in FORMATS {
        let engine = engine(format, Level::new(1).expect("a level"));
        let engine = engine.with_encoder(SoftwareEncoder::Libdeflate);
        let asked = engine.clone().with_window_limit(Window::Kib4);
        assert_eq!(asked.window_limit(), Window::Kib4);
        assert!(compress(&asked, &data) == compress(&engine, &data));
    }
}

/// Generates data with repetitions at many distances, or without any.
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
    fn zlib_and_the_engine_read_each_others_output(data in data(), zlib_level in 0..=9_u32) {
        for format in FORMATS {
            for level in levels() {
                let compressed = compress(&engine(format, level), &data);
                prop_assert!(zlib_decompress(format, &compressed).expect("valid data") == data);
            }
            let theirs = zlib_compress(format, zlib_level, &data).expect("writes to memory");
            let mut restored = vec![0; data.len()];
            let written = engine(format, Level::BALANCED).decompress(&theirs, &mut restored);
            prop_assert_eq!(written, Ok(data.len()));
            prop_assert!(restored == data);
        }
    }
}
