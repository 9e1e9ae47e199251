//! Injected faults.

mod common;

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::{HERE, Job, capacity, data};
use parking_lot::Mutex;
use uadk_sim::{Algorithm, Direction, Fault, Machine, RequestInfo, Simulator};
use uadk_sys::abi::{
    EAGAIN, EBUSY, ETIMEDOUT, WD_DEFLATE, WD_DIR_COMPRESS, WD_DIR_DECOMPRESS, WD_GZIP, WD_IN_EPARA,
    WD_ZLIB,
};

fn ready() -> (Simulator, usize) {
    let sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.init(), 0);
    (sim, HERE.compressor())
}

/// Submits all jobs. Returns the code of each submission.
fn submit(session: usize, jobs: &mut [Box<Job>]) -> Vec<i32> {
    jobs.iter_mut().map(|job| HERE.submit(session, job, WD_DIR_COMPRESS)).collect()
}

fn jobs<const N: usize>() -> [Box<Job>; N] {
    std::array::from_fn(|_| Job::new(&data(1000), capacity(1000)))
}

#[test]
fn the_nth_request_from_now_is_hit() {
    let (sim, session) = ready();
    sim.fault(Fault::Busy, 2);
    sim.fault(Fault::Return(-5), 4);
    assert_eq!(submit(session, &mut jobs::<5>()), [0, EBUSY, 0, -5, 0]);
    sim.fault(Fault::Busy, 1);
    assert_eq!(submit(session, &mut jobs::<2>()), [EBUSY, 0]);
}

#[test]
fn every_nth_request_is_hit_until_faults_are_cleared() {
    let (sim, session) = ready();
    sim.fault_every(3, Fault::Busy);
    assert_eq!(submit(session, &mut jobs::<7>()), [0, 0, EBUSY, 0, 0, EBUSY, 0]);
    sim.clear_faults();
    assert_eq!(submit(session, &mut jobs::<3>()), [0, 0, 0]);
}

#[test]
fn a_closure_sees_requests_and_chooses_faults() {
    let (sim, session) = ready();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    sim.set_faults(move |info| {
        log.lock().push(*info);
        info.synchronous.then_some(Fault::Busy)
    });
    assert_eq!(submit(session, &mut jobs::<1>()), [0]);
    let mut dst = [0; 2000];
    assert_eq!(HERE.call(session, WD_DIR_COMPRESS, &data(10), &mut dst).0, EBUSY);
    let first = RequestInfo {
        number: 1,
        direction: Direction::Compress,
        context: 2,
        len: 1000,
        algorithm: Algorithm::Zlib,
        synchronous: false,
    };
    let second = RequestInfo { number: 2, context: 0, len: 10, synchronous: true, ..first };
    assert_eq!(*seen.lock(), [first, second]);
}

#[test]
fn a_context_that_fails_stays_failed_until_the_next_initialisation() {
    let (sim, session) = ready();
    let other = HERE.compressor();
    let mut jobs = jobs::<4>();
    sim.fault(Fault::Context(-62), 2);
    assert_eq!(submit(session, &mut jobs[..3]), [0, -62, -62]);
    assert_eq!(HERE.poll(2, 1), (-62, 0));
    assert!(jobs[0].answer().is_none());
    // The other context, and the synchronous one of the same session, keep working.
    assert_eq!(submit(other, &mut jobs[3..]), [0]);
    assert_eq!(HERE.poll(3, 1), (0, 1));
    let mut dst = [0; 2000];
    assert_eq!(HERE.call(session, WD_DIR_COMPRESS, &data(10), &mut dst).0, 0);

    let counts = sim.counts();
    assert_eq!((counts.lost, counts.in_flight, counts.sessions_lost), (1, 0, 1));
    assert!(counts.by_context[2].failed && !counts.by_context[3].failed);
    HERE.free(other);
    HERE.uninit();
    assert_eq!(HERE.init(), 0);
    assert_eq!(submit(HERE.compressor(), &mut jobs[1..2]), [0]);
    assert_eq!(HERE.poll(2, 1), (0, 1));
}

#[test]
fn a_reset_fails_all_contexts() {
    let (sim, session) = ready();
    sim.fault(Fault::Reset, 1);
    assert_eq!(submit(session, &mut jobs::<1>()), [-62]);
    for context in [2, 3, 6, 7] {
        assert_eq!(HERE.poll(context, 1), (-62, 0));
    }
    let mut dst = [0; 2000];
    assert_eq!(HERE.call(session, WD_DIR_COMPRESS, &data(10), &mut dst).0, -62);
    HERE.free(session);
    HERE.uninit();
    assert_eq!(HERE.init(), 0);
    assert_eq!(HERE.call(HERE.compressor(), WD_DIR_COMPRESS, &data(10), &mut dst).0, 0);
}

