//! The UADK engine: `HiSilicon` Kunpeng's ZIP device.
//!
//! | part | what it does |
//! |---|---|
//! | `runtime` | the process's use of the library; a forked child gets its own |
//! | `lifecycle`, `slot` | initialise, uninitialise and never while a session is alive |
//! | `library` | libwd's calls, and their traps |
//! | `pool` | each thread's sessions, requests and buffers |
//! | `session`, `request`, `contexts` | submitting, completions, failures of one context |
//! | `batch`, `pipeline`, `wait` | many blocks in flight, each with a deadline |
//! | `staging`, `arena`, `quarantine` | the only memory that the device writes to |
//! | `framing` | what its fixed headers mean for the formats |
//!
//! All requests are asynchronous: a synchronous call of the library may spin for 14.5 s.

#![allow(unsafe_code, reason = "calls the library, and owns the memory that the device writes to")]

mod arena;
mod batch;
mod config;
mod contexts;
pub(crate) mod fork;
mod framing;
mod library;
mod lifecycle;
mod pipeline;
mod pool;
mod quarantine;
mod request;
mod runtime;
mod session;
mod slot;
mod staging;
mod stats;
mod sync;
mod wait;

pub use config::UadkConfig;
pub use stats::UadkStats;

use std::borrow::Cow;
use std::fmt::{Debug, Formatter};
use std::sync::Arc;

use uadk_sys::Libwd;

use self::batch::Call;
use self::framing::Framing;
use self::pipeline::WhenBusy;
use self::runtime::User;
use crate::stats::Direction;
use crate::{Block, BlockCompressor, Clock, Error, Format, Window};

/// The engine for `HiSilicon` Kunpeng's ZIP device.
///
/// Bare: a busy, slow or failed device is an error. [`Compressor`](crate::Compressor) and
/// [`OffloadCompressor`](crate::OffloadCompressor) put the software engine behind it.
///
/// The device compresses at one ratio whatever the level. Threads keep their sessions; clones are
/// cheap and share everything. While there is one, the process holds some of the device's queues.
#[derive(Clone)]
pub struct UadkCompressor {
    user: Arc<User>,
    config: Arc<UadkConfig>,
    format: Format,
    /// By [`Direction`].
    framings: [Result<Framing, Error>; 2],
}

impl UadkCompressor {
    /// The engine for blocks of `format`, on the libraries and devices of this machine.
    ///
    /// Succeeds where there is a device that can be used sooner or later: one that can't be
    /// initialised at the moment is tried again when there are blocks to do, after
    /// [`UadkConfig::hold_off`]. [`start`](Self::start) says whether it can be used now.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if UADK is not installed, or has no device; [`Error::Unsupported`] if
    /// no device has the format.
    pub fn new(format: Format, config: &UadkConfig) -> Result<Self, Error> {
        Self::of_user(User::of_this_machine(config)?, format, config)
    }

