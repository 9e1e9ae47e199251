//! The simulator's clock, and waiting on it.

use std::fmt::{Debug, Formatter};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use crate::sync::lock;
use parking_lot::Mutex;

/// Returns the time since some fixed moment.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;
/// Lets this much time pass.
pub type Sleeper = Arc<dyn Fn(Duration) + Send + Sync>;

/// Whether `CUSTOM` is set, so that the common case takes no lock.
static IS_CUSTOM: AtomicBool = AtomicBool::new(false);
pub(crate) static CUSTOM: Mutex<Custom> = Mutex::new(Custom { clock: None, sleeper: None });
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Waits shorter than this spin, as the real library does.
const SPIN: Duration = Duration::from_micros(200);

pub(crate) struct Custom {
    clock: Option<Clock>,
    sleeper: Option<Sleeper>,
}

impl Debug for Custom {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Custom").finish_non_exhaustive()
    }
}

pub(crate) fn set_clock(clock: Option<Clock>) {
    change(|custom| custom.clock = clock);
}

pub(crate) fn set_sleeper(sleeper: Option<Sleeper>) {
    change(|custom| custom.sleeper = sleeper);
}

fn change(change: impl FnOnce(&mut Custom)) {
    let mut custom = lock(&CUSTOM);
    change(&mut custom);
    IS_CUSTOM.store(custom.clock.is_some() || custom.sleeper.is_some(), Ordering::Release);
}

pub(crate) fn now() -> Duration {
    if IS_CUSTOM.load(Ordering::Acquire) {
        // The clock is called without holding the lock, which `fork` needs.
        let clock = lock(&CUSTOM).clock.clone();
        if let Some(clock) = clock {
            return clock();
        }
    }
    START.elapsed()
}

/// Waits until the clock reaches `deadline`. A sleeper is called once, and trusted. A custom clock
/// without a sleeper can't be waited for, so the time counts as passed.
pub(crate) fn wait_until(deadline: Duration) {
    let left = deadline.saturating_sub(now());
    if left.is_zero() {
        return;
    }
    if IS_CUSTOM.load(Ordering::Acquire) {
        let custom = lock(&CUSTOM);
        let (sleeper, has_clock) = (custom.sleeper.clone(), custom.clock.is_some());
        drop(custom);
        if let Some(sleeper) = sleeper {
            return sleeper(left);
        }
        if has_clock {
            return;
        }
    }
    if left > SPIN {
        std::thread::sleep(left);
    }
    while now() < deadline {
        std::hint::spin_loop();
    }
}
