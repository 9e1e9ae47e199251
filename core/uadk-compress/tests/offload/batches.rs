//! A fault of one block of a batch does not affect the others.

use uadk_compress::fault::Fault;
use uadk_compress::{Block, BlockCompressor, Error, Policy};

use crate::common::{block, zlib_decompress};
use crate::{Engines, FORMAT, LEN, MS, assert_adds_up, compress, engines};

/// Compresses blocks of these lengths as one batch, and checks every block with zlib.
fn batch(engines: &Engines, lens: &[usize]) -> Vec<Result<usize, Error>> {
    let sources: Vec<_> = lens.iter().zip(0..).map(|(&len, i)| block(i, len)).collect();
    let mut outputs: Vec<_> =
        lens.iter().map(|&len| vec![0; engines.max_compressed_len(len)]).collect();
    let mut blocks: Vec<_> =
        sources.iter().zip(&mut outputs).map(|(src, dst)| Block::new(src, dst)).collect();
    engines.compress_batch(&mut blocks);
    let results: Vec<_> = blocks.iter().map(Block::result).collect();
    for ((result, output), source) in results.iter().zip(&outputs).zip(&sources) {
        let written = *result.as_ref().expect("the bound holds");
        assert!(zlib_decompress(FORMAT, &output[..written]).expect("valid data") == *source);
    }
    results
}

#[test]
fn only_the_faulty_blocks_of_a_batch_go_to_software() {
    let (engines, _) = engines(Policy::default(), |n| match n {
        3 | 7 => Some(Fault::Busy),
        5 => Some(Fault::Device(-62)),
        6 => Some(Fault::Unsupported),
        _ => None,
    });
    batch(&engines, &[LEN; 16]);
    let stats = engines.stats();
    assert_eq!(stats.fallbacks.device_error, 1);
    assert_eq!(stats.fallbacks.unsupported, 1);
    assert_eq!(stats.fallbacks.busy, 0, "block 3 was retried successfully");
    assert_eq!(stats.fallbacks.held_off, 1, "block 7 was not retried after a fault");
    assert_eq!(stats.accelerator.compress.blocks, 13);
    assert_eq!(stats.breaker.opened, 1);
    assert_adds_up(&stats, 16);
}

#[test]
fn a_panic_sends_the_whole_batch_to_software_and_opens_the_breaker_once() {
    let (engines, _) = engines(Policy::default(), |n| (n == 2).then_some(Fault::Panic));
    batch(&engines, &[LEN; 4]);
    let stats = engines.stats();
    assert_eq!(stats.fallbacks.panicked, 4);
    assert_eq!(stats.breaker.opened, 1);
    assert_adds_up(&stats, 4);
}

#[test]
fn after_a_fault_a_batch_tries_one_block_first() {
    let (engines, clock) = engines(Policy::default(), |n| (n < 2).then_some(Fault::Device(-62)));
    compress(&engines, 0);
    clock.advance(100 * MS);
    batch(&engines, &[LEN; 8]);
    let stats = engines.stats();
    assert_eq!(stats.fallbacks.device_error, 2, "only the batch's trial block failed");
    assert_eq!(stats.fallbacks.held_off, 7);

    clock.advance(200 * MS);
    batch(&engines, &[LEN; 8]);
    assert_eq!(engines.stats().accelerator.compress.blocks, 8);
    assert_adds_up(&engines.stats(), 17);
}

#[test]
fn small_blocks_within_a_batch_go_to_software() {
    let (engines, _) = engines(Policy::default(), |_| None);
    batch(&engines, &[LEN, 10, 10, LEN, LEN, 0, LEN]);
    let stats = engines.stats();
    assert_eq!(stats.fallbacks.too_small, 3);
    assert_eq!(stats.accelerator.compress.blocks, 4);
    assert_adds_up(&stats, 7);
}
