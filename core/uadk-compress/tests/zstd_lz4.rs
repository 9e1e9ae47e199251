//! zstd frames and LZ4 blocks compared with libzstd's and LZ4's own tools, and with `lz4_flex`.

mod common;

use std::io::Write;
use std::process::{Command, Stdio};

use common::{block, compress};
use proptest::prelude::*;
use uadk_compress::{
    BlockCompressor, Dictionary, Error, Format, Level, Settings, SoftwareCompressor,
    SoftwareEncoder,
};

const BOTH: [Format; 2] = [Format::Zstd, Format::Lz4];

fn engine(format: Format, level: i32) -> SoftwareCompressor {
    SoftwareCompressor::new(format, Level::nearest(level)).expect("a supported format")
}

/// Runs a command with `input` as its standard input and returns its standard output.
fn run(command: &mut Command, package: &str, input: &[u8]) -> Vec<u8> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("failed to run {name} (install {package}): {error}"));
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("no panic").expect("it reads everything");
    assert!(output.status.success(), "{name}: {}", output.status);
    output.stdout
}

/// Returns LZ4's frame around one block, as the `lz4` command reads it (LZ4 frame format 1.6.4):
/// blocks of up to 4 MiB, each for itself, without checksums.
fn lz4_frame(block: &[u8]) -> Vec<u8> {
    let mut frame = 0x184d_2204_u32.to_le_bytes().to_vec();
    // Version 1 with independent blocks, and its header checksum.
    frame.extend([0x60, 0x70, 0x73]);
    frame.extend(u32::try_from(block.len()).expect("a small block").to_le_bytes());
    frame.extend(block);
    frame.extend([0; 4]);
    frame
}

fn samples() -> Vec<Vec<u8>> {
    let mut samples = vec![vec![], vec![1], vec![0; 100_000], block(1, 4096), block(2, 65_536)];
    samples.push(block(3, 300_000));
    samples.push((0..100_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 11) as u8).collect());
    samples
}

#[test]
fn the_zstd_command_reads_every_level() {
    for sample in samples() {
        for level in [-131_072, -5, 0, 1, 3, 9, 19, 22] {
            for checksum in [false, true] {
                let frame = compress(&engine(Format::Zstd, level).with_checksum(checksum), &sample);
                let restored = run(Command::new("zstd").args(["-dcq"]), "zstd", &frame);
                assert!(restored == sample, "level {level}, {} bytes", sample.len());
            }
        }
    }
}

#[test]
fn frames_state_their_content_size_and_have_a_checksum_only_if_asked() {
    let sample = block(1, 5000);
    let with = |checksum| compress(&engine(Format::Zstd, 1).with_checksum(checksum), &sample);
    for (frame, flag) in [(with(false), 0), (with(true), 4)] {
        assert_eq!(zstd_safe::get_frame_content_size(&frame).ok(), Some(Some(5000)));
        // Frame_Header_Descriptor, RFC 8878, 3.1.1.1.1.
        assert_eq!(frame[4] & 4, flag);
    }
    let mut damaged = with(true);
    let end = damaged.len() - 1;
    damaged[end] ^= 1;
    let decompressed = engine(Format::Zstd, 1).decompress(&damaged, &mut [0; 5000]);
    assert_eq!(decompressed, Err(Error::Corrupt));
}

#[test]
fn the_lz4_command_reads_every_level() {
    for sample in samples() {
        for level in [-65_537, -9, 0, 1, 2, 3, 9, 12, 22] {
            let block = compress(&engine(Format::Lz4, level), &sample);
            let restored = run(Command::new("lz4").args(["-dcq"]), "lz4", &lz4_frame(&block));
            assert!(restored == sample, "level {level}, {} bytes", sample.len());
        }
    }
}

#[test]
fn blocks_of_the_commands_are_read() {
    for sample in samples() {
        for level in ["-1", "-19", "--fast=3", "-1 --no-check", "-3 --no-content-size"] {
            let arguments = level.split(' ').chain(["-cq"]);
            let frame = run(Command::new("zstd").args(arguments), "zstd", &sample);
            let mut restored = vec![0; sample.len()];
            let written = engine(Format::Zstd, 1).decompress(&frame, &mut restored);
            assert_eq!(written, Ok(sample.len()), "zstd {level}");
            assert!(restored == sample, "zstd {level}");
        }
        let block = lz4_flex::compress(&sample);
        let mut restored = vec![0; sample.len()];
        let written = engine(Format::Lz4, 1).decompress(&block, &mut restored);
        assert_eq!(written, Ok(sample.len()));
        assert!(restored == sample);
    }
}

