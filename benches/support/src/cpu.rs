//! CPU time, which on a shared machine says more than the clock on the wall.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// What something cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// CPU time, of the process or the thread.
    pub cpu: Duration,
    /// Time on the wall.
    pub wall: Duration,
}

/// CPU time of all threads of this process while `work` runs.
pub fn of_process<R>(work: impl FnOnce() -> R) -> (R, Cost) {
    measure(ClockId::ProcessCPUTime, work)
}

/// CPU time of this thread while `work` runs.
pub fn of_thread<R>(work: impl FnOnce() -> R) -> (R, Cost) {
    measure(ClockId::ThreadCPUTime, work)
}

fn measure<R>(clock: ClockId, work: impl FnOnce() -> R) -> (R, Cost) {
    let (cpu, wall) = (now(clock), Instant::now());
    let result = work();
    (result, Cost { cpu: now(clock).saturating_sub(cpu), wall: wall.elapsed() })
}

fn now(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}
