//! [`Stats`] in Prometheus' text format.

use std::fmt::Write;

use super::Stats;
use super::series::{Series, Value};

impl Stats {
    /// Returns the snapshot in Prometheus' text exposition format (version 0.0.4), with the label
    /// `compressor` on each series. Needs no facade or exporter.
    ///
    /// ```
    /// use uadk_compress::Compressor;
    ///
    /// let text = Compressor::builder().build()?.stats().prometheus("blocks");
    /// assert!(text.contains("# TYPE uadk_compress_blocks_total counter"));
    /// # Ok::<(), uadk_compress::Error>(())
    /// ```
    #[must_use]
    pub fn prometheus(&self, compressor: &str) -> String {
        let mut text = String::new();
        let mut last = "";
        self.series(compressor, &mut |series| {
            // Writing to a string does not fail.
            if last != series.name {
                last = series.name;
                let kind = match series.value {
                    Value::Count(_) | Value::Seconds(_) => "counter",
                    Value::Gauge(_) => "gauge",
                };
                let _ = writeln!(text, "# HELP {last} {}\n# TYPE {last} {kind}", series.help);
            }
            let _ = write_sample(&mut text, series);
        });
        text
    }
}

fn write_sample(text: &mut String, series: &Series<'_>) -> std::fmt::Result {
    text.push_str(series.name);
    let mut separator = '{';
    for (label, value) in series.labels {
        write!(text, "{separator}{label}=\"")?;
        for character in value.chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                other => text.push(other),
            }
        }
        text.push('"');
        separator = ',';
    }
    match series.value {
        Value::Count(count) => writeln!(text, "}} {count}"),
        Value::Seconds(value) | Value::Gauge(value) => writeln!(text, "}} {value}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_series_has_its_type_once_and_labels_are_escaped() {
        let mut stats = Stats::default();
        stats.software.compress.blocks = 3;
        stats.software.compress.time = Duration::from_millis(1500);
        stats.fallbacks.busy = 2;
        let text = stats.prometheus("a \"b\"\\\n");
        for line in [
            "uadk_compress_blocks_total{compressor=\"a \\\"b\\\"\\\\\\n\",engine=\"software\",\
             direction=\"compress\"} 3",
            "uadk_compress_busy_seconds_total{compressor=\"a \\\"b\\\"\\\\\\n\",\
             engine=\"software\",direction=\"compress\"} 1.5",
            r#"uadk_compress_fallbacks_total{compressor="a \"b\"\\\n",reason="busy"} 2"#,
            "# TYPE uadk_compress_busy_seconds_total counter",
            "# TYPE uadk_compress_breaker_open gauge",
        ] {
            assert_eq!(text.lines().filter(|found| *found == line).count(), 1, "{line}\n{text}");
        }
        let types: Vec<_> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
        let mut unique = types.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(types.len(), unique.len(), "{text}");
    }
}
