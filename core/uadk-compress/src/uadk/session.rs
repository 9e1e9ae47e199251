//! A session of the library: blocks are submitted to it, and complete in polls.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use uadk_sys::Functions;
use uadk_sys::abi::{self, handle_t, wd_comp_req};

use super::arena::Arena;
use super::contexts::Contexts;
use super::framing::{Framing, Output};
use super::poll::poll;
use super::request::{RequestBox, completed};
use crate::direction::Direction;
use crate::{Format, Window};

/// The kind of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) format: Format,
    pub(super) direction: Direction,
    pub(super) window: Window,
    /// UADK's `comp_lv`. The device ignores it, except for LZ77.
    pub(super) level: u32,
}

/// A session, with the memory for its blocks. One thread has it at a time. The library pins it to
/// one context and does not say which; its completions do.
#[derive(Debug)]
pub(super) struct Session {
    functions: Functions,
    handle: handle_t,
    direction: Direction,
    framing: Framing,
    contexts: Arc<Contexts>,
    context: Option<u32>,
    tried: bool,
    /// Blocks that were given up, but that the device may still process.
    lost: Vec<RequestBox>,
    pub(super) arena: Arena,
    /// When to free unused buffers next.
    trim_at: Duration,
    /// Blocks held by the device, oldest first. Empty between calls.
    pub(super) in_flight: VecDeque<InFlight>,
}

/// A block held by the device.
#[derive(Debug)]
pub(super) struct InFlight {
    /// Its index in the batch.
    pub(super) block: usize,
    /// Bytes that the device was offered for the output.
    pub(super) capacity: usize,
    pub(super) request: RequestBox,
}

/// The outcome of a submission. Only `Busy` and `Dead` return a request that the device is known
/// not to have.
#[derive(Debug)]
pub(super) enum Submission {
    /// The device has it.
    Accepted(RequestBox),
    /// The queue is full.
    Busy(RequestBox),
    /// The session's context is dead, with this code.
    Dead(RequestBox, i32),
    /// The library returned an error, but the device may have the request anyway.
    Uncertain(RequestBox, i32),
}

impl Session {
    pub(super) fn new(
        functions: Functions,
        handle: handle_t,
        direction: Direction,
        framing: Framing,
        contexts: Arc<Contexts>,
    ) -> Self {
        Self {
            functions,
            handle,
            direction,
            framing,
            contexts,
            context: None,
            tried: false,
            lost: Vec::new(),
            arena: Arena::new(),
            trim_at: Duration::ZERO,
            in_flight: VecDeque::new(),
        }
    }

    pub(super) const fn handle(&self) -> handle_t {
        self.handle
    }

    pub(super) const fn framing(&self) -> Framing {
        self.framing
    }

    pub(super) fn contexts(&self) -> &Arc<Contexts> {
        &self.contexts
    }

    /// Returns whether a block has been processed in this session.
    pub(super) const fn is_tried(&self) -> bool {
        self.tried
    }

    /// Records that a block has been processed, with a completion from this context.
    pub(super) const fn record_completion(&mut self, context: Option<u32>) {
        self.tried = true;
        if context.is_some() {
            self.context = context;
        }
    }

    /// Once per `period`, frees buffers that were not used during it. Returns whether that was due.
    pub(super) fn trim_if_due(&mut self, now: Duration, period: Duration) -> bool {
        let due = now >= self.trim_at;
        if due {
            self.arena.trim();
            self.trim_at = now.saturating_add(period);
        }
        due
    }

    /// Leaves a block to the device.
    pub(super) fn lose(&mut self, request: RequestBox) {
        self.arena.lost(&request);
        self.lost.push(request);
    }

    /// Leaves all blocks in flight to the device.
    pub(super) fn lose_all(&mut self) {
        while let Some(InFlight { request, .. }) = self.in_flight.pop_front() {
            self.lose(request);
        }
    }

    /// Frees the buffers that the device does not have, as the session will not be used again.
    pub(super) fn retire(&mut self) {
        self.arena = Arena::new();
    }

    /// Returns the blocks that were given up, but that the device may still process.
    pub(super) fn lost(&self) -> &[RequestBox] {
        &self.lost
    }

    pub(super) const fn lost_mut(&mut self) -> &mut Vec<RequestBox> {
        &mut self.lost
    }

    /// Returns the code that the session's context failed with, if it has.
    pub(super) fn failure(&self) -> Option<i32> {
        match self.context {
            Some(context) => self.contexts.failure(context),
            // The session's context is unknown, but all have failed.
            None if self.contexts.failed() == self.contexts.len() => {
                Some(-abi::WD_HW_EACCESS.cast_signed())
            }
            None => None,
        }
    }

    /// Submits a block. Until its completion, or forever, the device reads `src_len` bytes at `src`
    /// and writes up to `capacity` bytes of the request's buffer.
    pub(super) fn submit(
        &self,
        src: *const u8,
        src_len: u32,
        mut request: RequestBox,
        capacity: u32,
    ) -> Submission {
        debug_assert!(capacity as usize <= request.buffer().len());
        let data = match self.framing.output {
            Output::Sequences(_) => request.lz77().cast(),
            Output::Deflate { .. } | Output::Lz4 => std::ptr::null_mut(),
        };
        let mut req = wd_comp_req {
            src: src.cast_mut().cast(),
            src_len,
            dst: request.buffer().start().cast(),
            dst_len: capacity,
            cb: Some(completed),
            cb_param: std::ptr::from_ref(&*request).cast_mut().cast(),
            op_type: op_type(self.direction),
            data_fmt: abi::WD_FLAT_BUF,
            last: 1,
            status: 0,
            r#priv: data,
        };
        // SAFETY: the session is alive. The library copies the request; what it points to stays at
        // its address until the callback: the buffer and the request are kept even when they are
        // given up. The source is only read. A device that reads it after the caller has freed it
        // reads garbage or faults, which only fails that request.
        let code = unsafe { (self.functions.wd_do_comp_async)(self.handle, &raw mut req) };
        match code {
            0 => Submission::Accepted(request),
            abi::EBUSY | abi::EAGAIN => Submission::Busy(request),
            code if code == -abi::WD_HW_EACCESS.cast_signed() => {
                self.contexts.condemn(self.context, code);
                Submission::Dead(request, code)
            }
            // If another library has enabled UADK's internal polling, the error may come from
            // there, after the device has accepted the request.
            code => Submission::Uncertain(request, code),
        }
    }

    /// Polls for completions, including those of other threads' blocks. With `concurrently`, also
    /// polls while another thread is polling, since that thread may have been descheduled.
    pub(super) fn poll(&self, expect: usize, concurrently: bool) {
        let expect = expect.clamp(1, abi::MAX_IN_FLIGHT) as u32;
        self.contexts
            .poll(self.context, concurrently, |index| poll(&self.functions, index, expect));
    }

    /// Returns whether another library that initialised UADK has uninitialised it, so that
    /// submitting a block would cause a segmentation fault.
    pub(super) fn is_orphaned(&self) -> bool {
        self.contexts.are_gone(|index| poll(&self.functions, index, 1))
    }
}

/// Returns UADK's `op_type` for a direction.
pub(super) const fn op_type(direction: Direction) -> u32 {
    match direction {
        Direction::Compress => abi::WD_DIR_COMPRESS,
        Direction::Decompress => abi::WD_DIR_DECOMPRESS,
    }
}
