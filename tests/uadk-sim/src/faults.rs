//! Which request fails, and how.

use std::fmt::{Debug, Formatter};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::machine::{Algorithm, Direction};
use crate::sync::lock;

/// What happens to a request.
///
/// A synchronous request knows no polls: [`Late`](Self::Late) does nothing to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The submission says `EBUSY`.
    Busy,
    /// The context fails: this submission and every later submission and poll on it return the
    /// code (-62), until the library is initialised again. Its requests in flight never complete
    /// and count as lost.
    Context(i32),
    /// The device is reset: as [`Context`](Self::Context) with -62, on all contexts.
    Reset,
    /// The request is accepted and never completes; a synchronous call spins 14.5 s and returns
    /// `ETIMEDOUT`. Its session may not be freed any more.
    Lost {
        /// Whether the device writes to the output after all, at
        /// [`write_late`](crate::Simulator::write_late): 0xa5 over all its room.
        write_late: bool,
    },
    /// The request completes after so many polls of its context have gone without it. Others may
    /// overtake it.
    Late {
        /// Polls.
        polls: u32,
    },
    /// The request completes when so much time has passed on the simulator's clock. Others may
    /// overtake it.
    Delay(Duration),
    /// The bit 0 of the byte in the middle of the output is flipped.
    FlipBit,
    /// The request completes with this status. No output is written unless it is 0 or 1.
    Status(u32),
    /// The submission returns this code; the request is not accepted.
    Return(i32),
    /// The request says that it produced so many bytes less.
    ShortBy(u32),
    /// The request says that it produced so many bytes.
    Claims(u32),
    /// The request reports success and this many bytes of input consumed, whatever was read.
    Consumed(u32),
    /// The request reports success and this many bytes of input less than were consumed.
    ConsumedShort(u32),
    /// The request reports success, all input consumed and no output. None is written.
    Empty,
    /// The last bytes of the output are neither written nor counted.
    Truncated(u32),
    /// As [`Truncated`](Self::Truncated) by the length of the format's trailer: 4 bytes for zlib, 8
    /// for gzip, and the last byte of raw deflate, which has none.
    NoTrailer,
    /// The submission returns this code although the device has the request: a later poll completes
    /// it. A synchronous call writes the output and leaves the request as it was.
    ReturnButKeep(i32),
    /// The submission itself takes this long: it waits on the simulator's sleeper if there is one.
    SlowSubmit(Duration),
}

/// What [`set_faults`](crate::Simulator::set_faults) is told of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestInfo {
    /// From 1, counting all requests with valid parameters.
    pub number: u64,
    /// As asked for by the request.
    pub direction: Direction,
    /// The context that its session is pinned to.
    pub context: u32,
    /// Bytes of input.
    pub len: u32,
    /// The session's.
    pub algorithm: Algorithm,
    /// Whether the call waits for the result.
    pub synchronous: bool,
}

/// Rates of faults. Which request is hit depends on the seed and the request's number alone.
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
    pub(crate) const KINDS: usize = 18;

    /// Each kind has a generator of its own, and request `number` gets its output of that number.
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

/// Whether the plan has anything, so that the common case takes no lock.
static ACTIVE: AtomicBool = AtomicBool::new(false);
static REQUESTS: AtomicU64 = AtomicU64::new(0);
pub(crate) static PLAN: Mutex<Plan> = Mutex::new(Plan::new());

/// The faults to come.
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

/// Numbers a request.
pub(crate) fn number() -> u64 {
    REQUESTS.fetch_add(1, Ordering::Relaxed) + 1
}

/// The fault that a request gets.
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
    // The old one is dropped without the lock.
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
    fn rates_are_kept_and_depend_on_the_seed_alone() {
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
