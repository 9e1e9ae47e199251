//! Counts bytes.

use alloc::boxed::Box;
use alloc::vec;

use crate::lengths::LITERALS;

/// Tables that take turns, so that equal bytes in a row don't wait for each other.
const TABLES: usize = 4;

/// A histogram of bytes.
pub(crate) struct Histogram {
    tables: Box<[[u32; LITERALS]; TABLES]>,
    counts: Box<[u32; LITERALS]>,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        let tables = vec![[0; LITERALS]; TABLES].into_boxed_slice();
        Self {
            tables: tables.try_into().unwrap_or_else(|_| unreachable!("four tables")),
            counts: Box::new([0; LITERALS]),
        }
    }

    /// Counts bytes and returns how often each value occurs.
    pub(crate) fn count(&mut self, bytes: &[u8]) -> &[u32; LITERALS] {
        let [a, b, c, d] = &mut *self.tables;
        for table in [&mut *a, &mut *b, &mut *c, &mut *d] {
            table.fill(0);
        }
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            let word = u64::from_le_bytes(*word);
            let byte = |i: u32| (word >> (8 * i)) as usize & 255;
            a[byte(0)] += 1;
            b[byte(1)] += 1;
            c[byte(2)] += 1;
            d[byte(3)] += 1;
            a[byte(4)] += 1;
            b[byte(5)] += 1;
            c[byte(6)] += 1;
            d[byte(7)] += 1;
        }
        for &byte in rest {
            a[usize::from(byte)] += 1;
        }
        for (i, count) in self.counts.iter_mut().enumerate() {
            *count = a[i] + b[i] + c[i] + d[i];
        }
        &self.counts
    }
}
