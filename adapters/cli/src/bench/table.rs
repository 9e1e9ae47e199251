//! Renders the results for people and for machines.

use std::fmt::Write;

use serde::Serialize;
use uadk_compress::Level;

use super::case::Case;
use super::input::Input;
use super::measure::{Failure, Measured};
use crate::error::chain;
use crate::size;

/// All results.
#[derive(Debug)]
pub(super) struct Outcome<'a> {
    pub(super) input: &'a Input,
    /// Why the accelerator was not measured.
    pub(super) accelerator_missing: Option<String>,
    pub(super) rows: Vec<Row>,
}

/// The result of one case. Speeds count uncompressed bytes, in units of 1,000,000.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    engine: &'static str,
    format: &'static str,
    /// Null for engines that ignore the level.
    level: Option<i32>,
    block_size: usize,
    mode: &'static str,
    /// The bytes in the blocks that were processed.
    bytes: usize,
    /// Uncompressed bytes divided by compressed bytes.
    ratio: Option<f64>,
    compress_mb_per_cpu_s: Option<f64>,
    compress_mb_per_s: Option<f64>,
    decompress_mb_per_cpu_s: Option<f64>,
    decompress_mb_per_s: Option<f64>,
    /// Why there are no figures.
    error: Option<String>,
}

impl Row {
    pub(super) fn new(case: &Case, measured: Result<Measured, Failure>) -> Self {
        let (measured, error) = match measured {
            Ok(measured) => (Some(measured), None),
            Err(Failure::Engine(error)) => (None, Some(chain(&error))),
            Err(Failure::WrongBytes) => {
                (None, Some("decompressed data differs from the original".to_owned()))
            }
        };
        let compress = measured.map(|measured| measured.compress);
        let decompress = measured.and_then(|measured| measured.decompress);
        Self {
            engine: case.engine,
            format: case.codec.format().name(),
            level: case.level.map(Level::get),
            block_size: case.block_size,
            mode: case.mode.name(),
            bytes: measured.map_or(0, |measured| measured.bytes),
            ratio: measured.map(|measured| measured.bytes as f64 / measured.compressed as f64),
            compress_mb_per_cpu_s: compress.map(|work| work.mb_per_cpu_s()),
            compress_mb_per_s: compress.map(|work| work.mb_per_s()),
            decompress_mb_per_cpu_s: decompress.map(|work| work.mb_per_cpu_s()),
            decompress_mb_per_s: decompress.map(|work| work.mb_per_s()),
            error,
        }
    }

    fn text(&self) -> String {
        let level = self.level.map_or_else(|| "-".to_owned(), |level| level.to_string());
        let mut text = format!(
            "{:<12} {:<8} {level:>5} {:>6} {:<6} ",
            self.engine,
            self.format,
            size::display(self.block_size),
            self.mode
        );
        if let Some(error) = &self.error {
            return text + error;
        }
        let number = |value: Option<f64>, decimals: usize| {
            value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
        };
        _ = write!(
            text,
            "{:>6} {:>10} {:>8} {:>10} {:>8}",
            number(self.ratio, 2),
            number(self.compress_mb_per_cpu_s, 0),
            number(self.compress_mb_per_s, 0),
            number(self.decompress_mb_per_cpu_s, 0),
            number(self.decompress_mb_per_s, 0),
        );
        text
    }
}

impl Outcome<'_> {
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "{:.1} MB of {}{}\n\n{:<39} {:>6} {:>19} {:>19}\n{:<12} {:<8} {:>5} {:>6} {:<6} {:>6} \
             {:>10} {:>8} {:>10} {:>8}\n",
            self.input.data.len() as f64 / 1e6,
            self.input.names(),
            if self.input.is_cut { " (there is more; see --limit)" } else { "" },
            "",
            "",
            "compress",
            "decompress",
            "engine",
            "format",
            "level",
            "block",
            "mode",
            "ratio",
            "MB/CPU s",
            "MB/s",
            "MB/CPU s",
            "MB/s",
        );
        for row in &self.rows {
            text += &row.text();
            text.push('\n');
        }
        if let Some(reason) = &self.accelerator_missing {
            _ = writeln!(
                text,
                "\nThe accelerator was not measured ({reason}); see `uadk-compress doctor`."
            );
        }
        text
    }

    pub(super) fn json(&self) -> String {
        #[derive(Serialize)]
        struct Json<'a> {
            files: Vec<String>,
            bytes: usize,
            cut: bool,
            accelerator_missing: Option<&'a str>,
            rows: &'a [Row],
        }
        let json = Json {
            files: self.input.files.iter().map(|path| path.display().to_string()).collect(),
            bytes: self.input.data.len(),
            cut: self.input.is_cut,
            accelerator_missing: self.accelerator_missing.as_deref(),
            rows: &self.rows,
        };
        let mut text = serde_json::to_string_pretty(&json).unwrap_or_default();
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uadk_compress::{Error, Format, SoftwareCompressor};

    use super::super::measure::Mode;
    use super::*;

    #[test]
    fn a_failed_case_shows_the_error_instead_of_figures() {
        let codec = SoftwareCompressor::new(Format::Gzip, Level::FASTEST);
        let codec = codec.expect("a supported format");
        let case = Case {
            engine: "accelerator",
            codec: Arc::new(codec),
            level: None,
            block_size: 16 << 10,
            mode: Mode::Batch,
        };
        let input = Input { data: vec![0; 10], files: vec!["x".into()], is_cut: true };
        let rows = vec![
            Row::new(&case, Err(Failure::WrongBytes)),
            Row::new(&case, Err(Failure::Engine(Error::Device { code: -62 }))),
            Row::new(&case, Ok(Measured::default())),
        ];
        let outcome = Outcome { input: &input, accelerator_missing: Some("why".into()), rows };
        let text = outcome.text();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].contains("0.0 MB of x (there is more"), "{text}");
        assert_eq!(
            lines[4],
            "accelerator  gzip         -    16K batch  decompressed data differs from the original"
        );
        assert!(lines[5].contains("batch  the accelerator failed with code -62"), "{text}");
        assert!(lines[6].trim_end().ends_with('-'), "{text}");
        assert!(text.contains("was not measured (why)"));

        let json: serde_json::Value = serde_json::from_str(&outcome.json()).expect("valid JSON");
        assert_eq!(json["rows"][0]["error"], "decompressed data differs from the original");
        assert!(json["rows"][0]["level"].is_null() && json["rows"][0]["ratio"].is_null());
    }
}
