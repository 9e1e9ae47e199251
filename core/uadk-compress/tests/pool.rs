//! Pools under a process limit.

use std::io::Write;
use std::process::Command;

use rustix::process::{Resource, Rlimit, Uid, getuid, setrlimit};
use uadk_compress::pool::Pool;
use uadk_compress::{Format, Level, SegmentWriter};

const CHILD: &str = "UADK_COMPRESS_TEST_NO_THREADS";

/// Runs in a separate process, since other tests need threads.
#[test]
fn without_threads_the_calling_thread_does_the_work() {
    let name = "without_threads_the_calling_thread_does_the_work";
    if std::env::var_os(CHILD).is_some() {
        return work_without_threads();
    }
    let this = std::env::current_exe().expect("this test");
    let child = Command::new(this).args(["--exact", name, "--nocapture"]).env(CHILD, "1").output();
    let output = child.expect("the child starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
}

fn work_without_threads() {
    let limit = Rlimit { current: Some(1), maximum: Some(1) };
    setrlimit(Resource::Nproc, limit).expect("limits may be lowered");
    if getuid().is_root() {
        // The limit does not apply to root. This changes the user of this thread only.
        rustix::thread::set_thread_uid(Uid::from_raw(65534)).expect("root may change its user");
    }
    let refused = std::thread::Builder::new().spawn(|| ());
    assert!(refused.is_err(), "this system does not enforce RLIMIT_NPROC");

    let mut pool = Pool::new("refused", 4, || (), |(), n: &mut u64| *n += 1);
    for n in 0..10 {
        pool.submit(n).expect("the previous job was taken");
        assert_eq!(pool.take(), Some(Ok(n + 1)));
    }
    std::thread::scope(|scope| {
        let mut pool = Pool::scoped(scope, "refused", 4, || (), |(), n: &mut u64| *n += 1);
        pool.submit(7).expect("empty");
        assert_eq!(pool.take(), Some(Ok(8)));
    });

    let data = b"as many threads as there are ".repeat(50_000);
    let write = |threads| {
        let writer = SegmentWriter::new(Vec::new(), Format::Gzip, Level::BALANCED, threads);
        let mut writer = writer.expect("a supported format");
        writer.write_all(&data).expect("writes to memory");
        writer.finish().expect("writes to memory")
    };
    assert!(write(8) == write(1));
}