#[test]
fn a_lost_request_never_completes_and_is_written_to_late() {
    let (sim, session) = ready();
    sim.fault(Fault::Lost { write_late: true }, 1);
    sim.fault(Fault::Lost { write_late: false }, 2);
    let mut jobs = jobs::<3>();
    assert_eq!(submit(session, &mut jobs), [0, 0, 0]);
    assert_eq!(HERE.poll(2, 3), (EAGAIN, 1));
    assert!(jobs[2].answer().is_some() && jobs[0].answer().is_none());
    assert!(jobs[0].dst.iter().all(|byte| *byte == 0));
    let counts = sim.counts();
    assert_eq!((counts.lost, counts.late_writes, counts.late_writes_pending), (2, 0, 1));
    assert_eq!((counts.sessions_lost, counts.in_flight), (1, 0));

    assert_eq!(sim.write_late(), 1);
    assert!(jobs[0].dst.iter().all(|byte| *byte == 0xa5));
    assert!(jobs[1].dst.iter().all(|byte| *byte == 0));
    assert_eq!((sim.counts().late_writes, sim.write_late()), (1, 0));
    // A session that lost a request may stay alive.
    HERE.uninit();
    assert_eq!(HERE.init(), 0);
}

#[test]
fn a_late_write_can_happen_after_some_polls() {
    let (sim, session) = ready();
    sim.write_late_after(3);
    sim.fault(Fault::Lost { write_late: true }, 1);
    let mut job = Job::new(&data(1000), capacity(1000));
    assert_eq!(HERE.submit(session, &mut job, WD_DIR_COMPRESS), 0);
    for context in [2, 7] {
        HERE.poll(context, 1);
        assert_eq!(job.dst[0], 0);
    }
    HERE.poll(2, 1);
    assert_eq!(job.dst[0], 0xa5);
}

#[test]
fn lost_requests_keep_their_queue_slots() {
    let (sim, session) = ready();
    sim.full_queue(2);
    sim.fault(Fault::Lost { write_late: false }, 1);
    assert_eq!(submit(session, &mut jobs::<3>()), [0, 0, EBUSY]);
}

#[test]
fn a_synchronous_call_spins_for_a_lost_completion() {
    let (sim, session) = ready();
    let slept = Arc::new(AtomicU64::new(0));
    let (clock, sleeper) = (Arc::clone(&slept), Arc::clone(&slept));
    sim.set_clock(Arc::new(move || Duration::from_nanos(clock.load(Ordering::Relaxed))));
    sim.set_sleeper(Arc::new(move |time| {
        sleeper.fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
    }));
    sim.fault(Fault::Lost { write_late: true }, 1);
    let mut dst = [0; 2000];
    assert_eq!(HERE.call(session, WD_DIR_COMPRESS, &data(10), &mut dst).0, ETIMEDOUT);
    assert_eq!(slept.load(Ordering::Relaxed), 14_500_000_000);
    assert_eq!(dst, [0; 2000]);
    assert_eq!(sim.write_late(), 1);
    assert_eq!(dst, [0xa5; 2000]);
}

#[test]
fn a_late_request_is_overtaken() {
    let (sim, session) = ready();
    sim.fault(Fault::Late { polls: 3 }, 1);
    let mut jobs = jobs::<2>();
    assert_eq!(submit(session, &mut jobs), [0, 0]);
    assert_eq!(HERE.poll(2, 1), (0, 1));
    assert!(jobs[1].answer().is_some());
    assert_eq!(HERE.poll(3, 1), (EAGAIN, 0), "another context does not count");
    assert_eq!(HERE.poll(2, 1), (EAGAIN, 0));
    assert_eq!(HERE.poll(2, 1), (EAGAIN, 0));
    assert_eq!(HERE.poll(2, 1), (0, 1));
    assert!(jobs[0].answer().is_some());
}

#[test]
fn a_delayed_request_waits_for_the_clock() {
    let (sim, session) = ready();
    let time = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&time);
    sim.set_clock(Arc::new(move || Duration::from_millis(clock.load(Ordering::Relaxed))));
    sim.fault(Fault::Delay(Duration::from_millis(100)), 1);
    let mut job = Job::new(&data(1000), capacity(1000));
    assert_eq!(HERE.submit(session, &mut job, WD_DIR_COMPRESS), 0);
    time.store(99, Ordering::Relaxed);
    assert_eq!(HERE.poll(2, 1), (EAGAIN, 0));
    time.store(100, Ordering::Relaxed);
    assert_eq!(HERE.poll(2, 1), (0, 1));
    assert!(!job.output().is_empty());
}

