//! The simulated machine.

use std::time::Duration;

use uadk_sys::abi::{
    WD_DEFLATE, WD_DIR_COMPRESS, WD_GZIP, WD_LZ4, WD_LZ77_ONLY, WD_LZ77_ZSTD, WD_ZLIB,
};

/// The first 2.x with LZ4 and `lz77_only`.
const FIRST_MINOR_WITH_LZ4: u8 = 10;

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

/// An algorithm that devices may offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Raw deflate. Not every device has it.
    Deflate,
    /// zlib.
    Zlib,
    /// gzip.
    Gzip,
    /// LZ77 with sequences for zstd. Only compresses.
    Lz77Zstd,
    /// LZ4. Only compresses.
    Lz4,
    /// LZ77 with sequences for any format. Only compresses.
    Lz77Only,
}

impl Algorithm {
    /// In the order in which the driver registers them.
    pub(crate) const ALL: [Self; 6] =
        [Self::Zlib, Self::Gzip, Self::Deflate, Self::Lz77Zstd, Self::Lz4, Self::Lz77Only];

    /// Returns the name in the device's `algorithms` attribute.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deflate => "deflate",
            Self::Zlib => "zlib",
            Self::Gzip => "gzip",
            Self::Lz77Zstd => "lz77_zstd",
            Self::Lz4 => "lz4",
            Self::Lz77Only => "lz77_only",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    pub(crate) const fn from_type(alg_type: u32) -> Option<Self> {
        match alg_type {
            WD_DEFLATE => Some(Self::Deflate),
            WD_ZLIB => Some(Self::Zlib),
            WD_GZIP => Some(Self::Gzip),
            WD_LZ77_ZSTD => Some(Self::Lz77Zstd),
            WD_LZ4 => Some(Self::Lz4),
            WD_LZ77_ONLY => Some(Self::Lz77Only),
            _ => None,
        }
    }

    /// Returns whether the result is sequences.
    pub(crate) const fn is_lz77(self) -> bool {
        matches!(self, Self::Lz77Zstd | Self::Lz77Only)
    }

    /// Returns whether it can be decompressed, and compressed in parts.
    pub(crate) const fn is_deflate(self) -> bool {
        matches!(self, Self::Deflate | Self::Zlib | Self::Gzip)
    }

    /// Returns whether version 2.`minor` knows it.
    pub(crate) const fn is_known_to(self, minor: u8) -> bool {
        minor >= FIRST_MINOR_WITH_LZ4 || !matches!(self, Self::Lz4 | Self::Lz77Only)
    }

    /// Returns the length of the fixed header in bytes.
    pub(crate) const fn header_len(self) -> u32 {
        match self {
            Self::Zlib => 2,
            Self::Gzip => 10,
            _ => 0,
        }
    }

    /// Returns the length of the trailer in bytes.
    pub(crate) const fn trailer_len(self) -> u32 {
        match self {
            Self::Zlib => 4,
            Self::Gzip => 8,
            _ => 0,
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
/// let newer = Machine::lz77();
/// let two_sockets = Machine { numa_nodes: vec![0, 1], contexts: 16, ..Machine::default() };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent")]
pub struct Machine {
    /// The algorithms that its devices offer: names as in the `algorithms` attribute.
    pub algorithms: Vec<&'static str>,
    /// The version of the devices' queue interface: 3 for `hisi_qm_v3`. LZ77 and LZ4 need 3.
    pub queue_version: u32,
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
            queue_version: 3,
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
        Self { algorithms: vec!["zlib", "gzip"], queue_version: 2, ..Self::default() }
    }

    /// Creates a machine that offers everything: zlib, gzip, raw deflate, LZ77 in both forms and
    /// LZ4.
    #[must_use]
    pub fn lz77() -> Self {
        Self { algorithms: Algorithm::ALL.map(Algorithm::name).to_vec(), ..Self::default() }
    }

    /// Creates a machine like [`lz77`](Self::lz77) with an older kernel, which does not list
    /// `lz77_only` and `lz4`.
    #[must_use]
    pub fn lz77_zstd() -> Self {
        Self { algorithms: vec!["zlib", "gzip", "deflate", "lz77_zstd"], ..Self::default() }
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

    /// Returns what the devices can do as bits, for lookup without a lock.
    pub(crate) fn bits(&self) -> u8 {
        let listed: u8 =
            Algorithm::ALL.into_iter().filter(|a| self.has(a.name())).map(Algorithm::bit).sum();
        // Both forms of LZ77 are one capability of the device, whatever the kernel lists.
        let lz77 = Algorithm::Lz77Zstd.bit() | Algorithm::Lz77Only.bit();
        if listed & lz77 == 0 { listed } else { listed | lz77 }
    }
}
