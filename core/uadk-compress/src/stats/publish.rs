//! [`Stats`] through the `metrics` facade.

use metrics::{counter, gauge};

use super::{BreakerState, Stats};

impl Stats {
    /// Publishes the snapshot as absolute counters and gauges named `uadk_compress_*`, with the
    /// labels `compressor`, `engine`, `direction` and `reason`. Call it as often as your exporter
    /// scrapes, with a name of its own for each compressor.
    pub fn publish(&self, compressor: &'static str) {
        for (engine, stats) in [("accelerator", &self.accelerator), ("software", &self.software)] {
            for (direction, op) in
                [("compress", &stats.compress), ("decompress", &stats.decompress)]
            {
                let labels =
                    [("compressor", compressor), ("engine", engine), ("direction", direction)];
                counter!("uadk_compress_blocks_total", &labels).absolute(op.blocks);
                counter!("uadk_compress_output_full_total", &labels).absolute(op.output_full);
                counter!("uadk_compress_errors_total", &labels).absolute(op.errors);
                counter!("uadk_compress_in_bytes_total", &labels).absolute(op.bytes_in);
                counter!("uadk_compress_out_bytes_total", &labels).absolute(op.bytes_out);
                gauge!("uadk_compress_busy_seconds", &labels).set(op.time.as_secs_f64());
            }
        }
        for (reason, count) in self.fallbacks.by_reason() {
            let labels = [("compressor", compressor), ("reason", reason)];
            counter!("uadk_compress_fallbacks_total", &labels).absolute(count);
        }
        let label = [("compressor", compressor)];
        counter!("uadk_compress_breaker_opened_total", &label).absolute(self.breaker.opened);
        let open = self.breaker.state != BreakerState::Closed;
        gauge!("uadk_compress_breaker_open", &label).set(f64::from(u8::from(open)));
        let available = self.unavailable.is_none();
        gauge!("uadk_compress_accelerator_available", &label).set(f64::from(u8::from(available)));
        for (direction, delay) in
            [("compress", self.delay.compress), ("decompress", self.delay.decompress)]
        {
            let labels = [("compressor", compressor), ("direction", direction)];
            gauge!("uadk_compress_delay_seconds", &labels).set(delay.as_secs_f64());
        }
    }
}
