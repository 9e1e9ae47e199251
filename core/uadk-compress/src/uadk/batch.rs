//! One call: finds a session for its blocks, and another one when that fails.

use std::sync::Arc;
use std::time::Duration;

use uadk_sys::abi;

use super::config::UadkConfig;
use super::framing::{self, Framing};
use super::library;
use super::pipeline::{End, Pipeline, WhenBusy};
use super::pool::{self, Lease, Pool};
use super::runtime::Runtime;
use super::session::Key;
use crate::stats::Direction;
use crate::{Block, Error, Window};

/// What one call asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) runtime: &'a Arc<Runtime>,
    pub(super) config: &'a UadkConfig,
    pub(super) direction: Direction,
    pub(super) framing: Framing,
}

impl Call<'_> {
    /// Does the blocks. Each one has a result afterwards.
    pub(super) fn run(&self, blocks: &mut [Block<'_>], when_busy: &mut WhenBusy<'_>) {
        for block in &mut *blocks {
            block.result = Err(Block::PENDING);
        }
        let done = pool::with(|pool| self.run_in(pool, blocks, when_busy));
        if let Err(why) | Ok(Err(why)) = done {
            // A deadline is one block's; those that were not submitted have waited for nothing.
            let mut timed_out = blocks.iter().any(|block| block.result == Err(Error::TimedOut));
            for block in blocks.iter_mut().filter(|block| is_pending(block)) {
                let busy = why == Error::TimedOut && std::mem::replace(&mut timed_out, true);
                block.result = Err(if busy { Error::Busy } else { why.clone() });
            }
        }
    }

    /// An error is the result of all blocks that have none yet.
    fn run_in(
        &self,
        pool: &mut Pool,
        blocks: &mut [Block<'_>],
        when_busy: &mut WhenBusy<'_>,
    ) -> Result<(), Error> {
        // The call's: other sessions, and trying one out, do not prolong it.
        let mut started = None;
        let mut failures = 0;
        loop {
            let mut lease = pool.lease(self.runtime, self.key())?;
            let started = *started.get_or_insert_with(|| self.runtime.clock.now());
            let contexts = Arc::clone(lease.session().contexts());
            if lease.session().is_orphaned() {
                drop(lease);
                let why = library::uninitialised_by_others();
                self.runtime.fail(&contexts, why.clone());
                return Err(why);
            }
            let fresh = !lease.session().is_tried();
            match self.run_on(&mut lease, blocks, started, when_busy) {
                End::Done => {
                    lease.give_back();
                    return Ok(());
                }
                End::TimedOut => {
                    drop(lease);
                    // One lost completion may be an accident; a fresh session that gets none after
                    // another got none is not.
                    if contexts.timed_out() > 0 && fresh {
                        let why = Error::Unavailable("the device completes nothing".into());
                        self.runtime.fail(&contexts, why.clone());
                        return Err(why);
                    }
                    return Err(Error::TimedOut);
                }
                End::Failed(code) => {
                    drop(lease);
                    // The library hands its contexts out in turn: so many sessions have met them all.
                    failures += 1;
                    if failures > contexts.len() {
                        self.runtime.fail(&contexts, Error::Device { code });
                        return Err(Error::Device { code });
                    }
                }
            }
        }
    }

    fn run_on(
        &self,
        lease: &mut Lease<'_>,
        blocks: &mut [Block<'_>],
        started: Duration,
        when_busy: &mut WhenBusy<'_>,
    ) -> End {
        let (session, resources) = lease.parts();
        let mut pipeline = Pipeline { call: self, session, resources, now: started };
        if !pipeline.session.is_tried() {
            match self.try_out(&mut pipeline) {
                End::Done => {}
                end => return end,
            }
        }
        pipeline.now = started;
        pipeline.run(blocks, when_busy)
    }

    /// Does a tiny block in a fresh session. The library does not say which context a session is
    /// pinned to, nor whether that works; the completion does.
    fn try_out(&self, pipeline: &mut Pipeline<'_>) -> End {
        let src = framing::sample(self.framing.alg_type, self.direction);
        let mut dst = [0; 64];
        let mut sample = Block::new(src, &mut dst);
        let end = pipeline.run(std::slice::from_mut(&mut sample), &mut |_, sample| {
            sample.result = Err(Error::Busy);
            true
        });
        match (end, sample.result) {
            // If others' blocks fill the queue, it seems to work.
            (End::Done, Ok(_) | Err(Error::Busy)) => End::Done,
            (End::Done, Err(Error::Device { code })) => End::Failed(code),
            (End::Done, Err(_)) => End::Failed(abi::EINVAL),
            (end, _) => end,
        }
    }

    const fn key(&self) -> Key {
        Key {
            alg_type: self.framing.alg_type,
            direction: self.direction,
            window: match self.direction {
                Direction::Compress => self.config.window,
                // What others compressed may reach as far back as deflate can.
                Direction::Decompress => Window::K32,
            },
        }
    }
}

/// Whether no engine has answered the block yet.
pub(super) fn is_pending(block: &Block<'_>) -> bool {
    block.result == Err(Block::PENDING)
}
