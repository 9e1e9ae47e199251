//! A request in a context's queue.

use std::ffi::c_void;
use std::ptr::{null_mut, without_provenance_mut};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use uadk_sys::abi::{WD_IN_EPARA, WD_STREAM_END, wd_comp_req};

use crate::codec::{self, Rejected};
use crate::crash::crash;
use crate::faults::Fault;
use crate::late;
use crate::lz::{self, Figures, Lie, Lz77};
use crate::machine::{Algorithm, Direction};
use crate::memo::{self, Key, Remembered};
use crate::role::Mode;
use crate::session::{Parameters, Session};
use crate::state::SETTINGS;
use crate::{own_time, timing};

/// The driver offers the device no more output space than this.
const MAX_OUTPUT: usize = 8 << 20;
/// The largest buffer that a recycled message keeps.
const MAX_KEPT: usize = 256 << 10;
/// The first 2.x that reports how much input LZ77 consumed.
const FIRST_MINOR_WITH_CONSUMED: u8 = 10;
/// The value that a recycled request is filled with.
const SCRIBBLE: u32 = 0xe7e7_e7e7;

/// A copy of a request, which its callback sees, and its result. The input is read when the request
/// is submitted, and the result is written to the output when it completes.
#[derive(Debug)]
pub(crate) struct Message {
    request: wd_comp_req,
    session: Option<&'static Session>,
    device: usize,
    /// When it completes, on the simulator's clock; zero for immediately.
    pub(crate) due: Duration,
    /// Polls that do not complete it.
    pub(crate) polls_left: u32,
    deferred: bool,
    bytes: Vec<u8>,
    remembered: Option<Arc<Remembered>>,
    /// For requests of LZ77.
    lz77: Option<Lz77>,
    consumed: u32,
    /// The reported output length, whatever is written.
    produced: u32,
    status: u32,
    flip: bool,
    /// Bytes at the end of the output that are not written.
    cut: usize,
    /// Whether completing it causes a segmentation fault in the real library.
    crashes: bool,
    write_late: Option<bool>,
}

impl Default for Message {
    fn default() -> Self {
        Self {
            request: recycled(),
            session: None,
            device: 0,
            due: Duration::ZERO,
            polls_left: 0,
            deferred: false,
            bytes: Vec::new(),
            remembered: None,
            lz77: None,
            consumed: 0,
            produced: 0,
            status: 0,
            flip: false,
            cut: 0,
            crashes: false,
            write_late: None,
        }
    }
}

// SAFETY: the pointers are the caller's, who lets the library use them from any polling thread.
unsafe impl Send for Message {}

/// The inputs of [`Message::fill`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    pub(crate) session: &'static Session,
    pub(crate) request: wd_comp_req,
    pub(crate) number: u64,
    /// The context's direction, which the device follows, whatever the request says.
    pub(crate) direction: Direction,
    pub(crate) device: usize,
    pub(crate) mode: Mode,
    pub(crate) fault: Option<Fault>,
}

impl Message {
    /// Fills in the request and computes its result.
    ///
    /// # Safety
    ///
    /// The request's input is readable.
    pub(crate) unsafe fn fill(&mut self, work: &Work) {
        let request = &work.request;
        self.request = *request;
        self.session = Some(work.session);
        work.session.in_flight.fetch_add(1, Ordering::Relaxed);
        self.device = work.device;
        let takes = timing::enter(work.device, request.src_len);
        self.due = if takes.is_zero() { takes } else { crate::clock::now() + takes };

        let parameters = &work.session.parameters;
        self.lz77 = parameters.algorithm.is_lz77().then_some(Lz77::NONE);
        let before = (self.consumed, self.produced);
        let lost = matches!(work.fault, Some(Fault::Lost { .. }));
        if !lost {
            let src = request.src.cast::<u8>();
            // SAFETY: guaranteed by the caller.
            let src = unsafe { std::slice::from_raw_parts(src, request.src_len as usize) };
            self.compute(work, src);
        }
        if self.lz77.is_some() {
            self.leave_lengths(work, before);
        }
        if let Some(fault) = work.fault {
            self.apply(fault, parameters.algorithm);
        }
    }

    /// Restores the reported lengths that the driver does not set for LZ77. They are those of the
    /// last request that used the message, or 0.
    fn leave_lengths(&mut self, work: &Work, (consumed, produced): (u32, u32)) {
        let is_fresh = work.mode == Mode::Sync;
        self.produced = if is_fresh { 0 } else { produced };
        if work.session.parameters.minor < FIRST_MINOR_WITH_CONSUMED {
            self.consumed = if is_fresh { 0 } else { consumed };
        }
    }

