//! Contexts: the queues of the device, each under its own lock.

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

/// Contexts of a process at most.
pub(crate) const MAX_CONTEXTS: usize = 1024;
/// Messages that an asynchronous context has ready for its first requests.
const PREPARED: usize = 64;
/// A ring of this many messages does not grow under the usual limit.
const RING: usize = 1024;

static CONTEXTS: [Context; MAX_CONTEXTS] = [const { Context::new() }; MAX_CONTEXTS];
/// Contexts up to this one were ever used.
static USED: AtomicUsize = AtomicUsize::new(0);

/// One context.
#[repr(align(128))]
#[derive(Debug)]
pub(crate) struct Context {
    queue: Mutex<Queue>,
    /// The spin lock that a synchronous call holds for its whole round trip.
    spin_lock: AtomicBool,
}

/// See [`Context`].
#[derive(Debug)]
pub(crate) struct Queue {
    role: Option<Role>,
    failed: Option<c_int>,
    /// Complete in this order.
    ordered: VecDeque<Box<Message>>,
    /// Complete when each of them is due.
    #[expect(clippy::vec_box, reason = "moved to and from `spare`, and callbacks point to them")]
    deferred: Vec<Box<Message>>,
    /// To be used again.
    #[expect(clippy::vec_box, reason = "moved to and from the ring, and callbacks point to them")]
    spare: Vec<Box<Message>>,
    /// Accepted and not yet queued, or completed and not yet recycled.
    in_hand: usize,
    /// Places in the queue that lost requests hold for good.
    lost_places: usize,
    /// When the last ordered one completes.
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
            lost_places: 0,
            last_due: Duration::ZERO,
            counts: ContextCounts::new(),
        }
    }

    /// The role, if it is of the current initialisation and mode.
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

    /// A place in the queue, and a message to fill, which [`push`](Self::push) must follow.
    pub(crate) fn reserve(&mut self) -> Result<Box<Message>, c_int> {
        if let Some(code) = self.failed {
            return Err(code);
        }
        let limit = SETTINGS.queue_limit.load(Ordering::Relaxed);
        if self.in_flight() + self.lost_places >= limit {
            self.counts.busy += 1;
            return Err(EBUSY);
        }
        self.in_hand += 1;
        self.counts.submitted += 1;
        Ok(self.spare.pop().unwrap_or_default())
    }

    /// Queues a message that was reserved.
    pub(crate) fn push(&mut self, mut message: Box<Message>) {
        self.in_hand = self.in_hand.saturating_sub(1);
        if self.failed.is_some() {
            // The context failed in between.
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

    /// Takes a message that was reserved as lost: it keeps its place.
    pub(crate) fn push_lost(&mut self, message: Box<Message>) {
        self.in_hand = self.in_hand.saturating_sub(1);
        self.lose(message);
    }

    fn lose(&mut self, mut message: Box<Message>) {
        self.lost_places += 1;
        self.counts.lost += 1;
        message.lose();
        self.recycle(message);
    }

    fn recycle(&mut self, mut message: Box<Message>) {
        message.recycle();
        self.spare.push(message);
    }

    /// A poll begins: the late ones come nearer.
    pub(crate) fn polled(&mut self) {
        self.counts.polls += 1;
        for message in &mut self.deferred {
            message.polls_left = message.polls_left.saturating_sub(1);
        }
    }

    /// The next completed message, which [`finish`](Self::finish) must follow.
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

    /// The callback of a completed message has returned.
    pub(crate) fn finish(&mut self, message: Box<Message>) {
        self.in_hand = self.in_hand.saturating_sub(1);
        self.recycle(message);
    }

    /// The context says `code` from now on, and nothing in flight completes.
    pub(crate) fn fail(&mut self, code: c_int) {
        self.failed = Some(code);
        while let Some(message) = self.ordered.pop_front().or_else(|| self.deferred.pop()) {
            self.lose(message);
        }
    }

    /// What the device holds back is not to come any more.
    fn lose_deferred(&mut self) {
        while let Some(message) = self.deferred.pop() {
            self.lose(message);
        }
    }

    /// A fresh context with a new role, or none.
    fn assign(&mut self, role: Option<Role>) {
        self.discard();
        self.role = role;
        if role.is_some_and(|role| role.mode == Mode::Async) {
            self.ordered.reserve(RING);
            self.deferred.reserve(PREPARED);
            self.spare.reserve(RING);
            while self.spare.len() < PREPARED {
                self.spare.push(Box::default());
            }
        }
    }

    /// Forgets what is in flight without a trace.
    fn discard(&mut self) {
        self.failed = None;
        self.lost_places = 0;
        self.last_due = Duration::ZERO;
        self.in_hand = 0;
        while let Some(message) = self.ordered.pop_front().or_else(|| self.deferred.pop()) {
            self.recycle(message);
        }
    }
}

/// Whether the clock has passed `due`; zero is always.
fn is_due(due: Duration) -> bool {
    due.is_zero() || due <= clock::now()
}

/// The context of a number, which may not be in use.
#[inline]
pub(crate) fn get(index: u32) -> Option<&'static Context> {
    CONTEXTS.get(index as usize)
}

/// The context that a session is pinned to.
#[inline]
pub(crate) fn pinned(pin: Pin) -> &'static Context {
    &CONTEXTS[pin.context as usize]
}

/// All contexts that were ever in use.
pub(crate) fn used() -> &'static [Context] {
    &CONTEXTS[..USED.load(Ordering::Acquire)]
}

/// Gives a context its role.
pub(crate) fn assign(index: u32, role: Role) {
    USED.fetch_max(index as usize + 1, Ordering::AcqRel);
    CONTEXTS[index as usize].queue().assign(Some(role));
}

/// Takes all roles away. Crashes if anything is in flight, but for what the device holds back: whoever
/// waited for that may have given it up, and now it never completes.
pub(crate) fn retire() {
    for context in used() {
        let mut queue = context.queue();
        queue.lose_deferred();
        if queue.in_flight() > 0 {
            crash("the library is uninitialised while a request is in flight or a poll under way");
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

/// The context says `code` from now on. Does nothing to one that is not in use.
pub(crate) fn fail(index: u32, code: c_int) {
    if let Some(context) = get(index) {
        let mut queue = context.queue();
        if queue.role.is_some() {
            queue.fail(code);
        }
    }
}

/// As [`fail`], for all.
pub(crate) fn fail_all(code: c_int) {
    for index in 0..used().len() {
        fail(index as u32, code);
    }
}

/// The counts of all contexts in use.
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
