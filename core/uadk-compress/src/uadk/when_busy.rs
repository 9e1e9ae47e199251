//! Work for the caller's thread while the queue is full.

use crate::Block;

/// Processes a block whose turn it is while the queue is full, and returns `true`; or returns
/// `false` to have it submitted again. Takes the block's number in the batch, and the block.
pub(crate) type WhenBusy<'a> = dyn FnMut(usize, &mut Block<'_>) -> bool + 'a;
