//! The primitives of [`slot`](super::slot) and [`lifecycle`](super::lifecycle): std's, or loom's when
//! loom explores how threads may interleave (`--cfg loom`).

#[cfg(loom)]
pub(super) use loom::sync::{Arc, Mutex, MutexGuard, atomic};
#[cfg(not(loom))]
pub(super) use std::sync::{Arc, Mutex, MutexGuard, atomic};
