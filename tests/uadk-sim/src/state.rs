//! State that requests do not touch, under one lock.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use uadk_sys::abi::MAX_IN_FLIGHT;

use crate::machine::{Direction, Machine};
use crate::role::{Mode, Pin, Role};
use crate::session::Session;

/// The library behaves like 2.x, unless a test chooses another version.
pub(crate) const DEFAULT_MINOR: u8 = 10;

/// The number of the current initialisation, or 0.
static GENERATION: AtomicU64 = AtomicU64::new(0);

pub(crate) static STATE: LazyLock<Mutex<State>> = LazyLock::new(|| Mutex::new(State::new()));
pub(crate) static SETTINGS: Settings = Settings {
    queue_limit: AtomicUsize::new(MAX_IN_FLIGHT),
    demands_capacity: AtomicBool::new(true),
    raw_deflate_crash: AtomicBool::new(false),
    algorithms: AtomicU8::new(0),
    queue_version: AtomicU32::new(0),
};

/// Settings that each request reads without a lock.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) queue_limit: AtomicUsize,
    /// Whether compression demands an output capacity of 9/8 of the input.
    pub(crate) demands_capacity: AtomicBool,
    /// Whether truncated raw deflate on an asynchronous context crashes the process.
    pub(crate) raw_deflate_crash: AtomicBool,
    /// What the devices can do ([`Machine::bits`]).
    pub(crate) algorithms: AtomicU8,
    /// [`Machine::queue_version`].
    pub(crate) queue_version: AtomicU32,
}

impl Settings {
    pub(crate) fn reset(&self) {
        self.queue_limit.store(MAX_IN_FLIGHT, Ordering::Relaxed);
        self.demands_capacity.store(true, Ordering::Relaxed);
        self.raw_deflate_crash.store(false, Ordering::Relaxed);
    }

    fn set_machine(&self, machine: &Machine) {
        self.algorithms.store(machine.bits(), Ordering::Relaxed);
        self.queue_version.store(machine.queue_version, Ordering::Relaxed);
    }
}

/// The contexts of one node, mode and direction, which sessions are assigned in turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Region {
    pub(crate) node: u32,
    pub(crate) role: Role,
    pub(crate) begin: u32,
    /// The number of the last context.
    pub(crate) end: u32,
    pub(crate) next: u32,
}

/// The progress of an initialisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// No initialisation is in progress.
    Idle,
    Initialising,
    /// An [`OpenHold`](crate::OpenHold) holds it back.
    Held,
}

/// The simulator's state, except settings and contexts.
#[derive(Debug)]
pub(crate) struct State {
    /// Counts acquired simulators and, in children, forks.
    pub(crate) life: u64,
    pub(crate) machine: Machine,
    /// Whether drivers have registered themselves, as they do at the first initialisation.
    pub(crate) registered: bool,
    /// Whether other processes hold all contexts that this one does not.
    pub(crate) queues_taken: bool,
    /// The number of contexts that devices report as free; `None` for the actual number.
    pub(crate) claimed_contexts: Option<u32>,
    /// The progress of the thread that initialises the library, if there is one.
    pub(crate) progress: Progress,
    /// The number of [`OpenHold`](crate::OpenHold)s.
    pub(crate) open_holds: u32,
    /// Contexts that this process holds, by device.
    pub(crate) held: [u32; crate::timing::MAX_DEVICES],
    pub(crate) regions: Vec<Region>,
    /// Contexts of the current initialisation.
    pub(crate) contexts: u32,
    /// Whether another user made the current initialisation.
    pub(crate) is_others: bool,
    /// The direction that no session can be allocated for.
    pub(crate) refused: Option<Direction>,
    /// Sessions that have not been freed.
    pub(crate) sessions: Vec<&'static Session>,
    /// Freed sessions, kept reachable instead of leaked.
    pub(crate) freed: Vec<&'static Session>,
    pub(crate) inits: u64,
    pub(crate) uninits: u64,
    pub(crate) sessions_allocated: u64,
    pub(crate) sessions_freed: u64,
    generations: u64,
}

