//! Requests and polls.

use std::ffi::c_int;
use std::sync::atomic::Ordering;
use std::time::Duration;

use uadk_sys::abi::{
    EAGAIN, EBUSY, EINVAL, ETIMEDOUT, MAX_INPUT, WD_DIR_COMPRESS, WD_DIR_DECOMPRESS, WD_FLAT_BUF,
    WD_HW_EACCESS, handle_t, wd_comp_req,
};

use crate::clock;
use crate::contexts;
use crate::crash::crash;
use crate::faults::{self, Fault, RequestInfo};
use crate::late;
use crate::lz;
use crate::machine::Direction;
use crate::message::{Message, Work};
use crate::role::{Mode, Pin};
use crate::session::Session;
use crate::state::{self, SETTINGS, STATE};
use crate::sync::lock;

/// How long a synchronous call spins waiting for a lost completion.
const SYNC_SPIN: Duration = Duration::from_millis(14_500);
/// Rounds of `wd_comp_poll`.
const POLL_ROUNDS: u32 = 999;
/// The minimum duration of an empty `wd_comp_poll`.
const EMPTY_POLL: Duration = Duration::from_micros(200);
/// The code that a reset device returns.
const RESET: c_int = -WD_HW_EACCESS.cast_signed();

/// Implements `wd_do_comp_async`.
///
/// # Safety
///
/// `request` is null or readable, with buffers that stay valid until the callback has been called.
pub(crate) unsafe fn submit(handle: handle_t, request: *const wd_comp_req) -> c_int {
    // SAFETY: guaranteed by the caller.
    let checked = unsafe { check(handle, request, Mode::Async) };
    let (session, pin, request) = match checked {
        Ok(checked) => checked,
        Err(code) => return code,
    };
    let (number, fault) = draw(session, pin, &request, Mode::Async);
    if let Err(code) = accept(session, pin, fault) {
        return code;
    }
    // SAFETY: guaranteed by the caller.
    let prepared = unsafe { prepare(session, pin, request, Mode::Async, (number, fault)) };
    let message = match prepared {
        Ok(message) => message,
        Err(code) => return code,
    };
    let context = contexts::pinned(pin);
    if matches!(fault, Some(Fault::Lost { .. })) {
        context.queue().push_lost(message);
    } else {
        context.queue().push(message);
    }
    returned(fault)
}

/// Implements `wd_do_comp_strm`, for a whole block.
///
/// # Safety
///
/// As for [`call`].
pub(crate) unsafe fn stream(handle: handle_t, request: *mut wd_comp_req) -> c_int {
    // Streams of LZ77 are not modelled, and there are none of LZ4.
    let session = Session::from_handle(handle);
    if session.is_some_and(|session| !session.parameters.algorithm.is_deflate()) {
        return EINVAL;
    }
    // SAFETY: guaranteed by the caller.
    unsafe { call(handle, request) }
}

/// Implements `wd_do_comp_sync`.
///
/// # Safety
///
/// `request` is null or valid, with valid buffers; after `ETIMEDOUT` the output stays valid
/// forever.
pub(crate) unsafe fn call(handle: handle_t, request: *mut wd_comp_req) -> c_int {
    let result = request;
    // SAFETY: guaranteed by the caller.
    let checked = unsafe { check(handle, request, Mode::Sync) };
    let (session, pin, request) = match checked {
        Ok(checked) => checked,
        Err(code) => return code,
    };
    let (number, fault) = draw(session, pin, &request, Mode::Sync);
    if let Err(code) = accept(session, pin, fault) {
        return code;
    }
    let context = contexts::pinned(pin);
    let _spin_lock = context.lock_spin();
    // SAFETY: guaranteed by the caller.
    let prepared = unsafe { prepare(session, pin, request, Mode::Sync, (number, fault)) };
    let mut message = match prepared {
        Ok(message) => message,
        Err(code) => return code,
    };
    let lost = matches!(fault, Some(Fault::Lost { .. }));
    if lost {
        clock::wait_until(clock::now() + SYNC_SPIN);
    } else if !message.due.is_zero() {
        clock::wait_until(message.due);
    }
    let mut queue = context.queue();
    if lost || queue.failure().is_some() {
        let code = queue.failure().unwrap_or(ETIMEDOUT);
        queue.push_lost(message);
        return code;
    }
    drop(queue);
    // SAFETY: guaranteed by the caller.
    let completed = *unsafe { message.complete() };
    let mut queue = context.queue();
    queue.counts_mut().completed += 1;
    queue.finish(message);
    drop(queue);
    if returned(fault) != 0 {
        return returned(fault);
    }
    let answer = wd_comp_req {
        src_len: completed.src_len,
        dst_len: completed.dst_len,
        status: completed.status,
        ..request
    };
    // SAFETY: guaranteed by the caller.
    unsafe { result.write(answer) };
    0
}