    fn compute(&mut self, work: &Work, src: &[u8]) {
        let (parameters, direction) = (&work.session.parameters, work.direction);
        let algorithm = parameters.algorithm;
        let capacity = (work.request.dst_len as usize).min(MAX_OUTPUT);
        let offered = SETTINGS.algorithms.load(Ordering::Relaxed) & algorithm.bit() != 0;
        // The check for 9/8 uses the caller's capacity, before the driver's limit applies.
        let large_enough = !algorithm.is_deflate()
            || is_large_enough(direction, src.len(), work.request.dst_len as usize);
        if !offered || !large_enough {
            return self.reject();
        }
        let lie = match work.fault {
            Some(Fault::Lie(lie)) => Some(lie),
            _ => None,
        };
        let memoise = memo::enabled() && lie.is_none();
        let key = memoise.then(|| Key::new(src, parameters, direction));
        if let Some(found) = key.and_then(|key| key.get()) {
            (self.consumed, self.lz77) = (found.consumed, found.lz77);
            self.remembered = Some(found);
        } else {
            match compute(parameters, direction, src, lie, capacity, &mut self.bytes) {
                Ok(computed) => (self.consumed, self.lz77) = computed,
                Err(reason) => {
                    self.crashes = reason == Rejected::Truncated
                        && (algorithm, work.mode) == (Algorithm::Deflate, Mode::Async)
                        && SETTINGS.raw_deflate_crash.load(Ordering::Relaxed);
                    return self.reject();
                }
            }
            if let Some(key) = key {
                let (bytes, consumed) = (self.bytes.as_slice().into(), self.consumed);
                let lz77 = self.lz77;
                self.remembered = Some(key.insert(Remembered { bytes, consumed, lz77 }));
            }
        }
        let len = self.output().len();
        let fits = match &self.lz77 {
            Some(lz77) => lz77.fits(len, algorithm, &work.request),
            None => len <= capacity,
        };
        if !fits {
            return self.reject();
        }
        self.produced = self.output().len() as u32;
        // Hardware returns either status.
        let alternate = direction == Direction::Decompress && work.number.is_multiple_of(2);
        self.status = if alternate { WD_STREAM_END } else { 0 };
    }

    fn reject(&mut self) {
        self.remembered = None;
        self.bytes.clear();
        if let Some(lz77) = &mut self.lz77 {
            *lz77 = Lz77::NONE;
        }
        (self.consumed, self.produced, self.status) = (0, 0, WD_IN_EPARA);
    }

    fn apply(&mut self, fault: Fault, algorithm: Algorithm) {
        match fault {
            Fault::Late { polls } => {
                // The poll that completes it counts down too.
                self.polls_left = polls.saturating_add(1);
                self.deferred = true;
            }
            Fault::Delay(delay) => {
                self.due = self.due.max(crate::clock::now() + delay);
                self.deferred = true;
            }
            Fault::FlipBit => self.flip = true,
            Fault::Status(status) => {
                if status > WD_STREAM_END {
                    self.reject();
                }
                self.status = status;
            }
            Fault::ShortBy(bytes) => self.produced = self.produced.saturating_sub(bytes),
            Fault::Claims(bytes) => self.produced = bytes,
            Fault::Consumed(bytes) => {
                (self.consumed, self.status) = (bytes, 0);
            }
            Fault::ConsumedShort(bytes) => {
                (self.consumed, self.status) = (self.consumed.saturating_sub(bytes), 0);
            }
            Fault::Empty => {
                self.reject();
                if let Some(lz77) = &mut self.lz77 {
                    lz77.figures = Figures::default();
                }
                (self.consumed, self.status) = (self.request.src_len, 0);
            }
            Fault::Truncated(bytes) => self.truncate(bytes),
            Fault::NoTrailer => self.truncate(algorithm.trailer_len().max(1)),
            Fault::Lost { write_late } => self.write_late = Some(write_late),
            // Handled at the submission, or when the result was computed.
            Fault::Lie(_)
            | Fault::Busy
            | Fault::Context(_)
            | Fault::Reset
            | Fault::Return(_)
            | Fault::ReturnButKeep(_)
            | Fault::SlowSubmit(_) => {}
        }
    }

    fn truncate(&mut self, bytes: u32) {
        self.cut = bytes as usize;
        let len = self.output().len();
        if let Some(lz77) = &mut self.lz77 {
            lz77.truncate(len);
        }
        self.produced = self.produced.saturating_sub(bytes);
    }

    pub(crate) fn is_deferred(&self) -> bool {
        self.deferred
    }

    fn output(&self) -> &[u8] {
        let whole = self.remembered.as_ref().map_or(&*self.bytes, |remembered| &remembered.bytes);
        &whole[..whole.len().saturating_sub(self.cut)]
    }

    /// Writes the output as the device would, and returns the request as the caller sees it.
    ///
    /// # Safety
    ///
    /// The request's output is writable, and for LZ77 its `priv`.
    pub(crate) unsafe fn complete(&mut self) -> &mut wd_comp_req {
        timing::leave(self.device);
        if let Some(session) = self.session {
            session.in_flight.fetch_sub(1, Ordering::Relaxed);
            // SAFETY: guaranteed by the caller.
            own_time::count(|| unsafe { self.write(&session.parameters) });
        }
        self.request.src_len = self.consumed;
        self.request.dst_len = self.produced;
        self.request.status = self.status;
        &mut self.request
    }

