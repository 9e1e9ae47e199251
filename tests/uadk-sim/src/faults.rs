//! Faults: which request fails, and how.

use std::fmt::{Debug, Formatter};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::lz::Lie;
use crate::machine::{Algorithm, Direction};
use crate::sync::lock;

/// What happens to a request.
///
/// Synchronous requests are not polled, so [`Late`](Self::Late) has no effect on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The submission returns `EBUSY`.
    Busy,
    /// The context fails: this submission and every later submission and poll on it return the
    /// code (such as -62), until the library is initialised again. Its requests in flight never
    /// complete and count as lost.
    Context(i32),
    /// The device is reset: like [`Context`](Self::Context) with -62, on all contexts.
    Reset,
    /// The request is accepted and never completes; a synchronous call spins 14.5 s and returns
    /// `ETIMEDOUT`. Its session must not be freed afterwards.
    Lost {
        /// Whether the device writes to the output later, at
        /// [`write_late`](crate::Simulator::write_late): it fills the whole output with 0xa5, and
        /// the figures in `priv` too.
        write_late: bool,
    },
    /// The request is not completed by the next `polls` polls of its context. Others may overtake
    /// it.
    Late {
        /// Number of polls.
        polls: u32,
    },
    /// The request completes after this much time on the simulator's clock. Others may overtake
    /// it.
    Delay(Duration),
    /// Bit 0 of the byte in the middle of the output is flipped. For LZ77 that is the middle of the
    /// sequences, or of the literals if there are none.
    FlipBit,
    /// The request completes with this status. No output is written unless it is 0 or 1.
    Status(u32),
    /// The submission returns this code; the request is not accepted.
    Return(i32),
    /// The request reports this many bytes of output fewer than it produced. For LZ77 this number
    /// means nothing.
    ShortBy(u32),
    /// The request reports this many bytes of output. For LZ77 this number means nothing.
    Claims(u32),
    /// The request reports success and this many bytes of input consumed, whatever was read.
    Consumed(u32),
    /// The request reports success and this many bytes of input fewer than were consumed.
    ConsumedShort(u32),
    /// The request reports success, all input consumed and no output. Nothing is written.
    Empty,
    /// This many bytes at the end of the output are neither written nor counted. For LZ77 that is
    /// the end of the sequences, of which only whole ones count.
    Truncated(u32),
    /// Like [`Truncated`](Self::Truncated) by the length of the format's trailer: 4 bytes for zlib,
    /// 8 for gzip, and the last byte of formats without a trailer.
    NoTrailer,
    /// The submission returns this code although the device has the request: a later poll completes
    /// it. A synchronous call writes the output and leaves the request unchanged.
    ReturnButKeep(i32),
    /// The submission itself takes this long: it calls the simulator's sleeper if there is one.
    SlowSubmit(Duration),
    /// The request reports success, and a wrong result of LZ77 or LZ4. Requests of other algorithms
    /// are not hit.
    Lie(Lie),
}

/// Describes a request to the closure of [`set_faults`](crate::Simulator::set_faults).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestInfo {
    /// Number of the request, from 1, counting all requests with valid parameters.
    pub number: u64,
    /// The direction in the request.
    pub direction: Direction,
    /// The context that its session is pinned to.
    pub context: u32,
    /// Bytes of input.
    pub len: u32,
    /// The session's algorithm.
    pub algorithm: Algorithm,
    /// Whether the call waits for the result.
    pub synchronous: bool,
}

/// Rates of faults. Which request is hit depends only on the seed and the request's number.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rates {
    pub(crate) seed: u64,
    pub(crate) rates: [Option<(Rate, Fault)>; Rates::KINDS],
}

/// A probability of `faults / of`, at most 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) faults: u32,
    pub(crate) of: u32,
}

impl Rates {
    pub(crate) const KINDS: usize = 30;

    /// Picks the fault of a request. Each kind of fault has its own generator, and request `number`
    /// uses that generator's output number `number`.
    fn pick(&self, number: u64) -> Option<Fault> {
        self.rates.iter().zip(0u64..).find_map(|(rate, kind)| {
            let (rate, fault) = (*rate)?;
            let mut generator = Pcg64Mcg::seed_from_u64(self.seed ^ kind << 56);
            generator.advance(number.into());
            generator.random_ratio(rate.faults, rate.of).then_some(fault)
        })
    }
}

