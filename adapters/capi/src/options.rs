//! Option strings: `key=value` pairs, separated by semicolons.

use std::time::Duration;

use uadk_compress::offload::Verify;
use uadk_compress::{
    Compressor, CompressorBuilder, Format, Level, Offload, Policy, Settings, SoftwareEncoder,
    UadkConfig, Window,
};

use crate::failure::Failure;

/// All settings of a new compressor.
#[derive(Debug, Default)]
pub(crate) struct Options {
    format: Option<Format>,
    level: Option<Level>,
    offload: Offload,
    encoder: Option<SoftwareEncoder>,
    policy: Policy,
    uadk: UadkConfig,
    /// Those that a builder does not have.
    pub(crate) settings: Settings,
}

impl Options {
    pub(crate) fn builder(&self) -> CompressorBuilder {
        let mut builder = Compressor::builder()
            .level(self.level.unwrap_or_default())
            .offload(self.offload)
            .policy(self.policy.clone())
            .uadk(self.uadk.clone());
        if let Some(format) = self.format {
            builder = builder.format(format);
        }
        if let Some(encoder) = self.encoder {
            builder = builder.software_encoder(encoder);
        }
        builder
    }
}

/// Parses the options of a new compressor.
pub(crate) fn parse(text: &str) -> Result<Options, Failure> {
    parse_some(text, |_| true)
}

/// Parses the options that can be changed later.
pub(crate) fn parse_settings(text: &str) -> Result<Settings, Failure> {
    let options = parse_some(text, |key| matches!(key, "level" | "window" | "checksum"))?;
    let mut settings = options.settings;
    settings.level = options.level;
    Ok(settings)
}

/// Parses an offload mode.
pub(crate) fn offload(text: &str) -> Result<Offload, Failure> {
    mode(text).map_err(|expected| {
        Failure::argument(format!("offload mode {text:?} (expected {expected})"))
    })
}

/// Parses options of which only some are accepted.
fn parse_some(text: &str, accepts: fn(&str) -> bool) -> Result<Options, Failure> {
    let mut options = Options::default();
    let mut seen = Vec::new();
    for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Failure::argument(format!("option {pair:?} has no value")));
        };
        let (key, value) = (key.trim(), value.trim());
        let Some((_, set)) = KEYS.iter().find(|(known, _)| *known == key && accepts(known)) else {
            let known: Vec<_> =
                KEYS.iter().map(|(key, _)| *key).filter(|key| accepts(key)).collect();
            let known = known.join(", ");
            return Err(Failure::argument(format!("unknown option {key:?} (known: {known})")));
        };
        if seen.contains(&key) {
            return Err(Failure::argument(format!("option {key:?} is there twice")));
        }
        seen.push(key);
        set(&mut options, value).map_err(|expected| {
            Failure::argument(format!("option {key}={value:?} (expected {expected})"))
        })?;
    }
    Ok(options)
}

/// Sets an option, or returns what it expects.
type Set = fn(&mut Options, &str) -> Result<(), &'static str>;

/// All options. Those of the policy and of the device are named like the fields in Rust.
const KEYS: &[(&str, Set)] = &[
    ("format", |o, v| put(&mut o.format, format(v).map(Some))),
    ("level", |o, v| put(&mut o.level, level(v).map(Some))),
    ("window", |o, v| put(&mut o.settings.window, window(v).map(Some))),
    ("checksum", |o, v| put(&mut o.settings.checksum, flag(v).map(Some))),
    ("encoder", |o, v| put(&mut o.encoder, encoder(v).map(Some))),
    ("offload", |o, v| put(&mut o.offload, mode(v))),
    ("verify", |o, v| put(&mut o.policy.verify, verify(v))),
    ("compress", |o, v| put(&mut o.policy.compress, flag(v))),
    ("decompress", |o, v| put(&mut o.policy.decompress, flag(v))),
    ("min_block", |o, v| put(&mut o.policy.min_block, bytes(v))),
    ("max_block", |o, v| put(&mut o.policy.max_block, bytes(v))),
    ("max_delay", |o, v| put(&mut o.policy.max_delay, time(v))),
    ("busy_tries", |o, v| put(&mut o.policy.busy_tries, number(v))),
    ("first_hold_off", |o, v| put(&mut o.policy.first_hold_off, time(v))),
    ("longest_hold_off", |o, v| put(&mut o.policy.longest_hold_off, time(v))),
    ("contexts", |o, v| put(&mut o.uadk.contexts, number(v))),
    ("numa_node", |o, v| put(&mut o.uadk.numa_node, number(v).map(Some))),
    ("depth", |o, v| put(&mut o.uadk.depth, number(v).map(|n| n as usize))),
    ("deadline", |o, v| put(&mut o.uadk.deadline, time(v))),
    ("hold_off", |o, v| put(&mut o.uadk.hold_off, time(v))),
    ("staging", |o, v| put(&mut o.uadk.staging, bytes(v))),
    ("max_sessions", |o, v| put(&mut o.uadk.max_sessions, number(v).map(|n| n as usize))),
    ("idle", |o, v| put(&mut o.uadk.idle, time(v))),
    ("max_quarantine", |o, v| put(&mut o.uadk.max_quarantine, bytes(v))),
    ("background", |o, v| put(&mut o.uadk.background, flag(v))),
    ("start_limit", |o, v| put(&mut o.uadk.start_limit, time(v))),
    ("stage_sources", |o, v| put(&mut o.uadk.stage_sources, flag(v))),
    ("raw_deflate_decompression", |o, v| put(&mut o.uadk.raw_deflate_decompression, flag(v))),
    ("verify_lz4", |o, v| put(&mut o.uadk.verify_lz4, flag(v))),
];

