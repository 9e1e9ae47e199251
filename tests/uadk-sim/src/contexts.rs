//! Contexts: the device's queues, each under its own lock.

use std::collections::VecDeque;
use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use uadk_sys::abi::EBUSY;

use crate::clock;
use crate::counts::ContextCounts;
use crate::crash::crash;
use crate::message::Message;
use crate::role::{Mode, Pin, Role};
use crate::state::SETTINGS;
use crate::sync::lock;
use crate::timing;

/// Maximum number of contexts of a process.
pub(crate) const MAX_CONTEXTS: usize = 1024;
/// Messages preallocated for the first requests of an asynchronous context.
const PREALLOCATED: usize = 64;
/// Capacity of the ring of messages: it does not grow under the default queue limit.
const RING: usize = 1024;

static CONTEXTS: [Context; MAX_CONTEXTS] = [const { Context::new() }; MAX_CONTEXTS];
/// One more than the highest context number ever used.
static USED: AtomicUsize = AtomicUsize::new(0);

/// One context.
#[repr(align(128))]
#[derive(Debug)]
pub(crate) struct Context {
    queue: Mutex<Queue>,
    /// The spin lock that a synchronous call holds for its whole round trip.
    spin_lock: AtomicBool,
}

/// The queue of a [`Context`].
#[derive(Debug)]
pub(crate) struct Queue {
    role: Option<Role>,
    failed: Option<c_int>,
    /// Messages that complete in this order.
    ordered: VecDeque<Box<Message>>,
    /// Messages that complete individually, when they are due.
    #[expect(clippy::vec_box, reason = "moved to and from `spare`, and callbacks point to them")]
    deferred: Vec<Box<Message>>,
    /// Messages for reuse.
    #[expect(clippy::vec_box, reason = "moved to and from the ring, and callbacks point to them")]
    spare: Vec<Box<Message>>,
    /// The number of messages accepted and not yet queued, or completed and not yet recycled.
    in_hand: usize,
    /// Queue slots that lost requests occupy permanently.
    lost_slots: usize,
    /// When the last ordered message completes.
    last_due: Duration,
    counts: ContextCounts,
}

impl Context {
    const fn new() -> Self {
        Self { queue: Mutex::new(Queue::new()), spin_lock: AtomicBool::new(false) }
    }

    /// Takes the spin lock of synchronous calls.
    pub(crate) fn lock_spin(&self) -> SpinGuard<'_> {
        while self.spin_lock.swap(true, Ordering::Acquire) {
            std::thread::yield_now();
        }
        SpinGuard(self)
    }

    pub(crate) fn queue(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }
}

/// Releases the spin lock.
#[derive(Debug)]
pub(crate) struct SpinGuard<'a>(&'a Context);

impl Drop for SpinGuard<'_> {
    fn drop(&mut self) {
        self.0.spin_lock.store(false, Ordering::Release);
    }
}

impl Queue {
    const fn new() -> Self {
        Self {
            role: None,
            failed: None,
            ordered: VecDeque::new(),
            deferred: Vec::new(),
            spare: Vec::new(),
            in_hand: 0,
            lost_slots: 0,
            last_due: Duration::ZERO,
            counts: ContextCounts::new(),
        }
    }

    /// Returns the role, if it has this generation and mode.
    pub(crate) fn role(&self, generation: u64, mode: Mode) -> Option<Role> {
        self.role.filter(|role| role.generation == generation && role.mode == mode)
    }

    pub(crate) fn failure(&self) -> Option<c_int> {
        self.failed
    }

    pub(crate) fn counts_mut(&mut self) -> &mut ContextCounts {
        &mut self.counts
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.ordered.len() + self.deferred.len() + self.in_hand
    }

    /// Reserves a slot in the queue and returns a message to fill. [`push`](Self::push) must
    /// follow.
    pub(crate) fn reserve(&mut self) -> Result<Box<Message>, c_int> {
        if let Some(code) = self.failed {
            return Err(code);
        }
        let limit = SETTINGS.queue_limit.load(Ordering::Relaxed);
        if self.in_flight() + self.lost_slots >= limit {
            self.counts.busy += 1;
            return Err(EBUSY);
        }
        self.in_hand += 1;
        self.counts.submitted += 1;
        Ok(self.spare.pop().unwrap_or_default())
    }

    /// Queues a reserved message.
    pub(crate) fn push(&mut self, mut message: Box<Message>) {
        self.in_hand = self.in_hand.saturating_sub(1);
        if self.failed.is_some() {
            // The context has failed in the meantime.
            self.lose(message);
        } else if message.is_deferred() {
            self.deferred.push(message);
        } else {
            if !message.due.is_zero() {
                message.due = message.due.max(self.last_due);
                self.last_due = message.due;
            }
            self.ordered.push_back(message);
        }
    }

    /// Counts a reserved message as lost: it keeps its slot.
    pub(crate) fn push_lost(&mut self, message: Box<Message>) {
        self.in_hand = self.in_hand.saturating_sub(1);
        self.lose(message);
    }