#[test]
fn higher_levels_make_smaller_blocks() {
    let sample = block(7, 65_536);
    let lens = |format, levels: &[i32]| -> Vec<usize> {
        levels.iter().map(|&level| compress(&engine(format, level), &sample).len()).collect()
    };
    for lens in [lens(Format::Zstd, &[-50, -5, 1, 9, 19]), lens(Format::Lz4, &[-50, -5, 1, 3, 12])]
    {
        assert!(lens.is_sorted_by(|a, b| a > b), "{lens:?}");
    }
    // Numbers beyond a format's range.
    assert_eq!(lens(Format::Lz4, &[12]), lens(Format::Lz4, &[22]));
    assert_eq!(lens(Format::Zstd, &[0]), lens(Format::Zstd, &[-1]));
}

#[test]
fn each_format_has_its_encoder() {
    for (format, encoder) in
        [(Format::Zstd, SoftwareEncoder::Libzstd), (Format::Lz4, SoftwareEncoder::Liblz4)]
    {
        let engine = engine(format, 1).with_encoder(SoftwareEncoder::Libdeflate);
        assert_eq!(engine.encoder(), encoder, "encoders of other formats are ignored");
    }
}

#[test]
fn bytes_behind_a_zstd_frame_are_ignored() {
    let sample = block(5, 4096);
    let frame = compress(&engine(Format::Zstd, 1), &sample);
    let other = compress(&engine(Format::Zstd, 1), &block(6, 3000));
    let empty = compress(&engine(Format::Zstd, 1), &[]);
    for behind in [&b"behind it"[..], &other, &empty] {
        let both = [&frame[..], behind].concat();
        for capacity in [4096, 10_000] {
            let mut restored = vec![0; capacity];
            assert_eq!(engine(Format::Zstd, 1).decompress(&both, &mut restored), Ok(4096));
            assert!(restored[..4096] == sample);
        }
    }
}

/// Returns records that share words with each other, and a dictionary of such words.
fn records() -> (Vec<Vec<u8>>, Vec<u8>) {
    let record = |i: u32| {
        let (hash, tail) = (i.wrapping_mul(2_654_435_761), i % 17);
        format!("{{\"id\":{i},\"user\":\"user-{hash:08x}\",\"state\":\"active\",\"n\":{tail}}}")
            .into_bytes()
    };
    let sample = (1000..1400).flat_map(record).collect();
    ((0..50).map(record).collect(), sample)
}

/// Trains a zstd dictionary.
fn train() -> Vec<u8> {
    let (records, content) = records();
    let len = records[0].len();
    let sizes: Vec<_> = content.chunks(len).map(<[u8]>::len).collect();
    let mut dictionary = Vec::with_capacity(4096);
    zstd_safe::train_from_buffer(&mut dictionary, &content, &sizes).expect("enough samples");
    dictionary
}

#[test]
fn dictionaries_make_small_blocks_smaller_in_both_formats() {
    let (records, content) = records();
    for (format, dictionary) in
        [(Format::Zstd, content.clone()), (Format::Zstd, train()), (Format::Lz4, content)]
    {
        for level in [-3, 1, 3, 9, 12] {
            let plain = engine(format, level);
            let dictionary = Dictionary::new(dictionary.clone());
            let settings = Settings::new().with_dictionary(dictionary);
            let with = plain.reconfigured(&settings).expect("it has dictionaries");
            for record in &records {
                let block = compress(&*with, record);
                assert!(block.len() * 3 < compress(&plain, record).len() * 2, "{format} {level}");
                let mut restored = vec![0; record.len()];
                assert_eq!(with.decompress(&block, &mut restored), Ok(record.len()));
                assert!(restored == *record);
            }
            // A block without a dictionary is read as well.
            let record = &records[0];
            let mut restored = vec![0; record.len()];
            let written = with.decompress(&compress(&plain, record), &mut restored);
            assert_eq!((written, &restored), (Ok(record.len()), record));
            // Another level keeps the dictionary.
            let best = with.reconfigured(&Settings::new().with_level(Level::BEST));
            let block = compress(&*best.expect("it has levels"), record);
            assert_eq!(with.decompress(&block, &mut restored), Ok(record.len()));
        }
    }
}

