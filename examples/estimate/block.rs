//! Data blocks as RocksDB lays them out: what is compressed are blocks, not records.
//!
//! After `table/block_based/block_builder.cc` and `flush_block_policy.cc` of RocksDB. An entry is
//! the lengths of the prefix shared with the key before, of the rest of the key and of the value as
//! varints, then both. Every few keys one is stored whole; an array of their offsets ends the
//! block.

/// The options that decide what a block contains.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) block_size: usize,
    /// A block may be this many per cent smaller, rather than larger than `block_size`.
    pub(crate) deviation: usize,
    /// One of this many keys is stored whole.
    pub(crate) restart_interval: usize,
}

impl Default for Layout {
    /// Returns RocksDB's defaults (`BlockBasedTableOptions`).
    fn default() -> Self {
        Self { block_size: 4096, deviation: 10, restart_interval: 16 }
    }
}

impl Layout {
    /// Sets an option by its name in OPTIONS files. Ignores unknown names and invalid values.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        let Ok(value) = value.parse::<usize>() else { return };
        match key {
            "block_size" if value > 0 => self.block_size = value,
            "block_size_deviation" if value <= 100 => self.deviation = value,
            "block_restart_interval" if value > 0 => self.restart_interval = value,
            _ => {}
        }
    }

    /// Returns the size above which a block may be closed early; 0 if never.
    const fn almost_full(&self) -> usize {
        (self.block_size * (100 - self.deviation)).div_ceil(100)
    }
}

/// The length of the sequence number and type behind each key (RocksDB's `kNumInternalBytes`).
pub(crate) const KEY_TRAILER: usize = 8;
/// RocksDB's `kTypeValue`.
const TYPE_VALUE: u64 = 1;

/// Builds a data block.
#[derive(Debug)]
pub(crate) struct BlockBuilder {
    layout: Layout,
    contents: Vec<u8>,
    restarts: Vec<u32>,
    since_restart: usize,
    last_key: Vec<u8>,
    key: Vec<u8>,
}

impl BlockBuilder {
    pub(crate) fn new(layout: Layout) -> Self {
        Self {
            layout,
            contents: Vec::with_capacity(layout.block_size),
            restarts: vec![0],
            since_restart: 0,
            last_key: Vec::new(),
            key: Vec::new(),
        }
    }

    /// Returns whether RocksDB would begin a new block for this record.
    pub(crate) fn is_full_for(&self, key: &[u8], value: &[u8]) -> bool {
        if self.contents.is_empty() {
            return false;
        }
        let size = self.size();
        size >= self.layout.block_size
            || (self.layout.almost_full() > 0
                && size > self.layout.almost_full()
                && size + self.estimate(key, value) > self.layout.block_size)
    }

    /// Adds a record; keys must be in order. `sequence` is 0 in files of the last level.
    pub(crate) fn add(&mut self, key: &[u8], sequence: u64, value: &[u8]) {
        self.key.clear();
        self.key.extend_from_slice(key);
        self.key.extend_from_slice(&((sequence << 8) | TYPE_VALUE).to_le_bytes());
        let mut shared = 0;
        if self.since_restart == self.layout.restart_interval {
            self.restarts.push(self.contents.len() as u32);
            self.since_restart = 0;
        } else {
            let pairs = self.key.iter().zip(&self.last_key);
            shared = pairs.take_while(|(new, last)| new == last).count();
        }
        let rest = &self.key[shared..];
        for length in [shared, rest.len(), value.len()] {
            push_varint(length, &mut self.contents);
        }
        self.contents.extend_from_slice(rest);
        self.contents.extend_from_slice(value);
        self.since_restart += 1;
        std::mem::swap(&mut self.key, &mut self.last_key);
    }

    /// Returns the block; `None` without a record.
    pub(crate) fn finish(mut self) -> Option<Vec<u8>> {
        if self.contents.is_empty() {
            return None;
        }
        for restart in &self.restarts {
            self.contents.extend_from_slice(&restart.to_le_bytes());
        }
        self.contents.extend_from_slice(&(self.restarts.len() as u32).to_le_bytes());
        Some(self.contents)
    }

    /// Returns the size with the offsets of whole keys and their number, 4 bytes each.
    fn size(&self) -> usize {
        self.contents.len() + 4 * self.restarts.len() + 4
    }

    /// Returns RocksDB's estimate of what a record adds: as if it shared nothing.
    fn estimate(&self, key: &[u8], value: &[u8]) -> usize {
        let restart = if self.since_restart == self.layout.restart_interval { 4 } else { 0 };
        let key = key.len() + KEY_TRAILER;
        key + value.len() + restart + 4 + varint_len(key) + varint_len(value.len())
    }
}

fn push_varint(mut number: usize, to: &mut Vec<u8>) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

/// Returns the length of a number as a varint.
pub(crate) const fn varint_len(number: usize) -> usize {
    match number.checked_ilog2() {
        Some(log) => log as usize / 7 + 1,
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_of_rocksdb() {
        let layout = Layout { restart_interval: 2, ..Layout::default() };
        let mut block = BlockBuilder::new(layout);
        block.add(b"apple", 0, b"1");
        block.add(b"apply", 0, b"22");
        block.add(b"apricot", 5, b"");
        let trailer = b"\x01\0\0\0\0\0\0\0";
        let mut expected = [b"\x00\x0d\x01apple".as_slice(), trailer, b"1"].concat();
        expected.extend([b"\x04\x09\x02y".as_slice(), trailer, b"22"].concat());
        let third = expected.len() as u8;
        expected.extend(b"\x00\x0f\x00apricot\x01\x05\0\0\0\0\0\0");
        expected.extend([0, 0, 0, 0, third, 0, 0, 0, 2, 0, 0, 0]);
        assert_eq!(block.finish().expect("a block"), expected);
    }

    #[test]
    fn varints_have_the_length_that_is_returned() {
        for number in [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152] {
            let mut bytes = Vec::new();
            push_varint(number, &mut bytes);
            assert_eq!(bytes.len(), varint_len(number), "{number}");
        }
    }
}