impl State {
    fn new() -> Self {
        let machine = Machine::default();
        SETTINGS.set_machine(&machine);
        Self {
            life: 1,
            machine,
            registered: false,
            queues_taken: false,
            claimed_contexts: None,
            progress: Progress::Idle,
            open_holds: 0,
            held: [0; crate::timing::MAX_DEVICES],
            regions: Vec::new(),
            contexts: 0,
            is_others: false,
            refused: None,
            sessions: Vec::new(),
            freed: Vec::new(),
            inits: 0,
            uninits: 0,
            sessions_allocated: 0,
            sessions_freed: 0,
            generations: 0,
        }
    }

    /// Replaces the machine. The library's drivers are not registered there yet.
    pub(crate) fn set_machine(&mut self, machine: Machine) {
        assert!(machine.numa_nodes.len() <= crate::timing::MAX_DEVICES, "too many devices");
        SETTINGS.set_machine(&machine);
        self.machine = machine;
        self.registered = false;
    }

    pub(crate) fn begin_generation(&mut self, contexts: u32) {
        self.generations += 1;
        self.contexts = contexts;
        GENERATION.store(self.generations, Ordering::Release);
    }

    /// Returns the generation that [`begin_generation`](Self::begin_generation) will begin.
    pub(crate) fn next_generation(&self) -> u64 {
        self.generations + 1
    }

    pub(crate) fn end_generation(&mut self) {
        GENERATION.store(0, Ordering::Release);
        self.contexts = 0;
        self.is_others = false;
        self.regions.clear();
        self.held = [0; crate::timing::MAX_DEVICES];
    }

    /// Resets everything. Earlier sessions are forgotten.
    pub(crate) fn reset(&mut self, machine: Machine) {
        self.end_generation();
        self.life += 1;
        self.queues_taken = false;
        self.claimed_contexts = None;
        self.refused = None;
        self.forget_opening();
        self.forget_sessions();
        self.set_machine(machine);
    }

    /// Resets the state in a forked child: uninitialised, and inherited sessions are only memory.
    pub(crate) fn forked(&mut self) {
        self.end_generation();
        self.life += 1;
        self.registered = false;
        self.forget_opening();
        self.forget_sessions();
    }

    fn forget_opening(&mut self) {
        (self.progress, self.open_holds) = (Progress::Idle, 0);
    }

    fn forget_sessions(&mut self) {
        self.freed.append(&mut self.sessions);
        (self.inits, self.uninits, self.sessions_allocated, self.sessions_freed) = (0, 0, 0, 0);
    }

    /// Returns the number of contexts that a device has free.
    pub(crate) fn free_contexts(&self, device: usize) -> u32 {
        if self.queues_taken { 0 } else { self.machine.contexts.saturating_sub(self.held[device]) }
    }

    /// Returns the number of contexts that a device reports as free.
    pub(crate) fn reported_contexts(&self, device: usize) -> u32 {
        self.claimed_contexts.unwrap_or_else(|| self.free_contexts(device))
    }

    /// Returns the context that the next session of a node and direction is pinned to. If the node
    /// has no such contexts, the first node that has some is used.
    pub(crate) fn next_context(
        &mut self,
        node: i32,
        mode: Mode,
        direction: Direction,
    ) -> Option<Pin> {
        let last_node = *self.machine.numa_nodes.iter().max()?;
        if node > last_node.cast_signed() {
            return None;
        }
        let fits = |region: &Region| region.role.mode == mode && region.role.direction == direction;
        let own = |region: &Region| fits(region) && i64::from(region.node) == i64::from(node);
        let at =
            self.regions.iter().position(own).or_else(|| self.regions.iter().position(fits))?;
        let region = &mut self.regions[at];
        let context = region.next;
        region.next = if context < region.end { context + 1 } else { region.begin };
        Some(Pin { context, role: region.role })
    }
}

/// Returns the number of the current initialisation, or 0.
#[inline]
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Acquire)
}
