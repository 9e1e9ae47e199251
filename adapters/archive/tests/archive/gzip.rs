//! Gzip streams are read back as they were written, however they are split.

use std::io::{Cursor, Read, Seek, SeekFrom, Write};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use rand::Rng;
use uadk_compress::Level;
use uadk_compress_archive::{Error, GzOptions, GzReader, GzWarning};

use crate::common::{bgzf, gzip, noise, seeded, text};

/// Bytes of data in a segment.
const SEGMENT: usize = 512 << 10;

fn compress(threads: usize, data: &[u8]) -> Vec<u8> {
    let mut writer = gzip(threads).writer(Vec::new()).expect("a writer");
    writer.write_all(data).expect("writes to memory");
    writer.finish().expect("writes to memory")
}

fn decompress(threads: usize, file: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    gzip(threads).reader(file).expect("a reader").read_to_end(&mut data).expect("intact");
    data
}

fn unsized_member(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(data).expect("writes to memory");
    encoder.finish().expect("writes to memory")
}

/// Returns 5 MB of data, with incompressible parts.
fn mixed() -> Vec<u8> {
    [text(2_000_000, 1), noise(1_000_000, 2), text(2_000_000, 3)].concat()
}

#[test]
fn data_of_lengths_around_a_block_or_segment_is_read_back() {
    let blocks = [0, 1, 65_279, 65_280, 65_281, 65_536, 130_560, 16 * 65_280, 16 * 65_280 + 1];
    let segments = [SEGMENT - 1, SEGMENT, SEGMENT + 1, 5 * SEGMENT];
    for len in blocks.into_iter().chain(segments) {
        for data in [text(len, 7), noise(len, 8)] {
            let blocks = bgzf(2).compress(&data[..], Vec::new()).expect("writes to memory");
            assert_eq!(decompress(2, &blocks), data, "{len}");
            let file = compress(2, &data);
            assert_eq!(decompress(2, &file), data, "{len}");
            let mut oracle = Vec::new();
            MultiGzDecoder::new(&file[..]).read_to_end(&mut oracle).expect("zlib reads it");
            assert_eq!(oracle, data, "{len}");
        }
    }
}

#[test]
fn little_data_takes_no_more_space_than_with_gzip() {
    for len in [0, 1, 2, 100, 5000, 70_000, SEGMENT] {
        let data = text(len, 5);
        let theirs = crate::common::run("gzip", "gzip", &["-cn6"], &data).len();
        let file = compress(2, &data);
        assert!(file.len() <= theirs + theirs / 50, "{len}: {} and {theirs}", file.len());
        assert!(decompress(2, &file) == data);
        // Incompressible data is stored, in blocks of 64 KiB.
        let data = noise(len, 6);
        for level in [Level::FASTEST, Level::BALANCED, Level::BEST] {
            let file =
                gzip(1).level(level).compress(&data[..], Vec::new()).expect("writes to memory");
            let most = 18 + len + 5 * len.div_ceil(65_535).max(1);
            assert!(file.len() <= most, "{len} at {level:?}: {}", file.len());
            assert!(decompress(1, &file) == data);
            let mut oracle = Vec::new();
            MultiGzDecoder::new(&file[..]).read_to_end(&mut oracle).expect("zlib reads it");
            assert!(oracle == data);
        }
    }
}

#[test]
fn output_does_not_depend_on_the_number_of_threads_or_the_sizes_of_writes() {
    let data = mixed();
    let file = compress(1, &data);
    for threads in [0, 2, 3, 8] {
        assert_eq!(compress(threads, &data), file);
        assert_eq!(decompress(threads, &file), data);
    }
    let mut numbers = seeded(11);
    let mut writer = gzip(3).writer(Vec::new()).expect("a writer");
    let mut rest = &data[..];
    while !rest.is_empty() {
        let n = (numbers.random_range(0..100_000) + 1).min(rest.len());
        writer.write_all(&rest[..n]).expect("writes to memory");
        rest = &rest[n..];
    }
    assert_eq!(writer.finish().expect("writes to memory"), file);
    assert_eq!(gzip(2).compress(&data[..], Vec::new()).expect("writes to memory"), file);
}

