//! How asynchronous requests complete.

mod common;

use std::ffi::c_void;
use std::time::{Duration, Instant};

use common::{HERE, Job, capacity, data, job_request};
use uadk_sim::{Machine, Simulator};
use uadk_sys::abi::{EAGAIN, EBUSY, EINVAL, WD_DIR_COMPRESS, WD_DIR_DECOMPRESS, wd_comp_req};

fn ready() -> Simulator {
    let sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.init(), 0);
    sim
}

#[expect(clippy::vec_box, reason = "a job in flight must not move")]
fn jobs(count: usize) -> Vec<Box<Job>> {
    (0..count).map(|_| Job::new(&data(100), capacity(100))).collect()
}

#[test]
fn requests_complete_only_in_polls_and_on_the_polling_thread() {
    let _sim = ready();
    let session = HERE.compressor();
    let mut job = Job::new(&data(100), capacity(100));
    assert_eq!(HERE.submit(session, &mut job, WD_DIR_COMPRESS), 0);
    assert!(job.answer().is_none() && job.dst.iter().all(|byte| *byte == 0));
    let poller = std::thread::spawn(|| {
        assert_eq!(HERE.poll(2, 1), (0, 1));
        std::thread::current().id()
    });
    let poller = poller.join().unwrap();
    assert_eq!(job.answer().unwrap().thread, poller);
    let whole = HERE.compressed(session, &data(100));
    assert_eq!(job.output(), whole);
}

#[test]
fn polling_a_context_completes_up_to_the_expected_number_and_reports_fewer() {
    let _sim = ready();
    let session = HERE.compressor();
    let mut jobs = jobs(5);
    for job in &mut jobs {
        assert_eq!(HERE.submit(session, job, WD_DIR_COMPRESS), 0);
    }
    assert_eq!(HERE.poll(2, 2), (0, 2));
    assert_eq!(HERE.poll(2, 0), (EINVAL, 77));
    assert_eq!(HERE.poll(2, 9), (EAGAIN, 3));
    assert_eq!(HERE.poll(2, 1), (EAGAIN, 0));
    assert!(jobs.iter().all(|job| job.answer().is_some()));
}

#[test]
fn completions_come_in_order() {
    let _sim = ready();
    let session = HERE.compressor();
    let mut jobs = jobs(5);
    for job in &mut jobs {
        assert_eq!(HERE.submit(session, job, WD_DIR_COMPRESS), 0);
    }
    for job in &jobs {
        assert!(job.answer().is_none());
        assert_eq!(HERE.poll(2, 1), (0, 1));
        assert!(job.answer().is_some());
    }
}

#[test]
fn the_request_is_copied_and_recycled() {
    let _sim = ready();
    let session = HERE.compressor();
    let mut job = Job::new(&data(100), capacity(100));
    let mut request = job_request(&mut job, WD_DIR_COMPRESS);
    assert_eq!(HERE.submit_raw(session, &mut request), 0);
    request.dst = std::ptr::null_mut();
    assert_eq!(HERE.poll(2, 1), (0, 1));
    let seen = job.answer().unwrap().request;
    assert_ne!(seen, &raw const request);
    // SAFETY: the library keeps its messages.
    let kept = unsafe { *seen };
    assert_eq!((kept.status, kept.dst_len), (0xe7e7_e7e7, 0xe7e7_e7e7));
}

#[test]
fn polling_all_adds_to_the_count() {
    let _sim = ready();
    let (compressor, decompressor) = (HERE.compressor(), HERE.decompressor());
    let packed = HERE.compressed(compressor, &data(100));
    let mut jobs = jobs(3);
    for job in &mut jobs {
        assert_eq!(HERE.submit(compressor, job, WD_DIR_COMPRESS), 0);
    }
    let mut back = Job::new(&packed, 100);
    assert_eq!(HERE.submit(decompressor, &mut back, WD_DIR_DECOMPRESS), 0);
    assert_eq!(HERE.poll_all(8, 4), (0, 8));
    assert_eq!(back.output(), data(100));
}

#[test]
fn polling_all_for_one_completes_one_of_each_direction() {
    let _sim = ready();
    let mut jobs = jobs(1);
    assert_eq!(HERE.submit(HERE.compressor(), &mut jobs[0], WD_DIR_COMPRESS), 0);
    let packed = HERE.compressed(HERE.compressor(), &data(100));
    let mut back = Job::new(&packed, 100);
    assert_eq!(HERE.submit(HERE.decompressor(), &mut back, WD_DIR_DECOMPRESS), 0);
    // The real library compares for equality, and only after each direction had its turn.
    assert_eq!(HERE.poll_all(1, 0), (0, 2));
}

