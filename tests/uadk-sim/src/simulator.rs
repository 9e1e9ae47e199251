//! The controls that tests in the same program use.

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
use crate::{clock, contexts, drivers, faults, fork, init, late, memo, requests, script, timing};

/// The simulator in this program, for one test at a time.
///
/// Acquiring it waits for the one before, and resets everything; so does dropping it. Sessions that
/// are left over are dead then: freeing them is allowed, using them is not.
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
    /// Waits until no other test has it, and sets up a machine.
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

    /// The `nth` request from now, 1 being the next, gets a fault. Requests that are refused count;
    /// those with wrong parameters do not.
    pub fn fault(&self, fault: Fault, nth: u64) {
        faults::at(nth, fault);
    }

    /// Every `n`th request from now gets a fault.
    pub fn fault_every(&self, n: u64, fault: Fault) {
        faults::every(n, fault);
    }

    /// Lets a closure say which request gets which fault. Those of [`fault`](Self::fault) and
    /// [`fault_every`](Self::fault_every) go first. It must not call the simulator.
    pub fn set_faults(&self, faults: impl FnMut(&RequestInfo) -> Option<Fault> + Send + 'static) {
        faults::set_closure(Box::new(faults));
    }

    /// No more faults to come. Contexts that failed stay so.
    pub fn clear_faults(&self) {
        faults::clear();
    }

    /// The device writes to all outputs of lost requests that wait for it. Says how many.
    #[expect(clippy::must_use_candidate, reason = "called for what it does")]
    pub fn write_late(&self) -> usize {
        late::write_all()
    }

    /// Lost requests from now on are written to after so many further polls of any context; 0 for
    /// at [`write_late`](Self::write_late) alone.
    pub fn write_late_after(&self, polls: u32) {
        late::set_after_polls(polls);
    }

    /// The device is reset: all contexts say -62 until the library is initialised again, and what is
    /// in flight is lost.
    pub fn reset_device(&self) {
        requests::reset_device();
    }

    /// One context says -62 from now on.
    pub fn fail_context(&self, index: u32) {
        requests::fail_context(index);
    }

    /// The device vanishes: as a reset, and there is none to be found.
    pub fn unplug(&self) {
        lock(&STATE).machine.present = false;
        requests::reset_device();
    }

    /// The device is there again.
    pub fn plug_in(&self) {
        lock(&STATE).machine.present = true;
    }

    /// Other processes take all contexts that are free.
    pub fn take_all_queues(&self) {
        lock(&STATE).queues_taken = true;
    }

    /// And give them back.
    pub fn release_queues(&self) {
        lock(&STATE).queues_taken = false;
    }

    /// No session is given for a direction any more, as where an initialisation left it out.
    pub fn refuse_sessions(&self, direction: Option<Direction>) {
        lock(&STATE).refused = direction;
    }

    /// The kernel isolates the device, or takes it back. Contexts go on working.
    pub fn isolate(&self, isolated: bool) {
        lock(&STATE).machine.isolated = isolated;
    }

    /// The device node can be opened, or not.
    pub fn permit(&self, permission: bool) {
        lock(&STATE).machine.permission = permission;
    }

    /// Opening the device node fails with `EBUSY` although contexts are free, or works again.
    pub fn busy_node(&self, busy: bool) {
        lock(&STATE).machine.busy_node = busy;
    }

    /// Opening the device node takes this long from now on, as [`Machine::open_delay`] does.
    pub fn slow_open(&self, delay: Duration) {
        lock(&STATE).machine.open_delay = delay;
    }

    /// Holds initialisations back while they open the device node, until the guard is dropped. All
    /// other functions go on, but for further initialisations, which wait for the first one for 3
    /// seconds and then return `ETIMEDOUT`, as in the real library.
    ///
    /// An initialisation that is held back when the simulator is dropped returns `ETIMEDOUT`.
    pub fn hold_open(&self) -> OpenHold {
        OpenHold::new()
    }

    /// `wd_get_avail_ctx` reports this many free contexts, whatever is free; `None` ends the lie. An
    /// initialisation believes it: with 0 it returns `ENODEV`, and if fewer are free than it needs,
    /// the device node stays busy and it returns `ETIMEDOUT`.
    pub fn claim_contexts(&self, contexts: Option<u32>) {
        lock(&STATE).claimed_contexts = contexts;
    }

    /// Whether decompressing truncated raw deflate on an asynchronous context crashes the process, as
    /// with UADK 2.9.1 and newer (no).
    pub fn set_raw_deflate_crash(&self, crash: bool) {
        SETTINGS.raw_deflate_crash.store(crash, Ordering::Relaxed);
    }

    /// A context takes only so many requests at a time (1023).
    pub fn full_queue(&self, limit: usize) {
        SETTINGS.queue_limit.store(limit, Ordering::Relaxed);
    }

    /// Whether compressing fails with status 67 if there is less output room than 9/8 of the input,
    /// although the output would fit (yes).
    pub fn demand_room(&self, demand: bool) {
        SETTINGS.demands_room.store(demand, Ordering::Relaxed);
    }

    /// Replaces the clock. A call that has to wait then calls the sleeper of
    /// [`set_sleeper`](Self::set_sleeper), or, without one, does not wait.
    pub fn set_clock(&self, clock: Clock) {
        clock::set_clock(Some(clock));
    }

    /// What synchronous calls, slow submissions and slow opens do to let time pass. It is called once,
    /// with the time that is left.
    pub fn set_sleeper(&self, sleeper: Sleeper) {
        clock::set_sleeper(Some(sleeper));
    }

    /// When requests complete.
    pub fn set_timing(&self, timing: Timing) {
        timing::set(timing);
    }

    /// Remembers results by address, length and both ends of the input, format and direction, and
    /// only copies them from then on. The rest of the input must not change.
    pub fn memoise(&self, on: bool) {
        memo::set(on);
    }

    /// Follows a script, as the crate's documentation has it.
    ///
    /// # Errors
    ///
    /// If a word of it makes no sense; the words before it are done.
    pub fn script(&self, script: &str) -> Result<(), ScriptError> {
        script::run(script)
    }

    /// Somebody else in the process initialises the library, with one synchronous and two
    /// asynchronous contexts per direction. Gives the library's code.
    #[must_use = "0 means that it is initialised"]
    pub fn initialise_as_other(&self) -> c_int {
        init::init_as_other()
    }

    /// And undoes it.
    pub fn uninitialise_as_other(&self) {
        init::uninit_as_other();
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        counts()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // In a forked child the ticket is void, but the library is there to be reset.
        reset(Machine::default());
        lock(&TURN).release(self.ticket);
    }
}

/// Everything as at first.
fn reset(machine: Machine) {
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