type Closure = Box<dyn FnMut(&RequestInfo) -> Option<Fault> + Send>;

/// Whether the plan is not empty, so that the common case takes no lock.
static ACTIVE: AtomicBool = AtomicBool::new(false);
static REQUESTS: AtomicU64 = AtomicU64::new(0);
pub(crate) static PLAN: Mutex<Plan> = Mutex::new(Plan::new());

/// The planned faults.
pub(crate) struct Plan {
    at: Vec<(u64, Fault)>,
    every: Vec<Every>,
    closure: Option<Closure>,
    rates: Option<Rates>,
}

struct Every {
    n: u64,
    since: u64,
    fault: Fault,
}

impl Debug for Plan {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Plan {
    const fn new() -> Self {
        Self { at: Vec::new(), every: Vec::new(), closure: None, rates: None }
    }

    fn is_empty(&self) -> bool {
        self.at.is_empty()
            && self.every.is_empty()
            && self.closure.is_none()
            && self.rates.is_none()
    }

    fn pick(&mut self, info: &RequestInfo) -> Option<Fault> {
        if let Some(at) = self.at.iter().position(|(number, _)| *number == info.number) {
            return Some(self.at.swap_remove(at).1);
        }
        let due = |every: &&Every| (info.number - every.since).is_multiple_of(every.n);
        if let Some(every) = self.every.iter().find(due) {
            return Some(every.fault);
        }
        if let Some(fault) = self.closure.as_mut().and_then(|closure| closure(info)) {
            return Some(fault);
        }
        self.rates.as_ref().and_then(|rates| rates.pick(info.number))
    }
}

/// Returns the number of the next request.
pub(crate) fn number() -> u64 {
    REQUESTS.fetch_add(1, Ordering::Relaxed) + 1
}

/// Picks the fault of a request, if any.
pub(crate) fn pick(info: &RequestInfo) -> Option<Fault> {
    if !ACTIVE.load(Ordering::Acquire) {
        return None;
    }
    lock(&PLAN).pick(info)
}

pub(crate) fn at(nth: u64, fault: Fault) {
    change(|plan| plan.at.push((REQUESTS.load(Ordering::Relaxed) + nth, fault)));
}

pub(crate) fn every(n: u64, fault: Fault) {
    let since = REQUESTS.load(Ordering::Relaxed);
    change(|plan| plan.every.push(Every { n: n.max(1), since, fault }));
}

pub(crate) fn set_closure(closure: Closure) {
    // The old closure is dropped without holding the lock.
    let mut closure = Some(closure);
    change(|plan| std::mem::swap(&mut plan.closure, &mut closure));
}

pub(crate) fn change_rates(edit: impl FnOnce(&mut Rates)) {
    change(|plan| edit(plan.rates.get_or_insert_default()));
}

/// Forgets all faults.
pub(crate) fn clear() {
    let mut old = Plan::new();
    change(|plan| std::mem::swap(plan, &mut old));
}

/// Forgets all faults, and counts requests from 1.
pub(crate) fn reset() {
    clear();
    REQUESTS.store(0, Ordering::Relaxed);
}

fn change(change: impl FnOnce(&mut Plan)) {
    let mut plan = lock(&PLAN);
    change(&mut plan);
    ACTIVE.store(!plan.is_empty(), Ordering::Release);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_hold_and_depend_only_on_the_seed() {
        let mut rates = Rates { seed: 7, ..Rates::default() };
        rates.rates[0] = Some((Rate { faults: 1, of: 50 }, Fault::Busy));
        let picked =
            |rates: &Rates| (1..=100_000).filter(|n| rates.pick(*n).is_some()).collect::<Vec<_>>();
        let first = picked(&rates);
        assert!((1800..2200).contains(&first.len()), "{}", first.len());
        assert_eq!(first, picked(&rates));
        rates.seed = 8;
        assert_ne!(first, picked(&rates));
    }
}
