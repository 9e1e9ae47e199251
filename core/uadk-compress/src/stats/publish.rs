//! [`Stats`] through the `metrics` facade.

use metrics::{counter, gauge};

use super::{BreakerState, Stats};

impl Stats {
    /// Publishes the snapshot as absolute counters and gauges named `uadk_compress_*`, with the
    /// labels `engine`, `direction` and `reason`. Call it as often as your exporter scrapes.
    pub fn publish(&self) {
        for (engine, stats) in [("accelerator", &self.accelerator), ("software", &self.software)] {
            for (direction, op) in
                [("compress", &stats.compress), ("decompress", &stats.decompress)]
            {
                let labels = [("engine", engine), ("direction", direction)];
                counter!("uadk_compress_blocks_total", &labels).absolute(op.blocks);
                counter!("uadk_compress_output_full_total", &labels).absolute(op.output_full);
                counter!("uadk_compress_errors_total", &labels).absolute(op.errors);
                counter!("uadk_compress_in_bytes_total", &labels).absolute(op.bytes_in);
                counter!("uadk_compress_out_bytes_total", &labels).absolute(op.bytes_out);
                gauge!("uadk_compress_busy_seconds", &labels).set(op.time.as_secs_f64());
            }
        }
        for (reason, count) in self.fallbacks.by_reason() {
            counter!("uadk_compress_fallbacks_total", "reason" => reason).absolute(count);
        }
        counter!("uadk_compress_breaker_opened_total").absolute(self.breaker.opened);
        let open = self.breaker.state != BreakerState::Closed;
        gauge!("uadk_compress_breaker_open").set(f64::from(u8::from(open)));
        let available = self.unavailable.is_none();
        gauge!("uadk_compress_accelerator_available").set(f64::from(u8::from(available)));
        for (direction, delay) in
            [("compress", self.delay.compress), ("decompress", self.delay.decompress)]
        {
            gauge!("uadk_compress_delay_seconds", "direction" => direction)
                .set(delay.as_secs_f64());
        }
    }
}
