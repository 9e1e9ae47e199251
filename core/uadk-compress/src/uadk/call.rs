//! One call: finds a session for its blocks, and another one if that session fails.

use std::sync::Arc;

use uadk_sys::abi;

use super::config::UadkConfig;
use super::framing;
use super::library;
use super::limits::Limits;
use super::pipeline::{End, Pipeline};
use super::pool::{self, Lease, Pool};
use super::runtime::Runtime;
use super::session::Key;
use super::when_busy::WhenBusy;
use crate::direction::Direction;
use crate::{Block, Error, Format, Window};

/// The parameters of one call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) runtime: &'a Arc<Runtime>,
    pub(super) config: &'a UadkConfig,
    pub(super) format: Format,
    pub(super) direction: Direction,
    /// UADK's `comp_lv`.
    pub(super) level: u32,
    /// Whether the results are the device's matches instead of blocks of the format.
    pub(super) stores_matches: bool,
}

impl Call<'_> {
    /// Processes the blocks. Afterwards every block has a result.
    pub(super) fn run(&self, blocks: &mut [Block<'_>], when_busy: &mut WhenBusy<'_>) {
        for block in &mut *blocks {
            block.reset();
        }
        let reason = match pool::with(|pool| self.run_in(pool, blocks, when_busy)) {
            // The remaining blocks were not submitted in time.
            Ok(Ok(())) => Error::Busy,
            Ok(Err(reason)) | Err(reason) => reason,
        };
        if blocks.iter().all(Block::is_done) {
            return;
        }
        // Report the timeout once; blocks that were never submitted are merely `Busy`.
        let mut timed_out =
            blocks.iter().any(|block| matches!(block.answer(), Some(Err(Error::TimedOut))));
        for block in blocks.iter_mut().filter(|block| !block.is_done()) {
            let busy = reason == Error::TimedOut && std::mem::replace(&mut timed_out, true);
            block.set_result(Err(if busy { Error::Busy } else { reason.clone() }));
        }
    }

    /// Processes the blocks with `pool`'s sessions. An error applies to all blocks that have no
    /// result yet.
    fn run_in(
        &self,
        pool: &mut Pool,
        blocks: &mut [Block<'_>],
        when_busy: &mut WhenBusy<'_>,
    ) -> Result<(), Error> {
        // The limits of the whole call: further sessions, and trying one out, do not prolong it.
        let mut limits = Limits::new(&*self.runtime.clock, self.config.deadline);
        let mut failures = 0;
        loop {
            let mut lease = pool.lease(self.runtime, self.key())?;
            let contexts = Arc::clone(lease.session().contexts());
            if lease.session().is_orphaned() {
                drop(lease);
                let reason = library::uninitialised_by_others();
                self.runtime.fail(&contexts, reason.clone());
                return Err(reason);
            }
            let fresh = !lease.session().is_tried();
            match self.run_on(&mut lease, blocks, &mut limits, when_busy) {
                End::Done | End::OutOfTime => {
                    let now = limits.now();
                    if lease.session().trim_if_due(now, self.config.idle) {
                        self.runtime.evict_idle(now);
                    }
                    lease.give_back(now);
                    return Ok(());
                }
                End::TimedOut => {
                    drop(lease);
                    if contexts.record_timeout(fresh) {
                        let reason = Error::Unavailable("the device completes nothing".into());
                        self.runtime.fail(&contexts, reason.clone());
                        return Err(reason);
                    }
                    return Err(Error::TimedOut);
                }
                End::Failed(code) => {
                    drop(lease);
                    // The library assigns contexts in turn, so by then all have been tried.
                    failures += 1;
                    if failures > contexts.len() {
                        self.runtime.fail(&contexts, Error::Device { code });
                        return Err(Error::Device { code });
                    }
                    if !limits.may_submit() {
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
        limits: &mut Limits<'_>,
        when_busy: &mut WhenBusy<'_>,
    ) -> End {
        let session = lease.session();
        // If another library made the initialisation, its sessions are kept for one call only.
        let contexts = session.contexts();
        let known = contexts.are_adopted() && contexts.have_worked();
        let fresh = !session.is_tried() && !known;
        let mut pipeline = Pipeline {
            config: self.config,
            direction: self.direction,
            stores_matches: self.stores_matches,
            session,
            limits,
        };
        if fresh {
            match self.try_out(&mut pipeline) {
                End::Done => {}
                end => return end,
            }
        }
        pipeline.run(blocks, when_busy)
    }

    /// Processes a tiny block in a fresh session. The library does not tell which context a session
    /// is pinned to, or whether that context works; the completion does.
    fn try_out(&self, pipeline: &mut Pipeline<'_, '_>) -> End {
        let src = framing::sample(pipeline.session.framing().alg_type, self.direction);
        let mut dst = [0; 64];
        let mut sample = Block::new(src, &mut dst);
        let end = pipeline.run(std::slice::from_mut(&mut sample), &mut |_, sample| {
            sample.set_result(Err(Error::Busy));
            true
        });
        match (end, sample.result()) {
            // If other blocks fill the queue, the context seems to work.
            (End::Done, Ok(_) | Err(Error::Busy)) => End::Done,
            (End::Done, Err(Error::Device { code })) => End::Failed(code),
            (End::Done, Err(_)) => End::Failed(abi::EINVAL),
            (end, _) => end,
        }
    }

    const fn key(&self) -> Key {
        Key {
            format: self.format,
            direction: self.direction,
            level: self.level,
            window: match self.direction {
                Direction::Compress => self.config.window,
                // Other compressors may reach as far back as deflate can.
                Direction::Decompress => Window::Kib32,
            },
        }
    }
}
