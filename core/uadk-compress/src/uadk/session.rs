//! A session of the library: blocks are submitted to it, and complete in polls.

use std::sync::Arc;

use uadk_sys::Functions;
use uadk_sys::abi::{self, handle_t, wd_comp_req};

use super::contexts::Contexts;
use super::library;
use super::request::{Request, RequestBox, completed};
use crate::Window;
use crate::stats::Direction;

/// What tells the sessions of a thread apart. Not the level: the device ignores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) alg_type: u32,
    pub(super) direction: Direction,
    pub(super) window: Window,
}

/// A session. One thread has it at a time. It is pinned to one context by the library, which does
/// not say to which: its completions do.
#[derive(Debug)]
pub(super) struct Session {
    functions: Functions,
    handle: handle_t,
    key: Key,
    contexts: Arc<Contexts>,
    context: Option<u32>,
    tried: bool,
    /// Blocks that were given up, and that the device may still do.
    lost: Vec<RequestBox>,
}

/// What became of a block that was to be submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Submission {
    /// The device has it.
    Accepted,
    /// The library does not take such blocks.
    Unsupported,
    /// There is no buffer for its output.
    NoBuffer,
}

/// Why no block can be submitted at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The queue is full.
    Busy,
    /// The session does not work: its context has failed, perhaps.
    Failed(i32),
}

impl Session {
    pub(super) const fn new(
        functions: Functions,
        handle: handle_t,
        key: Key,
        contexts: Arc<Contexts>,
    ) -> Self {
        Self { functions, handle, key, contexts, context: None, tried: false, lost: Vec::new() }
    }

    pub(super) const fn handle(&self) -> handle_t {
        self.handle
    }

    pub(super) fn contexts(&self) -> &Arc<Contexts> {
        &self.contexts
    }

    /// Whether a block has been done in it.
    pub(super) const fn is_tried(&self) -> bool {
        self.tried
    }

    /// A block has been done in it, whose completion came from this context.
    pub(super) const fn done(&mut self, context: Option<u32>) {
        self.tried = true;
        if context.is_some() {
            self.context = context;
        }
    }

    /// A block of it has been given up.
    pub(super) fn lose(&mut self, request: RequestBox) {
        self.lost.push(request);
    }

    /// Blocks that the device may still do.
    pub(super) fn lost(&self) -> &[RequestBox] {
        &self.lost
    }

    pub(super) const fn lost_mut(&mut self) -> &mut Vec<RequestBox> {
        &mut self.lost
    }

    /// The code of its context's failure, if that has failed.
    pub(super) fn failure(&self) -> Option<i32> {
        match self.context {
            Some(context) => self.contexts.failure(context),
            // It can't be told which is its own, but none of them is left.
            None if self.contexts.failed() == self.contexts.len() => {
                Some(-abi::WD_HW_EACCESS.cast_signed())
            }
            None => None,
        }
    }

    /// Gives the device a block. It reads `src` until the completion or for ever, and writes up to
    /// `room` bytes of the request's buffer.
    pub(super) fn submit(
        &self,
        src: &[u8],
        request: &Request,
        room: usize,
    ) -> Result<Submission, Refusal> {
        debug_assert!(room <= request.buffer().len());
        let op_type = match self.key.direction {
            Direction::Compress => abi::WD_DIR_COMPRESS,
            Direction::Decompress => abi::WD_DIR_DECOMPRESS,
        };
        let (Ok(src_len), Ok(dst_len)) = (u32::try_from(src.len()), u32::try_from(room)) else {
            return Ok(Submission::Unsupported);
        };
        let mut req = wd_comp_req {
            src: src.as_ptr().cast_mut().cast(),
            src_len,
            dst: request.buffer().start().cast(),
            dst_len,
            cb: Some(completed),
            cb_param: std::ptr::from_ref(request).cast_mut().cast(),
            op_type,
            data_fmt: abi::WD_FLAT_BUF,
            last: 1,
            status: 0,
            r#priv: std::ptr::null_mut(),
        };
        // SAFETY: the session is alive. The library copies the request; what it points to stays
        // where it is until the callback: the buffer and the request are kept even when nobody
        // waits any more. The source is only read, and a device that reads it later than its
        // caller has it reads garbage or faults, which is its trouble alone.
        let code = unsafe { (self.functions.wd_do_comp_async)(self.handle, &raw mut req) };
        match code {
            0 => Ok(Submission::Accepted),
            abi::EBUSY | abi::EAGAIN => Err(Refusal::Busy),
            abi::EINVAL => Ok(Submission::Unsupported),
            code => {
                // Other codes may be this submission's alone.
                if code == -abi::WD_HW_EACCESS.cast_signed() {
                    self.contexts.condemn(self.context, code);
                }
                Err(Refusal::Failed(code))
            }
        }
    }

    /// Looks for completions, of other threads' blocks too; `also_beside` another thread that is
    /// looking, and may have been put to sleep at it.
    pub(super) fn poll(&self, expect: usize, also_beside: bool) {
        let expect = expect.clamp(1, abi::MAX_IN_FLIGHT) as u32;
        let poll = |index| library::poll(&self.functions, index, expect);
        self.contexts.poll(self.context, also_beside, poll);
    }

    /// Whether whoever initialised the library has uninitialised it, so that to submit a block
    /// would be a segmentation fault.
    pub(super) fn is_orphaned(&self) -> bool {
        self.contexts.are_gone(|index| library::poll(&self.functions, index, 1))
    }
}
