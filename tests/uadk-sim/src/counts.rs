//! Counts of the actions of callers and the simulated device.

/// Counts since the simulator was acquired.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Successful initialisations.
    pub inits: u64,
    /// Initialisations that have been undone.
    pub uninits: u64,
    /// Initialisations in progress: 0 or 1.
    pub initialising: u64,
    /// Allocated sessions, including freed ones.
    pub sessions_allocated: u64,
    /// Sessions that have not been freed, including those with lost requests.
    pub sessions_alive: u64,
    /// Live sessions with a lost request, which must never be freed.
    pub sessions_lost: u64,
    /// Accepted requests.
    pub submitted: u64,
    /// Requests refused with `EBUSY`.
    pub busy: u64,
    /// Completed requests; for asynchronous ones, the callback has been called.
    pub completed: u64,
    /// Requests that never complete: lost ones, and those in flight when their context failed.
    pub lost: u64,
    /// Accepted requests that have not completed yet.
    pub in_flight: u64,
    /// Late writes to outputs of lost requests.
    pub late_writes: u64,
    /// Late writes that are still pending.
    pub late_writes_pending: u64,
    /// Polls of single contexts, including those made by `wd_comp_poll`.
    pub polls: u64,
    /// Counts by context, over all initialisations.
    pub by_context: Vec<ContextCounts>,
}

/// Counts of one context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContextCounts {
    /// Accepted requests.
    pub submitted: u64,
    /// Requests refused with `EBUSY`.
    pub busy: u64,
    /// Completed requests.
    pub completed: u64,
    /// Requests that never complete.
    pub lost: u64,
    /// Accepted requests that have not completed yet.
    pub in_flight: u64,
    /// Polls.
    pub polls: u64,
    /// Whether the context has failed, and returns an error until the next initialisation.
    pub failed: bool,
}

impl ContextCounts {
    pub(crate) const fn new() -> Self {
        Self { submitted: 0, busy: 0, completed: 0, lost: 0, in_flight: 0, polls: 0, failed: false }
    }
}
