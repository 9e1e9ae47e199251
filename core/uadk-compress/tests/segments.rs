//! Streams made of segments are ordinary streams to every reader.

mod common;

use std::io::Write;
use std::process::{Command, Stdio};

use common::{FORMATS, block, zlib_decompress};
use uadk_compress::{BlockCompressor, Format, Level, SegmentWriter, SoftwareCompressor};

fn compress(data: &[u8], format: Format, level: Level, threads: usize, write: usize) -> Vec<u8> {
    let mut writer =
        SegmentWriter::new(Vec::new(), format, level, threads).expect("a supported format");
    for part in data.chunks(write) {
        writer.write_all(part).expect("writes to memory");
    }
    writer.finish().expect("writes to memory")
}

#[test]
fn zlib_and_libdeflate_read_streams_of_segments() {
    for len in [0, 1, 1000, 128 << 10, (128 << 10) + 1, 1_000_000] {
        let data = block(len as u64, len);
        for format in FORMATS {
            for level in [Level::FASTEST, Level::BALANCED] {
                let stream = compress(&data, format, level, 2, 70_000);
                assert!(
                    zlib_decompress(format, &stream).expect("valid data") == data,
                    "{format}, {len}"
                );
                let libdeflate =
                    SoftwareCompressor::new(format, Level::BALANCED).expect("a supported format");
                let mut restored = vec![0; len];
                assert_eq!(libdeflate.decompress(&stream, &mut restored), Ok(len));
                assert!(restored == data);
            }
        }
    }
}

#[test]
fn streams_do_not_depend_on_the_number_of_threads_or_the_size_of_writes() {
    let data = block(1, 1_500_000);
    let one = compress(&data, Format::Gzip, Level::FASTEST, 0, 1_500_000);
    for threads in 1..5 {
        let other = compress(&data, Format::Gzip, Level::FASTEST, threads, 1000 * threads);
        assert!(other == one, "{threads} threads");
    }
}

#[test]
fn gzip_reads_streams_of_segments() {
    let data = block(1, 1_000_000);
    let stream = compress(&data, Format::Gzip, Level::BALANCED, 3, 4096);
    let gzip = Command::new("gzip").arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut gzip = gzip.expect("this test needs gzip (install the package gzip)");
    let mut stdin = gzip.stdin.take().expect("piped");
    let writing = std::thread::spawn(move || stdin.write_all(&stream));
    let output = gzip.wait_with_output().expect("gzip runs");
    writing.join().expect("no panic").expect("gzip reads everything");
    assert!(output.status.success() && output.stdout == data);
}

#[test]
fn flushed_data_can_be_read_before_the_end() {
    let data = block(1, 300_000);
    let mut writer =
        SegmentWriter::new(Vec::new(), Format::Zlib, Level::BALANCED, 2).expect("zlib");
    writer.write_all(&data).expect("writes to memory");
    writer.flush().expect("writes to memory");
    let stream = writer.finish().expect("writes to memory");
    // The stream ends with an empty block of 2 bytes and a checksum of 4.
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
fn errors_of_the_underlying_writer_are_passed_on() {
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
        // A piece is missing: the output must not look like a whole stream.
        assert!(writer.flush().unwrap_err().to_string().contains("incomplete"));
        assert!(writer.finish().is_err());
    }
}

#[test]
fn a_custom_format_is_refused() {
    let custom = SegmentWriter::new(Vec::new(), Format::Custom("lz4"), Level::BALANCED, 1);
    assert!(custom.unwrap_err().to_string().contains("lz4"));
}
