//! The simulated machine.

use std::time::Duration;

use uadk_sys::abi::{WD_DEFLATE, WD_DIR_COMPRESS, WD_GZIP, WD_ZLIB};

/// Whether a block is compressed or decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Compression.
    Compress,
    /// Decompression.
    Decompress,
}

impl Direction {
    pub(crate) const fn from_op_type(op_type: u32) -> Self {
        if op_type == WD_DIR_COMPRESS { Self::Compress } else { Self::Decompress }
    }
}

/// A format that devices may offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Raw deflate. Not every device has it.
    Deflate,
    /// zlib.
    Zlib,
    /// gzip.
    Gzip,
}

impl Algorithm {
    pub(crate) const ALL: [Self; 3] = [Self::Zlib, Self::Gzip, Self::Deflate];

    /// Returns the name in the device's `algorithms` attribute.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deflate => "deflate",
            Self::Zlib => "zlib",
            Self::Gzip => "gzip",
        }
    }

    pub(crate) const fn from_type(alg_type: u32) -> Option<Self> {
        match alg_type {
            WD_DEFLATE => Some(Self::Deflate),
            WD_ZLIB => Some(Self::Zlib),
            WD_GZIP => Some(Self::Gzip),
            _ => None,
        }
    }

    /// Returns the length of the fixed header in bytes.
    pub(crate) const fn header_len(self) -> u32 {
        match self {
            Self::Deflate => 0,
            Self::Zlib => 2,
            Self::Gzip => 10,
        }
    }

    /// Returns the length of the trailer in bytes.
    pub(crate) const fn trailer_len(self) -> u32 {
        match self {
            Self::Deflate => 0,
            Self::Zlib => 4,
            Self::Gzip => 8,
        }
    }

    pub(crate) const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The machine: its devices and their state.
///
/// ```
/// use uadk_sim::Machine;
///
/// let kunpeng_920 = Machine::without_raw_deflate();
/// let two_sockets = Machine { numa_nodes: vec![0, 1], contexts: 16, ..Machine::default() };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent")]
pub struct Machine {
    /// The algorithms that its devices offer: names as in the `algorithms` attribute.
    pub algorithms: Vec<&'static str>,
    /// The NUMA node of each device; at most 8 devices and one per node.
    pub numa_nodes: Vec<u32>,
    /// Contexts that each device has free.
    pub contexts: u32,
    /// Whether there is a device at all. If not, no driver registers itself.
    pub present: bool,
    /// Whether the process may open the device node.
    pub permission: bool,
    /// Whether the kernel has isolated the devices after too many hardware errors.
    pub isolated: bool,
    /// Whether opening the device node fails with `EBUSY` although contexts are free.
    pub busy_node: bool,
    /// How long an initialisation spends opening the device node, whether that succeeds or not.
    /// With a busy node, the real library retries for about 20 seconds.
    pub open_delay: Duration,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            algorithms: vec!["zlib", "gzip", "deflate"],
            numa_nodes: vec![0],
            contexts: 64,
            present: true,
            permission: true,
            isolated: false,
            busy_node: false,
            open_delay: Duration::ZERO,
        }
    }
}

impl Machine {
    /// Creates a machine like a Kunpeng 920: zlib and gzip only.
    #[must_use]
    pub fn without_raw_deflate() -> Self {
        Self { algorithms: vec!["zlib", "gzip"], ..Self::default() }
    }

    /// Creates a machine that has the library but no device.
    #[must_use]
    pub fn without_device() -> Self {
        Self { present: false, ..Self::default() }
    }

    /// Creates a machine whose device node can't be opened.
    #[must_use]
    pub fn without_permission() -> Self {
        Self { permission: false, ..Self::default() }
    }

    /// Creates a machine whose device the kernel has isolated.
    #[must_use]
    pub fn isolated() -> Self {
        Self { isolated: true, ..Self::default() }
    }

    /// Creates a machine with one device on each of these NUMA nodes.
    #[must_use]
    pub fn with_numa_nodes(nodes: &[u32]) -> Self {
        Self { numa_nodes: nodes.to_vec(), ..Self::default() }
    }

    pub(crate) fn has(&self, algorithm: &str) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// Returns the algorithms as bits, for lookup without a lock.
    pub(crate) fn bits(&self) -> u8 {
        Algorithm::ALL.into_iter().filter(|a| self.has(a.name())).map(Algorithm::bit).sum()
    }
}
