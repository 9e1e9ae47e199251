//! The clock used by policy and engines, which tests can replace.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A monotonic clock.
///
/// ```
/// use std::time::Duration;
/// use uadk_compress::clock::{Clock, ManualClock};
///
/// fn wait(clock: &dyn Clock) -> Duration {
///     let started = clock.now();
///     clock.sleep(Duration::from_secs(1));
///     clock.now() - started
/// }
///
/// // With a `SystemClock` it would take a second.
/// assert_eq!(wait(&ManualClock::default()), Duration::from_secs(1));
/// ```
pub trait Clock: Send + Sync + Debug {
    /// Returns the time since some fixed moment in the past.
    fn now(&self) -> Duration;
    /// Sleeps for `duration`.
    fn sleep(&self, duration: Duration);
}

/// The machine's monotonic clock, counted from its creation.
///
/// ```
/// use uadk_compress::clock::{Clock, SystemClock};
///
/// let clock = SystemClock::default();
/// let started = clock.now();
/// let elapsed = clock.now() - started;
/// assert!(clock.now() >= started + elapsed);
/// ```
#[derive(Debug)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// A clock for tests that only moves when told to. Clones show the same time.
///
/// ```
/// use std::time::Duration;
/// use uadk_compress::clock::{Clock, ManualClock};
///
/// let clock = ManualClock::default();
/// let engine_clock = clock.clone(); // for the engine under test
/// clock.advance(Duration::from_millis(100));
/// assert_eq!(engine_clock.now(), Duration::from_millis(100));
/// engine_clock.sleep(Duration::from_millis(50)); // returns at once
/// assert_eq!(clock.now(), Duration::from_millis(150));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// Advances the clock.
    pub fn advance(&self, duration: Duration) {
        self.0.fetch_add(nanos(duration), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::SeqCst))
    }
    /// Advances the clock at once.
    fn sleep(&self, duration: Duration) {
        self.advance(duration);
    }
}

/// Returns `duration` in nanoseconds, capped at 584 years. (`as_nanos` computes in 128 bits, and
/// the policy needs this several times per block.)
pub(crate) const fn nanos(duration: Duration) -> u64 {
    let whole = duration.as_secs().saturating_mul(1_000_000_000);
    whole.saturating_add(duration.subsec_nanos() as u64)
}
