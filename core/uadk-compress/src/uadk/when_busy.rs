//! What the calling thread does while the queue is full.

use crate::Block;

/// Called with a block and its index in the batch while the queue is full. Returns `true` after
/// processing the block itself, `false` to have it resubmitted.
pub(crate) type WhenBusy<'a> = dyn FnMut(usize, &mut Block<'_>) -> bool + 'a;
