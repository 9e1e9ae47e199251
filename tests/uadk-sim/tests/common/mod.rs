//! Calls the library as a C program would.
#![allow(dead_code, reason = "not every test file needs every helper")]

pub(crate) mod lz;

use std::ffi::{CString, c_int, c_void};
use std::ptr::{from_mut, null_mut};
use std::thread::ThreadId;

use parking_lot::Mutex;
use uadk_sim::FUNCTIONS;
use uadk_sys::abi::{
    TASK_HW, WD_COMP_L8, WD_DIR_COMPRESS, WD_DIR_DECOMPRESS, WD_FLAT_BUF, WD_GZIP, WD_ZLIB,
    handle_t, sched_params, wd_alg_list, wd_comp_req, wd_comp_sess_setup, wd_ctx_nums,
    wd_ctx_params, wd_lz77_zstd_data, wd_mm_ops,
};
use uadk_sys::{Functions, WithSlack};

/// The functions of the loaded library or of this program.
pub(crate) struct Lib(pub(crate) Functions);

/// The simulator in this program.
pub(crate) const HERE: Lib = Lib(FUNCTIONS);

/// A session's parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) alg_type: u32,
    pub(crate) comp_lv: u32,
    pub(crate) op_type: u32,
    /// The scheduler's direction.
    pub(crate) kind: u8,
    pub(crate) numa_id: c_int,
    pub(crate) win_sz: u32,
}

pub(crate) fn setup(alg_type: u32, op_type: u32) -> Setup {
    let comp_lv = if alg_type > WD_GZIP { WD_COMP_L8 } else { 1 };
    Setup { alg_type, comp_lv, op_type, kind: op_type as u8, numa_id: 0, win_sz: 4 }
}

/// The request as a callback saw it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) consumed: u32,
    pub(crate) produced: u32,
    pub(crate) status: u32,
    pub(crate) thread: ThreadId,
    pub(crate) request: *const wd_comp_req,
}

/// An asynchronous request. Stays where it is while it is in flight.
pub(crate) struct Job {
    pub(crate) src: Vec<u8>,
    pub(crate) dst: Vec<u8>,
    /// For LZ77.
    pub(crate) data: wd_lz77_zstd_data,
    pub(crate) answer: Mutex<Option<Answer>>,
}

impl Job {
    pub(crate) fn new(src: &[u8], capacity: usize) -> Box<Self> {
        Box::new(Self {
            src: src.to_vec(),
            dst: vec![0; capacity],
            data: no_data(),
            answer: Mutex::new(None),
        })
    }

    pub(crate) fn answer(&self) -> Option<Answer> {
        *self.answer.lock()
    }

    /// Returns the output of a job that succeeded.
    pub(crate) fn output(&self) -> &[u8] {
        let answer = self.answer().expect("completed");
        assert!(answer.status <= 1, "status {}", answer.status);
        &self.dst[..answer.produced as usize]
    }
}

/// Returns figures of LZ77 that nothing has written to.
pub(crate) fn no_data() -> wd_lz77_zstd_data {
    wd_lz77_zstd_data {
        literals_start: null_mut(),
        sequences_start: null_mut(),
        lit_num: 0,
        seq_num: 0,
        lit_length_overflow_cnt: 0,
        lit_length_overflow_pos: 0,
        freq: null_mut(),
        blk_type: 0,
    }
}

unsafe extern "C" fn store(request: *mut wd_comp_req, param: *mut c_void) -> *mut c_void {
    // SAFETY: the library passes a valid request.
    let seen = unsafe { *request };
    // SAFETY: the parameter is the answer of a job in flight.
    let answer = unsafe { &*param.cast::<Mutex<Option<Answer>>>() };
    *answer.lock() = Some(Answer {
        consumed: seen.src_len,
        produced: seen.dst_len,
        status: seen.status,
        thread: std::thread::current().id(),
        request,
    });
    null_mut()
}

pub(crate) fn request(src: &[u8], dst: &mut [u8], op_type: u32) -> wd_comp_req {
    wd_comp_req {
        src: src.as_ptr().cast_mut().cast(),
        src_len: src.len() as u32,
        dst: dst.as_mut_ptr().cast(),
        dst_len: dst.len() as u32,
        cb: None,
        cb_param: null_mut(),
        op_type,
        data_fmt: WD_FLAT_BUF,
        last: 0,
        status: 0,
        r#priv: null_mut(),
    }
}

/// Returns the request of a job, which must outlive the request.
pub(crate) fn job_request(job: &mut Job, op_type: u32) -> wd_comp_req {
    let mut request = request(&job.src, &mut job.dst, op_type);
    request.cb = Some(store);
    request.cb_param = from_mut(&mut job.answer).cast();
    request.r#priv = from_mut(&mut job.data).cast();
    request
}

impl Lib {
    pub(crate) fn init_with(&self, algorithm: &str, nums: [(u32, u32); 2]) -> c_int {
        let mut nums =
            nums.map(|(sync_ctx_num, async_ctx_num)| wd_ctx_nums { sync_ctx_num, async_ctx_num });
        let mut params = WithSlack::new(wd_ctx_params {
            op_type_num: 2,
            ctx_set_num: nums.as_mut_ptr(),
            bmp: null_mut(),
            cap: null_mut(),
        });
        let algorithm = CString::new(algorithm).unwrap();
        // SAFETY: all of it is valid.
        unsafe {
            (self.0.wd_comp_init2_)(
                algorithm.as_ptr().cast_mut(),
                0,
                TASK_HW,
                &raw mut params.value,
            )
        }
    }