/// Reserves a slot in the queue of the session's context, and computes the result without holding
/// the queue's lock.
///
/// # Safety
///
/// The request's buffers are valid.
unsafe fn prepare(
    session: &'static Session,
    pin: Pin,
    request: wd_comp_req,
    mode: Mode,
    (number, fault): (u64, Option<Fault>),
) -> Result<Box<Message>, c_int> {
    let mut message = contexts::pinned(pin).queue().reserve()?;
    let (direction, device) = (pin.role.direction, pin.role.device);
    let work = Work { session, request, number, direction, device, mode, fault };
    // SAFETY: guaranteed by the caller.
    unsafe { message.fill(&work) };
    if let Some(Fault::SlowSubmit(time)) = fault {
        clock::wait_until(clock::now() + time);
    }
    Ok(message)
}

/// Implements `wd_comp_poll_ctx`.
///
/// # Safety
///
/// `count` is null or writable, and the buffers and callbacks of all requests in flight are valid.
pub(crate) unsafe fn poll_context(index: u32, expect: u32, count: *mut u32) -> c_int {
    if count.is_null() || expect == 0 {
        return EINVAL;
    }
    // SAFETY: guaranteed by the caller.
    let count = unsafe { &mut *count };
    // SAFETY: guaranteed by the caller.
    unsafe { poll_one(index, expect, count) }
}

/// Like [`poll_context`], with checked parameters.
///
/// # Safety
///
/// The buffers and callbacks of all requests in flight are valid.
unsafe fn poll_one(index: u32, expect: u32, count: &mut u32) -> c_int {
    *count = 0;
    let generation = state::generation();
    let Some(context) = contexts::get(index) else { return EINVAL };
    let mut queue = context.queue();
    if queue.role(generation, Mode::Async).is_none() {
        return EINVAL;
    }
    queue.polled();
    if let Some(code) = queue.failure() {
        drop(queue);
        late::polled();
        return code;
    }
    loop {
        let Some(mut message) = queue.take_completed() else {
            let code = queue.failure().unwrap_or(EAGAIN);
            drop(queue);
            late::polled();
            return code;
        };
        // The callback may submit, poll, or wait for another thread that does.
        drop(queue);
        // SAFETY: guaranteed by the caller.
        unsafe { message.call_back() };
        *count += 1;
        queue = context.queue();
        queue.finish(message);
        if *count == expect {
            drop(queue);
            late::polled();
            return 0;
        }
    }
}

/// Implements `wd_comp_poll`: polls the asynchronous contexts of all nodes in many rounds, one
/// message each, until `expect` messages have completed or a context returns an error.
///
/// # Safety
///
/// As for [`poll_context`].
pub(crate) unsafe fn poll(expect: u32, count: *mut u32) -> c_int {
    if count.is_null() {
        return EINVAL;
    }
    if state::generation() == 0 {
        crash("poll while the library is not initialised");
    }
    // SAFETY: guaranteed by the caller.
    let count = unsafe { &mut *count };
    let began = std::time::Instant::now();
    let before = *count;
    let (regions, len) = asynchronous_regions();
    for _ in 0..POLL_ROUNDS {
        for node in regions[..len].chunk_by(|a, b| a.node == b.node) {
            loop {
                let last = *count;
                for region in node {
                    // SAFETY: guaranteed by the caller.
                    let code = unsafe { poll_region(region.begin, region.end, expect, count) };
                    if code != 0 {
                        return code;
                    }
                }
                if *count == expect {
                    return 0;
                }
                // A node that completed something is polled again.
                if *count == last {
                    break;
                }
            }
        }
    }
    while *count == before && began.elapsed() < EMPTY_POLL {
        std::hint::spin_loop();
    }
    0
}

/// Polls contexts `begin` to `end`.
///
/// # Safety
///
/// The buffers and callbacks of all requests in flight are valid.
unsafe fn poll_region(begin: u32, end: u32, expect: u32, count: &mut u32) -> c_int {
    for index in begin..=end {
        let mut polled = 0;
        // SAFETY: guaranteed by the caller.
        match unsafe { poll_one(index, 1, &mut polled) } {
            0 => {}
            EAGAIN => continue,
            code => return code,
        }
        *count += polled;
        if *count == expect {
            break;
        }
    }
    0
}

