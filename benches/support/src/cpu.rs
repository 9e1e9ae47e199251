//! CPU time, which on a shared machine is more meaningful than wall time.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// The cost of a measured piece of work.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// CPU time, of the process or the thread.
    pub cpu: Duration,
    /// Wall time.
    pub wall: Duration,
}

/// Runs `work` and measures the CPU time of all threads of this process.
pub fn measure_process<R>(work: impl FnOnce() -> R) -> (R, Cost) {
    measure(ClockId::ProcessCPUTime, work)
}

/// Runs `work` and measures the CPU time of this thread.
pub fn measure_thread<R>(work: impl FnOnce() -> R) -> (R, Cost) {
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