#[test]
fn a_flush_makes_everything_written_so_far_readable() {
    let mut writer = gzip(2).writer(Vec::new()).expect("a writer");
    writer.write_all(b"so far").expect("writes to memory");
    writer.flush().expect("writes to memory");
    let mut reader = gzip(1).reader(&writer.get_ref()[..]).expect("a reader");
    let mut begun = [0; 6];
    reader.read_exact(&mut begun).expect("flushed data");
    assert_eq!(&begun, b"so far");
    writer.write_all(b" and so on").expect("writes to memory");
    assert_eq!(decompress(1, &writer.finish().expect("writes to memory")), b"so far and so on");
}

#[test]
fn a_reader_returns_data_before_it_waits_for_more() {
    // Each message is written after the answer to the one before.
    for options in [gzip(2), bgzf(2)] {
        let (from, to) = std::io::pipe().expect("a pipe");
        let (answer, answers) = std::sync::mpsc::channel();
        let reader = options.clone();
        let reading = std::thread::spawn(move || {
            let mut reader = reader.reader(from).expect("a reader");
            for _ in 0..20 {
                let mut message = [0; 7];
                reader.read_exact(&mut message).expect("a message");
                answer.send(message).expect("the writer waits for it");
            }
        });
        let mut writer = options.writer(to).expect("a writer");
        for i in 0..20 {
            let message = format!("hello{i:02}");
            writer.write_all(message.as_bytes()).expect("writes to a pipe");
            writer.flush().expect("writes to a pipe");
            let answer = answers.recv_timeout(std::time::Duration::from_secs(60));
            assert_eq!(answer.expect("an answer"), message.as_bytes());
        }
        reading.join().expect("the reader ends");
    }
}

#[test]
fn members_of_all_kinds_can_be_concatenated() {
    let parts = [text(300_000, 1), noise(70_000, 2), text(10, 3), Vec::new(), text(2_000_000, 4)];
    let mut file = Vec::new();
    for (i, part) in parts.iter().enumerate() {
        file.extend(match i % 3 {
            0 => unsized_member(part),
            1 => compress(2, part),
            _ => bgzf(2).compress(&part[..], Vec::new()).expect("writes to memory"),
        });
    }
    file.extend(compress(1, &parts[0]));
    file.extend(unsized_member(&parts[1]));
    file.extend([0; 700]);
    let data = [parts.concat(), parts[0].clone(), parts[1].clone()].concat();
    for threads in [1, 4] {
        assert_eq!(decompress(threads, &file), data);
    }
}

#[test]
fn a_missing_end_marker_is_an_error_unless_allowed() {
    let data = text(200_000, 3);
    let file = bgzf(2).compress(&data[..], Vec::new()).expect("writes to memory");
    let cut = &file[..file.len() - 28];
    let mut read = Vec::new();
    let error = bgzf(2).reader(cut).expect("a reader").read_to_end(&mut read).unwrap_err();
    assert!(
        matches!(Error::from(error), Error::Truncated { offset, .. } if offset == cut.len() as u64)
    );
    assert_eq!(read, data, "all data comes before the error");
    read.clear();
    let mut reader = bgzf(2).end_marker(false).reader(cut).expect("a reader");
    reader.read_to_end(&mut read).expect("it is allowed");
    assert_eq!(read, data);
    assert_eq!(reader.warnings(), [GzWarning::NoEndMarker]);
}

#[test]
fn trailing_garbage_is_an_error_unless_allowed() {
    let data = text(600_000, 3);
    // It contains what looks like a marker between segments.
    let garbage = b"junk\0\0\xff\xff and more junk\0\0\xff\xff";
    for file in
        [compress(2, &data), bgzf(2).compress(&data[..], Vec::new()).expect("writes to memory")]
    {
        let len = file.len() as u64;
        let file = [&file[..], garbage].concat();
        let mut read = Vec::new();
        let error =
            gzip(2).reader(&file[..]).expect("a reader").read_to_end(&mut read).unwrap_err();
        assert!(matches!(Error::from(error), Error::NotGzip { offset } if offset == len));
        assert!(read == data);
        read.clear();
        let mut reader = gzip(2).trailing_garbage(true).reader(&file[..]).expect("a reader");
        reader.read_to_end(&mut read).expect("it is allowed");
        assert!(read == data);
        assert_eq!(reader.warnings(), [GzWarning::TrailingGarbage { offset: len }]);
    }
}