#[test]
fn an_empty_poll_of_all_spins() {
    let sim = ready();
    let began = Instant::now();
    assert_eq!(HERE.poll_all(1, 0), (0, 0));
    assert!(began.elapsed() >= Duration::from_micros(200));
    assert!(sim.counts().polls >= 999 * 4);
}

#[test]
fn one_faulty_context_hides_those_after_it() {
    let sim = ready();
    let sessions = [(); 2].map(|()| HERE.compressor());
    let mut jobs = jobs(2);
    for (session, job) in sessions.into_iter().zip(&mut jobs) {
        assert_eq!(HERE.submit(session, job, WD_DIR_COMPRESS), 0);
    }
    sim.fail_context(2);
    assert_eq!(HERE.poll_all(2, 0), (-62, 0));
    assert_eq!(HERE.poll(2, 1), (-62, 0));
    assert_eq!(HERE.poll(3, 1), (0, 1));
    assert!(jobs[0].answer().is_none() && jobs[1].answer().is_some());
}

#[test]
fn a_full_queue_is_busy() {
    let sim = ready();
    let session = HERE.compressor();
    let mut jobs = jobs(1024);
    for job in &mut jobs[..1023] {
        assert_eq!(HERE.submit(session, job, WD_DIR_COMPRESS), 0);
    }
    assert_eq!(HERE.submit(session, &mut jobs[1023], WD_DIR_COMPRESS), EBUSY);
    let other = HERE.compressor();
    assert_eq!(HERE.submit(other, &mut jobs[1023], WD_DIR_COMPRESS), 0);
    assert_eq!(HERE.poll(2, 2000), (EAGAIN, 1023));
    assert_eq!(HERE.poll(3, 1), (0, 1));
    sim.full_queue(1);
    assert_eq!(HERE.submit(session, &mut jobs[0], WD_DIR_COMPRESS), 0);
    assert_eq!(HERE.submit(session, &mut jobs[1], WD_DIR_COMPRESS), EBUSY);
    assert_eq!(HERE.poll(2, 1), (0, 1));
    assert_eq!(sim.counts().busy, 2);
}

#[test]
fn a_callback_may_submit_and_poll() {
    struct Nested {
        session: usize,
        inner: Box<Job>,
        polled: (i32, u32),
    }
    unsafe extern "C" fn nest(_: *mut wd_comp_req, param: *mut c_void) -> *mut c_void {
        // SAFETY: the parameter of this test, which no one else uses meanwhile.
        let nested = unsafe { &mut *param.cast::<Nested>() };
        assert_eq!(HERE.submit(nested.session, &mut nested.inner, WD_DIR_COMPRESS), 0);
        nested.polled = HERE.poll(2, 1);
        std::ptr::null_mut()
    }
    let _sim = ready();
    let session = HERE.compressor();
    let mut outer = Job::new(&data(100), capacity(100));
    let mut nested = Nested { session, inner: Job::new(&data(50), capacity(50)), polled: (9, 9) };
    let mut request = job_request(&mut outer, WD_DIR_COMPRESS);
    request.cb = Some(nest);
    request.cb_param = (&raw mut nested).cast();
    assert_eq!(HERE.submit_raw(session, &mut request), 0);
    assert_eq!(HERE.poll(2, 1), (0, 1));
    assert_eq!(nested.polled, (0, 1));
    assert!(nested.inner.answer().is_some());
}

#[test]
fn many_threads_submit_and_poll_the_same_context() {
    const THREADS: usize = 4;
    const EACH: usize = 500;
    let sim = ready();
    let session = HERE.compressor();
    let whole = HERE.compressed(session, &data(100));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut jobs = jobs(EACH);
                for job in &mut jobs {
                    while HERE.submit(session, job, WD_DIR_COMPRESS) == EBUSY {
                        HERE.poll(2, 16);
                    }
                }
                while jobs.iter().any(|job| job.answer().is_none()) {
                    HERE.poll(2, 16);
                }
                assert!(jobs.iter().all(|job| job.output() == whole));
            });
        }
    });
    let counts = sim.counts();
    assert_eq!(counts.by_context[2].completed, (THREADS * EACH) as u64);
    assert_eq!(counts.in_flight, 0);
    HERE.free(session);
    HERE.uninit();
}

#[test]
fn polling_a_context_without_an_initialisation_is_invalid() {
    let _sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.poll(2, 1), (EINVAL, 0));
    assert_eq!(HERE.init(), 0);
    HERE.uninit();
    assert_eq!(HERE.poll(2, 1), (EINVAL, 0));
}