    /// Initialises with two synchronous and two asynchronous contexts per direction.
    pub(crate) fn init(&self) -> c_int {
        self.init_with("zlib", [(2, 2), (2, 2)])
    }

    pub(crate) fn uninit(&self) {
        // SAFETY: valid, or invalid on purpose, as the test chooses.
        unsafe { (self.0.wd_comp_uninit2)() }
    }

    pub(crate) fn session_with(&self, setup: Setup) -> handle_t {
        let mut scheduling = WithSlack::new(sched_params {
            numa_id: setup.numa_id,
            r#type: setup.kind,
            mode: 0,
            begin: 0,
            end: 0,
            dev_id: 0,
        });
        let mut given = WithSlack::new(wd_comp_sess_setup {
            alg_type: setup.alg_type,
            comp_lv: setup.comp_lv,
            win_sz: setup.win_sz,
            op_type: setup.op_type,
            sched_param: (&raw mut scheduling.value).cast(),
            mm_ops: wd_mm_ops { operations: [null_mut(); 6], sva_mode: false },
            mm_type: 0,
        });
        // SAFETY: all of it is valid.
        unsafe { (self.0.wd_comp_alloc_sess)(&raw mut given.value) }
    }

    pub(crate) fn session(&self, alg_type: u32, op_type: u32) -> handle_t {
        self.session_with(setup(alg_type, op_type))
    }

    pub(crate) fn compressor(&self) -> handle_t {
        self.session(WD_ZLIB, WD_DIR_COMPRESS)
    }

    pub(crate) fn decompressor(&self) -> handle_t {
        self.session(WD_ZLIB, WD_DIR_DECOMPRESS)
    }

    pub(crate) fn free(&self, session: handle_t) {
        // SAFETY: valid, or invalid on purpose, as the test chooses.
        unsafe { (self.0.wd_comp_free_sess)(session) }
    }

    pub(crate) fn submit_raw(&self, session: handle_t, request: &mut wd_comp_req) -> c_int {
        // SAFETY: valid, or invalid on purpose, as the test chooses.
        unsafe { (self.0.wd_do_comp_async)(session, request) }
    }

    pub(crate) fn submit(&self, session: handle_t, job: &mut Job, op_type: u32) -> c_int {
        let mut request = job_request(job, op_type);
        self.submit_raw(session, &mut request)
    }

    pub(crate) fn call_raw(&self, session: handle_t, request: &mut wd_comp_req) -> c_int {
        // SAFETY: valid, or invalid on purpose, as the test chooses.
        unsafe { (self.0.wd_do_comp_sync)(session, request) }
    }

    /// Makes a synchronous request. Returns the code, and the request as it is afterwards.
    pub(crate) fn call(
        &self,
        session: handle_t,
        op_type: u32,
        src: &[u8],
        dst: &mut [u8],
    ) -> (c_int, wd_comp_req) {
        let mut request = request(src, dst, op_type);
        let code = self.call_raw(session, &mut request);
        (code, request)
    }

    /// Polls one context. Returns the code and the count.
    pub(crate) fn poll(&self, context: u32, expect: u32) -> (c_int, u32) {
        let mut count = 77;
        // SAFETY: valid, or invalid on purpose, as the test chooses.
        let code = unsafe { (self.0.wd_comp_poll_ctx)(context, expect, &raw mut count) };
        (code, count)
    }

    /// Polls all contexts. Returns the code and `count` plus the number of completions.
    pub(crate) fn poll_all(&self, expect: u32, mut count: u32) -> (c_int, u32) {
        // SAFETY: valid, or invalid on purpose, as the test chooses.
        let code = unsafe { (self.0.wd_comp_poll)(expect, &raw mut count) };
        (code, count)
    }

    /// Returns the driver nodes after the head, each with its algorithm.
    pub(crate) fn drivers(&self) -> Vec<(String, *mut wd_alg_list)> {
        let mut found = Vec::new();
        // SAFETY: the list is the library's.
        let head = unsafe { (self.0.wd_get_alg_head)() };
        // SAFETY: as above.
        let mut node = unsafe { (*head).next };
        while !node.is_null() {
            // SAFETY: as above.
            let fields = unsafe { *node };
            let name = fields.alg_name.iter().take_while(|byte| **byte != 0);
            found.push((name.map(|byte| char::from(byte.to_ne_bytes()[0])).collect(), node));
            node = fields.next;
        }
        found
    }

    /// Compresses a block synchronously.
    pub(crate) fn compressed(&self, session: handle_t, data: &[u8]) -> Vec<u8> {
        let mut dst = vec![0; data.len() * 2 + 64];
        let (code, request) = self.call(session, WD_DIR_COMPRESS, data, &mut dst);
        assert_eq!((code, request.status), (0, 0));
        dst.truncate(request.dst_len as usize);
        dst
    }
}

/// Returns compressible data.
pub(crate) fn data(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i / 5 % 251) as u8 ^ (i % 7) as u8).collect()
}

/// Returns an output capacity that the driver accepts.
pub(crate) fn capacity(len: usize) -> usize {
    len * 9 / 8 + 64
}