#[test]
fn a_request_that_is_held_back_when_the_library_is_uninitialised_is_lost() {
    let (sim, session) = ready();
    sim.fault(Fault::Late { polls: 3 }, 1);
    let mut job = Job::new(&data(1000), capacity(1000));
    assert_eq!(HERE.submit(session, &mut job, WD_DIR_COMPRESS), 0);
    HERE.uninit();
    let counts = sim.counts();
    assert_eq!((counts.in_flight, counts.lost, counts.sessions_lost), (0, 1, 1));
    assert_eq!(HERE.init(), 0);
    assert_eq!(HERE.poll(2, 9), (EAGAIN, 0));
    assert!(job.answer().is_none());
}

#[test]
fn a_flipped_bit_is_wrong_output() {
    let (sim, session) = ready();
    let whole = HERE.compressed(session, &data(1000));
    sim.fault(Fault::FlipBit, 1);
    let flipped = HERE.compressed(session, &data(1000));
    let different = whole.iter().zip(&flipped).filter(|(a, b)| a != b).count();
    assert_eq!((different, whole.len()), (1, flipped.len()));
    let mut back = Vec::new();
    let read = flate2::read::ZlibDecoder::new(&flipped[..]).read_to_end(&mut back);
    assert!(read.is_err() || back != data(1000));
}

#[test]
fn lengths_and_statuses_can_lie() {
    let (sim, session) = ready();
    let len = HERE.compressed(session, &data(1000)).len() as u32;
    for (fault, produced, status) in [
        (Fault::ShortBy(3), len - 3, 0),
        (Fault::Claims(u32::MAX), u32::MAX, 0),
        (Fault::Status(1), len, 1),
        (Fault::Status(66), 0, 66),
    ] {
        let mut job = Job::new(&data(1000), capacity(1000));
        sim.fault(fault, 1);
        assert_eq!(HERE.submit(session, &mut job, WD_DIR_COMPRESS), 0);
        assert_eq!(HERE.poll(2, 1), (0, 1));
        let answer = job.answer().unwrap();
        assert_eq!((answer.produced, answer.status), (produced, status), "{fault:?}");
        assert_eq!(job.dst[0] != 0, status <= 1);
    }
}

#[test]
fn a_decompression_can_be_rejected() {
    let (sim, session) = ready();
    let packed = HERE.compressed(session, &data(1000));
    sim.fault(Fault::Status(67), 1);
    let mut dst = [0; 1000];
    let (code, request) = HERE.call(HERE.decompressor(), WD_DIR_DECOMPRESS, &packed, &mut dst);
    assert_eq!((code, request.status, request.dst_len), (0, 67, 0));
}

/// Completes one request with a fault.
fn hit(sim: &Simulator, session: usize, fault: Fault, op_type: u32, src: &[u8]) -> Box<Job> {
    let mut job = Job::new(src, capacity(1000));
    sim.fault(fault, 1);
    assert_eq!(HERE.submit(session, &mut job, op_type), 0);
    let context = if op_type == WD_DIR_COMPRESS { 2 } else { 6 };
    assert_eq!(HERE.poll(context, 1), (0, 1));
    job
}

#[test]
fn a_success_can_lie_about_what_was_consumed() {
    let (sim, session) = ready();
    let whole = HERE.compressed(session, &data(1000));
    for (fault, consumed) in [(Fault::Consumed(7), 7), (Fault::ConsumedShort(1), 999)] {
        let job = hit(&sim, session, fault, WD_DIR_COMPRESS, &data(1000));
        let answer = job.answer().unwrap();
        assert_eq!((answer.consumed, answer.status), (consumed, 0), "{fault:?}");
        assert_eq!(job.output(), whole, "the output is correct");
    }
    let decompressor = HERE.decompressor();
    // The second request of a direction would report the end of the stream.
    for _ in 0..2 {
        let fault = Fault::ConsumedShort(4);
        let job = hit(&sim, decompressor, fault, WD_DIR_DECOMPRESS, &whole);
        let answer = job.answer().unwrap();
        assert_eq!((answer.consumed as usize, answer.status), (whole.len() - 4, 0));
        assert_eq!(job.output(), data(1000));
    }
}

#[test]
fn a_success_can_be_empty() {
    let (sim, session) = ready();
    let whole = HERE.compressed(session, &data(1000));
    let decompressor = HERE.decompressor();
    let sources = [data(1000), whole];
    for (session, op_type) in [(session, WD_DIR_COMPRESS), (decompressor, WD_DIR_DECOMPRESS)] {
        let src = &sources[op_type as usize];
        let job = hit(&sim, session, Fault::Empty, op_type, src);
        let answer = job.answer().unwrap();
        assert_eq!((answer.consumed as usize, answer.produced), (src.len(), 0));
        assert_eq!(answer.status, 0);
        assert!(job.dst.iter().all(|byte| *byte == 0), "nothing is written");
    }
}

