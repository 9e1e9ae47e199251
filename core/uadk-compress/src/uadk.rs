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
//! | `framing` | how the formats map to the device's algorithms and fixed headers |
//! | `lz77`, `encoders`, `lz4_block` | zstd frames and LZ4 blocks from the device's sequences |
//! | `long` | zstd frames of blocks in pieces |
//!
//! All requests are asynchronous: a synchronous library call may spin for 14.5 s.

#![allow(unsafe_code, reason = "calls the library and owns the memory that the device writes to")]

mod arena;
mod background;
mod call;
mod config;
mod contexts;
mod encoders;
mod framing;
mod library;
mod lifecycle;
mod limits;
mod long;
mod lz4_block;
mod lz77;
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

use uadk_sys::{Libwd, abi};

use self::call::Call;
use self::framing::Framing;
use self::runtime::User;
use crate::clock::Clock;
use crate::direction::Direction;
use crate::{Block, BlockCompressor, Error, Format, Level, Settings};

/// The engine for `HiSilicon` Kunpeng's ZIP device.
///
/// It has no software fallback: a busy, slow or failed device is an error. Empty blocks and blocks
/// of more than 8 MiB are unsupported. A destination that is too small for a decompressed block
/// can't be distinguished from a corrupt block. [`Compressor`](crate::Compressor) and
/// [`OffloadCompressor`](crate::OffloadCompressor) fall back to the software engine and keep all
/// promises of the trait.
///
/// | format | compresses | decompresses |
/// |---|---|---|
/// | deflate, zlib, gzip | the device | the device |
/// | zstd | the device finds matches (`lz77_zstd`), this crate encodes them | software |
/// | LZ4 | the device (`lz4`), or this crate from the device's matches | software |
///
/// zstd and LZ4 need queues of version 3 (not the Kunpeng 920) and UADK 2.9, or 2.10 for the
/// algorithms `lz4` and `lz77_only`. Matches are compared with what they repeat, so wrong ones are
/// a fault of the device and never a wrong block.
///
/// The device ignores the compression level, except that it searches longer for zstd, and for LZ4
/// without the algorithm `lz4`, from level 12 on. Each thread keeps its sessions; clones are cheap
/// and share everything. While any engine exists, the process holds some of the device's queues.
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
    level: Level,
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

    /// Returns the same engine at another level, sharing device and counters; [`Level::FAST`] by
    /// default.
    #[must_use]
    pub fn with_level(&self, level: Level) -> Self {
        Self { level, ..self.clone() }
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
        if settings.dictionary.is_some() || settings.checksum == Some(true) {
            return None;
        }
        let mut engine = self.clone();
        if let Some(window) = settings.window {
            let window = window.min(self.config.window);
            engine.config = Arc::new(UadkConfig::clone(&self.config).with_window(window));
        }
        engine.level = settings.level.unwrap_or(self.level);
        (settings.window.is_some() || engine.lz77_level() != self.lz77_level()).then_some(engine)
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
        let (format, level) = (self.format, self.lz77_level());
        let call =
            Call { runtime, config: &self.config, format, direction, level, stores_matches: false };
        if format != Format::Zstd || !blocks.iter().any(long::is_long) {
            call.run(blocks, when_busy);
            return;
        }
        let mut start = 0;
        let mut out_of_time = false;
        for group in blocks.chunk_by_mut(|a, b| !long::is_long(a) && !long::is_long(b)) {
            if out_of_time {
                for block in &mut *group {
                    block.set_result(Err(Error::Busy));
                }
            } else if long::is_long(&group[0]) {
                let compress =
                    |src: &[u8], dst: &mut [u8]| long::compress(call, LONG_TRIES, src, dst);
                group[0].run(compress);
            } else {
                call.run(group, &mut |i, block| when_busy(start + i, block));
            }
            // A batch waits for one deadline only.
            out_of_time |= group.iter().any(|b| matches!(b.answer(), Some(Err(Error::TimedOut))));
            start += group.len();
        }
    }

    fn with_user(user: User, format: Format, config: &UadkConfig) -> Self {
        let level = Level::default();
        Self { user: Arc::new(user), config: Arc::new(config.clone()), format, level }
    }

    /// Returns UADK's `comp_lv`: for LZ77, the driver accepts only two values.
    fn lz77_level(&self) -> u32 {
        match self.format {
            // Other values are refused, even though the device ignores them for `lz4`.
            Format::Zstd | Format::Lz4 if self.level.get() >= FIRST_THOROUGH_LEVEL => {
                abi::WD_COMP_L9
            }
            Format::Zstd | Format::Lz4 => abi::WD_COMP_L8,
            // The device ignores it.
            _ => 1,
        }
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
        let reads_nothing = matches!(self.format, Format::Zstd | Format::Lz4);
        if direction == Direction::Decompress && reads_nothing {
            return Err(framing::unsupported(self.format, direction));
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

/// How often a long block's pieces are offered to a device whose queue is full.
const LONG_TRIES: u32 = 100;
/// From this level on, the device searches longer for matches. (`KAEzstd` does so from zstd's level
/// 12 on.)
const FIRST_THOROUGH_LEVEL: i32 = 12;

fn check_format(format: Format) -> Result<(), Error> {
    match format {
        Format::Custom(_) => Err(Error::Unsupported(format!("no device supports {format}").into())),
        _ => Ok(()),
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
