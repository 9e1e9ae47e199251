//! Settings of the UADK engine.

use std::time::Duration;

use uadk_sys::abi;

use crate::Window;

/// How the device is used. The defaults suit a server.
///
/// [`contexts`](Self::contexts), [`numa_node`](Self::numa_node), [`hold_off`](Self::hold_off),
/// [`max_sessions`](Self::max_sessions), [`idle`](Self::idle),
/// [`max_quarantine`](Self::max_quarantine) and [`background`](Self::background) apply to the whole
/// process: the first engine's values are used.
///
/// ```
/// use std::time::Duration;
/// use uadk_compress::UadkConfig;
///
/// let config = UadkConfig::default().with_contexts(8).with_deadline(Duration::from_millis(20));
/// assert_eq!((config.contexts, config.depth), (8, 64));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "they are independent")]
pub struct UadkConfig {
    /// Contexts (device queues) per direction and NUMA node; fewer if the device has fewer free.
    /// Threads share them. The device has a few hundred queues for all processes. At least 1; 4 by
    /// default.
    pub contexts: u32,
    /// Use only devices of this NUMA node. `None`, the default, uses all nodes, and each thread the
    /// devices nearest to it.
    pub numa_node: Option<u32>,
    /// Blocks that a batch keeps in flight, 1 to 1023; fewer while their output does not fit into
    /// [`staging`](Self::staging). 64 by default.
    pub depth: usize,
    /// How far back the device's matches may reach. The zlib header says 32 KiB in any case.
    /// [`reconfigured`](crate::BlockCompressor::reconfigured) also applies to the software engine.
    pub window: Window,
    /// How long a call waits for the device before software processes the remaining blocks. Blocks
    /// are submitted only in the first half of this time. 100 ms by default.
    ///
    /// The device may still read a block that was given up: see
    /// [`stage_sources`](Self::stage_sources).
    pub deadline: Duration,
    /// How long to wait after the device failed, or could not be initialised, before initialising
    /// it again. (Blocks also wait for their [`Policy`](crate::Policy)'s hold-off.) 100 ms by
    /// default.
    pub hold_off: Duration,
    /// Maximum bytes of buffers that a session keeps; a single block may exceed it. 16 MiB by
    /// default.
    pub staging: usize,
    /// Maximum number of sessions of all threads together. A thread has one per format, direction
    /// and window it uses. When there are too many, idle sessions are taken away from their
    /// threads. 512 by default.
    pub max_sessions: usize,
    /// Sessions that have been idle for this long are freed with their buffers, as are buffers that
    /// a session no longer needs. Checked while any thread uses the device, and when its statistics
    /// are read. 10 s by default.
    pub idle: Duration,
    /// Bytes of address space that may be lost to blocks whose completion never came. (The memory
    /// backing them is returned to the system.) Above this limit the device is not used until late
    /// completions bring the total back under it. 1 GiB by default.
    pub max_quarantine: usize,
    /// Initialise and uninitialise the device in a separate thread, since either may take seconds;
    /// meanwhile blocks go to software. On by default. Tests switch it off so that everything
    /// happens in order.
    pub background: bool,
    /// How long [`start`](crate::UadkCompressor::start) and building a compressor with
    /// [`Offload::Require`](crate::Offload::Require) wait for an initialisation. 10 s by default.
    pub start_limit: Duration,
    /// Copy each source into the engine's memory before the device reads it. Off by default.
    ///
    /// The device only ever writes to the engine's memory, but it reads the caller's source
    /// directly, and may still do so after the deadline. Reading memory that has been freed and
    /// reused is harmless, since the result is discarded. If the caller has unmapped it, the device
    /// reports a fault of its context. If it was a mapping of a device, or of a file that has been
    /// truncated, what happens is up to the kernel. Switch this on if sources are unmapped right
    /// after a call; the benchmark `uadk` prints what a copy costs.
    pub stage_sources: bool,
    /// Decompress raw deflate on the device with UADK 2.9 and later. Off by default: software
    /// decompresses it.
    ///
    /// From 2.9 on, the driver's asynchronous call dereferences a null stream context and crashes
    /// the process if the device reports leftover bits without an error, as it might for truncated
    /// raw deflate. It is not yet known whether any hardware does.
    pub raw_deflate_decompression: bool,
    /// Decompress every LZ4 block that the device made by itself in software, and compare. On by
    /// default: whether real devices keep the rules for the end of an LZ4 block is not yet known.
    /// Blocks that this crate makes from the device's matches need no such check.
    pub verify_lz4: bool,
}

impl Default for UadkConfig {
    fn default() -> Self {
        Self {
            contexts: 4,
            numa_node: None,
            depth: 64,
            window: Window::Kib32,
            deadline: Duration::from_millis(100),
            hold_off: Duration::from_millis(100),
            staging: 16 << 20,
            max_sessions: 512,
            idle: Duration::from_secs(10),
            max_quarantine: 1 << 30,
            background: true,
            start_limit: Duration::from_secs(10),
            stage_sources: false,
            raw_deflate_decompression: false,
            verify_lz4: true,
        }
    }
}

macro_rules! setters {
    ($($setter:ident, $field:ident: $type:ty, $what:literal;)*) => {$(
        #[doc = concat!(
            "Sets [`", stringify!($field), "`](Self::", stringify!($field), ")", $what, "."
        )]
        #[must_use]
        pub const fn $setter(mut self, $field: $type) -> Self {
            self.$field = $field;
            self
        }
    )*};
}

impl UadkConfig {
    setters! {
        with_contexts, contexts: u32, "";
        with_numa_node, numa_node: Option<u32>, "";
        with_depth, depth: usize, ", in blocks";
        with_window, window: Window, "";
        with_deadline, deadline: Duration, "";
        with_hold_off, hold_off: Duration, "";
        with_staging, staging: usize, ", in bytes";
        with_max_sessions, max_sessions: usize, "";
        with_idle, idle: Duration, "";
        with_max_quarantine, max_quarantine: usize, ", in bytes";
        with_background, background: bool, "";
        with_start_limit, start_limit: Duration, "";
        with_stage_sources, stage_sources: bool, "";
        with_raw_deflate_decompression, raw_deflate_decompression: bool, "";
        with_verify_lz4, verify_lz4: bool, "";
    }
}

impl Window {
    /// Returns UADK's number for this window.
    pub(super) const fn code(self) -> u32 {
        match self {
            Self::Kib4 => abi::WD_COMP_WS_4K,
            Self::Kib8 => abi::WD_COMP_WS_8K,
            Self::Kib16 => abi::WD_COMP_WS_16K,
            Self::Kib24 => abi::WD_COMP_WS_24K,
            Self::Kib32 => abi::WD_COMP_WS_32K,
        }
    }
}
