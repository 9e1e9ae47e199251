//! Threads that compress pieces, which come back in order.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use block_deflate::{Encoder, Format, Mode};

/// A piece of the input, and what it is compressed to.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) input: Vec<u8>,
    pub(super) segment: Vec<u8>,
    pub(super) checksum: u32,
}

impl Piece {
    pub(super) fn new(input: Vec<u8>) -> Self {
        Self { input, ..Self::default() }
    }
}

/// One worker's channels. Pieces go to the workers in turn, so that they come back in order when the
/// workers are asked in turn.
#[derive(Debug)]
struct Worker {
    pieces: Option<SyncSender<Piece>>,
    done: Receiver<Piece>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
pub(super) struct Workers {
    threads: Vec<Worker>,
    /// In the caller's thread, if there are no workers.
    encoder: Option<Box<Encoder>>,
    format: Format,
    /// Whose turn it is to get a piece, and to give one.
    next: usize,
    oldest: usize,
    in_flight: usize,
    /// Buffers of segments, to be used again.
    spare: VecDeque<Vec<u8>>,
}

/// Pieces that a worker has: the one it is at, and the next.
const PER_WORKER: usize = 2;

impl Workers {
    pub(super) fn new(mode: Mode, format: Format, threads: usize) -> io::Result<Self> {
        let workers = (0..threads).map(|_| Worker::new(mode, format));
        let workers = workers.collect::<io::Result<Vec<_>>>()?;
        Ok(Self {
            threads: workers,
            encoder: (threads == 0).then(|| Box::new(Encoder::new(mode))),
            format,
            next: 0,
            oldest: 0,
            in_flight: 0,
            spare: VecDeque::new(),
        })
    }

    /// Takes a piece, and gives the oldest one if there are as many as may be.
    pub(super) fn submit(&mut self, mut piece: Piece) -> io::Result<Option<Piece>> {
        piece.segment = self.spare.pop_front().unwrap_or_default();
        if let Some(encoder) = &mut self.encoder {
            super::compress(encoder, self.format, &mut piece);
            return Ok(Some(piece));
        }
        let full = self.in_flight == PER_WORKER * self.threads.len();
        let done = if full { self.wait()? } else { None };
        let pieces = self.threads[self.next].pieces.as_ref();
        pieces.ok_or_else(died)?.send(piece).map_err(|_| died())?;
        self.next = (self.next + 1) % self.threads.len();
        self.in_flight += 1;
        Ok(done)
    }

    /// The oldest piece; `None` if there is none.
    pub(super) fn wait(&mut self) -> io::Result<Option<Piece>> {
        if self.in_flight == 0 {
            return Ok(None);
        }
        let piece = self.threads[self.oldest].done.recv().map_err(|_| died())?;
        self.oldest = (self.oldest + 1) % self.threads.len();
        self.in_flight -= 1;
        Ok(Some(piece))
    }

    /// Keeps a piece's buffers: the one for the segment, and gives the one for input, emptied.
    pub(super) fn recycle(&mut self, mut piece: Piece) -> Vec<u8> {
        self.spare.push_back(piece.segment);
        piece.input.clear();
        piece.input
    }
}

fn died() -> io::Error {
    io::Error::other("a compressing thread has died: the stream is incomplete")
}

impl Worker {
    fn new(mode: Mode, format: Format) -> io::Result<Self> {
        let (pieces, work) = sync_channel::<Piece>(PER_WORKER);
        let (finished, done) = sync_channel(PER_WORKER);
        let run = move || {
            let mut encoder = Encoder::new(mode);
            for mut piece in work {
                super::compress(&mut encoder, format, &mut piece);
                if finished.send(piece).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("segments".into()).spawn(run)?;
        Ok(Self { pieces: Some(pieces), done, thread: Some(thread) })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It never waits to give a piece back: there is room for all it may have.
        self.pieces = None;
        if let Some(thread) = self.thread.take() {
            // Its panic has been reported when its piece did not come.
            let _ = thread.join();
        }
    }
}
