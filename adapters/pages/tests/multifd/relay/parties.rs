//! Sources, engines and destinations that wait, refuse, fail or panic on demand.

use std::fmt::Debug;
use std::io::{self, Read, Write};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use uadk_compress::{Block, BlockCompressor, Error, Format, Level, SoftwareCompressor};
use uadk_compress_pages::multifd::{self, PacketNumbers, Settings};

use crate::guest::{Memory, PAGE, device_state};

/// A test that takes longer hangs, and fails.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The packet with [`ODD_PAGES`] pages to compress or decompress, counted from 0.
pub(super) const ODD_PACKET: usize = 3;
/// A number of pages that no other packet has.
pub(super) const ODD_PAGES: usize = 7;

/// Runs a test, and fails if it takes longer than [`TIMEOUT`].
pub(super) fn with_timeout<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let (ended, result) = channel();
    let thread = thread::spawn(move || ended.send(test()));
    match result.recv_timeout(TIMEOUT) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => panic!("the test timed out"),
        Err(RecvTimeoutError::Disconnected) => resume_unwind(thread.join().unwrap_err()),
    }
}

/// Returns a channel's hello and packets: three rounds of pages, a packet of zero pages, a device's
/// state and a SYNC.
pub(super) fn packets(settings: &Settings) -> Vec<Vec<u8>> {
    let memory = Memory::guest_like(200);
    let ram = memory.ram();
    let every_fourth = |first| (first..200).step_by(4).map(|page| page * PAGE as u64);
    let zero: Vec<u64> = every_fourth(0).collect();
    let text: Vec<u64> = every_fourth(1).collect();
    let noise: Vec<u64> = every_fourth(3).collect();
    let output = Destination::new(usize::MAX);
    let written = output.written();
    let next = || std::mem::take(&mut *written.lock());
    let numbers = PacketNumbers::default();
    let mut sender = multifd::Sender::new(output, 3, settings, numbers).expect("enough space");
    let mut packets = vec![next()];
    for round in 0..3 {
        let mixed = memory.offsets();
        let few = &text[..ODD_PAGES + usize::from(round > 0)];
        for offsets in [&mixed[..128], &mixed[128..], &zero, few, &noise] {
            sender.send("ram", &ram, offsets).expect("enough space");
            packets.push(next());
        }
        packets.push(device_state(&[round; 3000]));
        sender.sync().expect("enough space");
        packets.push(next());
    }
    packets
}

/// Creates a source that sends what the test sends, and is silent until it sends more or closes.
pub(super) fn controlled_source() -> (SourceControl, ControlledSource) {
    let (sender, sent) = channel();
    let begun = Arc::<AtomicUsize>::default();
    let control = SourceControl { sender, begun: Arc::clone(&begun) };
    (control, ControlledSource { sent, begun, current: io::Cursor::default() })
}

pub(super) struct SourceControl {
    sender: Sender<Vec<u8>>,
    begun: Arc<AtomicUsize>,
}

impl SourceControl {
    pub(super) fn send(&self, packet: &[u8]) {
        self.sender.send(packet.to_vec()).expect("the relay is running");
    }

    /// Ends the stream after what was sent.
    pub(super) fn close(self) {
        drop(self.sender);
    }

    /// Returns the number of packets that the relay has begun to read.
    pub(super) fn begun(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.begun)
    }
}

pub(super) struct ControlledSource {
    sent: Receiver<Vec<u8>>,
    begun: Arc<AtomicUsize>,
    current: io::Cursor<Vec<u8>>,
}

impl Read for ControlledSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.current.position() == self.current.get_ref().len() as u64 {
            let Ok(next) = self.sent.recv() else { return Ok(0) };
            self.begun.fetch_add(1, Relaxed);
            self.current = io::Cursor::new(next);
        }
        self.current.read(buffer)
    }
}

/// A destination that fails after `capacity` bytes.
pub(super) struct Destination {
    written: Arc<Mutex<Vec<u8>>>,
    capacity: usize,
}

impl Destination {
    pub(super) fn new(capacity: usize) -> Self {
        Self { written: Arc::default(), capacity }
    }

    pub(super) fn written(&self) -> Arc<Mutex<Vec<u8>>> {
        Arc::clone(&self.written)
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = bytes.len().min(self.capacity);
        if len == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        self.capacity -= len;
        self.written.lock().extend_from_slice(&bytes[..len]);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A hook that an engine calls before each batch.
pub(super) trait Hook: Debug + Send + Sync + 'static {
    fn before(&self, blocks: &[Block<'_>]);
}

/// Does nothing.
#[derive(Debug)]
pub(super) struct NoHook;

impl Hook for NoHook {
    fn before(&self, _blocks: &[Block<'_>]) {}
}

/// Makes the first batch wait for the second.
#[derive(Debug, Default)]
pub(super) struct Rendezvous {
    batches: Mutex<usize>,
    entered: Condvar,
}

impl Hook for Rendezvous {
    fn before(&self, _blocks: &[Block<'_>]) {
        let mut batches = self.batches.lock();
        *batches += 1;
        self.entered.notify_all();
        let alone = |batches: &mut usize| *batches < 2;
        let waited = self.entered.wait_while_for(&mut batches, alone, TIMEOUT / 2);
        assert!(!waited.timed_out(), "the engine had only one batch");
    }
}

/// Panics in the batch with this many blocks.
#[derive(Debug)]
pub(super) struct PanicsAt(pub(super) usize);

impl Hook for PanicsAt {
    fn before(&self, blocks: &[Block<'_>]) {
        assert!(blocks.len() != self.0, "panic in the codec");
    }
}

/// A software engine with a hook before each batch.
#[derive(Debug)]
pub(super) struct HookedEngine {
    software: SoftwareCompressor,
    hook: Box<dyn Hook>,
}

impl HookedEngine {
    /// Creates an engine for zlib.
    pub(super) fn new(hook: impl Hook) -> Arc<Self> {
        Self::for_format(Format::Zlib, hook)
    }

    pub(super) fn for_format(format: Format, hook: impl Hook) -> Arc<Self> {
        let software = SoftwareCompressor::new(format, Level::FAST).expect("supports the format");
        Arc::new(Self { software, hook: Box::new(hook) })
    }
}

impl BlockCompressor for HookedEngine {
    fn format(&self) -> Format {
        self.software.format()
    }

    fn max_compressed_len(&self, len: usize) -> usize {
        self.software.max_compressed_len(len)
    }

    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        self.software.compress(src, dst)
    }

    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        self.software.decompress(src, dst)
    }

    fn compress_batch(&self, blocks: &mut [Block<'_>]) {
        self.hook.before(blocks);
        self.software.compress_batch(blocks);
    }

    fn decompress_batch(&self, blocks: &mut [Block<'_>]) {
        self.hook.before(blocks);
        self.software.decompress_batch(blocks);
    }
}
