//! Memoised results, so that the caller's own cost can be measured.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{RwLock, RwLockWriteGuard};

use crate::lz::Lz77;
use crate::machine::Direction;
use crate::session::Parameters;
use crate::sync;

const SHARDS: usize = 16;
/// A shard that reaches this size is emptied.
const LIMIT: usize = 4096;

pub(crate) type Shard = HashMap<Key, Arc<Remembered>, BuildHasherDefault<Fold>>;

static ENABLED: AtomicBool = AtomicBool::new(false);
static MAPS: [RwLock<Shard>; SHARDS] =
    [const { RwLock::new(HashMap::with_hasher(BuildHasherDefault::new())) }; SHARDS];

/// Identifies a request. The middle of the input is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    src: usize,
    first: u64,
    last: u64,
    len: u32,
    kind: u32,
}

/// A memoised result.
#[derive(Debug)]
pub(crate) struct Remembered {
    pub(crate) bytes: Box<[u8]>,
    pub(crate) consumed: u32,
    pub(crate) lz77: Option<Lz77>,
}

impl Key {
    pub(crate) fn new(src: &[u8], parameters: &Parameters, direction: Direction) -> Self {
        let word = |part: &[u8]| {
            let mut bytes = [0; 8];
            bytes[..part.len()].copy_from_slice(part);
            u64::from_le_bytes(bytes)
        };
        let edge = src.len().min(8);
        Self {
            src: src.as_ptr().addr(),
            first: word(&src[..edge]),
            last: word(&src[src.len() - edge..]),
            len: src.len() as u32,
            kind: (parameters.algorithm as u32)
                | (direction as u32) << 8
                | parameters.win_sz << 16
                | parameters.level << 24,
        }
    }

    fn shard(&self) -> &'static RwLock<Shard> {
        &MAPS[(self.src >> 12 ^ self.src >> 17) % SHARDS]
    }

    pub(crate) fn get(&self) -> Option<Arc<Remembered>> {
        sync::read(self.shard()).get(self).cloned()
    }

    pub(crate) fn insert(self, result: Remembered) -> Arc<Remembered> {
        let result = Arc::new(result);
        let mut map = sync::write(self.shard());
        if map.len() >= LIMIT {
            map.clear();
        }
        map.insert(self, Arc::clone(&result));
        result
    }
}

pub(crate) fn enabled() -> bool {
    ENABLED.load(Ordering::Relaxed)
}

/// Starts or stops memoising, and forgets all results.
pub(crate) fn set(on: bool) {
    ENABLED.store(on, Ordering::Relaxed);
    for mut map in locked() {
        map.clear();
    }
}

/// Locks all maps.
pub(crate) fn locked() -> Vec<RwLockWriteGuard<'static, Shard>> {
    MAPS.iter().map(sync::write).collect()
}

/// A hasher for a few words, cheap enough for the hot path.
#[derive(Debug, Default)]
pub(crate) struct Fold(u64);

impl Hasher for Fold {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn write_u64(&mut self, value: u64) {
        let product = u128::from(self.0 ^ value) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
        self.0 = (product as u64 ^ (product >> 64) as u64).wrapping_add(value);
    }
}
