//! Misuse that crashes the real library aborts here, with a message that says why.

mod common;

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use common::{HERE, Job, capacity, data, job_request};
use uadk_sim::{Fault, Machine, Simulator};
use uadk_sys::abi::{WD_DEFLATE, WD_DIR_COMPRESS, WD_DIR_DECOMPRESS};

/// Names the case in which this process is to crash.
const VARIABLE: &str = "UADK_SIM_CRASH";

/// The cases, and what their messages must contain.
const CASES: [(&str, &str); 16] = [
    ("allocate before", "allocated before the library is initialised"),
    ("poll before", "poll while the library is not initialised"),
    ("request after", "request while the library is not initialised"),
    ("request on an earlier session", "request on a session of an earlier initialisation"),
    ("call on an earlier session", "request on a session of an earlier initialisation"),
    ("request on a freed session", "request on a freed session"),
    ("free twice", "freed twice"),
    ("free in flight", "freed with a request in flight"),
    ("free after a loss", "freed after it lost a request"),
    ("free after a failure", "freed after it lost a request"),
    ("uninit in flight", "uninitialised while a request is in flight"),
    ("uninit alive", "uninitialised while 1 sessions are alive"),
    ("uninit during init", "uninitialised while another thread initialises it"),
    ("truncated raw deflate", "truncated raw deflate completes"),
    ("uninit another's", "uninitialised by a user that did not initialise it"),
    ("not a session", "handle is not a session"),
];

fn submit(session: usize) {
    let job = Box::leak(Job::new(&data(100), capacity(100)));
    assert_eq!(HERE.submit(session, job, WD_DIR_COMPRESS), 0);
}

fn call(session: usize) {
    HERE.call(session, WD_DIR_COMPRESS, &data(10), &mut [0; 100]);
}

/// Initialises again and returns a session of the earlier initialisation that lost a request.
fn earlier_session(sim: &Simulator) -> usize {
    let session = HERE.compressor();
    sim.fault(Fault::Lost { write_late: false }, 1);
    submit(session);
    HERE.uninit();
    assert_eq!(HERE.init(), 0);
    session
}

fn crash(case: &str) {
    let sim = Simulator::acquire(Machine::default());
    match case {
        "allocate before" => {
            HERE.compressor();
        }
        "poll before" => {
            HERE.poll_all(1, 0);
        }
        "uninit another's" => {
            assert_eq!(sim.initialise_as_other(), 0);
            HERE.uninit();
        }
        "uninit during init" => {
            let hold = sim.hold_open();
            std::thread::spawn(|| HERE.init());
            hold.wait_until_reached();
            HERE.uninit();
        }
        _ => crash_initialised(&sim, case),
    }
}

fn crash_initialised(sim: &Simulator, case: &str) {
    assert_eq!(HERE.init(), 0);
    match case {
        "request after" => {
            let session = earlier_session(sim);
            HERE.uninit();
            submit(session);
        }
        "request on an earlier session" => submit(earlier_session(sim)),
        "call on an earlier session" => call(earlier_session(sim)),
        "request on a freed session" => {
            let session = HERE.compressor();
            HERE.free(session);
            submit(session);
        }
        "free twice" => {
            let session = HERE.compressor();
            HERE.free(session);
            HERE.free(session);
        }
        "free in flight" => {
            let session = HERE.compressor();
            submit(session);
            HERE.free(session);
        }
        "free after a loss" => {
            let session = HERE.compressor();
            sim.fault(Fault::Lost { write_late: true }, 1);
            submit(session);
            HERE.free(session);
        }
        "free after a failure" => {
            let session = HERE.compressor();
            submit(session);
            sim.reset_device();
            HERE.free(session);
        }
        "uninit in flight" => {
            submit(HERE.compressor());
            HERE.uninit();
        }
        "truncated raw deflate" => {
            sim.set_raw_deflate_crash(true);
            let packed = HERE.compressed(HERE.session(WD_DEFLATE, WD_DIR_COMPRESS), &data(1000));
            let mut job = Job::new(&packed[..packed.len() / 2], 1000);
            let session = HERE.session(WD_DEFLATE, WD_DIR_DECOMPRESS);
            assert_eq!(HERE.submit(session, &mut job, WD_DIR_DECOMPRESS), 0);
            HERE.poll(6, 1);
        }
        "uninit alive" => {
            HERE.compressor();
            HERE.uninit();
        }
        "not a session" => {
            let memory = vec![0u64; 64];
            let mut job = Job::new(&data(10), 100);
            let mut request = job_request(&mut job, WD_DIR_COMPRESS);
            HERE.submit_raw(memory.as_ptr().expose_provenance(), &mut request);
        }
        _ => panic!("no such case: {case}"),
    }
}

/// Does nothing unless [`each_case_aborts_and_says_why`] starts it.
#[test]
fn case() {
    if let Ok(case) = std::env::var(VARIABLE) {
        crash(&case);
    }
}

#[test]
fn each_case_aborts_and_says_why() {
    const SIGABRT: i32 = 6;
    for (case, expected) in CASES {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "case"])
            .env(VARIABLE, case)
            .output()
            .expect("starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.signal(), Some(SIGABRT), "{case}: {stderr}");
        let line = stderr.lines().find(|line| line.starts_with("uadk-sim: ")).unwrap_or_default();
        assert!(line.contains(expected), "{case}: {stderr}");
        assert!(line.ends_with(": the real library crashes here"), "{case}: {stderr}");
    }
}
