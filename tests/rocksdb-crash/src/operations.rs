//! What a thread of the writer does: a sequence that depends only on seed, round and thread.

use std::ops::Range;

use rand::Rng;
use rand_pcg::Pcg64Mcg;

use crate::family::FAMILIES;
use crate::random::{Purpose, sequence};
use crate::record::{KEYS, Version};
use crate::settings::compression_types;

/// Writes one version to some keys of a family, or deletes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) family: usize,
    /// One key, or a range of keys to delete.
    pub(crate) keys: Range<u32>,
    /// `None` deletes.
    pub(crate) version: Option<Version>,
}

/// Something that the writer does and then acknowledges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// One write batch, of one or more changes, applied in order.
    Write(Vec<Change>),
    /// A table file with these changes, which are in the order of their keys, is added.
    Ingest {
        family: usize,
        changes: Vec<Change>,
    },
    /// Point lookups and a scan of these keys, which must find what this thread wrote.
    Read {
        family: usize,
        keys: Range<u32>,
    },
    Flush {
        family: usize,
    },
    Compact {
        family: usize,
    },
    /// Files of this family have another compression type from now on.
    Switch {
        family: usize,
        compression: &'static str,
    },
}

impl Operation {
    /// Returns the changes, in the order in which they apply.
    pub(crate) fn changes(&self) -> &[Change] {
        match self {
            Self::Write(changes) | Self::Ingest { changes, .. } => changes,
            Self::Read { .. } | Self::Flush { .. } | Self::Compact { .. } | Self::Switch { .. } => {
                &[]
            }
        }
    }
}

/// The endless sequence of a thread's operations. Threads have disjoint ranges of keys, so that
/// their operations can be in any order.
#[derive(Debug)]
pub(crate) struct Operations {
    random: Pcg64Mcg,
    keys: Range<u32>,
    next: Version,
}

impl Operations {
    pub(crate) fn new(seed: u64, round: u32, thread: u32, threads: u32) -> Self {
        Self {
            random: sequence(seed, round, Purpose::Operations { thread }),
            keys: KEYS * thread / threads..KEYS * (thread + 1) / threads,
            next: Version { round, operation: 0 },
        }
    }

    fn family(&mut self) -> usize {
        self.random.random_range(0..FAMILIES.len())
    }

    /// Returns a range of at most `most` keys.
    fn range(&mut self, most: u32) -> Range<u32> {
        let start = self.random.random_range(self.keys.clone());
        start..(start + self.random.random_range(1..=most)).min(self.keys.end)
    }

    fn put(&mut self) -> Change {
        let (family, keys) = (self.family(), self.range(1));
        Change { family, keys, version: Some(self.next) }
    }

    fn delete(&mut self, most: u32) -> Change {
        Change { family: self.family(), keys: self.range(most), version: None }
    }

    /// Returns the changes of a batch, most of them puts, in several families.
    fn batch(&mut self) -> Vec<Change> {
        let len = self.random.random_range(2..20);
        let change = |operations: &mut Self| match operations.random.random_range(0..20) {
            0..=15 => operations.put(),
            16..=18 => operations.delete(1),
            _ => operations.delete(20),
        };
        (0..len).map(|_| change(self)).collect()
    }

    fn switch(&mut self) -> Operation {
        let family = self.family();
        let types = compression_types(FAMILIES[family].is_stock);
        let compression = types[self.random.random_range(0..types.len())];
        Operation::Switch { family, compression }
    }

    fn ingest(&mut self) -> Operation {
        let family = self.family();
        let keys = self.range(100).step_by(self.random.random_range(1..4));
        let version = Some(self.next);
        let changes = keys.map(|key| Change { family, keys: key..key + 1, version }).collect();
        Operation::Ingest { family, changes }
    }
}

impl Iterator for Operations {
    type Item = Operation;

    fn next(&mut self) -> Option<Operation> {
        // In thousandths.
        let operation = match self.random.random_range(0..1000) {
            0..600 => Operation::Write(vec![self.put()]),
            600..690 => Operation::Write(vec![self.delete(1)]),
            690..700 => Operation::Write(vec![self.delete(60)]),
            700..860 => Operation::Write(self.batch()),
            860..870 => self.ingest(),
            870..970 => Operation::Read { family: self.family(), keys: self.range(30) },
            970..985 => Operation::Flush { family: self.family() },
            985..997 => Operation::Compact { family: self.family() },
            _ => self.switch(),
        };
        self.next.operation += 1;
        Some(operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_always_does_the_same_and_keeps_to_its_keys() {
        for thread in 0..3 {
            let operations = || Operations::new(1, 2, thread, 3).take(2000);
            assert!(operations().eq(operations()));
            let keys = 500 * thread..500 * (thread + 1);
            for operation in operations() {
                for change in operation.changes() {
                    assert!(keys.contains(&change.keys.start) && change.keys.end <= keys.end);
                    assert!(!change.keys.is_empty());
                }
            }
        }
    }

    #[test]
    fn seed_round_and_thread_all_matter() {
        let first = |seed, round, thread| {
            Operations::new(seed, round, thread, 2).take(20).collect::<Vec<_>>()
        };
        for other in [first(2, 1, 0), first(1, 2, 0), first(1, 1, 1)] {
            assert_ne!(first(1, 1, 0), other);
        }
    }
}
