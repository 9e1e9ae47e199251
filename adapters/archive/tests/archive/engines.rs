//! User-provided engines that misbehave.

use std::io::{Read, Write};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use uadk_compress::fault::{Fault, FaultInjector};
use uadk_compress::{Block, BlockCompressor, Error, Format};
use uadk_compress_archive::{GzOptions, Layout};

use crate::common::{bgzf, software, text};

/// An engine that always misbehaves in the same way.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Fails every block with this error.
    Fails(Error),
    /// Reports success without doing anything.
    Lies,
    Panics,
}

impl BlockCompressor for Trouble {
    fn format(&self) -> Format {
        Format::RawDeflate
    }
    fn max_compressed_len(&self, len: usize) -> usize {
        len
    }
    fn compress(&self, _: &[u8], _: &mut [u8]) -> Result<usize, Error> {
        match self {
            Self::Fails(error) => Err(error.clone()),
            Self::Lies | Self::Panics => panic!("told to"),
        }
    }
    fn decompress(&self, _: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        match self {
            Self::Fails(error) => Err(error.clone()),
            Self::Lies => Ok(dst.len()),
            Self::Panics => panic!("told to"),
        }
    }
    fn compress_batch(&self, blocks: &mut [Block<'_>]) {
        for block in blocks {
            block.run(|src, dst| self.compress(src, dst));
        }
    }
}

fn faulty(fault: Fault) -> GzOptions {
    let engine = FaultInjector::new(software(), move |_| Some(fault.clone()));
    GzOptions::new().layout(Layout::Bgzf).threads(2).compressor(Arc::new(engine))
}

fn with(trouble: Trouble, threads: usize) -> GzOptions {
    GzOptions::new().layout(Layout::Bgzf).threads(threads).compressor(Arc::new(trouble))
}

#[test]
fn a_failing_engine_loses_no_data() {
    let data = text(3_000_000, 1);
    for error in [Error::Busy, Error::Device { code: -5 }, Error::OutputFull, Error::TimedOut] {
        let options = with(Trouble::Fails(error), 2);
        let file = options.compress(&data[..], Vec::new()).expect("software takes over");
        let mut read = Vec::new();
        options.reader(&file[..]).expect("a reader").read_to_end(&mut read).expect("intact");
        assert!(read == data);
    }
}

#[test]
fn wrong_output_of_an_engine_is_detected() {
    let data = text(3_000_000, 2);
    let file = bgzf(2).compress(&data[..], Vec::new()).expect("writes to memory");
    let mut read = Vec::new();
    let mut reader = with(Trouble::Lies, 2).reader(&file[..]).expect("a reader");
    reader.read_to_end(&mut read).expect("software takes over");
    assert!(read == data);
}

#[test]
fn an_engine_that_reports_impossible_lengths_loses_no_data() {
    let data = text(3_000_000, 4);
    let sound = bgzf(2).compress(&data[..], Vec::new()).expect("writes to memory");
    for fault in [Fault::WrongLength, Fault::NoLength] {
        let file = faulty(fault).compress(&data[..], Vec::new()).expect("software takes over");
        assert!(file == sound);
    }
    for fault in [Fault::WrongLength, Fault::NoLength, Fault::ShortLength, Fault::WrongOutput] {
        let mut read = Vec::new();
        let mut reader = faulty(fault).reader(&sound[..]).expect("a reader");
        reader.read_to_end(&mut read).expect("software takes over");
        assert!(read == data);
    }
}

#[test]
fn an_engine_that_fails_or_lies_loses_no_data_in_segments() {
    let data = text(3_000_000, 6);
    let sound = bgzf(2)
        .layout(Layout::OneMember)
        .compress(&data[..], Vec::new())
        .expect("writes to memory");
    for fault in [Fault::WrongLength, Fault::NoLength, Fault::ShortLength] {
        let options = faulty(fault).layout(Layout::OneMember);
        let file = options.compress(&data[..], Vec::new()).expect("software takes over");
        assert!(file == sound);
    }
    for error in [Error::Busy, Error::Device { code: -5 }, Error::TimedOut] {
        let options = with(Trouble::Fails(error), 2).layout(Layout::OneMember);
        assert!(options.compress(&data[..], Vec::new()).expect("software takes over") == sound);
    }
}

#[test]
fn blocks_that_an_engine_cut_short_are_damaged() {
    let data = text(3_000_000, 5);
    let file =
        faulty(Fault::ShortLength).compress(&data[..], Vec::new()).expect("writes to memory");
    let mut read = Vec::new();
    let error = bgzf(2).reader(&file[..]).expect("a reader").read_to_end(&mut read).unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
    assert!(read.is_empty());
}

#[test]
fn an_engine_that_panics_is_an_error_and_nothing_hangs() {
    let (ended, end) = std::sync::mpsc::channel::<()>();
    let test = std::thread::spawn(move || {
        panicking_engines();
        drop(ended);
    });
    let end = end.recv_timeout(std::time::Duration::from_secs(60));
    assert_ne!(end, Err(std::sync::mpsc::RecvTimeoutError::Timeout), "it hangs");
    test.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload));
}

fn panicking_engines() {
    let data = text(8_000_000, 3);
    let file = bgzf(2).compress(&data[..], Vec::new()).expect("writes to memory");
    for threads in [0, 1, 3] {
        let mut writer = with(Trouble::Panics, threads).writer(Vec::new()).expect("a writer");
        let written = writer.write_all(&data).and_then(|()| writer.flush());
        assert_eq!(written.unwrap_err().to_string(), "a job panicked: told to");
        // A batch is missing: what follows must not look like a complete file.
        assert!(writer.write_all(&data[..10]).is_err() && writer.finish().is_err());
        let mut reader = with(Trouble::Panics, threads).reader(&file[..]).expect("a reader");
        for _ in 0..2 {
            let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
            assert_eq!(error.to_string(), "a job panicked: told to");
        }
        // Unwinding while batches are in flight.
        let options = with(Trouble::Panics, threads);
        let unwound = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let mut writer = options.writer(Vec::new()).expect("a writer");
            let _ = writer.write_all(&data[..3_000_000]);
            panic!("the caller's panic");
        }));
        assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"the caller's panic"));
    }
}
