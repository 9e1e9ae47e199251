//! Memory for tables.

use alloc::boxed::Box;
use alloc::vec;

/// A table that any byte is an index of, so that no index has to be checked.
pub(crate) type Plane = [u64; 256];

/// Allocates tables that are used together. At one address, they take one register.
#[expect(clippy::unnecessary_box_returns, reason = "they are too large for the stack")]
pub(crate) fn new<const N: usize>() -> Box<[Plane; N]> {
    let planes = vec![[0; 256]; N].into_boxed_slice();
    planes.try_into().unwrap_or_else(|_| unreachable!("N planes"))
}
