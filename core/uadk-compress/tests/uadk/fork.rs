//! A forked process: both go on with devices of their own.

#![allow(unsafe_code, reason = "to fork is unsafe")]

use crate::rig::Rig;

/// Runs `child` in a forked process; whether it returned true.
fn in_child(child: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child runs what the test gives it, and leaves without unwinding or running
    // anything of its parent's. Other test threads hold no lock that it needs: they wait for the
    // simulator, which this test has.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork failed");
    if pid == 0 {
        let passed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child));
        let code = i32::from(!passed.unwrap_or(false));
        // SAFETY: ends the process.
        unsafe { libc::_exit(code) };
    }
    let mut status = 0;
    // SAFETY: a child of this process, and a place for its status.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0
}

#[test]
fn parent_and_child_both_go_on_with_the_device() {
    let rig = Rig::new();
    rig.compress(1);
    rig.decompress(1);
    let before = rig.stats().accelerator.blocks();
    let child = in_child(|| {
        rig.compress(2);
        rig.decompress(2);
        rig.compress_batch(64);
        let uadk = rig.uadk.stats();
        rig.stats().accelerator.blocks() == before + 66
            && (uadk.initialisations, uadk.sessions) == (1, 2)
    });
    assert!(child, "the child's blocks did not go to the device");
    rig.compress(3);
    rig.decompress(3);
    assert_eq!(rig.stats().accelerator.blocks(), before + 2);
    assert_eq!(rig.uadk.stats().sessions, 2, "the same two");
}

#[test]
fn a_child_can_end_without_harm_to_its_parent() {
    let rig = Rig::new();
    rig.compress_batch(10);
    let child = in_child(|| {
        std::thread::scope(|scope| {
            scope.spawn(|| rig.compress(1));
        });
        true
    });
    assert!(child);
    rig.compress_batch(10);
    assert_eq!(rig.stats().software.blocks(), 0);
}
