//! The cost of a request with memoised results: `cargo run --release -p uadk-sim --example cost`.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::time::Instant;

use uadk_sim::{FUNCTIONS, Machine, Simulator};
use uadk_sys::WithSlack;
use uadk_sys::abi::{
    WD_DIR_COMPRESS, WD_ZLIB, sched_params, wd_comp_req, wd_comp_sess_setup, wd_ctx_nums,
    wd_ctx_params, wd_mm_ops,
};

const DEPTH: usize = 64;
const ROUNDS: usize = 20_000;

unsafe extern "C" fn count(_: *mut wd_comp_req, param: *mut c_void) -> *mut c_void {
    // SAFETY: the counter of `run`, which no one else accesses meanwhile.
    unsafe { *param.cast::<usize>() += 1 };
    null_mut()
}

fn main() {
    for len in [64, 1024, 8192] {
        println!("{len:>5} bytes: {:>6.1} ns per request", run(len));
    }
}

fn run(len: usize) -> f64 {
    let sim = Simulator::acquire(Machine::default());
    sim.memoise(true);
    let mut nums = [wd_ctx_nums { sync_ctx_num: 1, async_ctx_num: 1 }; 2];
    let mut params = wd_ctx_params {
        op_type_num: 2,
        ctx_set_num: nums.as_mut_ptr(),
        bmp: null_mut(),
        cap: null_mut(),
    };
    let zlib = c"zlib".as_ptr().cast_mut();
    // SAFETY: all of it is valid.
    let code = unsafe { (FUNCTIONS.wd_comp_init2_)(zlib, 0, 1, &raw mut params) };
    assert_eq!(code, 0);
    let mut scheduling = WithSlack::new(sched_params {
        numa_id: 0,
        r#type: WD_DIR_COMPRESS as u8,
        mode: 0,
        begin: 0,
        end: 0,
        dev_id: 0,
    });
    let mut setup = WithSlack::new(wd_comp_sess_setup {
        alg_type: WD_ZLIB,
        comp_lv: 1,
        win_sz: 4,
        op_type: WD_DIR_COMPRESS,
        sched_param: (&raw mut scheduling.value).cast(),
        mm_ops: wd_mm_ops { operations: [null_mut(); 6], sva_mode: false },
        mm_type: 0,
    });
    // SAFETY: as above.
    let session = unsafe { (FUNCTIONS.wd_comp_alloc_sess)(&raw mut setup.value) };

    // Constant input, so that there is little output to copy.
    let src = vec![7u8; len];
    let mut dst = vec![vec![0u8; len * 2 + 64]; DEPTH];
    let mut done = 0usize;
    let mut requests: Vec<_> = dst
        .iter_mut()
        .map(|dst| wd_comp_req {
            src: src.as_ptr().cast_mut().cast(),
            src_len: len as u32,
            dst: dst.as_mut_ptr().cast(),
            dst_len: dst.len() as u32,
            cb: Some(count),
            cb_param: (&raw mut done).cast(),
            op_type: WD_DIR_COMPRESS,
            data_fmt: 0,
            last: 0,
            status: 0,
            r#priv: null_mut(),
        })
        .collect();
    let mut round = || {
        for request in &mut requests {
            // SAFETY: the buffers live until the callbacks have been called, below.
            assert_eq!(unsafe { (FUNCTIONS.wd_do_comp_async)(session, request) }, 0);
        }
        let mut polled = 0;
        // SAFETY: as above.
        let code = unsafe { (FUNCTIONS.wd_comp_poll_ctx)(1, DEPTH as u32, &raw mut polled) };
        assert_eq!((code, polled as usize), (0, DEPTH));
    };
    round();
    let began = Instant::now();
    (0..ROUNDS).for_each(|_| round());
    let took = began.elapsed();
    assert_eq!(done, DEPTH * (ROUNDS + 1));
    took.as_secs_f64() * 1e9 / (DEPTH * ROUNDS) as f64
}
