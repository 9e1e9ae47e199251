//! [`Stats`] published through the `metrics` facade.

use metrics::{Label, counter, gauge};

use super::Stats;
use super::series::Value;

impl Stats {
    /// Publishes the snapshot as absolute counters and gauges named `uadk_compress_*`, with the
    /// labels `compressor`, `engine`, `direction` and `reason`. Call it as often as your exporter
    /// scrapes, with a different name for each compressor.
    ///
    /// The facade's counters are integers: `uadk_compress_busy_seconds_total` counts whole seconds.
    /// [`prometheus`](Self::prometheus) has fractions.
    #[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
    pub fn publish(&self, compressor: &str) {
        self.series(compressor, &mut |series| {
            let labels: Vec<_> = series
                .labels
                .iter()
                .map(|(name, value)| Label::new(*name, (*value).to_owned()))
                .collect();
            match series.value {
                Value::Count(count) => counter!(series.name, labels).absolute(count),
                #[allow(clippy::cast_sign_loss, reason = "times are not negative")]
                Value::Seconds(seconds) => counter!(series.name, labels).absolute(seconds as u64),
                Value::Gauge(value) => gauge!(series.name, labels).set(value),
            }
        });
    }
}