/// A value, or what was expected.
type Parsed<T> = Result<T, &'static str>;

fn put<T>(place: &mut T, value: Parsed<T>) -> Parsed<()> {
    *place = value?;
    Ok(())
}

/// Finds a value by its name.
fn named<T: Copy>(
    values: &[T],
    name: fn(T) -> String,
    text: &str,
    expected: &'static str,
) -> Parsed<T> {
    values.iter().copied().find(|&value| name(value) == text).ok_or(expected)
}

fn format(text: &str) -> Parsed<Format> {
    const ALL: [Format; 5] =
        [Format::RawDeflate, Format::Zlib, Format::Gzip, Format::Zstd, Format::Lz4];
    named(&ALL, |format| format.to_string(), text, "deflate, zlib, gzip, zstd or lz4")
}

fn level(text: &str) -> Parsed<Level> {
    text.parse().ok().and_then(Level::new).ok_or("a number from -131072 to 22")
}

fn window(text: &str) -> Parsed<Window> {
    const EXPECTED: &str = "4K, 8K, 16K, 24K or 32K";
    match bytes(text) {
        Ok(0x1000) => Ok(Window::Kib4),
        Ok(0x2000) => Ok(Window::Kib8),
        Ok(0x4000) => Ok(Window::Kib16),
        Ok(0x6000) => Ok(Window::Kib24),
        Ok(0x8000) => Ok(Window::Kib32),
        _ => Err(EXPECTED),
    }
}

fn encoder(text: &str) -> Parsed<SoftwareEncoder> {
    const ALL: [SoftwareEncoder; 2] = [SoftwareEncoder::BlockDeflate, SoftwareEncoder::Libdeflate];
    named(&ALL, |encoder| encoder.to_string(), text, "block-deflate or libdeflate")
}

fn mode(text: &str) -> Parsed<Offload> {
    text.parse().map_err(|_| "auto, off or require")
}

fn verify(text: &str) -> Parsed<Verify> {
    match text {
        "off" => Ok(Verify::Off),
        "compressed" => Ok(Verify::Compressed),
        "both" => Ok(Verify::Both),
        _ => Err("off, compressed or both"),
    }
}

fn flag(text: &str) -> Parsed<bool> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("on or off"),
    }
}

fn number(text: &str) -> Parsed<u32> {
    text.parse().map_err(|_| "a number")
}

/// Parses bytes, with a suffix for multiples of 1024.
fn bytes(text: &str) -> Parsed<usize> {
    const EXPECTED: &str = "bytes, such as 4096, 4K, 8M or 1G";
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'K') => (&text[..text.len() - 1], 10),
        Some(b'M') => (&text[..text.len() - 1], 20),
        Some(b'G') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let number: usize = digits.parse().map_err(|_| EXPECTED)?;
    number.checked_mul(1 << shift).ok_or(EXPECTED)
}

