//! The controls for tests in the same program.

use std::ffi::c_int;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::clock::{Clock, Sleeper};
use crate::counts::{ContextCounts, Counts};
use crate::faults::{Fault, RequestInfo};
use crate::machine::{Direction, Machine};
use crate::opening::OpenHold;
use crate::script::ScriptError;
use crate::state::{Progress, SETTINGS, STATE};
use crate::sync::{STEP, lock};
use crate::timing::Timing;
use crate::turn::TURN;
use crate::{
    clock, contexts, drivers, faults, fork, init, late, memo, own_time, requests, script, timing,
};

/// The simulator in this program, for one test at a time.
///
/// Acquiring it waits until the previous holder drops it. Acquiring and dropping it reset
/// everything. Afterwards, leftover sessions may be freed but not used.
///
/// ```
/// use uadk_sim::{Fault, Machine, Simulator};
///
/// let sim = Simulator::acquire(Machine::default());
/// sim.fault(Fault::Busy, 3); // The third request from now.
/// assert_eq!(sim.counts().submitted, 0);
/// ```
#[derive(Debug)]
pub struct Simulator {
    ticket: u64,
}

impl Simulator {
    /// Waits until no other test holds the simulator, and sets up a machine.
    #[must_use]
    pub fn acquire(machine: Machine) -> Self {
        fork::register();
        let ticket = loop {
            if let Some(ticket) = lock(&TURN).take() {
                break ticket;
            }
            std::thread::sleep(STEP);
        };
        script::ignore_environment();
        reset(machine);
        Self { ticket }
    }

    /// Injects a fault into the `nth` request from now, 1 being the next. Refused requests count;
    /// requests with invalid parameters do not.
    pub fn fault(&self, fault: Fault, nth: u64) {
        faults::at(nth, fault);
    }

    /// Injects a fault into every `n`th request from now.
    pub fn fault_every(&self, n: u64, fault: Fault) {
        faults::every(n, fault);
    }

    /// Lets a closure choose the fault of each request. Faults of [`fault`](Self::fault) and
    /// [`fault_every`](Self::fault_every) take precedence. The closure must not call the simulator.
    pub fn set_faults(&self, faults: impl FnMut(&RequestInfo) -> Option<Fault> + Send + 'static) {
        faults::set_closure(Box::new(faults));
    }

    /// Removes all faults. Contexts that have failed stay failed.
    pub fn clear_faults(&self) {
        faults::clear();
    }

    /// Makes the device write to the outputs of all lost requests with a pending late write, and to
    /// the `priv` of those of LZ77. Returns how many.
    #[expect(clippy::must_use_candidate, reason = "called for what it does")]
    pub fn write_late(&self) -> usize {
        late::write_all()
    }

    /// Makes late writes to outputs of requests lost from now on happen after this many further
    /// polls of any context; with 0, only at [`write_late`](Self::write_late).
    pub fn write_late_after(&self, polls: u32) {
        late::set_after_polls(polls);
    }

    /// Resets the device: all contexts return -62 until the library is initialised again, and
    /// requests in flight are lost.
    pub fn reset_device(&self) {
        requests::reset_device();
    }

    /// Makes one context return -62 from now on.
    pub fn fail_context(&self, index: u32) {
        requests::fail_context(index);
    }

    /// Removes the device: like a reset, and devices are no longer found.
    pub fn unplug(&self) {
        lock(&STATE).machine.present = false;
        requests::reset_device();
    }

    /// Plugs the device in again.
    pub fn plug_in(&self) {
        lock(&STATE).machine.present = true;
    }

    /// Makes other processes take all free contexts.
    pub fn take_all_queues(&self) {
        lock(&STATE).queues_taken = true;
    }

    /// Makes other processes release the contexts they took.
    pub fn release_queues(&self) {
        lock(&STATE).queues_taken = false;
    }

    /// Refuses sessions for a direction, as if the initialisation had omitted it.
    pub fn refuse_sessions(&self, direction: Option<Direction>) {
        lock(&STATE).refused = direction;
    }

    /// Makes the kernel isolate the device, or release it. Contexts keep working.
    pub fn isolate(&self, isolated: bool) {
        lock(&STATE).machine.isolated = isolated;
    }

    /// Sets whether the process may open the device node.
    pub fn permit(&self, permission: bool) {
        lock(&STATE).machine.permission = permission;
    }

    /// Sets whether opening the device node fails with `EBUSY` although contexts are free.
    pub fn busy_node(&self, busy: bool) {
        lock(&STATE).machine.busy_node = busy;
    }

    /// Sets how long opening the device node takes: see [`Machine::open_delay`].
    pub fn slow_open(&self, delay: Duration) {
        lock(&STATE).machine.open_delay = delay;
    }

