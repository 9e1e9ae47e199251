//! The UADK engine: `HiSilicon` Kunpeng's ZIP device.
//!
//! | part | what it does |
//! |---|---|
//! | `runtime`, `background` | the library's state in this process; a forked child gets its own |
//! | `lifecycle`, `slot` | initialising and uninitialising, never while a session is alive |
//! | `library`, `poll` | the calls to libwd, and their pitfalls |
//! | `pool` | each thread's sessions |
//! | `session`, `request`, `contexts` | submissions, completions, failures of single contexts |
//! | `call`, `pipeline`, `limits`, `wait` | many blocks in flight, under a deadline |
//! | `staging`, `arena`, `quarantine` | the only memory that the device writes to |
//! | `framing` | how the formats map to the device's fixed headers |
//!
//! All requests are asynchronous: a synchronous library call may spin for 14.5 s.

#![allow(unsafe_code, reason = "calls the library and owns the memory that the device writes to")]

mod arena;
mod background;
mod call;
mod config;
mod contexts;
mod framing;
mod library;
mod lifecycle;
mod limits;
mod pipeline;
mod poll;
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
mod when_busy;

pub use config::UadkConfig;
pub use stats::UadkStats;
pub(crate) use when_busy::WhenBusy;

use std::fmt::{Debug, Formatter};
use std::sync::Arc;

use uadk_sys::Libwd;

use self::call::Call;
use self::framing::Framing;
use self::runtime::User;
use crate::clock::Clock;
use crate::direction::Direction;
use crate::{Block, BlockCompressor, Error, Format, Settings};

/// The engine for `HiSilicon` Kunpeng's ZIP device.
///
/// It has no software fallback: a busy, slow or failed device is an error. Empty blocks and blocks
/// of more than 8 MiB are unsupported. A destination that is too small for a decompressed block
/// can't be distinguished from a corrupt block. [`Compressor`](crate::Compressor) and
/// [`OffloadCompressor`](crate::OffloadCompressor) fall back to the software engine and keep all
/// promises of the trait.
///
/// The device ignores the compression level. Each thread keeps its sessions; clones are cheap and
/// share everything. While any engine exists, the process holds some of the device's queues.
///
/// ```
/// use uadk_compress::{Error, Format, UadkCompressor, UadkConfig};
///
/// match UadkCompressor::new(Format::Zlib, &UadkConfig::default()) {
///     Ok(uadk) => println!("{:?}, {}", uadk.start(), uadk.stats()),
///     Err(Error::Unavailable(why)) => println!("no UADK: {why}"),
///     Err(other) => return Err(other),
/// }
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct UadkCompressor {
    user: Arc<User>,
    config: Arc<UadkConfig>,
    format: Format,
}

impl UadkCompressor {
    /// Creates an engine for blocks of `format`, on the libraries and devices of this machine.
    ///
    /// Succeeds wherever UADK is installed, and does not wait for the device. A device that is
    /// absent or can't be initialised at the moment is tried again when there are blocks to
    /// process, after [`UadkConfig::hold_off`]. [`start`](Self::start) checks whether it can be
    /// used now.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if UADK is not installed; [`Error::Unsupported`] for a format that no
    /// device supports.
    pub fn new(format: Format, config: &UadkConfig) -> Result<Self, Error> {
        check_format(format)?;
        Ok(Self::with_user(User::for_this_machine(config)?, format, config))
    }

    /// Creates an engine on caller-provided libraries (such as a simulator) and clock. If another
    /// engine already uses these libraries, its clock is used.
    ///
    /// # Errors
    ///
    /// Same as [`new`](Self::new).
    pub fn with_libwd(
        libwd: &Libwd,
        format: Format,
        config: &UadkConfig,
        clock: impl Clock + 'static,
    ) -> Result<Self, Error> {
        check_format(format)?;
        Ok(Self::with_user(User::new(libwd, config, Arc::new(clock))?, format, config))
    }

    /// Returns the same engine for blocks of another format, sharing device and counters.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for a format that no device supports.
    pub fn with_format(&self, format: Format) -> Result<Self, Error> {
        check_format(format)?;
        Ok(Self { format, ..self.clone() })
    }

