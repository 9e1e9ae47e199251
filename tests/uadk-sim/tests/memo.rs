//! Memoised results.

mod common;

use common::lz;
use common::{HERE, Job, Setup, capacity, data, no_data, setup};
use uadk_sim::{Machine, Simulator};
use uadk_sys::abi::{
    WD_COMP_L8, WD_COMP_L9, WD_DIR_COMPRESS, WD_DIR_DECOMPRESS, WD_IN_EPARA, WD_LZ4, WD_LZ77_ONLY,
    WD_LZ77_ZSTD,
};

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
fn results_of_lz77_and_lz4_cost_no_allocation_either() {
    let sim = Simulator::acquire(Machine::lz77());
    assert_eq!(HERE.init_with("zlib", [(2, 1), (1, 1)]), 0);
    for alg_type in [WD_LZ77_ZSTD, WD_LZ77_ONLY, WD_LZ4] {
        let mut jobs: Vec<_> = (0..DEPTH).map(|i| lz::job(&data(8192 - i))).collect();
        let figures = |job: &Job| (job.data.lit_num, job.data.seq_num);
        sim.memoise(false);
        for comp_lv in [WD_COMP_L8, WD_COMP_L9] {
            let given = Setup { comp_lv, ..setup(alg_type, WD_DIR_COMPRESS) };
            let session = HERE.session_with(given);
            sim.memoise(false);
            for job in &mut jobs {
                job.dst.fill(0);
            }
            round(session, &mut jobs);
            let whole: Vec<_> = jobs.iter().map(|job| (figures(job), job.dst.clone())).collect();
            sim.memoise(true);
            round(session, &mut jobs);
            for job in &mut jobs {
                job.dst.fill(0);
                job.data = no_data();
            }
            let info = allocation_counter::measure(|| round(session, &mut jobs));
            assert_eq!(info.count_total, 0);
            for (job, (before, dst)) in jobs.iter().zip(&whole) {
                assert!(figures(job) == *before && job.dst == *dst);
            }
        }
    }
}

#[test]
fn the_level_and_the_window_of_lz77_are_other_results() {
    let sim = Simulator::acquire(Machine::lz77());
    sim.memoise(true);
    assert_eq!(HERE.init_with("zlib", [(2, 1), (1, 1)]), 0);
    let src = lz::lines(60_000);
    let mut job = lz::job(&src);
    let mut seen = Vec::new();
    for (comp_lv, win_sz) in [(WD_COMP_L8, 4), (WD_COMP_L9, 4), (WD_COMP_L8, 0), (WD_COMP_L8, 3)] {
        let given = Setup { comp_lv, win_sz, ..setup(WD_LZ77_ONLY, WD_DIR_COMPRESS) };
        let mut dst = Vec::new();
        for _ in 0..2 {
            lz::run(HERE.session_with(given), 2, &mut job);
            dst = job.dst[src.len()..].to_vec();
        }
        assert!(!seen.contains(&dst), "{given:?}");
        seen.push(dst);
    }
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
