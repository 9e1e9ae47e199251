//! Pages that are written to while they are sent.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use uadk_compress_pages::multifd::{PacketNumbers, Receiver, Sender};

use crate::guest::{Memory, PAGE, all_settings};

const PAGES: usize = 256;
const WORDS: usize = PAGE / 8;

/// A guest increments one word of each page, so that every state of a page is known: which word,
/// and between which counts. The rest of a page is constant.
#[test]
fn every_page_arrives_in_a_state_that_it_had_and_the_last_round_brings_the_last_state() {
    for settings in all_settings() {
        let memory = Memory::guest_like(PAGES);
        let arrived = Memory::new(PAGES);
        let counter = |page: usize| page * WORDS + page % WORDS;
        for page in 0..PAGES {
            memory.words()[counter(page)].store(0, Relaxed);
        }
        let constant = memory.bytes();
        let over = AtomicBool::new(false);
        let mut stream = Vec::new();
        let mut sender = Sender::new(&mut stream, 0, &settings, PacketNumbers::default())
            .expect("writes to a vector");
        let mut limits = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Relaxed) {
                    for page in 0..PAGES {
                        memory.words()[counter(page)].fetch_add(1, Relaxed);
                    }
                }
            });
            let counts = || -> Vec<u64> {
                (0..PAGES).map(|page| memory.words()[counter(page)].load(Relaxed)).collect()
            };
            for _ in 0..5 {
                let before = counts();
                sender.send("ram", &memory.ram(), &memory.offsets()).expect("sent");
                limits.push((before, counts()));
                sender.sync().expect("sent");
            }
            over.store(true, Relaxed);
        });
        sender.send("ram", &memory.ram(), &memory.offsets()).expect("sent");

        let mut receiver = Receiver::new(&stream[..], &settings).expect("a hello");
        let blocks = [("ram", arrived.ram())];
        for (low, high) in &limits {
            while receiver.receive_into(&blocks).expect("intact")
                != Some(uadk_compress_pages::multifd::Received::Sync)
            {}
            let mut round = arrived.bytes();
            for page in 0..PAGES {
                let count = arrived.words()[counter(page)].load(Relaxed);
                assert!((low[page]..=high[page]).contains(&count), "{settings:?}, page {page}");
                round[8 * counter(page)..][..8].fill(0);
            }
            assert!(round == constant, "{settings:?}: something else changed");
        }
        while receiver.receive_into(&blocks).expect("intact").is_some() {}
        assert!(arrived.bytes() == memory.bytes(), "{settings:?}: the last round");
    }
}