#[test]
fn the_commands_read_blocks_with_a_dictionary() {
    let (records, content) = records();
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(&content).expect("written");
    for checksum in [false, true] {
        let codec = engine(Format::Zstd, 3).with_checksum(checksum);
        let codec = codec.with_dictionary(Dictionary::new(content.clone())).expect("zstd has them");
        for record in &records {
            let frame = compress(&codec, record);
            let restored =
                run(Command::new("zstd").args(["-dcq", "-D"]).arg(file.path()), "zstd", &frame);
            assert!(restored == *record);
        }
    }
    let codec = engine(Format::Lz4, 1).with_dictionary(Dictionary::new(content.clone()));
    let codec = codec.expect("LZ4 has them");
    for record in &records {
        let block = compress(&codec, record);
        let restored = lz4_flex::block::decompress_with_dict(&block, record.len(), &content);
        assert_eq!(restored.as_ref().ok(), Some(record));
        let theirs = lz4_flex::block::compress_with_dict(record, &content);
        let mut restored = vec![0; record.len()];
        assert_eq!(codec.decompress(&theirs, &mut restored), Ok(record.len()));
        assert!(restored == *record);
    }
}

#[test]
fn the_wrong_dictionary_is_an_error_or_other_bytes_but_never_a_panic() {
    let (records, content) = records();
    for format in BOTH {
        let right = engine(format, 1).with_dictionary(Dictionary::new(content.clone()));
        let other = engine(format, 1).with_dictionary(Dictionary::new(*b"something else"));
        let (right, other) = (right.expect("supported"), other.expect("supported"));
        let block = compress(&right, &records[0]);
        for codec in [&other, &engine(format, 1)] {
            let mut restored = vec![0; records[0].len()];
            let whole = codec.decompress(&block, &mut restored) == Ok(restored.len());
            assert!(!whole || restored != records[0], "{format}");
        }
    }
}

#[test]
fn a_block_that_does_not_fit_leaves_nothing_behind() {
    let sample = block(3, 20_000);
    for format in BOTH {
        for dictionary in [None, Some(Dictionary::new(block(4, 5000)))] {
            for level in [-1, 1, 9] {
                for checksum in [false, true] {
                    let mut codec = engine(format, level).with_checksum(checksum);
                    if let Some(dictionary) = dictionary.clone() {
                        codec = codec.with_dictionary(dictionary).expect("both have them");
                    }
                    for capacity in [0, 10, 1000] {
                        let full = codec.compress(&sample, &mut vec![0; capacity]);
                        assert_eq!(full, Err(Error::OutputFull), "{codec:?}");
                    }
                    // The same thread goes on, with the same parameters and with others.
                    for other in [codec.clone(), engine(format, 3).with_checksum(!checksum)] {
                        let compressed = compress(&other, &sample);
                        let mut restored = vec![0; sample.len()];
                        assert_eq!(other.decompress(&compressed, &mut restored), Ok(20_000));
                        assert!(restored == sample, "{other:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_damaged_zstd_dictionary_and_other_formats_are_refused() {
    let mut dictionary = train();
    dictionary.truncate(20);
    let refused = engine(Format::Zstd, 1).with_dictionary(Dictionary::new(dictionary));
    assert!(matches!(refused, Err(Error::Unsupported(_))));
    let refused = engine(Format::Gzip, 1).with_dictionary(Dictionary::new(*b"words"));
    assert!(refused.unwrap_err().to_string().contains("gzip"));
}

#[test]
fn an_empty_dictionary_is_none() {
    for format in BOTH {
        let codec = engine(format, 1).with_dictionary(Dictionary::new(*b"")).expect("supported");
        let sample = block(1, 4096);
        assert_eq!(compress(&codec, &sample), compress(&engine(format, 1), &sample), "{format}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any block comes back at any level, as libzstd and `lz4_flex` read it.
    #[test]
    fn other_decoders_restore_any_block(
        words in proptest::collection::vec(any::<u8>(), 1..40),
        picks in proptest::collection::vec(any::<usize>(), 0..3000),
        level in -20..=22,
    ) {
        let src: Vec<u8> = picks.iter().map(|pick| words[pick % words.len()]).collect();
        let frame = compress(&engine(Format::Zstd, level), &src);
        let mut restored = vec![0; src.len()];
        prop_assert_eq!(zstd_safe::decompress(&mut restored[..], &frame), Ok(src.len()));
        prop_assert!(restored == src);
        let block = compress(&engine(Format::Lz4, level), &src);
        prop_assert_eq!(lz4_flex::decompress(&block, src.len()).ok(), Some(src));
    }

    /// Bytes that are not a block are an error, or decompress to something.
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for format in BOTH {
            let result = engine(format, 1).decompress(&bytes, &mut [0; 1000]);
            prop_assert!(
                matches!(result, Ok(0..=1000) | Err(Error::Corrupt | Error::OutputFull)),
                "{:?}", result
            );
        }
    }
}
