//! Allocating sessions.

mod common;

use common::{HERE, Setup, capacity, data, setup};
use uadk_sim::{Machine, Simulator};
use uadk_sys::abi::{WD_DIR_COMPRESS, WD_DIR_DECOMPRESS, WD_ZLIB, wd_comp_sess_setup, wd_mm_ops};

#[test]
fn the_whole_setup_and_the_bytes_after_it_are_written_to() {
    #[repr(C)]
    struct WithGuard {
        setup: wd_comp_sess_setup,
        guard: [u8; 128],
    }
    let _sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.init(), 0);
    let mut given = WithGuard {
        setup: wd_comp_sess_setup {
            alg_type: WD_ZLIB,
            comp_lv: 15,
            win_sz: 4,
            op_type: WD_DIR_COMPRESS,
            sched_param: std::ptr::null_mut(),
            mm_ops: wd_mm_ops { operations: [std::ptr::null_mut(); 6], sva_mode: false },
            mm_type: 0,
        },
        guard: [0; 128],
    };
    let pointer = (&raw mut given).cast();
    // SAFETY: a setup followed by writable bytes.
    let session = unsafe { (HERE.0.wd_comp_alloc_sess)(pointer) };
    assert_ne!(session, 0);
    assert!(given.setup.mm_ops.sva_mode);
    assert!(!given.setup.mm_ops.operations[0].is_null());
    assert!(given.guard[..64].iter().all(|byte| *byte != 0));
    assert_eq!(given.guard[64..], [0; 64]);
    assert_eq!((given.setup.alg_type, given.setup.comp_lv), (WD_ZLIB, 15));
}

#[test]
fn parameters_out_of_range_are_refused() {
    let sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.init(), 0);
    assert_eq!(HERE.session(9, WD_DIR_COMPRESS), 0);
    assert_eq!(HERE.session(WD_ZLIB, 2), 0);
    let window = Setup { win_sz: 5, ..setup(WD_ZLIB, WD_DIR_COMPRESS) };
    assert_eq!(HERE.session_with(window), 0);
    // SAFETY: null is allowed.
    assert_eq!(unsafe { (HERE.0.wd_comp_alloc_sess)(std::ptr::null_mut()) }, 0);
    HERE.free(0);
    assert_eq!(sim.counts().sessions_allocated, 0);
}

#[test]
fn the_wrong_scheduling_direction_compresses_again_without_an_error() {
    let _sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.init(), 0);
    let data = data(5000);
    let compressor = HERE.compressor();
    let packed = HERE.compressed(compressor, &data);

    let wrong = Setup { kind: WD_DIR_COMPRESS as u8, ..setup(WD_ZLIB, WD_DIR_DECOMPRESS) };
    let session = HERE.session_with(wrong);
    let mut dst = vec![0; capacity(data.len())];
    let (code, request) = HERE.call(session, WD_DIR_DECOMPRESS, &packed, &mut dst);
    assert_eq!((code, request.status), (0, 0));
    let output = &dst[..request.dst_len as usize];
    assert_eq!(output[..2], [0x78, 0x9c]);
    assert_eq!(request.src_len as usize, packed.len());

    let right = HERE.decompressor();
    let mut back = vec![0; packed.len()];
    let (code, request) = HERE.call(right, WD_DIR_DECOMPRESS, output, &mut back);
    assert_eq!((code, request.dst_len as usize), (0, packed.len()));
    assert_eq!(back, packed);
}

#[test]
fn freed_sessions_are_not_alive() {
    let sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.init(), 0);
    let (first, second) = (HERE.compressor(), HERE.decompressor());
    assert_eq!(sim.counts().sessions_alive, 2);
    HERE.free(first);
    HERE.free(second);
    let counts = sim.counts();
    assert_eq!((counts.sessions_alive, counts.sessions_allocated), (0, 2));
    HERE.uninit();
}

#[test]
fn sessions_left_by_an_earlier_test_may_be_freed() {
    let sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.init(), 0);
    let session = HERE.compressor();
    drop(sim);
    let sim = Simulator::acquire(Machine::default());
    HERE.free(session);
    HERE.uninit();
    assert_eq!(sim.counts().uninits, 0);
    assert_eq!(HERE.init(), 0);
}
