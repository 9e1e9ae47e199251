//! What ends in a crash of the real library aborts here, and says why.

mod common;

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use common::{HERE, Job, data, job_request, room};
use uadk_sim::{Fault, Machine, Simulator};
use uadk_sys::abi::{WD_DEFLATE, WD_DIR_COMPRESS, WD_DIR_DECOMPRESS};

/// Names the case that this process is to crash in.
const VARIABLE: &str = "UADK_SIM_CRASH";

/// What is done, by name, and what must be said.
const CASES: [(&str, &str); 16] = [
    ("allocate before", "allocated before the library is initialised"),
    ("poll before", "a poll while the library is not initialised"),
    ("request after", "a request while the library is not initialised"),
    ("request of an earlier one", "a request on a session of an earlier initialisation"),
    ("call of an earlier one", "a request on a session of an earlier initialisation"),
    ("request on a freed one", "a request on a session that was freed"),
    ("free twice", "freed twice"),
    ("free in flight", "freed while it has a request in flight"),
    ("free after a loss", "freed although it lost a request"),
    ("free after a failure", "freed although it lost a request"),
    ("undo in flight", "uninitialised while a request is in flight"),
    ("undo alive", "uninitialised while 1 sessions are alive"),
    ("undo while it begins", "uninitialised while another thread initialises it"),
    ("truncated raw deflate", "raw deflate that ends early"),
    ("undo another's", "somebody else made is undone"),
    ("not a session", "a handle that is no session"),
];

fn submit(session: usize) {
    let job = Box::leak(Job::new(&data(100), room(100)));
    assert_eq!(HERE.submit(session, job, WD_DIR_COMPRESS), 0);
}

fn call(session: usize) {
    HERE.call(session, WD_DIR_COMPRESS, &data(10), &mut [0; 100]);
}

/// A session that has lost a request, after another initialisation.
fn of_an_earlier_one(sim: &Simulator) -> usize {
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
        "undo another's" => {
            assert_eq!(sim.initialise_as_other(), 0);
            HERE.uninit();
        }
        "undo while it begins" => {
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
            let session = of_an_earlier_one(sim);
            HERE.uninit();
            submit(session);
        }
        "request of an earlier one" => submit(of_an_earlier_one(sim)),
        "call of an earlier one" => call(of_an_earlier_one(sim)),
        "request on a freed one" => {
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
        "undo in flight" => {
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
        "undo alive" => {
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
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.signal(), Some(SIGABRT), "{case}: {said}");
        let line = said.lines().find(|line| line.starts_with("uadk-sim: ")).unwrap_or_default();
        assert!(line.contains(expected), "{case}: {said}");
        assert!(line.ends_with(": the real library crashes here"), "{case}: {said}");
    }
}
