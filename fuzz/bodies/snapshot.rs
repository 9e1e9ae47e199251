//! Reads arbitrary bytes as a snapshot: no panic, bounded memory, and nothing outside the guest's
//! memory changes.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use uadk_compress_pages::snapshot::{
    Chain, Progress, RestoreOptions, Snapshot, StreamReader, restore, verify,
};
use uadk_compress_pages::{GuestRam, ZeroPages};

/// Words of the guest's memory, and of the guard area on each side of it.
const WORDS: usize = 64 * 512;
const GUARD: u64 = 0x5a5a_5a5a_5a5a_5a5a;

pub(crate) fn run(input: &[u8]) {
    let memory: Vec<AtomicU64> = (0..3 * WORDS).map(|_| AtomicU64::new(GUARD)).collect();
    let ram = [GuestRam::from_words(&memory[WORDS..2 * WORDS])];
    let _ = verify(input, &mut |_| {});
    if let Ok(chain) = Snapshot::open(input).and_then(|snapshot| Chain::new(vec![snapshot])) {
        let options = RestoreOptions::default().threads(1).zero_pages(ZeroPages::Fresh);
        let _ = restore(&chain, &ram[..], &options.partial(true), &mut |_| {});
        for region in chain.layout().regions() {
            let _ = chain.pages().read(region.address);
        }
    }
    if let Ok(mut reader) = StreamReader::new(input) {
        let mut progress = Progress::default();
        let _ = reader.restore(&ram[..], ZeroPages::Fresh, &mut progress, &mut |_, _| {});
    }
    let outside = memory[..WORDS].iter().chain(&memory[2 * WORDS..]);
    assert!(outside.into_iter().all(|word| word.load(Relaxed) == GUARD));
}