    /// The engine on libraries of the caller's, such as a stand-in, and on his clock. If there is an
    /// engine on them already, its clock counts.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_libwd(
        libwd: &Libwd,
        format: Format,
        config: &UadkConfig,
        clock: impl Clock + 'static,
    ) -> Result<Self, Error> {
        Self::of_user(User::of(libwd, config, Arc::new(clock))?, format, config)
    }

    /// The same engine for blocks of another format: they share device and counters.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if no device has the format.
    pub fn with_format(&self, format: Format) -> Result<Self, Error> {
        Self::build(Arc::clone(&self.user), format, Arc::clone(&self.config))
    }

    /// Initialises the device, unless that has been done.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if it can't be, or failed a short while ago.
    pub fn start(&self) -> Result<(), Error> {
        self.user.runtime().start()
    }

    /// What the process has of the device, and has lost.
    #[must_use]
    pub fn stats(&self) -> UadkStats {
        let runtime = self.user.runtime();
        let snapshot = runtime.lifecycle.snapshot(|library| {
            library.sweep();
            library.contexts().cloned()
        });
        let Some((snapshot, contexts)) = snapshot else {
            let outage = Error::Unavailable("the device is being initialised".into());
            return UadkStats { outage: Some(outage), ..self.losses() };
        };
        UadkStats {
            outage: snapshot.outage,
            initialisations: contexts.as_ref().map_or(0, |contexts| contexts.generation),
            contexts: contexts.as_ref().map_or(0, |contexts| contexts.len()),
            failed_contexts: contexts.as_ref().map_or(0, |contexts| contexts.failed()),
            sessions: snapshot.sessions,
            ..self.losses()
        }
    }

    /// The part of the statistics that waits for nobody.
    fn losses(&self) -> UadkStats {
        let losses = &self.user.runtime().losses;
        UadkStats {
            version: self.user.libwd().version().to_string(),
            lost: losses.blocks(),
            quarantined_bytes: losses.bytes(),
            ..UadkStats::default()
        }
    }

    fn of_user(user: User, format: Format, config: &UadkConfig) -> Result<Self, Error> {
        Self::build(Arc::new(user), format, Arc::new(config.clone()))
    }

    fn build(user: Arc<User>, format: Format, config: Arc<UadkConfig>) -> Result<Self, Error> {
        let framings = [Direction::Compress, Direction::Decompress]
            .map(|direction| Framing::new(format, direction, user.offered()));
        if let [Err(why), Err(_)] = &framings {
            return Err(why.clone());
        }
        Ok(Self { user, config, format, framings })
    }

    fn run(&self, direction: Direction, blocks: &mut [Block<'_>], when_busy: &mut WhenBusy<'_>) {
        match &self.framings[direction as usize] {
            Ok(framing) => {
                let runtime = self.user.runtime();
                let call = Call { runtime, config: &self.config, direction, framing: *framing };
                call.run(blocks, when_busy);
            }
            Err(why) => blocks.iter_mut().for_each(|block| block.result = Err(why.clone())),
        }
    }

    fn run_one(&self, direction: Direction, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        let mut block = Block::new(src, dst);
        self.run(direction, std::slice::from_mut(&mut block), &mut refuse);
        block.result
    }
}

/// What becomes of blocks that find the queue full: their caller decides.
fn refuse(_: usize, block: &mut Block<'_>) -> bool {
    block.result = Err(Error::Busy);
    true
}

impl BlockCompressor for UadkCompressor {
    fn format(&self) -> Format {
        self.format
    }
    fn engine(&self) -> Cow<'static, str> {
        format!("UADK {}", self.user.libwd().version()).into()
    }
    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        self.run_one(Direction::Compress, src, dst)
    }
    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        self.run_one(Direction::Decompress, src, dst)
    }
    fn compress_batch(&self, blocks: &mut [Block<'_>]) {
        self.run(Direction::Compress, blocks, &mut refuse);
    }
    fn decompress_batch(&self, blocks: &mut [Block<'_>]) {
        self.run(Direction::Decompress, blocks, &mut refuse);
    }
    fn compress_batch_with(
        &self,
        blocks: &mut [Block<'_>],
        when_busy: &mut dyn FnMut(usize, &mut Block<'_>) -> bool,
    ) {
        self.run(Direction::Compress, blocks, when_busy);
    }
    fn decompress_batch_with(
        &self,
        blocks: &mut [Block<'_>],
        when_busy: &mut dyn FnMut(usize, &mut Block<'_>) -> bool,
    ) {
        self.run(Direction::Decompress, blocks, when_busy);
    }
    fn with_window(&self, window: Window) -> Option<Arc<dyn BlockCompressor>> {
        let window = window.min(self.config.window);
        let config = Arc::new(UadkConfig { window, ..UadkConfig::clone(&self.config) });
        Some(Arc::new(Self { config, ..self.clone() }))
    }
}

impl Debug for UadkCompressor {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UadkCompressor")
            .field("format", &self.format)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
