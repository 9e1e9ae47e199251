//! Settings of the UADK engine.

use std::time::Duration;

use uadk_sys::abi;

use crate::Window;

/// How the device is used. The defaults are for a server.
///
/// [`contexts`](Self::contexts), [`numa_node`](Self::numa_node), [`hold_off`](Self::hold_off),
/// [`max_sessions`](Self::max_sessions), [`idle`](Self::idle) and
/// [`background`](Self::background) are the process's, as are the limits on what is lost: those of
/// the first engine count.
///
/// ```
/// use std::time::Duration;
/// use uadk_compress::UadkConfig;
///
/// let config = UadkConfig::default().with_contexts(8).with_deadline(Duration::from_millis(20));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UadkConfig {
    /// Contexts (device queues) per direction and NUMA node; fewer if the device has fewer free.
    /// Threads share them; each takes one of the device's queues, of which there are some hundred
    /// for all processes. At least 1; 4 by default.
    pub contexts: u32,
    /// Use devices of this NUMA node alone; `None`, the default, uses all, each thread those
    /// nearest to it.
    pub numa_node: Option<u32>,
    /// Blocks that a batch keeps in flight, 1 to 1023. Fewer while their output does not fit into
    /// [`staging`](Self::staging). 64 by default.
    pub depth: usize,
    /// How far back a match of the device may reach; zlib's header says 32 KiB in any case.
    /// [`reconfigured`](crate::BlockCompressor::reconfigured) also asks software.
    pub window: Window,
    /// How long a call waits for the device before software processes what is left. Blocks are
    /// submitted in the first half of it. 100 ms by default.
    ///
    /// A block that is given up may still be read by the device: see
    /// [`stage_sources`](Self::stage_sources).
    pub deadline: Duration,
    /// How long to wait after the device failed, or could not be initialised, before it is
    /// initialised again. (Blocks also wait for their [`Policy`](crate::Policy)'s hold-off.) 100 ms
    /// by default.
    pub hold_off: Duration,
    /// Bytes of buffers that a session keeps, at most; a single block's may be larger. 16 MiB by
    /// default.
    pub staging: usize,
    /// Sessions of all threads together. A thread has one per format, direction and window it uses;
    /// when there are too many, those of idle threads are taken back. 512 by default.
    pub max_sessions: usize,
    /// Sessions that have been idle for so long are freed with their buffers, and so are buffers of
    /// sessions that need fewer than before. Looked at while any thread uses the device, and when
    /// its statistics are read. 10 s by default.
    pub idle: Duration,
    /// Bytes of address space that may be lost to blocks whose completion never came. (The memory
    /// behind them is given back.) Above this limit the device is not used until late completions
    /// bring the total back under it. 1 GiB by default.
    pub max_quarantine: usize,
    /// Initialise and uninitialise the device in a thread of its own, since either may take
    /// seconds; blocks go to software until it is done. On by default. Tests switch it off, so that
    /// everything happens in order.
    pub background: bool,
    /// How long [`start`](crate::UadkCompressor::start) waits for an initialisation, and so does
    /// building a compressor with [`Offload::Require`](crate::Offload::Require). 10 s by default.
    pub start_limit: Duration,
    /// Copy each source into memory of the engine before the device reads it. Off by default.
    ///
    /// The device only ever writes to memory of the engine, but it reads the caller's source
    /// directly. After a deadline it may still do so. Reading memory that has been freed and used
    /// for something else is harmless, since the result is discarded. If the caller has unmapped
    /// it, the device reports a fault of its context, and if the mapping was of a file that has
    /// been truncated, or of a device, what happens is up to the kernel. Callers that unmap sources
    /// right after a call switch this on; a copy costs what the bench `uadk` prints.
    pub stage_sources: bool,
    /// Decompress raw deflate on the device with UADK 2.9 and later. Off by default: software does
    /// it.
    ///
    /// From 2.9 on the driver's asynchronous call dereferences a null stream context, which crashes
    /// the process, if the device reports bits left over without an error, as truncated raw deflate
    /// might make it. No hardware has shown yet whether it does.
    pub raw_deflate_decompression: bool,
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
        }
    }
}

macro_rules! setters {
    ($($setter:ident, $field:ident: $type:ty, $what:literal;)*) => {$(
        #[doc = concat!("Sets [`", stringify!($field), "`](Self::", stringify!($field), ")", $what, ".")]
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
    }
}

impl Window {
    /// UADK's number for it.
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