    /// Initialises the device if necessary, and waits up to [`UadkConfig::start_limit`] for it.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the device can't be initialised or failed recently;
    /// [`Error::Starting`] if the initialisation takes longer; [`Error::Unsupported`] if the
    /// initialised device does not compress the format.
    pub fn start(&self) -> Result<(), Error> {
        self.user.runtime().start_and_wait(self.config.start_limit)?;
        self.check_support(Direction::Compress)
    }

    /// Starts initialising the device if necessary, without waiting for it.
    pub(crate) fn start_in_background(&self) {
        let _ = self.user.runtime().start();
    }

    /// Returns what this process holds of the device, and has lost to it.
    #[must_use]
    pub fn stats(&self) -> UadkStats {
        let runtime = self.user.runtime();
        runtime.evict_idle(runtime.clock.now());
        let (snapshot, contexts) = runtime.lifecycle.snapshot(|library| {
            library.sweep();
            library.contexts().cloned()
        });
        let (contexts, losses) = (contexts.flatten(), &runtime.losses);
        UadkStats {
            version: self.user.libwd().version().to_string(),
            outage: snapshot.outage,
            initialisations: snapshot.initialisations,
            contexts: contexts.as_ref().map_or(0, |contexts| contexts.len()),
            failed_contexts: contexts.as_ref().map_or(0, |contexts| contexts.failed()),
            sessions: snapshot.sessions,
            lost: losses.blocks(),
            quarantined_bytes: losses.bytes(),
            raw_deflate_decompression: self.decompresses_raw_deflate(),
        }
    }

    /// Returns the same engine with other settings; `None` if none of them applies.
    pub(crate) fn with_settings(&self, settings: &Settings) -> Option<Self> {
        if settings.dictionary.is_some() {
            return None;
        }
        let window = settings.window?.min(self.config.window);
        let config = Arc::new(UadkConfig::clone(&self.config).with_window(window));
        Some(Self { config, ..self.clone() })
    }

    /// Processes a batch. While the queue is full, `when_busy` is offered the next block.
    pub(crate) fn run(
        &self,
        direction: Direction,
        blocks: &mut [Block<'_>],
        when_busy: &mut WhenBusy<'_>,
    ) {
        if let Err(reason) = self.check_support(direction) {
            for block in blocks {
                block.set_result(Err(reason.clone()));
            }
            return;
        }
        let runtime = self.user.runtime();
        let call = Call { runtime, config: &self.config, format: self.format, direction };
        call.run(blocks, when_busy);
    }

    fn with_user(user: User, format: Format, config: &UadkConfig) -> Self {
        Self { user: Arc::new(user), config: Arc::new(config.clone()), format }
    }

    /// Checks whether blocks of this direction may go to the device, as far as that is known.
    fn check_support(&self, direction: Direction) -> Result<(), Error> {
        if direction == Direction::Decompress
            && self.format == Format::RawDeflate
            && !self.decompresses_raw_deflate()
        {
            return Err(Error::Unsupported(
                "raw deflate is decompressed in software on UADK 2.9 and later".into(),
            ));
        }
        match self.user.runtime().formats.get() {
            Some(offered) => Framing::new(self.format, direction, offered).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Returns whether raw deflate may be decompressed on the device: see
    /// [`UadkConfig::raw_deflate_decompression`].
    fn decompresses_raw_deflate(&self) -> bool {
        self.config.raw_deflate_decompression || self.user.libwd().version().is_before(2, 9)
    }

    fn run_one(&self, direction: Direction, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        let mut block = Block::new(src, dst);
        self.run(direction, std::slice::from_mut(&mut block), &mut refuse);
        block.result()
    }
}

fn check_format(format: Format) -> Result<(), Error> {
    match format {
        Format::RawDeflate | Format::Zlib | Format::Gzip => Ok(()),
        Format::Custom(_) => Err(Error::Unsupported(format!("no device supports {format}").into())),
    }
}

/// Reports `Busy` and leaves the decision to the caller.
fn refuse(_: usize, block: &mut Block<'_>) -> bool {
    block.set_result(Err(Error::Busy));
    true
}

impl BlockCompressor for UadkCompressor {
    fn format(&self) -> Format {
        self.format
    }
    fn max_compressed_len(&self, len: usize) -> usize {
        // `check_format` has ruled out custom formats.
        self.format.max_compressed_len(len).unwrap_or(usize::MAX)
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
    fn reconfigured(&self, settings: &Settings) -> Option<Arc<dyn BlockCompressor>> {
        Some(Arc::new(self.with_settings(settings)?))
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
