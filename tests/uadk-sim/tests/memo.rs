//! Memoised results.

mod common;

use common::{HERE, Job, capacity, data};
use uadk_sim::{Machine, Simulator};
use uadk_sys::abi::{WD_DIR_COMPRESS, WD_DIR_DECOMPRESS, WD_IN_EPARA};

const DEPTH: usize = 64;

fn round(session: usize, jobs: &mut [Box<Job>]) {
    for job in &mut *jobs {
        assert_eq!(HERE.submit(session, job, WD_DIR_COMPRESS), 0);
    }
    assert_eq!(HERE.poll(2, DEPTH as u32), (0, DEPTH as u32));
}

#[test]
fn results_are_the_same_and_cost_no_allocation() {
    let sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.init(), 0);
    let session = HERE.compressor();
    let mut jobs: Vec<_> = (0..DEPTH).map(|i| Job::new(&data(8192 - i), capacity(8192))).collect();
    round(session, &mut jobs);
    let whole: Vec<_> = jobs.iter().map(|job| job.output().to_vec()).collect();
    sim.memoise(true);
    round(session, &mut jobs);
    for job in &mut jobs {
        job.dst.fill(0);
    }
    let info = allocation_counter::measure(|| {
        for _ in 0..10 {
            round(session, &mut jobs);
        }
    });
    assert_eq!(info.count_total, 0);
    assert!(jobs.iter().zip(&whole).all(|(job, whole)| job.output() == whole));
}

#[test]
fn another_direction_length_or_edge_is_another_result() {
    let sim = Simulator::acquire(Machine::default());
    sim.memoise(true);
    assert_eq!(HERE.init(), 0);
    let (compressor, decompressor) = (HERE.compressor(), HERE.decompressor());
    let mut block = data(1000);
    let first = HERE.compressed(compressor, &block);
    assert_eq!(HERE.compressed(compressor, &block), first);
    assert_ne!(HERE.compressed(compressor, &block[..999]), first);
    block[999] ^= 1;
    assert_ne!(HERE.compressed(compressor, &block), first);
    // The middle is ignored.
    block[999] ^= 1;
    block[500] ^= 1;
    assert_eq!(HERE.compressed(compressor, &block), first);

    let mut back = vec![0; 1000];
    for (capacity, status) in [(1000, 0), (999, WD_IN_EPARA), (1000, 0)] {
        let (code, request) =
            HERE.call(decompressor, WD_DIR_DECOMPRESS, &first, &mut back[..capacity]);
        assert_eq!((code, request.status / 2 * 2), (0, status / 2 * 2));
    }
    assert_eq!(back, data(1000));
}
