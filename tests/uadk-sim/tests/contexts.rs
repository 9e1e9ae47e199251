//! How contexts are numbered, and which context a session gets.

mod common;

use common::{HERE, Job, capacity, data, setup};
use uadk_sim::{Machine, Simulator};
use uadk_sys::abi::{
    EAGAIN, EINVAL, WD_DIR_COMPRESS, WD_DIR_DECOMPRESS, WD_ZLIB, bitmask, wd_ctx_nums,
    wd_ctx_params,
};

/// Returns the context that a session's asynchronous request completes on.
fn context_of(session: usize, op_type: u32) -> u32 {
    let mut job = Job::new(&data(100), capacity(100));
    assert_eq!(HERE.submit(session, &mut job, op_type), 0);
    (0..64).find(|context| HERE.poll(*context, 1) == (0, 1)).expect("completes somewhere")
}

#[test]
fn synchronous_contexts_come_first_and_compression_before_decompression() {
    let _sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.init_with("zlib", [(2, 2), (1, 3)]), 0);
    let asynchronous = |context: &u32| HERE.poll(*context, 1) == (EAGAIN, 0);
    assert_eq!((0..20).filter(asynchronous).collect::<Vec<_>>(), [2, 3, 5, 6, 7]);
    assert_eq!(HERE.poll(0, 1), (EINVAL, 0));
    assert_eq!(HERE.poll(8, 1), (EINVAL, 0));
    assert_eq!(HERE.poll(u32::MAX, 1), (EINVAL, 0));
}

#[test]
fn sessions_take_contexts_in_turn_and_keep_them() {
    let _sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.init(), 0);
    let sessions = [(); 3].map(|()| HERE.compressor());
    for _ in 0..2 {
        assert_eq!(sessions.map(|session| context_of(session, WD_DIR_COMPRESS)), [2, 3, 2]);
    }
    let session = HERE.decompressor();
    assert_eq!(context_of(session, WD_DIR_DECOMPRESS), 6);
}

#[test]
fn contexts_are_numbered_by_node_and_a_session_gets_its_nodes() {
    let _sim = Simulator::acquire(Machine::with_numa_nodes(&[2, 0]));
    assert_eq!(HERE.init_with("zlib", [(1, 1), (1, 1)]), 0);
    let on = |numa_id| HERE.session_with(common::Setup { numa_id, ..setup(WD_ZLIB, 0) });
    assert_eq!(context_of(on(0), WD_DIR_COMPRESS), 1);
    assert_eq!(context_of(on(2), WD_DIR_COMPRESS), 5);
    assert_eq!(context_of(on(-1), WD_DIR_COMPRESS), 1);
    // For a node without a device, the first node that has contexts.
    assert_eq!(context_of(on(1), WD_DIR_COMPRESS), 1);
    assert_eq!(on(3), 0);
}

#[test]
fn only_the_requested_nodes_are_used() {
    let _sim = Simulator::acquire(Machine::with_numa_nodes(&[0, 1]));
    let mut nums = [wd_ctx_nums { sync_ctx_num: 0, async_ctx_num: 1 }; 2];
    let mut word = 0b10;
    let mut nodes = bitmask { size: 64, maskp: &raw mut word };
    let mut params = wd_ctx_params {
        op_type_num: 2,
        ctx_set_num: nums.as_mut_ptr(),
        bmp: &raw mut nodes,
        cap: std::ptr::null_mut(),
    };
    let zlib = c"zlib".as_ptr().cast_mut();
    // SAFETY: all of it is valid.
    assert_eq!(unsafe { (HERE.0.wd_comp_init2_)(zlib, 0, 1, &raw mut params) }, 0);
    assert_eq!(HERE.poll(1, 1), (EAGAIN, 0));
    assert_eq!(HERE.poll(2, 1), (EINVAL, 0));
}

#[test]
fn without_synchronous_contexts_a_synchronous_call_is_invalid() {
    let _sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.init_with("zlib", [(0, 1), (0, 1)]), 0);
    let session = HERE.compressor();
    let mut dst = [0; 200];
    assert_eq!(HERE.call(session, WD_DIR_COMPRESS, &data(100), &mut dst).0, EINVAL);
    assert_eq!(context_of(session, WD_DIR_COMPRESS), 0);
}

#[test]
fn a_direction_without_contexts_has_no_sessions() {
    let _sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.init_with("zlib", [(1, 1), (0, 0)]), 0);
    assert_ne!(HERE.compressor(), 0);
    assert_eq!(HERE.decompressor(), 0);
}
