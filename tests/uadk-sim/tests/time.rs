//! The clock and the timing model.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::{HERE, Job, capacity, data};
use uadk_sim::{Fault, Machine, Simulator, Timing};
use uadk_sys::abi::{ETIMEDOUT, WD_DIR_COMPRESS};

fn manual(sim: &Simulator) -> Arc<AtomicU64> {
    let nanos = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&nanos);
    sim.set_clock(Arc::new(move || Duration::from_nanos(clock.load(Ordering::Relaxed))));
    nanos
}

#[test]
fn deep_queues_have_the_published_throughput() {
    const BLOCK: usize = 8192;
    for (depth, published) in [(1, 557.0), (10, 1381.0), (30, 4317.0), (60, 7245.0)] {
        let sim = Simulator::acquire(Machine::default());
        let nanos = manual(&sim);
        sim.set_timing(Timing::Published);
        sim.memoise(true);
        assert_eq!(HERE.init_with("zlib", [(0, 1), (0, 1)]), 0);
        let session = HERE.compressor();
        let data = data(BLOCK);
        let mut jobs: Vec<_> = (0..depth).map(|_| Job::new(&data, capacity(BLOCK))).collect();
        for job in &mut jobs {
            assert_eq!(HERE.submit(session, job, WD_DIR_COMPRESS), 0);
        }
        let (mut done, mut began) = (0, 0);
        // Keeps `depth` requests in flight; the start is not measured.
        while done < 40 * depth {
            if done == 2 * depth && began == 0 {
                began = nanos.load(Ordering::Relaxed);
            }
            if HERE.poll(0, 1).1 == 1 {
                assert_eq!(HERE.submit(session, &mut jobs[done % depth], WD_DIR_COMPRESS), 0);
                done += 1;
            } else {
                nanos.fetch_add(50, Ordering::Relaxed);
            }
        }
        let took = nanos.load(Ordering::Relaxed) - began;
        let speed = (38 * depth * BLOCK) as f64 * 1000.0 / took as f64;
        assert!((speed / published - 1.0).abs() < 0.05, "{depth} deep: {speed} MB/s");
        while sim.counts().in_flight > 0 {
            nanos.fetch_add(1_000_000, Ordering::Relaxed);
            HERE.poll(0, 100);
        }
    }
}

#[test]
fn a_synchronous_call_takes_its_time() {
    let sim = Simulator::acquire(Machine::default());
    sim.set_timing(Timing::Published);
    assert_eq!(HERE.init(), 0);
    let session = HERE.compressor();
    let began = Instant::now();
    HERE.compressed(session, &data(1 << 20));
    assert!(began.elapsed() >= Duration::from_micros(1800), "{:?}", began.elapsed());
}

#[test]
fn a_clock_without_a_sleeper_is_not_waited_for() {
    let sim = Simulator::acquire(Machine::default());
    let _nanos = manual(&sim);
    assert_eq!(HERE.init(), 0);
    sim.fault(Fault::Lost { write_late: false }, 1);
    let mut dst = [0; 200];
    let began = Instant::now();
    assert_eq!(HERE.call(HERE.compressor(), WD_DIR_COMPRESS, &data(9), &mut dst).0, ETIMEDOUT);
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_delayed_synchronous_call_sleeps_for_the_remaining_time() {
    let sim = Simulator::acquire(Machine::default());
    let nanos = manual(&sim);
    let slept = Arc::clone(&nanos);
    sim.set_sleeper(Arc::new(move |time| {
        slept.fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
    }));
    assert_eq!(HERE.init(), 0);
    sim.fault(Fault::Delay(Duration::from_secs(3)), 1);
    HERE.compressed(HERE.compressor(), &data(100));
    assert_eq!(nanos.load(Ordering::Relaxed), 3_000_000_000);
}