    /// Writes the output and, for LZ77, the figures in `priv`.
    ///
    /// # Safety
    ///
    /// As for [`complete`](Self::complete).
    unsafe fn write(&self, parameters: &Parameters) {
        let (output, request) = (self.output(), &self.request);
        let dst = request.dst.cast::<u8>();
        match &self.lz77 {
            // SAFETY: guaranteed by the caller; the output is no longer than the capacity.
            None => unsafe { std::ptr::copy_nonoverlapping(output.as_ptr(), dst, output.len()) },
            Some(lz77) => {
                if !output.is_empty() {
                    // SAFETY: as above.
                    unsafe { lz77.write(output, parameters.algorithm, request) };
                }
                // SAFETY: guaranteed by the caller.
                unsafe { lz77.report(parameters, request) };
            }
        }
        if self.flip && !output.is_empty() {
            let (index, at) = match &self.lz77 {
                None => (output.len() / 2, output.len() / 2),
                Some(lz77) => lz77.middle(output.len(), request),
            };
            // SAFETY: within the output that was just written.
            let byte = unsafe { dst.add(at) };
            // SAFETY: as above.
            unsafe { byte.write(output[index] ^ 1) };
        }
    }

    /// Completes the request and calls its callback, on the polling thread.
    ///
    /// # Safety
    ///
    /// As for [`complete`](Self::complete); the callback may be called with its parameter.
    pub(crate) unsafe fn call_back(&mut self) {
        if self.crashes {
            crash("truncated raw deflate completes on an asynchronous context");
        }
        // SAFETY: guaranteed by the caller.
        let request = unsafe { self.complete() };
        let (callback, param) = (request.cb, request.cb_param);
        if let Some(callback) = callback {
            // SAFETY: guaranteed by the caller.
            unsafe { callback(request, param) };
        }
    }

    /// Records that the request will never complete.
    pub(crate) fn lose(&mut self) {
        timing::leave(self.device);
        if let Some(session) = self.session {
            session.lose_one();
        }
        if self.write_late == Some(true) {
            let data = if self.lz77.is_some() { self.request.r#priv } else { null_mut() };
            late::add(self.request.dst.cast(), self.request.dst_len as usize, data.cast());
        }
    }

    /// Overwrites the request, so that its contents are gone.
    pub(crate) fn recycle(&mut self) {
        // In place: code that kept the callback's pointer to the request sees this.
        self.request = recycled();
        self.session = None;
        self.remembered = None;
        self.lz77 = None;
        if self.bytes.capacity() > MAX_KEPT {
            self.bytes = Vec::new();
        } else {
            self.bytes.clear();
        }
        (self.due, self.polls_left, self.deferred) = (Duration::ZERO, 0, false);
        (self.flip, self.cut, self.crashes, self.write_late) = (false, 0, false, None);
    }
}

/// Returns the contents of a recycled request.
fn recycled() -> wd_comp_req {
    unsafe extern "C" fn call_back(_: *mut wd_comp_req, _: *mut c_void) -> *mut c_void {
        crash("callback read from a recycled request")
    }
    let pointer = without_provenance_mut(usize::MAX / 0xff * 0xe7);
    wd_comp_req {
        src: pointer,
        src_len: SCRIBBLE,
        dst: pointer,
        dst_len: SCRIBBLE,
        cb: Some(call_back),
        cb_param: pointer,
        op_type: SCRIBBLE,
        data_fmt: SCRIBBLE,
        last: SCRIBBLE,
        status: SCRIBBLE,
        r#priv: pointer,
    }
}

fn is_large_enough(direction: Direction, len: usize, capacity: usize) -> bool {
    direction == Direction::Decompress
        || !SETTINGS.demands_capacity.load(Ordering::Relaxed)
        || capacity * 8 >= len * 9
}

/// Returns the number of bytes consumed, and what is particular to LZ77.
fn compute(
    parameters: &Parameters,
    direction: Direction,
    src: &[u8],
    lie: Option<Lie>,
    capacity: usize,
    out: &mut Vec<u8>,
) -> Result<(u32, Option<Lz77>), Rejected> {
    let algorithm = parameters.algorithm;
    match direction {
        Direction::Compress if algorithm.is_deflate() => {
            codec::compress(algorithm, parameters.win_sz, src, out);
            Ok((src.len() as u32, None))
        }
        Direction::Compress => Ok((src.len() as u32, lz::compress(parameters, src, lie, out))),
        Direction::Decompress if algorithm.is_deflate() => {
            codec::decompress(algorithm, src, out, capacity).map(|n| (n as u32, None))
        }
        // The device can't decompress the others.
        Direction::Decompress => Err(Rejected::Corrupt),
    }
}