#[derive(Clone, Copy, Default)]
struct Range {
    node: u32,
    begin: u32,
    end: u32,
}

/// Returns the asynchronous contexts by node and direction, without allocating.
fn asynchronous_regions() -> ([Range; 16], usize) {
    let mut ranges = [Range::default(); 16];
    let mut len = 0;
    for region in lock(&STATE).regions.iter().filter(|region| region.role.mode == Mode::Async) {
        ranges[len] = Range { node: region.node, begin: region.begin, end: region.end };
        len += 1;
    }
    (ranges, len)
}

/// Checks the parameters as the library and the driver do.
///
/// # Safety
///
/// `request` is null or readable; the `priv` of a request of LZ77 is null or writable.
unsafe fn check(
    handle: handle_t,
    request: *const wd_comp_req,
    mode: Mode,
) -> Result<(&'static Session, Pin, wd_comp_req), c_int> {
    let session = Session::from_handle(handle).ok_or(EINVAL)?;
    if request.is_null() {
        return Err(EINVAL);
    }
    // SAFETY: guaranteed by the caller.
    let request = unsafe { request.read() };
    // Lists of buffers are not modelled.
    if request.data_fmt != WD_FLAT_BUF || request.src.is_null() || request.dst.is_null() {
        return Err(EINVAL);
    }
    let parameters = &session.parameters;
    let header = parameters.algorithm.header_len();
    let short = match request.op_type {
        WD_DIR_COMPRESS => request.dst_len <= header,
        WD_DIR_DECOMPRESS => request.dst_len == 0 || (header > 0 && request.src_len <= header),
        _ => true,
    };
    let callback = match mode {
        Mode::Async => request.cb.is_some() && !request.cb_param.is_null(),
        Mode::Sync => request.cb.is_none(),
    };
    if short || !callback || request.src_len == 0 {
        return Err(EINVAL);
    }
    session.require_usable(state::generation());
    let pin = match mode {
        Mode::Sync => session.synchronous,
        Mode::Async => session.asynchronous,
    };
    let pin = pin.ok_or(EINVAL)?;
    if request.src_len as usize > MAX_INPUT {
        return Err(EINVAL);
    }
    lz::check(parameters, &request, SETTINGS.queue_version.load(Ordering::Relaxed))?;
    if parameters.algorithm.is_lz77() {
        // SAFETY: guaranteed by the caller; it is not null, as just checked.
        unsafe { lz::begin(&request) };
    }
    Ok((session, pin, request))
}

/// Numbers a request and picks its fault.
fn draw(session: &Session, pin: Pin, request: &wd_comp_req, mode: Mode) -> (u64, Option<Fault>) {
    let number = faults::number();
    let fault = faults::pick(&RequestInfo {
        number,
        direction: Direction::from_op_type(request.op_type),
        context: pin.context,
        len: request.src_len,
        algorithm: session.parameters.algorithm,
        synchronous: mode == Mode::Sync,
    });
    (number, fault)
}

/// Applies the faults that prevent a request from being accepted.
fn accept(session: &Session, pin: Pin, fault: Option<Fault>) -> Result<(), c_int> {
    match fault {
        Some(Fault::Busy) => {
            contexts::pinned(pin).queue().counts_mut().busy += 1;
            Err(EBUSY)
        }
        Some(Fault::Return(code)) => {
            if !matches!(code, EBUSY | EAGAIN | RESET) {
                session.set_in_doubt();
            }
            Err(code)
        }
        Some(Fault::Context(code)) => {
            contexts::fail(pin.context, code);
            Err(code)
        }
        Some(Fault::Reset) => {
            contexts::fail_all(RESET);
            Err(RESET)
        }
        _ => Ok(()),
    }
}

/// Returns the code that the submission of an accepted request returns.
fn returned(fault: Option<Fault>) -> c_int {
    match fault {
        Some(Fault::ReturnButKeep(code)) => code,
        _ => 0,
    }
}

/// Makes all contexts fail, as after a reset.
pub(crate) fn reset_device() {
    contexts::fail_all(RESET);
}

/// Makes one context fail.
pub(crate) fn fail_context(index: u32) {
    contexts::fail(index, RESET);
}