#[test]
fn a_stream_can_end_early() {
    let sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.init_with("zlib", [(1, 1), (1, 1)]), 0);
    for memoise in [false, true] {
        sim.memoise(memoise);
        for (alg_type, trailer) in [(WD_ZLIB, 4), (WD_GZIP, 8), (WD_DEFLATE, 1)] {
            let session = HERE.session(alg_type, WD_DIR_COMPRESS);
            let whole = HERE.compressed(session, &data(1000));
            for (fault, cut) in [(Fault::NoTrailer, trailer), (Fault::Truncated(20), 20)] {
                sim.fault(fault, 1);
                let mut dst = [0; 2000];
                let (code, request) = HERE.call(session, WD_DIR_COMPRESS, &data(1000), &mut dst);
                assert_eq!((code, request.status, request.src_len), (0, 0, 1000));
                let len = whole.len() - cut;
                assert_eq!(dst[..len], whole[..len]);
                assert_eq!(request.dst_len as usize, len, "{fault:?}");
                assert!(dst[len..].iter().all(|byte| *byte == 0), "{fault:?}: the rest is written");
            }
            HERE.free(session);
        }
    }
}

#[test]
fn a_refused_submission_can_complete_anyway() {
    let (sim, session) = ready();
    sim.fault(Fault::ReturnButKeep(-22), 1);
    let mut jobs = jobs::<2>();
    assert_eq!(submit(session, &mut jobs), [-22, 0]);
    assert_eq!(sim.counts().in_flight, 2);
    assert_eq!(HERE.poll(2, 2), (0, 2));
    assert_eq!(jobs[0].output(), jobs[1].output());
    assert_eq!(sim.counts().completed, 2);

    sim.fault(Fault::ReturnButKeep(-5), 1);
    let mut dst = [0; 2000];
    let (code, request) = HERE.call(session, WD_DIR_COMPRESS, &data(1000), &mut dst);
    assert_eq!((code, request.src_len, request.dst_len), (-5, 1000, 2000));
    assert_eq!(dst[..2], [0x78, 0x9c], "the output is written");
    HERE.free(session);
    HERE.uninit();
}

#[test]
fn a_submission_can_take_long() {
    let (sim, session) = ready();
    let slept = Arc::new(AtomicU64::new(0));
    let sleeper = Arc::clone(&slept);
    sim.set_clock(Arc::new(|| Duration::ZERO));
    sim.set_sleeper(Arc::new(move |time| {
        sleeper.fetch_add(time.as_micros() as u64, Ordering::Relaxed);
    }));
    sim.fault_every(1, Fault::SlowSubmit(Duration::from_micros(700)));
    let mut jobs = jobs::<2>();
    assert_eq!(submit(session, &mut jobs), [0, 0]);
    assert_eq!(slept.load(Ordering::Relaxed), 1400);
    assert_eq!(HERE.poll(2, 2), (0, 2));
    HERE.compressed(session, &data(10));
    assert_eq!(slept.load(Ordering::Relaxed), 2100);
}

#[test]
fn truncated_raw_deflate_is_rejected_unless_the_crash_is_asked_for() {
    let sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.init(), 0);
    let compressor = HERE.session(WD_DEFLATE, WD_DIR_COMPRESS);
    let decompressor = HERE.session(WD_DEFLATE, WD_DIR_DECOMPRESS);
    let packed = HERE.compressed(compressor, &data(1000));
    let cut = &packed[..packed.len() / 2];
    let mut job = Job::new(cut, 1000);
    assert_eq!(HERE.submit(decompressor, &mut job, WD_DIR_DECOMPRESS), 0);
    assert_eq!(HERE.poll(6, 1), (0, 1));
    assert_eq!(job.answer().unwrap().status, WD_IN_EPARA);

    // Whole streams, other formats and synchronous calls work anyway.
    sim.set_raw_deflate_crash(true);
    let mut job = Job::new(&packed, 1000);
    assert_eq!(HERE.submit(decompressor, &mut job, WD_DIR_DECOMPRESS), 0);
    assert_eq!(HERE.poll(6, 1), (0, 1));
    assert_eq!(job.output(), data(1000));
    let mut dst = [0; 1000];
    let (code, request) = HERE.call(decompressor, WD_DIR_DECOMPRESS, cut, &mut dst);
    assert_eq!((code, request.status), (0, WD_IN_EPARA));
    let zlib = HERE.compressed(HERE.compressor(), &data(1000));
    let mut job = Job::new(&zlib[..zlib.len() / 2], 1000);
    let other = HERE.decompressor();
    assert_eq!(HERE.submit(other, &mut job, WD_DIR_DECOMPRESS), 0);
    assert_eq!(HERE.poll(7, 1), (0, 1));
    assert_eq!(job.answer().unwrap().status, WD_IN_EPARA);
}
