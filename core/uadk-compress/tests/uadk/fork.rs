//! Forking: parent and child each continue with their own use of the device.

#![allow(unsafe_code, reason = "forking is unsafe")]

use crate::rig::Rig;

/// Runs `child` in a forked process. Returns whether it returned `true`.
fn in_child(child: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child runs the test's closure and exits without unwinding into or running any of
    // its parent's code. Other test threads hold no lock that it needs: they wait for the
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
    // SAFETY: a child of this process, and valid memory for its status.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0
}

#[test]
fn parent_and_child_both_keep_using_the_device() {
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
fn a_child_can_end_without_affecting_its_parent() {
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
