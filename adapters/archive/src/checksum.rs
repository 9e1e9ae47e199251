//! Incremental CRC-32.

/// libdeflate's CRC-32, with `Debug`.
#[derive(Default)]
pub(crate) struct Checksum(libdeflater::Crc);

impl Checksum {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn sum(&self) -> u32 {
        self.0.sum()
    }
}

impl std::fmt::Debug for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:08x}", self.0.sum())
    }
}
