//! The state of a forked child.

mod common;

use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{HERE, Job, capacity, data};
use uadk_sim::{Machine, Simulator};
use uadk_sys::abi::{EEXIST, WD_DIR_COMPRESS};

/// Runs `child` in a forked child. Returns the status from `waitpid`.
fn in_child(child: impl FnOnce()) -> i32 {
    // SAFETY: the child runs only code that the simulator is prepared for, and exits without
    // returning.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork failed");
    if pid == 0 {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child));
        // SAFETY: ends the child.
        unsafe { libc::_exit(i32::from(done.is_err())) };
    }
    let mut status = 0;
    // SAFETY: a child of this process, and valid memory for its status.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    status
}

#[test]
fn a_child_initialises_again_while_the_parent_continues() {
    let sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.init(), 0);
    let session = HERE.compressor();
    let mut job = Job::new(&data(100), capacity(100));
    assert_eq!(HERE.submit(session, &mut job, WD_DIR_COMPRESS), 0);

    let status = in_child(|| {
        let counts = sim.counts();
        assert_eq!((counts.inits, counts.sessions_alive, counts.in_flight), (0, 0, 0));
        HERE.free(session);
        assert_eq!(HERE.init(), 0);
        assert_eq!(HERE.init(), EEXIST);
        let own = HERE.compressor();
        assert_eq!(HERE.submit(own, &mut job, WD_DIR_COMPRESS), 0);
        assert_eq!(HERE.poll(2, 1), (0, 1));
        HERE.free(own);
        HERE.uninit();
        // The simulator's holder is in the parent.
        drop(Simulator::acquire(Machine::default()));
    });
    assert_eq!(status, 0);

    assert_eq!(HERE.init(), EEXIST);
    assert_eq!(HERE.poll(2, 1), (0, 1));
    assert!(!job.output().is_empty());
    HERE.free(session);
    HERE.uninit();
}

#[test]
fn an_initialisation_that_is_held_in_the_parent_is_unknown_to_a_child() {
    let sim = Simulator::acquire(Machine::default());
    let hold = sim.hold_open();
    let initialising = std::thread::spawn(|| HERE.init());
    hold.wait_until_reached();
    let controls = &sim;
    let status = in_child(move || {
        assert_eq!(controls.counts().initialising, 0);
        assert_eq!(HERE.init(), 0);
        drop(hold);
        HERE.uninit();
    });
    // In the parent, the closure has been dropped too, and the hold with it.
    assert_eq!(status, 0);
    assert_eq!(initialising.join().unwrap(), 0);
}

#[test]
fn inherited_sessions_can_not_be_used() {
    let _sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.init(), 0);
    let session = HERE.compressor();
    let status = in_child(|| {
        // Other tests check the message; here a backtrace would only confuse.
        let null = std::fs::File::create("/dev/null").unwrap();
        for descriptor in [1, 2] {
            // SAFETY: only affects the child's descriptors.
            unsafe { libc::dup2(null.as_raw_fd(), descriptor) };
        }
        let mut job = Job::new(&data(100), capacity(100));
        HERE.submit(session, &mut job, WD_DIR_COMPRESS);
    });
    assert!(libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGABRT, "{status:#x}");
}

#[test]
fn no_lock_is_left_held_in_the_child() {
    let sim = Simulator::acquire(Machine::default());
    sim.memoise(true);
    assert_eq!(HERE.init(), 0);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let session = HERE.compressor();
                let mut job = Job::new(&data(100), capacity(100));
                let mut dst = [0; 400];
                while !stop.load(Ordering::Relaxed) {
                    assert_eq!(HERE.submit(session, &mut job, WD_DIR_COMPRESS), 0);
                    while HERE.poll(2, 1).1 + HERE.poll(3, 1).1 == 0 && job.answer().is_none() {}
                    assert_eq!(HERE.call(session, WD_DIR_COMPRESS, &data(100), &mut dst).0, 0);
                }
                HERE.free(session);
            });
        }
        for _ in 0..50 {
            let status = in_child(|| {
                assert_eq!(HERE.init(), 0);
                let own = HERE.compressor();
                let mut job = Job::new(&data(100), capacity(100));
                assert_eq!(HERE.submit(own, &mut job, WD_DIR_COMPRESS), 0);
                assert_eq!(HERE.poll(2, 1), (0, 1));
                HERE.compressed(own, &data(10));
                sim.clear_faults();
                assert_eq!(sim.counts().in_flight, 0);
            });
            assert_eq!(status, 0);
        }
        stop.store(true, Ordering::Relaxed);
    });
}