#[test]
fn one_member_is_written_with_a_plain_header() {
    let file = compress(2, b"data");
    assert_eq!(file[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
    let mut writer =
        gzip(1).file_name(Some(b"a\0b".to_vec())).mtime(77).writer(Vec::new()).expect("a writer");
    writer.write_all(b"data").expect("writes to memory");
    let file = writer.finish().expect("writes to memory");
    let mut reader = flate2::read::GzDecoder::new(&file[..]);
    let mut read = String::new();
    reader.read_to_string(&mut read).expect("zlib reads it");
    let header = reader.header().expect("a header");
    assert_eq!((header.filename(), header.mtime()), (Some(&b"ab"[..]), 77));
}

#[test]
fn damage_in_one_member_is_an_error_by_its_end() {
    let data = [text(700_000, 1), noise(300_000, 2), vec![0; 9_000_000]].concat();
    let file = compress(2, &data);
    let mut numbers = seeded(3);
    for round in 0..200 {
        let mut damaged = file.clone();
        let i = numbers.random_range(10..file.len());
        damaged[i] ^= 1 << numbers.random_range(0..8);
        for threads in [1, 3] {
            let mut read = Vec::new();
            let result =
                gzip(threads).reader(&damaged[..]).expect("a reader").read_to_end(&mut read);
            assert!(result.is_err() || read == data, "round {round}, byte {i}");
        }
    }
}

#[test]
fn all_data_comes_before_an_error_in_the_trailer() {
    // In one run, in several runs, and in order.
    for data in [text(10, 1), text(588_895, 2), text(9_000_000, 3), vec![0; 9_000_000]] {
        for file in [unsized_member(&data), compress(1, &data)] {
            for threads in [1, 3] {
                for cut in 1..=8 {
                    let mut read = Vec::new();
                    let mut reader =
                        gzip(threads).reader(&file[..file.len() - cut]).expect("a reader");
                    let error = reader.read_to_end(&mut read).unwrap_err();
                    assert!(matches!(Error::from(error), Error::Truncated { .. }), "{cut}");
                    assert!(read == data, "{cut}: {} of {}", read.len(), data.len());
                }
                let mut damaged = file.clone();
                damaged[file.len() - 6] ^= 1;
                let mut read = Vec::new();
                let mut reader = gzip(threads).reader(&damaged[..]).expect("a reader");
                let error = reader.read_to_end(&mut read).unwrap_err();
                assert!(matches!(Error::from(error), Error::Damaged { .. }));
                assert!(read == data, "{} of {}", read.len(), data.len());
            }
        }
    }
}

#[test]
fn markers_in_the_data_do_not_end_segments() {
    // Noise is stored, so that the markers are in the file as they are: at the end of the searched
    // bytes and before it.
    let mut data = noise(3_000_000, 1);
    for at in (100..data.len() - 4).step_by(70_001) {
        data[at..at + 4].copy_from_slice(&[0, 0, 0xff, 0xff]);
    }
    let parts = [text(800_000, 2), data, vec![0, 0, 0xff, 0xff], text(800_000, 3)];
    for end in 1..=parts.len() {
        let data = parts[..end].concat();
        let file = compress(2, &data);
        for threads in [1, 3] {
            let mut read = Vec::new();
            let mut reader = gzip(threads).reader(&file[..]).expect("a reader");
            reader.read_to_end(&mut read).expect("intact");
            assert!(read == data);
            // In segments to the end, not in order from the first false marker on.
            assert!(reader.inflated().pieces as usize >= data.len() / SEGMENT, "{end}");
        }
    }
    // Cut off, with a false marker at the end.
    let file = compress(1, &parts.concat());
    let cut = [&file[..file.len() / 2], &[0, 0, 0xff, 0xff]].concat();
    let mut read = Vec::new();
    gzip(2).reader(&cut[..]).expect("a reader").read_to_end(&mut read).unwrap_err();
}

#[test]
fn segments_that_refer_back_are_read_in_order() {
    let data = [text(1_000_000, 1), noise(300_000, 2), text(1_000_000, 1)].concat();
    for (arguments, what) in [(&["-p", "2"][..], "dependent"), (&["-i", "-p", "2"], "independent")]
    {
        let file = crate::common::run("pigz", "pigz", arguments, &data);
        for threads in [1, 3] {
            assert!(decompress(threads, &file) == data, "{what}");
        }
        let mut reader = gzip(2).reader(Cursor::new(&file)).expect("a reader");
        for offset in [2_000_000, 5, 1_299_999, 700_000] {
            let mut piece = [0; 100];
            reader.seek(SeekFrom::Start(offset)).expect("a valid position");
            reader.read_exact(&mut piece).expect("intact");
            assert_eq!(piece, data[offset as usize..][..100], "{what} at {offset}");
        }
    }
}

#[test]
fn empty_and_other_files_are_not_gzip() {
    for (file, word) in [(&b""[..], "empty"), (b"PK\x03\x04", "no gzip"), (b"\0\0\0", "no gzip")] {
        let mut reader = GzReader::new(file).expect("a reader");
        let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
        assert!(reader.read(&mut [0]).is_err(), "the error is permanent");
    }
}

#[test]
fn a_failed_writer_accepts_no_more_data() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if self.0 < bytes.len() {
                return Err(std::io::ErrorKind::StorageFull.into());
            }
            self.0 -= bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    for threads in [1, 3] {
        let mut writer = gzip(threads).writer(Full(100_000)).expect("a writer");
        let error = writer.write_all(&noise(20_000_000, 1)).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        assert!(writer.write_all(b"more").is_err());
        assert!(writer.finish().is_err());
    }
}

#[test]
fn a_compressor_for_another_format_is_refused() {
    let zlib = uadk_compress::SoftwareCompressor::new(
        uadk_compress::Format::Zlib,
        uadk_compress::Level::BALANCED,
    );
    let options = GzOptions::new().compressor(std::sync::Arc::new(zlib.expect("zlib")));
    assert!(matches!(options.writer(Vec::new()), Err(Error::Unsupported(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn seeking_matches_seeking_in_the_data(
        seed in any::<u64>(),
        lens in prop::collection::vec((0_usize..600_000, 0..3_u8), 1..4),
        threads in 1_usize..4,
    ) {
        let mut file = Vec::new();
        let mut data = Vec::new();
        for (i, (len, kind)) in lens.iter().enumerate() {
            let part = text(*len, seed ^ i as u64);
            file.extend(match kind {
                0 => unsized_member(&part),
                1 => compress(1, &part),
                _ => bgzf(1).compress(&part[..], Vec::new()).expect("writes to memory"),
            });
            data.extend(part);
        }
        let mut reader = gzip(threads).reader(Cursor::new(file)).expect("a reader");
        let mut oracle = Cursor::new(data);
        let mut numbers = seeded(seed);
        let len = oracle.get_ref().len();
        for _ in 0..20 {
            let to = match numbers.random_range(0..4) {
                0 => SeekFrom::Start(numbers.random_range(0..len + 10) as u64),
                1 => SeekFrom::End(-numbers.random_range(0..=len).cast_signed() as i64),
                2 => SeekFrom::Current(numbers.random_range(-500..500)),
                _ => SeekFrom::Current(0),
            };
            match (reader.seek(to), oracle.seek(to)) {
                (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
                (ours, theirs) => prop_assert_eq!(ours.is_err(), theirs.is_err()),
            }
            let n = numbers.random_range(0_u64..100_000);
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            reader.by_ref().take(n).read_to_end(&mut ours).expect("intact");
            Read::by_ref(&mut oracle).take(n).read_to_end(&mut theirs).expect("reads from memory");
            prop_assert!(ours == theirs);
        }
    }
}
