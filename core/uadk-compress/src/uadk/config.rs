//! Settings of the UADK engine.

use std::time::Duration;

use uadk_sys::abi;

use crate::Window;

/// How the device is used. The defaults are for a server.
///
/// [`contexts`](Self::contexts), [`numa_node`](Self::numa_node) and
/// [`max_sessions`](Self::max_sessions) are the process's, as are the limits on what is lost: those
/// of the first engine count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UadkConfig {
    /// Contexts (device queues) per direction and NUMA node. Threads share them; each takes one of
    /// the device's queues, of which there are some hundred for all processes. At least 1.
    pub contexts: u32,
    /// Use devices of this NUMA node alone; `None` uses all, each thread those nearest to it.
    pub numa_node: Option<u32>,
    /// Blocks that a batch keeps in flight, 1 to 1023. Fewer while their output does not fit into
    /// [`staging`](Self::staging).
    pub depth: usize,
    /// How far back a match of the device's may reach; zlib's header says 32 KiB in any case.
    /// [`with_window`](crate::BlockCompressor::with_window) asks software, too.
    pub window: Window,
    /// How long to wait for a block before software does it.
    pub deadline: Duration,
    /// How long to wait after the device failed, or could not be initialised, before it is
    /// initialised again. (Blocks also wait for their [`Policy`](crate::Policy)'s hold-off.)
    pub hold_off: Duration,
    /// Bytes of output buffers that a thread keeps, at most; a single block's may be larger.
    pub staging: usize,
    /// Sessions of all threads together. A thread has one per format, direction and window it uses;
    /// when there are too many, those of idle threads are taken back.
    pub max_sessions: usize,
    /// Bytes of address space that may be lost to blocks whose completion never came. (The memory
    /// behind them is given back.) Above this the device is not used any more until the process is
    /// started anew.
    pub max_quarantine: usize,
    /// Initialise a device that has failed in a thread of its own, since that may take seconds;
    /// blocks go to software until it is done. Always so for the libraries of this machine.
    pub start_in_background: bool,
}

impl Default for UadkConfig {
    fn default() -> Self {
        Self {
            contexts: 4,
            numa_node: None,
            depth: 64,
            window: Window::K32,
            deadline: Duration::from_millis(100),
            hold_off: Duration::from_millis(100),
            staging: 16 << 20,
            max_sessions: 512,
            max_quarantine: 1 << 30,
            start_in_background: false,
        }
    }
}

impl Window {
    /// UADK's number for it.
    pub(super) const fn code(self) -> u32 {
        match self {
            Self::K4 => abi::WD_COMP_WS_4K,
            Self::K8 => abi::WD_COMP_WS_8K,
            Self::K16 => abi::WD_COMP_WS_16K,
            Self::K24 => abi::WD_COMP_WS_24K,
            Self::K32 => abi::WD_COMP_WS_32K,
        }
    }
}
