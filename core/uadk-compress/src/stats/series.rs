//! [`Stats`] as named series with labels, for all exporters.

use super::{BreakerState, Stats};

/// One value of a snapshot.
pub(super) struct Series<'a> {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) labels: &'a [(&'static str, &'a str)],
    pub(super) value: Value,
}

/// A value and the kind of its series.
#[derive(Clone, Copy)]
pub(super) enum Value {
    /// Only grows.
    Count(u64),
    /// A time that only grows, in seconds.
    Seconds(f64),
    /// Goes up and down.
    Gauge(f64),
}

impl Stats {
    /// Passes each value to `sink`, with the values of one series consecutively.
    pub(super) fn series(&self, compressor: &str, sink: &mut dyn FnMut(&Series<'_>)) {
        self.operations(compressor, sink);
        for (reason, count) in self.fallbacks.by_reason() {
            sink(&Series {
                name: "uadk_compress_fallbacks_total",
                help: "Blocks that went to software, by reason.",
                labels: &[("compressor", compressor), ("reason", reason)],
                value: Value::Count(count),
            });
        }
        let flag = |flag: bool| Value::Gauge(f64::from(u8::from(flag)));
        for (name, help, value) in [
            (
                "uadk_compress_breaker_opened_total",
                "How often the circuit breaker opened.",
                Value::Count(self.breaker.opened),
            ),
            (
                "uadk_compress_breaker_open",
                "Whether the circuit breaker keeps blocks from the accelerator.",
                flag(self.breaker.state != BreakerState::Closed),
            ),
            (
                "uadk_compress_accelerator_available",
                "Whether the accelerator can be used now.",
                flag(
                    self.unavailable.is_none()
                        && self.uadk.as_ref().is_none_or(|uadk| uadk.outage.is_none()),
                ),
            ),
        ] {
            sink(&Series { name, help, labels: &[("compressor", compressor)], value });
        }
        for (direction, delay) in
            [("compress", self.delay.compress), ("decompress", self.delay.decompress)]
        {
            sink(&Series {
                name: "uadk_compress_delay_seconds",
                help: "Moving average of the accelerator's delay per block.",
                labels: &[("compressor", compressor), ("direction", direction)],
                value: Value::Gauge(delay.as_secs_f64()),
            });
        }
        self.device(compressor, sink);
    }

    fn device(&self, compressor: &str, sink: &mut dyn FnMut(&Series<'_>)) {
        let Some(uadk) = &self.uadk else { return };
        for (name, help, value) in [
            (
                "uadk_compress_device_initialisations_total",
                "How often the device was initialised.",
                Value::Count(uadk.initialisations),
            ),
            (
                "uadk_compress_device_lost_blocks_total",
                "Blocks whose completion never arrived, or arrived too late.",
                Value::Count(uadk.lost),
            ),
            (
                "uadk_compress_device_quarantined_bytes",
                "Bytes of address space kept for lost blocks.",
                Value::Gauge(uadk.quarantined_bytes as f64),
            ),
            (
                "uadk_compress_device_contexts",
                "Contexts for asynchronous requests.",
                Value::Gauge(uadk.contexts as f64),
            ),
            (
                "uadk_compress_device_failed_contexts",
                "Contexts that have failed since the initialisation.",
                Value::Gauge(uadk.failed_contexts as f64),
            ),
            (
                "uadk_compress_device_sessions",
                "Sessions of all threads.",
                Value::Gauge(uadk.sessions as f64),
            ),
        ] {
            sink(&Series { name, help, labels: &[("compressor", compressor)], value });
        }
    }

    fn operations(&self, compressor: &str, sink: &mut dyn FnMut(&Series<'_>)) {
        type Field = fn(&super::OpStats) -> Value;
        const FIELDS: [(&str, &str, Field); 6] = [
            ("uadk_compress_blocks_total", "Blocks processed.", |op| Value::Count(op.blocks)),
            (
                "uadk_compress_output_full_total",
                "Blocks whose result did not fit into the destination.",
                |op| Value::Count(op.output_full),
            ),
            ("uadk_compress_errors_total", "Blocks that ended in another error.", |op| {
                Value::Count(op.errors)
            }),
            ("uadk_compress_in_bytes_total", "Input bytes.", |op| Value::Count(op.bytes_in)),
            ("uadk_compress_out_bytes_total", "Output bytes.", |op| Value::Count(op.bytes_out)),
            ("uadk_compress_busy_seconds_total", "Time that callers spent in the engine.", |op| {
                Value::Seconds(op.time.as_secs_f64())
            }),
        ];
        for (name, help, field) in FIELDS {
            for (engine, stats) in
                [("accelerator", &self.accelerator), ("software", &self.software)]
            {
                for (direction, op) in
                    [("compress", &stats.compress), ("decompress", &stats.decompress)]
                {
                    let labels =
                        &[("compressor", compressor), ("engine", engine), ("direction", direction)];
                    sink(&Series { name, help, labels, value: field(op) });
                }
            }
        }
    }
}
