//! Panics in the caller's code end a save or restore, and nothing waits forever.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use uadk_compress::{BlockCompressor, Format};
use uadk_compress_pages::snapshot::{
    Chain, Pages, Progress, ReadMemory, RestoreOptions, SaveOptions, Snapshot, WriteMemory,
    restore, save,
};
use uadk_compress_pages::{Error, ZeroPages};

use crate::guest::{Memory, PAGE};
use crate::{codec, layout, snapshot};

/// 12 groups, and batches, of 1 MiB.
const PAGES: usize = 3000;
const THREADS: [usize; 4] = [0, 1, 2, 5];

/// Runs a test, and fails if it takes longer than a minute.
fn with_timeout<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let (ended, result) = channel();
    let thread = std::thread::spawn(move || ended.send(test()));
    match result.recv_timeout(Duration::from_secs(60)) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => panic!("the test timed out"),
        Err(RecvTimeoutError::Disconnected) => resume_unwind(thread.join().unwrap_err()),
    }
}

#[derive(Debug)]
struct PanickingCodec;

impl BlockCompressor for PanickingCodec {
    fn format(&self) -> Format {
        Format::RawDeflate
    }
    fn max_compressed_len(&self, len: usize) -> usize {
        len
    }
    fn compress(&self, _: &[u8], _: &mut [u8]) -> Result<usize, uadk_compress::Error> {
        panic!("panic in the codec");
    }
    fn decompress(&self, _: &[u8], _: &mut [u8]) -> Result<usize, uadk_compress::Error> {
        panic!("panic in the codec");
    }
}

/// Memory that panics when a page at this offset is accessed.
struct PanicsAt(u64);

impl PanicsAt {
    fn check(&self, offset: u64) {
        assert_ne!(offset, self.0, "panic in the memory");
    }
}

impl ReadMemory for PanicsAt {
    fn read(&self, _: usize, offset: u64, into: &mut [u8]) -> io::Result<()> {
        self.check(offset);
        into.fill(1);
        Ok(())
    }
}

impl WriteMemory for PanicsAt {
    fn write(&self, _: usize, offset: u64, _: &[u8]) -> io::Result<()> {
        self.check(offset);
        Ok(())
    }
    fn clear(&self, _: usize, offset: u64, _: usize) -> io::Result<()> {
        self.check(offset);
        Ok(())
    }
}

fn save_by(
    memory: &impl ReadMemory,
    codec: &Arc<dyn BlockCompressor>,
    threads: usize,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), Error> {
    let options = SaveOptions::default().threads(threads);
    let layout = layout(PAGES);
    save(io::sink(), &layout, memory, Pages::All, codec, &options, progress).map(drop)
}

fn restore_by(
    memory: &impl WriteMemory,
    codec: Arc<dyn BlockCompressor>,
    threads: usize,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), Error> {
    let file = snapshot(&Memory::guest_like(PAGES));
    let newest = Snapshot::open_with(&file[..], codec).expect("intact");
    let chain = Chain::new(vec![newest]).expect("a base");
    let options = RestoreOptions::default().threads(threads).zero_pages(ZeroPages::Write);
    restore(&chain, memory, &options, progress).map(drop)
}

fn assert_panicked(result: Result<(), Error>, message: &str) {
    match result {
        Err(Error::Panicked(panicked)) => {
            assert!(panicked.message().contains(message), "{panicked}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_codec_that_panics_is_an_error() {
    for threads in THREADS {
        let codec: Arc<dyn BlockCompressor> = Arc::new(PanickingCodec);
        let saving = Arc::clone(&codec);
        let saved = with_timeout(move || save_by(&PanicsAt(1), &saving, threads, &mut |_| {}));
        assert_panicked(saved, "panic in the codec");
        let restored = with_timeout(move || restore_by(&PanicsAt(1), codec, threads, &mut |_| {}));
        assert_panicked(restored, "panic in the codec");
    }
}

#[test]
fn memory_that_panics_is_an_error() {
    for threads in THREADS {
        for page in [0, 1500, PAGES - 1] {
            let offset = (page * PAGE) as u64;
            let saved =
                with_timeout(move || save_by(&PanicsAt(offset), &codec(), threads, &mut |_| {}));
            assert_panicked(saved, "panic in the memory");
            let restored =
                with_timeout(move || restore_by(&PanicsAt(offset), codec(), threads, &mut |_| {}));
            assert_panicked(restored, "panic in the memory");
        }
    }
}

#[test]
fn a_progress_callback_runs_on_the_callers_thread_and_its_panic_unwinds_through_the_caller() {
    for threads in THREADS {
        for last in [1, 5] {
            let unwound = with_timeout(move || {
                let caller = std::thread::current().id();
                let mut calls = 0;
                let mut progress = |_| {
                    assert_eq!(std::thread::current().id(), caller);
                    calls += 1;
                    assert!(calls < last, "panic in the callback");
                };
                let save =
                    AssertUnwindSafe(|| save_by(&PanicsAt(1), &codec(), threads, &mut progress));
                let saved = catch_unwind(save).unwrap_err();
                assert_eq!(std::mem::take(&mut calls), last);
                let mut progress = |_| {
                    assert_eq!(std::thread::current().id(), caller);
                    calls += 1;
                    assert!(calls < last, "panic in the callback");
                };
                let restore =
                    AssertUnwindSafe(|| restore_by(&PanicsAt(1), codec(), threads, &mut progress));
                let restored = catch_unwind(restore).unwrap_err();
                assert_eq!(calls, last);
                [saved, restored]
            });
            for payload in unwound {
                assert_eq!(payload.downcast_ref(), Some(&"panic in the callback"));
            }
        }
    }
}
