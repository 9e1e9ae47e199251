//! A compressor's counters, as a struct and as text.

#![allow(unsafe_code, reason = "exports functions to C")]

use std::ffi::c_char;

use uadk_compress::Stats;
use uadk_compress::stats::{BreakerState, OpStats};

use crate::failure::{Failure, attempt, c_string, status};
use crate::{pointer, uadk_compressor, uadk_status};

/// One engine's work in one direction.
///
/// ```c
/// uadk_stats stats = {.size = sizeof stats};
/// (void)uadk_compressor_stats(compressor, &stats);
/// const uadk_operation_stats *work = &stats.software_compress;
/// printf("%.1f %%\n", 100.0 * (double)work->bytes_out / (double)work->bytes_in);
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct uadk_operation_stats {
    /// Blocks processed, whatever the result.
    pub blocks: u64,
    /// Of these, blocks whose result did not fit into the destination.
    pub output_full: u64,
    /// Of these, blocks that ended in another error.
    pub errors: u64,
    /// Input bytes of all blocks.
    pub bytes_in: u64,
    /// Output bytes of the blocks that succeeded.
    pub bytes_out: u64,
    /// Time that callers spent in the engine, in nanoseconds, summed over threads. That of software
    /// is estimated from one block in sixteen.
    pub time_ns: u64,
}

/// A compressor's counters since its creation. docs/accelerator.md explains the fallbacks.
///
/// ```c
/// uadk_stats stats = {.size = sizeof stats};
/// if (uadk_compressor_stats(compressor, &stats) == UADK_STATUS_OK) {
///     unsigned long long offloaded = stats.accelerator_compress.blocks;
///     printf("%llu blocks on the accelerator\n", offloaded);
/// }
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct uadk_stats {
    /// Set to `sizeof(uadk_stats)` before the call, so that programs work with newer versions of
    /// the library, in which the struct has more members.
    pub size: usize,
    /// 1 if the accelerator can be used now, else 0.
    pub accelerator_available: u64,
    /// Blocks that the accelerator compressed.
    pub accelerator_compress: uadk_operation_stats,
    /// Blocks that the accelerator decompressed.
    pub accelerator_decompress: uadk_operation_stats,
    /// Blocks that software compressed.
    pub software_compress: uadk_operation_stats,
    /// Blocks that software decompressed.
    pub software_decompress: uadk_operation_stats,
    /// 1 if the circuit breaker keeps blocks from the accelerator after a fault, else 0.
    pub breaker_open: u64,
    /// How often the circuit breaker opened.
    pub breaker_opened: u64,
    /// The current hold-off, in nanoseconds.
    pub breaker_hold_off_ns: u64,
    /// Moving average of the accelerator's delay per block to compress, in nanoseconds.
    pub delay_compress_ns: u64,
    /// The same, to decompress.
    pub delay_decompress_ns: u64,
    /// How often the process initialised the device.
    pub device_initialisations: u64,
    /// Contexts (queues) of the device that the process holds.
    pub device_contexts: u64,
    /// How many of these are known to have failed.
    pub device_failed_contexts: u64,
    /// Sessions of all threads.
    pub device_sessions: u64,
    /// Blocks whose completion never came, or came too late.
    pub device_lost_blocks: u64,
    /// Bytes of address space kept for lost blocks.
    pub device_quarantined_bytes: u64,
    /// Blocks processed in software because there is no accelerator.
    pub fallback_no_accelerator: u64,
    /// Because offload is switched off.
    pub fallback_switched_off: u64,
    /// Because the block is smaller than `min_block`.
    pub fallback_too_small: u64,
    /// Because it is larger than `max_block`.
    pub fallback_too_large: u64,
    /// Because the accelerator's queue was full.
    pub fallback_busy: u64,
    /// Because the accelerator was being initialised.
    pub fallback_starting: u64,
    /// Because the accelerator was slower than `max_delay`.
    pub fallback_delayed: u64,
    /// Because the breaker was open after a fault.
    pub fallback_held_off: u64,
    /// Because the accelerator reported a fault.
    pub fallback_device_error: u64,
    /// Because the accelerator did not complete the block in time.
    pub fallback_timed_out: u64,
    /// Because the accelerator was unusable.
    pub fallback_unavailable: u64,
    /// Because the accelerator's output was wrong.
    pub fallback_wrong_output: u64,
    /// Because of a bug in the library.
    pub fallback_panicked: u64,
    /// Because the accelerator does not support the block.
    pub fallback_unsupported: u64,
    /// Because the accelerator refused the block.
    pub fallback_refused: u64,
}

impl From<&OpStats> for uadk_operation_stats {
    fn from(stats: &OpStats) -> Self {
        let OpStats { blocks, output_full, errors, bytes_in, bytes_out, time, .. } = *stats;
        Self { blocks, output_full, errors, bytes_in, bytes_out, time_ns: nanoseconds(time) }
    }
}

