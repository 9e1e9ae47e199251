//! How long the device takes for a request.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// When requests complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timing {
    /// At the next poll.
    #[default]
    Instant,
    /// After a time that matches the published throughput. For blocks of 8 KiB: 557 MB/s with one
    /// in flight, 1381 with 10, 4317 with 30, 7245 with 60 and more.
    Published,
}

/// The published measurement: (requests in flight, bytes per second).
const PUBLISHED: [(f64, f64); 4] = [(1.0, 557e6), (10.0, 1381e6), (30.0, 4317e6), (60.0, 7245e6)];
const BLOCK: f64 = 8192.0;
/// The minimum time, however short the request.
const MIN_LATENCY: Duration = Duration::from_micros(5);

/// Maximum number of devices.
pub(crate) const MAX_DEVICES: usize = 8;

static IS_PUBLISHED: AtomicBool = AtomicBool::new(false);
/// Requests in flight, by device.
static DEPTH: [Depth; MAX_DEVICES] = [const { Depth(AtomicU32::new(0)) }; MAX_DEVICES];

#[repr(align(128))]
struct Depth(AtomicU32);

pub(crate) fn set(timing: Timing) {
    IS_PUBLISHED.store(timing == Timing::Published, Ordering::Relaxed);
}

pub(crate) fn reset() {
    for depth in &DEPTH {
        depth.0.store(0, Ordering::Relaxed);
    }
}

/// Counts a request in at a device. Returns the time that it takes.
pub(crate) fn enter(device: usize, len: u32) -> Duration {
    let before = DEPTH[device].0.fetch_add(1, Ordering::Relaxed);
    if IS_PUBLISHED.load(Ordering::Relaxed) { latency(before + 1, len) } else { Duration::ZERO }
}

/// Counts a request out.
pub(crate) fn leave(device: usize) {
    // Saturating, since a reset in between forgets the request.
    let _ = DEPTH[device]
        .0
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |depth| depth.checked_sub(1));
}

fn latency(depth: u32, len: u32) -> Duration {
    let seconds = f64::from(depth) * BLOCK / throughput(f64::from(depth));
    Duration::from_secs_f64(seconds * f64::from(len) / BLOCK).max(MIN_LATENCY)
}

fn throughput(depth: f64) -> f64 {
    let last = PUBLISHED[PUBLISHED.len() - 1];
    PUBLISHED.windows(2).find(|pair| depth < pair[1].0).map_or(last.1, |pair| {
        let ((from, low), (to, high)) = (pair[0], pair[1]);
        low + (high - low) * (depth - from) / (to - from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_matches_the_published_throughput_at_each_depth() {
        for (depth, published) in [1, 10, 30, 60].into_iter().zip(PUBLISHED.map(|(_, speed)| speed))
        {
            let latency = latency(depth, 8192).as_secs_f64();
            let throughput = f64::from(depth) * BLOCK / latency;
            assert!((throughput / published - 1.0).abs() < 0.01, "{depth}: {throughput}");
        }
    }

    #[test]
    fn short_requests_take_five_microseconds() {
        assert_eq!(latency(1, 1), MIN_LATENCY);
    }
}