    fn lose(&mut self, mut message: Box<Message>) {
        self.lost_slots += 1;
        self.counts.lost += 1;
        message.lose();
        self.recycle(message);
    }

    fn recycle(&mut self, mut message: Box<Message>) {
        message.recycle();
        self.spare.push(message);
    }

    /// Counts a poll, also for late messages.
    pub(crate) fn polled(&mut self) {
        self.counts.polls += 1;
        for message in &mut self.deferred {
            message.polls_left = message.polls_left.saturating_sub(1);
        }
    }

    /// Takes the next completed message. [`finish`](Self::finish) must follow.
    pub(crate) fn take_completed(&mut self) -> Option<Box<Message>> {
        let late = self.deferred.iter().position(|m| m.polls_left == 0 && is_due(m.due));
        let message = match late {
            Some(at) => self.deferred.remove(at),
            None if is_due(self.ordered.front()?.due) => self.ordered.pop_front()?,
            None => return None,
        };
        self.in_hand += 1;
        self.counts.completed += 1;
        Some(message)
    }

    /// Recycles a completed message after its callback has returned.
    pub(crate) fn finish(&mut self, message: Box<Message>) {
        self.in_hand = self.in_hand.saturating_sub(1);
        self.recycle(message);
    }

    /// Makes the context return `code` from now on. Nothing in flight completes.
    pub(crate) fn fail(&mut self, code: c_int) {
        self.failed = Some(code);
        while let Some(message) = self.ordered.pop_front().or_else(|| self.deferred.pop()) {
            self.lose(message);
        }
    }

    /// Loses the messages that the device holds back.
    fn lose_deferred(&mut self) {
        while let Some(message) = self.deferred.pop() {
            self.lose(message);
        }
    }

    /// Resets the context and assigns a new role, or none.
    fn assign(&mut self, role: Option<Role>) {
        self.discard();
        self.role = role;
        if role.is_some_and(|role| role.mode == Mode::Async) {
            self.ordered.reserve(RING);
            self.deferred.reserve(PREALLOCATED);
            self.spare.reserve(RING);
            while self.spare.len() < PREALLOCATED {
                self.spare.push(Box::default());
            }
        }
    }

    /// Forgets the messages in flight without counting them.
    fn discard(&mut self) {
        self.failed = None;
        self.lost_slots = 0;
        self.last_due = Duration::ZERO;
        self.in_hand = 0;
        while let Some(message) = self.ordered.pop_front().or_else(|| self.deferred.pop()) {
            self.recycle(message);
        }
    }
}

/// Returns whether the clock has reached `due`; zero is always due.
fn is_due(due: Duration) -> bool {
    due.is_zero() || due <= clock::now()
}

/// Returns the context with this number, whether or not it is in use.
#[inline]
pub(crate) fn get(index: u32) -> Option<&'static Context> {
    CONTEXTS.get(index as usize)
}

/// Returns the context that a session is pinned to.
#[inline]
pub(crate) fn pinned(pin: Pin) -> &'static Context {
    &CONTEXTS[pin.context as usize]
}

/// Returns all contexts that were ever in use.
pub(crate) fn used() -> &'static [Context] {
    &CONTEXTS[..USED.load(Ordering::Acquire)]
}

/// Assigns a role to a context.
pub(crate) fn assign(index: u32, role: Role) {
    USED.fetch_max(index as usize + 1, Ordering::AcqRel);
    CONTEXTS[index as usize].queue().assign(Some(role));
}

/// Removes all roles. Crashes if anything is in flight, except messages that the device holds back:
/// their callers may have given them up, and now they never complete.
pub(crate) fn retire() {
    for context in used() {
        let mut queue = context.queue();
        queue.lose_deferred();
        if queue.in_flight() > 0 {
            crash("library uninitialised while a request is in flight or a poll in progress");
        }
        queue.assign(None);
    }
    timing::reset();
}

/// Forgets everything.
pub(crate) fn reset() {
    for context in used() {
        let mut queue = context.queue();
        queue.assign(None);
        queue.counts = ContextCounts::new();
        context.spin_lock.store(false, Ordering::Release);
    }
    timing::reset();
}

/// Makes a context return `code` from now on. Ignores contexts that are not in use.
pub(crate) fn fail(index: u32, code: c_int) {
    if let Some(context) = get(index) {
        let mut queue = context.queue();
        if queue.role.is_some() {
            queue.fail(code);
        }
    }
}

/// Like [`fail`], for all contexts.
pub(crate) fn fail_all(code: c_int) {
    for index in 0..used().len() {
        fail(index as u32, code);
    }
}

/// Returns the counts of all contexts that were ever in use.
pub(crate) fn counts() -> Vec<ContextCounts> {
    let count = |context: &Context| {
        let queue = context.queue();
        let mut counts = queue.counts;
        counts.in_flight = queue.in_flight() as u64;
        counts.failed = queue.failed.is_some();
        counts
    };
    used().iter().map(count).collect()
}
