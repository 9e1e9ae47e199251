//! Scripts.

mod common;

use std::time::{Duration, Instant};

use common::{HERE, Job, capacity, data, lz};
use uadk_sim::{Machine, Simulator};
use uadk_sys::abi::{
    EBUSY, EEXIST, EINVAL, ENODEV, ENOMEM, ETIMEDOUT, WD_DEFLATE, WD_DIR_COMPRESS,
    WD_DIR_DECOMPRESS, WD_LZ4,
};

fn simulator(script: &str) -> Simulator {
    let sim = Simulator::acquire(Machine::default());
    sim.script(script).unwrap();
    sim
}

#[test]
fn machines() {
    for (script, code) in [
        ("machine=no-device", EINVAL),
        ("machine=isolated", ENODEV),
        ("machine=no-permission", ENOMEM),
        ("permission=no", ENOMEM),
        ("isolated=yes", ENODEV),
        ("node=busy", ETIMEDOUT),
        ("queues=taken", ENODEV),
        ("available=0", ENODEV),
        ("available=9; queues=taken", ETIMEDOUT),
        ("available=0; available=actual", 0),
        ("open-delay=1", 0),
        ("contexts=7", ENODEV),
        ("other=init", EEXIST),
        ("device=absent; machine=full", 0),
        (" ; contexts = 8 ;", 0),
    ] {
        let _sim = simulator(script);
        assert_eq!(HERE.init(), code, "{script}");
    }
    for (script, algorithm, code) in [
        ("machine=lz77", "lz4", 0),
        ("machine=lz77-zstd", "lz77_zstd", 0),
        ("machine=lz77-zstd", "lz4", EINVAL),
        ("algorithms=lz4", "lz4", 0),
        ("algorithms=zlib, lz4", "lz77_only", EINVAL),
    ] {
        let _sim = simulator(script);
        assert_eq!(HERE.init_with(algorithm, [(1, 1); 2]), code, "{script}");
    }
    for (script, code) in [("queue-version=2", EINVAL), ("queue-version=5", 0)] {
        let _sim = simulator(&format!("machine=lz77; {script}"));
        assert_eq!(HERE.init(), 0);
        let mut job = lz::job(b"abc");
        let session = HERE.session(WD_LZ4, WD_DIR_COMPRESS);
        assert_eq!(HERE.submit(session, &mut job, WD_DIR_COMPRESS), code, "{script}");
    }
    let _sim = simulator("nodes=0,3; machine=no-raw-deflate; nodes=0,3");
    assert_eq!(HERE.init(), 0);
    assert_eq!(HERE.poll(10, 1).0, -11);
    assert_eq!(HERE.init_with("deflate", [(1, 1); 2]), EEXIST);
}

#[test]
fn the_same_seed_causes_the_same_faults() {
    const SCRIPT: &str = "busy=1/10; flip=1/50; lost=1/40:3; late=1/20:2; status=1/30:67";
    let run = |seed: u32| {
        let sim = simulator(&format!("seed={seed}; {SCRIPT}"));
        assert_eq!(HERE.init(), 0);
        let session = HERE.compressor();
        let mut outcome = Vec::new();
        for _ in 0..300 {
            let job = Box::leak(Job::new(&data(500), capacity(500)));
            let code = HERE.submit(session, job, WD_DIR_COMPRESS);
            let polls = (1..5).find(|_| HERE.poll(2, 1).1 == 1);
            outcome.push((code, polls, job.dst.clone(), job.answer().map(|answer| answer.status)));
        }
        let counts = sim.counts();
        assert!(counts.lost > 0 && counts.late_writes > 0);
        outcome
    };
    let first = run(7);
    assert!(first == run(7));
    assert!(first != run(8));
    let count = |wanted: fn(&i32) -> bool| first.iter().filter(|seen| wanted(&seen.0)).count();
    assert!((15..60).contains(&count(|code| *code == EBUSY)));
    assert!(count(|code| *code == 0) > 200);
}

#[test]
fn each_rate_injects_its_own_fault() {
    type Seen = (i32, u32, u32, u32);
    let len = {
        let _sim = simulator("");
        assert_eq!(HERE.init(), 0);
        HERE.compressed(HERE.compressor(), &data(500)).len() as u32
    };
    let cases: [(&str, Seen); 9] = [
        ("consumed=1/1:99", (0, 99, len, 0)),
        ("consumed-short=1/1:1", (0, 499, len, 0)),
        ("empty=1/1", (0, 500, 0, 0)),
        ("truncated=1/1:20", (0, 500, len - 20, 0)),
        ("no-trailer=1/1", (0, 500, len - 4, 0)),
        ("keeps=1/1:-5", (-5, 500, len, 0)),
        ("submit-delay=1/1:50", (0, 500, len, 0)),
        ("empty=9/2; empty=0", (0, 500, len, 0)),
        ("status=1/1:66", (0, 0, 0, 66)),
    ];
    for (script, expected) in cases {
        let _sim = simulator(script);
        assert_eq!(HERE.init(), 0);
        let mut job = Job::new(&data(500), capacity(500));
        let began = Instant::now();
        let code = HERE.submit(HERE.compressor(), &mut job, WD_DIR_COMPRESS);
        let took = began.elapsed();
        assert_eq!(HERE.poll(2, 1), (0, 1), "{script}");
        let answer = job.answer().unwrap();
        assert_eq!((code, answer.consumed, answer.produced, answer.status), expected, "{script}");
        assert!(!script.starts_with("submit") || took >= Duration::from_micros(50), "{took:?}");
    }
}

#[test]
fn truncated_raw_deflate_crashes_on_demand() {
    let sim = simulator("raw-deflate-crash=yes");
    let error = sim.script("raw-deflate-crash=maybe").unwrap_err();
    assert!(error.to_string().contains("yes or no"), "{error}");
    sim.script("raw-deflate-crash=no").unwrap();
    assert_eq!(HERE.init(), 0);
    let packed = HERE.compressed(HERE.session(WD_DEFLATE, WD_DIR_COMPRESS), &data(1000));
    let mut job = Job::new(&packed[..20], 1000);
    let session = HERE.session(WD_DEFLATE, WD_DIR_DECOMPRESS);
    assert_eq!(HERE.submit(session, &mut job, WD_DIR_DECOMPRESS), 0);
    assert_eq!(HERE.poll(6, 1), (0, 1));
}

#[test]
fn events_happen_immediately() {
    let sim = simulator("");
    assert_eq!(HERE.init(), 0);
    sim.script("fail-context=3").unwrap();
    assert_eq!((HERE.poll(2, 1).0, HERE.poll(3, 1).0), (-11, -62));
    sim.script("reset-device").unwrap();
    assert_eq!(HERE.poll(2, 1).0, -62);
}

#[test]
fn an_invalid_word_is_named() {
    let sim = simulator("");
    for word in [
        "bsy=1/50",
        "busy=1",
        "busy=1/0",
        "busy=1/5:3",
        "late=1/5",
        "device=maybe",
        "memoise=1",
        "contexts=many",
        "available=some",
        "open-delay=long",
        "empty=1/5:3",
        "keeps=1/5",
        "nodes=0,1,2,3,4,5,6,7,8",
        "algorithms=lzma",
        "queue-version=new",
        "literals=1/5",
        "zero-offset=1/5:3",
        "reset-device=2",
        "machine",
    ] {
        let error = sim.script(&format!("seed=1; {word}; seed=2")).unwrap_err().to_string();
        assert!(error.contains(&format!("{word:?}")), "{error}");
    }
}