    /// Holds initialisations back while they open the device node, until the guard is dropped. All
    /// other functions keep working, except further initialisations: these wait 3 seconds for the
    /// first one and then return `ETIMEDOUT`, as in the real library.
    ///
    /// An initialisation that is held back when the simulator is dropped returns `ETIMEDOUT`.
    pub fn hold_open(&self) -> OpenHold {
        OpenHold::new()
    }

    /// Makes `wd_get_avail_ctx` report this many free contexts, true or not; `None` for the
    /// actual number. An initialisation believes the claim: with 0 it returns `ENODEV`. If fewer
    /// are actually free than it needs, the device node stays busy and it returns `ETIMEDOUT`.
    pub fn claim_contexts(&self, contexts: Option<u32>) {
        lock(&STATE).claimed_contexts = contexts;
    }

    /// Sets whether decompressing truncated raw deflate on an asynchronous context crashes the
    /// process, as with UADK 2.9.1 and later. Off by default.
    pub fn set_raw_deflate_crash(&self, crash: bool) {
        SETTINGS.raw_deflate_crash.store(crash, Ordering::Relaxed);
    }

    /// Sets how many requests a context accepts at a time. 1023 by default.
    pub fn full_queue(&self, limit: usize) {
        SETTINGS.queue_limit.store(limit, Ordering::Relaxed);
    }

    /// Sets whether compression to deflate fails with status 67 if the output capacity is less than
    /// 9/8 of the input, even if the output would fit. On by default.
    pub fn demand_room(&self, demand: bool) {
        SETTINGS.demands_capacity.store(demand, Ordering::Relaxed);
    }

    /// Replaces the clock. A call that has to wait then calls the sleeper of
    /// [`set_sleeper`](Self::set_sleeper); without one, it does not wait.
    pub fn set_clock(&self, clock: Clock) {
        clock::set_clock(Some(clock));
    }

    /// Sets the function that synchronous calls, slow submissions and slow opens call to let time
    /// pass. It is called once, with the remaining time.
    pub fn set_sleeper(&self, sleeper: Sleeper) {
        clock::set_sleeper(Some(sleeper));
    }

    /// Sets when requests complete.
    pub fn set_timing(&self, timing: Timing) {
        timing::set(timing);
    }

    /// Memoises results by address, length and both ends of the input, parameters and direction,
    /// and only copies them from then on. The rest of the input must not change.
    pub fn memoise(&self, on: bool) {
        memo::set(on);
    }

    /// Counts the time that the simulator itself takes to accept requests and to write their
    /// output, or stops counting it.
    pub fn count_own_time(&self, on: bool) {
        own_time::set(on);
    }

    /// Returns the time counted since [`count_own_time`](Self::count_own_time), of all threads.
    #[must_use]
    pub fn own_time(&self) -> Duration {
        own_time::total()
    }

    /// Runs a script: see the crate's documentation.
    ///
    /// # Errors
    ///
    /// If a word is invalid. The words before it have been executed.
    pub fn script(&self, script: &str) -> Result<(), ScriptError> {
        script::run(script)
    }

    /// Initialises the library as another user in this process, with one synchronous and two
    /// asynchronous contexts per direction. Returns the library's code.
    #[must_use = "0 means that it is initialised"]
    pub fn initialise_as_other(&self) -> c_int {
        init::init_as_other()
    }

    /// Undoes [`initialise_as_other`](Self::initialise_as_other).
    pub fn uninitialise_as_other(&self) {
        init::uninit_as_other();
    }

    /// Returns the counts so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        counts()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // In a forked child the ticket is void, but the library has to be reset.
        reset(Machine::default());
        lock(&TURN).release(self.ticket);
    }
}

/// Resets everything.
fn reset(machine: Machine) {
    own_time::set(false);
    let mut state = lock(&STATE);
    state.reset(machine);
    drivers::unlink();
    contexts::reset();
    drop(state);
    faults::reset();
    late::reset();
    clock::set_clock(None);
    clock::set_sleeper(None);
    timing::set(Timing::Instant);
    memo::set(false);
    SETTINGS.reset();
}

pub(crate) fn counts() -> Counts {
    let state = lock(&STATE);
    let by_context = contexts::counts();
    let sum = |part: fn(&ContextCounts) -> u64| by_context.iter().map(part).sum();
    Counts {
        inits: state.inits,
        initialising: (state.progress != Progress::Idle).into(),
        uninits: state.uninits,
        sessions_allocated: state.sessions_allocated,
        sessions_alive: state.sessions.len() as u64,
        sessions_lost: state.sessions.iter().filter(|session| session.has_lost()).count() as u64,
        submitted: sum(|context| context.submitted),
        busy: sum(|context| context.busy),
        completed: sum(|context| context.completed),
        lost: sum(|context| context.lost),
        in_flight: sum(|context| context.in_flight),
        late_writes: late::written(),
        late_writes_pending: late::pending(),
        polls: sum(|context| context.polls),
        by_context,
    }
}
