//! The encoders' contexts, per thread and level.

use std::cell::RefCell;

use block_deflate::{Encoder, Mode, Window};
use libdeflater::{CompressionLvl, Compressor, Decompressor};

use crate::Level;

const LEVELS: usize = Level::BEST.get() as usize + 1;

struct Contexts {
    /// Used for both speeds and all windows.
    block_deflate: Option<Encoder>,
    compressors: [Option<Compressor>; LEVELS],
    decompressor: Option<Decompressor>,
}

thread_local! {
    static CONTEXTS: RefCell<Contexts> = const {
        RefCell::new(Contexts {
            block_deflate: None,
            compressors: [const { None }; LEVELS],
            decompressor: None,
        })
    };
}

/// Runs `work` with this thread's `block-deflate` encoder, at the speed for `level`.
pub(super) fn with_block_deflate<R>(
    level: Level,
    window: Window,
    work: impl FnOnce(&mut Encoder) -> R,
) -> R {
    let mode = if level == Level::FASTEST { Mode::Fast } else { Mode::Default };
    with_contexts(|contexts| match contexts {
        Some(contexts) => {
            let encoder = contexts.block_deflate.get_or_insert_with(|| Encoder::new(mode));
            encoder.set_mode(mode);
            encoder.set_window(window);
            work(encoder)
        }
        None => work(&mut Encoder::new(mode).with_window(window)),
    })
}

/// Runs `work` with this thread's libdeflate context for `level`.
pub(super) fn with_libdeflate<R>(level: Level, work: impl FnOnce(&mut Compressor) -> R) -> R {
    let make = || Compressor::new(libdeflate_level(level));
    with_contexts(|contexts| match contexts {
        Some(contexts) => {
            work(contexts.compressors[usize::from(level.get())].get_or_insert_with(make))
        }
        None => work(&mut make()),
    })
}

/// Runs `work` with this thread's decompression context.
pub(super) fn with_decompressor<R>(work: impl FnOnce(&mut Decompressor) -> R) -> R {
    with_contexts(|contexts| match contexts {
        Some(contexts) => work(contexts.decompressor.get_or_insert_with(Decompressor::new)),
        None => work(&mut Decompressor::new()),
    })
}

/// Passes this thread's contexts to `work`, or `None` if they are gone because the thread is being
/// torn down. Hosts such as RocksDB may still compress then, with a context for one block.
fn with_contexts<R>(work: impl FnOnce(Option<&mut Contexts>) -> R) -> R {
    let mut work = Some(work);
    let done = CONTEXTS.try_with(|contexts| {
        let mut contexts = contexts.borrow_mut();
        work.take().map(|work| work(Some(&mut contexts)))
    });
    match (done, work) {
        (Ok(Some(result)), _) => result,
        (_, Some(work)) => work(None),
        (_, None) => unreachable!("`work` ran, so there is a result"),
    }
}

fn libdeflate_level(level: Level) -> CompressionLvl {
    // libdeflate's level 0 only stores; its fastest level that compresses is 1.
    CompressionLvl::new(i32::from(level.get().max(1))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libdeflate_accepts_every_level() {
        for n in 0..=Level::BEST.get() {
            let level = Level::new(n).expect("in range");
            assert_eq!(i32::from(libdeflate_level(level)), i32::from(n.max(1)));
        }
    }
}