/// Parses a time, whose unit must be there.
fn time(text: &str) -> Parsed<Duration> {
    const EXPECTED: &str = "a time, such as 500us, 20ms or 10s";
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| EXPECTED)?;
    match &text[digits.len()..] {
        "us" => Ok(Duration::from_micros(number)),
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        _ => Err(EXPECTED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(text).expect_err(text).to_string()
    }

    #[test]
    fn every_option_reaches_its_field() {
        let options = parse(
            "format=zlib; level=6; window=16K; checksum=on; encoder=libdeflate; offload=off; \
             verify=both; compress=off; decompress=off; min_block=4096; max_block=1M; \
             max_delay=500us; busy_tries=7; first_hold_off=1ms; longest_hold_off=2s; contexts=8; \
             numa_node=1; depth=16; deadline=20ms; hold_off=30ms; staging=2M; max_sessions=9; \
             idle=5s; max_quarantine=1G; background=off; start_limit=3s; stage_sources=on; \
             raw_deflate_decompression=on; verify_lz4=off;",
        )
        .expect("valid");
        assert_eq!(options.format, Some(Format::Zlib));
        assert_eq!((options.level, options.offload), (Some(Level::BALANCED), Offload::Off));
        assert_eq!(options.encoder, Some(SoftwareEncoder::Libdeflate));
        let settings = Settings::new().with_window(Window::Kib16).with_checksum(true);
        assert_eq!(options.settings, settings);
        let milliseconds = Duration::from_millis;
        let policy = Policy::default()
            .with_verify(Verify::Both)
            .with_directions(false, false)
            .with_min_block(4096)
            .with_max_block(1 << 20)
            .with_max_delay(Duration::from_micros(500))
            .with_busy_tries(7)
            .with_hold_off(milliseconds(1), milliseconds(2000));
        assert_eq!(options.policy, policy);
        let uadk = UadkConfig::default()
            .with_contexts(8)
            .with_numa_node(Some(1))
            .with_depth(16)
            .with_deadline(milliseconds(20))
            .with_hold_off(milliseconds(30))
            .with_staging(2 << 20)
            .with_max_sessions(9)
            .with_idle(milliseconds(5000))
            .with_max_quarantine(1 << 30)
            .with_background(false)
            .with_start_limit(milliseconds(3000))
            .with_stage_sources(true)
            .with_raw_deflate_decompression(true)
            .with_verify_lz4(false);
        assert_eq!(options.uadk, uadk);
    }

    #[test]
    fn nothing_means_the_defaults() {
        for text in ["", "  ", ";", " ; ;"] {
            let options = parse(text).expect("valid");
            assert_eq!((options.format, options.level), (None, None));
            assert_eq!((options.policy, options.uadk), (Policy::default(), UadkConfig::default()));
        }
    }

    #[test]
    fn an_unknown_option_is_named_with_those_that_are_known() {
        let error = error("format=zlib;levle=1");
        assert!(error.starts_with("unknown option \"levle\" (known: format, level, "), "{error}");
        for (key, _) in KEYS {
            assert!(error.contains(key), "{error}");
        }
    }

    #[test]
    fn a_wrong_value_is_named_with_what_is_expected() {
        for (text, expected) in [
            (
                "format=snappy",
                "option format=\"snappy\" (expected deflate, zlib, gzip, zstd or lz4)",
            ),
            ("level=23", "option level=\"23\" (expected a number from -131072 to 22)"),
            ("level=", "option level=\"\" (expected a number from -131072 to 22)"),
            ("window=5K", "option window=\"5K\" (expected 4K, 8K, 16K, 24K or 32K)"),
            ("checksum=yes", "option checksum=\"yes\" (expected on or off)"),
            ("offload=maybe", "option offload=\"maybe\" (expected auto, off or require)"),
            ("verify=on", "option verify=\"on\" (expected off, compressed or both)"),
            (
                "encoder=libzstd",
                "option encoder=\"libzstd\" (expected block-deflate or libdeflate)",
            ),
            ("busy_tries=-1", "option busy_tries=\"-1\" (expected a number)"),
            ("staging=-1", "option staging=\"-1\" (expected bytes, such as 4096, 4K, 8M or 1G)"),
            ("idle=10", "option idle=\"10\" (expected a time, such as 500us, 20ms or 10s)"),
            ("level", "option \"level\" has no value"),
            ("level=1;level=2", "option \"level\" is there twice"),
        ] {
            assert_eq!(error(text), expected);
        }
    }

    #[test]
    fn numbers_beyond_the_range_and_odd_letters_are_rejected() {
        for text in ["staging=99999999999G", "staging=K", "idle=ms", "idle=1é", "staging=1é"] {
            assert!(error(text).contains("expected"), "{text}");
        }
    }

    #[test]
    fn only_some_options_can_be_changed_later() {
        let settings = parse_settings("level=6; window=4K; checksum=off").expect("valid");
        let expected = Settings::new().with_level(Level::BALANCED).with_window(Window::Kib4);
        assert_eq!(settings, expected.with_checksum(false));
        assert_eq!(parse_settings("").expect("valid"), Settings::new());
        let error = parse_settings("format=zlib").expect_err("fixed").to_string();
        assert_eq!(error, "unknown option \"format\" (known: level, window, checksum)");
    }
}
