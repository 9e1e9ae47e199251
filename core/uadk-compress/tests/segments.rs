//! Streams of segments are plain streams, whoever reads them.

mod common;

use std::io::Write;
use std::process::{Command, Stdio};

use common::{FORMATS, block, zlib_decompress};
use uadk_compress::{BlockCompressor, Format, Level, SegmentWriter, SoftwareCompressor};

fn compress(data: &[u8], format: Format, level: Level, threads: usize, write: usize) -> Vec<u8> {
    let mut writer = SegmentWriter::new(Vec::new(), format, level, threads).expect("a format");
    for part in data.chunks(write) {
        writer.write_all(part).expect("into memory");
    }
    writer.finish().expect("into memory")
}

#[test]
fn zlib_and_libdeflate_read_them() {
    for len in [0, 1, 1000, 128 << 10, (128 << 10) + 1, 1_000_000] {
        let data = block(len as u64, len);
        for format in FORMATS {
            for level in [Level::FASTEST, Level::BALANCED] {
                let stream = compress(&data, format, level, 2, 70_000);
                assert!(
                    zlib_decompress(format, &stream).expect("valid") == data,
                    "{format}, {len}"
                );
                let libdeflate = SoftwareCompressor::new(format, Level::BALANCED).expect("has it");
                let mut restored = vec![0; len];
                assert_eq!(libdeflate.decompress(&stream, &mut restored), Ok(len));
                assert!(restored == data);
            }
        }
    }
}

#[test]
fn they_are_the_same_at_any_number_of_threads_and_sizes_of_writes() {
    let data = block(1, 1_500_000);
    let one = compress(&data, Format::Gzip, Level::FASTEST, 0, 1_500_000);
    for threads in 1..5 {
        let other = compress(&data, Format::Gzip, Level::FASTEST, threads, 1000 * threads);
        assert!(other == one, "{threads} threads");
    }
}

#[test]
fn gzip_itself_reads_them() {
    let data = block(1, 1_000_000);
    let stream = compress(&data, Format::Gzip, Level::BALANCED, 3, 4096);
    let gzip = Command::new("gzip").arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut gzip = gzip.expect("this test needs gzip: install the package gzip");
    let mut stdin = gzip.stdin.take().expect("piped");
    let writing = std::thread::spawn(move || stdin.write_all(&stream));
    let output = gzip.wait_with_output().expect("it runs");
    writing.join().expect("no panic").expect("it reads all");
    assert!(output.status.success() && output.stdout == data);
}

#[test]
fn what_was_flushed_can_be_read_before_the_end() {
    let data = block(1, 300_000);
    let mut writer =
        SegmentWriter::new(Vec::new(), Format::Zlib, Level::BALANCED, 2).expect("zlib");
    writer.write_all(&data).expect("into memory");
    writer.flush().expect("into memory");
    let stream = writer.finish().expect("into memory");
    // The end is an empty block of 2 bytes, and 4 of checksum.
    let mut inflater = flate2::Decompress::new(true);
    let mut restored = vec![0; data.len()];
    let status = inflater.decompress(
        &stream[..stream.len() - 6],
        &mut restored,
        flate2::FlushDecompress::Sync,
    );
    assert!(matches!(status, Ok(flate2::Status::Ok)), "{status:?}");
    assert!(restored == data);
}

#[test]
fn errors_of_the_writer_below_are_passed_on() {
    #[derive(Debug)]
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(buf.len()).ok_or(std::io::ErrorKind::StorageFull)?;
            Ok(buf.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    for threads in [0, 1, 2] {
        let full = Full(10_000);
        let mut writer =
            SegmentWriter::new(full, Format::Gzip, Level::BALANCED, threads).expect("gzip");
        let written = writer.write_all(&block(1, 2_000_000)).and_then(|()| writer.flush());
        assert_eq!(written.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
        // A piece is missing: nothing that follows may look like a whole stream.
        assert!(writer.flush().unwrap_err().to_string().contains("incomplete"));
        assert!(writer.finish().is_err());
    }
}

#[test]
fn a_custom_format_is_refused() {
    let custom = SegmentWriter::new(Vec::new(), Format::Custom("lz4"), Level::BALANCED, 1);
    assert!(custom.unwrap_err().to_string().contains("lz4"));
}