impl From<&Stats> for uadk_stats {
    fn from(stats: &Stats) -> Self {
        let uadk = stats.uadk.clone().unwrap_or_default();
        let available = stats.unavailable.is_none() && uadk.outage.is_none();
        Self {
            size: size_of::<Self>(),
            accelerator_available: available.into(),
            accelerator_compress: (&stats.accelerator.compress).into(),
            accelerator_decompress: (&stats.accelerator.decompress).into(),
            software_compress: (&stats.software.compress).into(),
            software_decompress: (&stats.software.decompress).into(),
            breaker_open: (stats.breaker.state != BreakerState::Closed).into(),
            breaker_opened: stats.breaker.opened,
            breaker_hold_off_ns: nanoseconds(stats.breaker.hold_off),
            delay_compress_ns: nanoseconds(stats.delay.compress),
            delay_decompress_ns: nanoseconds(stats.delay.decompress),
            device_initialisations: uadk.initialisations,
            device_contexts: uadk.contexts as u64,
            device_failed_contexts: uadk.failed_contexts as u64,
            device_sessions: uadk.sessions as u64,
            device_lost_blocks: uadk.lost,
            device_quarantined_bytes: uadk.quarantined_bytes as u64,
            fallback_no_accelerator: stats.fallbacks.no_accelerator,
            fallback_switched_off: stats.fallbacks.switched_off,
            fallback_too_small: stats.fallbacks.too_small,
            fallback_too_large: stats.fallbacks.too_large,
            fallback_busy: stats.fallbacks.busy,
            fallback_starting: stats.fallbacks.starting,
            fallback_delayed: stats.fallbacks.delayed,
            fallback_held_off: stats.fallbacks.held_off,
            fallback_device_error: stats.fallbacks.device_error,
            fallback_timed_out: stats.fallbacks.timed_out,
            fallback_unavailable: stats.fallbacks.unavailable,
            fallback_wrong_output: stats.fallbacks.wrong_output,
            fallback_panicked: stats.fallbacks.panicked,
            fallback_unsupported: stats.fallbacks.unsupported,
            fallback_refused: stats.fallbacks.refused,
        }
    }
}

fn nanoseconds(time: std::time::Duration) -> u64 {
    time.as_nanos().try_into().unwrap_or(u64::MAX)
}

/// Stores the counters of all handles of this compressor in `*stats`, whose `size` must be set. In
/// members that this version of the library does not know, it stores 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn uadk_compressor_stats(
    compressor: *const uadk_compressor,
    stats: *mut uadk_stats,
) -> uadk_status {
    status(|| {
        pointer::check(stats, "the place for the counters")?;
        // SAFETY: not null and aligned; the caller has set the first member.
        let size = unsafe { stats.cast::<usize>().read() };
        if size < size_of::<usize>() {
            return Err(Failure::argument(format!("uadk_stats.size is {size}, not its size")));
        }
        // SAFETY: the caller passes a handle.
        let compressor = unsafe { pointer::compressor(compressor) }?;
        let found = uadk_stats { size, ..uadk_stats::from(&compressor.shared().stats()) };
        let known = size.min(size_of::<uadk_stats>());
        let bytes = stats.cast::<u8>();
        // SAFETY: the caller's struct has `size` bytes.
        unsafe { bytes.copy_from_nonoverlapping((&raw const found).cast(), known) };
        // SAFETY: as above.
        let rest = unsafe { bytes.add(known) };
        // SAFETY: as above.
        unsafe { rest.write_bytes(0, size - known) };
        Ok(())
    })
}

/// Returns the counters as text of several lines, or null after a failure. Free it with
/// `uadk_compress_string_free`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn uadk_compressor_stats_text(
    compressor: *const uadk_compressor,
) -> *mut c_char {
    let text = attempt(|| {
        // SAFETY: the caller passes a handle.
        let compressor = unsafe { pointer::compressor(compressor) }?;
        Ok(c_string(compressor.shared().stats().to_string()))
    });
    text.map_or(std::ptr::null_mut(), std::ffi::CString::into_raw)
}

#[cfg(test)]
mod tests {
    use uadk_compress::Compressor;

    use super::*;

    /// The members of the struct after `size`, in order.
    fn members(stats: &uadk_stats) -> Vec<u64> {
        const COUNT: usize = size_of::<uadk_stats>() / 8 - 1;
        let first = (&raw const stats.accelerator_available).cast::<u64>();
        // SAFETY: they are all `u64`, as the sizes below confirm.
        unsafe { std::slice::from_raw_parts(first, COUNT) }.to_vec()
    }

    #[test]
    fn every_fallback_has_a_member_in_the_order_of_the_rust_struct() {
        let stats = Stats::default();
        let reasons = stats.fallbacks.by_reason().len();
        let members_of_fallbacks = (size_of::<uadk_stats>()
            - std::mem::offset_of!(uadk_stats, fallback_no_accelerator))
            / size_of::<u64>();
        assert_eq!(members_of_fallbacks, reasons);

        let mut stats = Stats::default();
        stats.fallbacks.no_accelerator = 1;
        stats.fallbacks.too_large = 2;
        stats.fallbacks.timed_out = 3;
        stats.fallbacks.refused = 4;
        let expected: Vec<_> = stats.fallbacks.by_reason().map(|(_, count)| count).collect();
        let found = members(&uadk_stats::from(&stats));
        assert_eq!(found[found.len() - reasons..], expected);
    }

    #[test]
    fn the_struct_has_no_gaps() {
        assert_eq!(std::mem::offset_of!(uadk_stats, size), 0);
        assert_eq!(size_of::<usize>(), 8);
        assert_eq!(size_of::<uadk_operation_stats>(), 6 * 8);
        assert_eq!(size_of::<uadk_stats>(), 8 + (1 + 4 * 6 + 11 + 15) * 8);
    }

    #[test]
    fn a_compressor_without_an_accelerator_says_so() {
        let compressor = Compressor::builder().offload(uadk_compress::Offload::Off).build();
        let mut stats = compressor.expect("software").stats();
        stats.unavailable = Some("none".into());
        assert_eq!(uadk_stats::from(&stats).accelerator_available, 0);
    }
}
