//! Renders the examination for people and for machines.

use std::fmt::Write;

use serde::Serialize;
use uadk_compress::probe::{Item, Readiness, RoundTrip, State};
use uadk_compress::{Error, UadkStats};

use super::examination::Examination;
use super::trial::{Trial, describe};
use crate::engines::{ACCELERATOR, SOFTWARE};
use crate::size;

/// The remedy for an accelerator that does not work although nothing is missing.
const LOG: &str = "libwd and the driver log the reasons to the system log: `sudo journalctl -b | \
    grep -i -e wd -e hisi_zip -e uacce -e smmu`";
/// The remedy for full queues.
const BUSY: &str =
    "`sudo fuser -v /dev/hisi_zip-*` shows the processes that use them; try again later";
/// The remedy if something is missing.
const ABOVE: &str = "fix the missing items above";
/// The remedy for a software engine that does not work.
const REPORT: &str = "test the machine's memory; if it is sound, please report a bug";

impl Examination {
    /// Returns a line for each item and engine, followed by its remedy, and the conclusion.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let width = self.report.items.iter().map(|item| item.topic.len()).max().unwrap_or(0);
        for item in &self.report.items {
            line(&mut text, width, item.state, &item.topic, &item.detail);
            if let Some(remedy) = &item.remedy {
                _ = writeln!(text, "      -> {remedy}");
            }
        }
        for engine in self.engines() {
            let detail = match (&engine.round_trip, &engine.error) {
                (Some(trip), _) => trip.text(),
                (None, Some(error)) => error.clone(),
                (None, None) => "not tested".to_owned(),
            };
            let state = if engine.round_trip.is_some() { State::Ok } else { State::Missing };
            line(&mut text, width, state, &format!("engine {}", engine.engine), &detail);
            if let Some(remedy) = engine.remedy {
                _ = writeln!(text, "      -> {remedy}");
            }
        }
        if let Some(uadk) = &self.uadk {
            line(&mut text, width, State::Ok, "raw deflate", &raw_deflate(uadk));
        }
        _ = writeln!(text, "{}", self.verdict.sentence);
        text
    }

    /// Returns one object with the fields of [`Json`].
    pub(super) fn json(&self) -> String {
        let json = Json {
            readiness: name(self.verdict.readiness),
            exit_status: self.verdict.exit_status(),
            conclusion: &self.verdict.sentence,
            items: self.report.items.iter().map(ItemJson::from).collect(),
            engines: self.engines(),
            uadk: self.uadk.as_ref().map(UadkJson::from),
        };
        let mut text = serde_json::to_string_pretty(&json).unwrap_or_default();
        text.push('\n');
        text
    }

    fn engines(&self) -> Vec<EngineJson> {
        let mut engines = vec![EngineJson::new(SOFTWARE, &self.software, REPORT)];
        if !matches!(self.accelerator, Trial::Skipped) {
            let remedy = match &self.accelerator {
                Trial::Failed(Error::Busy) => BUSY,
                Trial::Unavailable(_) if self.report.readiness() != Readiness::Ready => ABOVE,
                _ => LOG,
            };
            engines.push(EngineJson::new(ACCELERATOR, &self.accelerator, remedy));
        }
        engines
    }
}

/// Describes which engine decompresses raw deflate, and why.
fn raw_deflate(uadk: &UadkStats) -> String {
    let version = &uadk.version;
    if uadk.raw_deflate_decompression {
        format!("decompressed by the device if it supports it (UADK {version})")
    } else {
        format!(
            "decompressed in software (UADK {version}; from 2.9 on, its driver may crash on \
             truncated data, see UadkConfig::raw_deflate_decompression)"
        )
    }
}

fn line(text: &mut String, width: usize, state: State, topic: &str, detail: &str) {
    _ = writeln!(text, "{state:<8} {topic:<width$}  {detail}");
}

#[derive(Serialize)]
struct Json<'a> {
    /// `ready`, `software_only` or `broken`.
    readiness: &'static str,
    exit_status: u8,
    conclusion: &'a str,
    items: Vec<ItemJson<'a>>,
    engines: Vec<EngineJson>,
    uadk: Option<UadkJson<'a>>,
}

/// The loaded UADK.
#[derive(Serialize)]
struct UadkJson<'a> {
    version: &'a str,
    /// Whether raw deflate is decompressed on the device, if the device supports the format.
    raw_deflate_decompression: bool,
}

impl<'a> From<&'a UadkStats> for UadkJson<'a> {
    fn from(stats: &'a UadkStats) -> Self {
        let raw_deflate_decompression = stats.raw_deflate_decompression;
        Self { version: &stats.version, raw_deflate_decompression }
    }
}

#[derive(Serialize)]
struct ItemJson<'a> {
    topic: &'a str,
    /// `ok`, `warning` or `missing`.
    state: String,
    broken: bool,
    detail: &'a str,
    remedy: Option<&'a str>,
}

impl<'a> From<&'a Item> for ItemJson<'a> {
    fn from(item: &'a Item) -> Self {
        Self {
            topic: &item.topic,
            state: item.state.to_string(),
            broken: item.broken,
            detail: &item.detail,
            remedy: item.remedy.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct EngineJson {
    engine: &'static str,
    /// Present if the engine works.
    round_trip: Option<TripJson>,
    /// Present if the engine is missing or failed.
    error: Option<String>,
    remedy: Option<&'static str>,
}

impl EngineJson {
    /// Creates the entry of an engine; `remedy` is used if it does not work.
    fn new(engine: &'static str, trial: &Trial, remedy: &'static str) -> Self {
        let (round_trip, error) = match trial {
            Trial::Works(trip) => (Some(TripJson::from(trip)), None),
            Trial::Unavailable(error) | Trial::Failed(error) => (None, Some(describe(error))),
            Trial::Skipped => (None, None),
        };
        let remedy = error.is_some().then_some(remedy);
        Self { engine, round_trip, error, remedy }
    }
}

#[derive(Serialize)]
struct TripJson {
    format: &'static str,
    block_size: usize,
    bytes: usize,
    compressed: usize,
    compress_mb_per_s: f64,
    decompress_mb_per_s: f64,
}

impl From<&RoundTrip> for TripJson {
    fn from(trip: &RoundTrip) -> Self {
        Self {
            format: trip.format.name(),
            block_size: trip.block_size,
            bytes: trip.bytes,
            compressed: trip.compressed,
            compress_mb_per_s: trip.compress_mb_per_s,
            decompress_mb_per_s: trip.decompress_mb_per_s,
        }
    }
}

impl TripJson {
    fn text(&self) -> String {
        format!(
            "{:.0} MB/s to compress, {:.0} MB/s to decompress ({} in blocks of {}, {:.1} times \
             smaller)",
            self.compress_mb_per_s,
            self.decompress_mb_per_s,
            self.format,
            size::display(self.block_size),
            self.bytes as f64 / self.compressed as f64,
        )
    }
}

/// Returns the name in JSON.
const fn name(readiness: Readiness) -> &'static str {
    match readiness {
        Readiness::Ready => "ready",
        Readiness::SoftwareOnly => "software_only",
        Readiness::Broken => "broken",
    }
}

#[cfg(test)]
mod tests {
    use uadk_compress::probe::{self, System};

    use super::super::verdict::Verdict;
    use super::*;

    fn examination() -> Examination {
        let report = probe::inspect(&System::at("/nonexistent"));
        let (software, accelerator) =
            (Trial::software(), Trial::Unavailable(Error::Unavailable("no libwd".into())));
        let verdict = Verdict::new(&report, &software, &accelerator);
        Examination { report, software, accelerator, uadk: None, verdict }
    }

    fn uadk(version: &str, raw_deflate_decompression: bool) -> UadkStats {
        let mut stats = UadkStats::default();
        stats.version = version.into();
        stats.raw_deflate_decompression = raw_deflate_decompression;
        stats
    }

    #[test]
    fn the_engine_that_decompresses_raw_deflate_is_shown_if_uadk_is_loaded() {
        let mut examination = examination();
        assert!(!examination.text().contains("raw deflate"));
        for (version, on_device, expected) in [
            ("2.8.0", true, "decompressed by the device if it supports it (UADK 2.8.0)"),
            ("2.10.1", false, "decompressed in software (UADK 2.10.1;"),
        ] {
            examination.uadk = Some(uadk(version, on_device));
            let text = examination.text();
            let line = text.lines().find(|line| line.contains("raw deflate"));
            let line = line.expect("a line about raw deflate");
            assert!(line.contains(expected), "{line}");
            let json = examination.json();
            let json: serde_json::Value = serde_json::from_str(&json).expect("valid JSON");
            assert_eq!(json["uadk"]["version"], version);
            assert_eq!(json["uadk"]["raw_deflate_decompression"], on_device);
        }
    }

    #[test]
    fn the_text_has_a_line_per_item_and_its_remedy_on_the_next() {
        let examination = examination();
        let text = examination.text();
        let lines: Vec<_> = text.lines().collect();
        for item in &examination.report.items {
            let at = lines
                .iter()
                .position(|line| line.contains(&item.topic) && line.ends_with(&item.detail))
                .unwrap_or_else(|| panic!("no line for {item:?}"));
            assert!(lines[at].starts_with(&item.state.to_string()));
            if let Some(remedy) = &item.remedy {
                assert_eq!(lines[at + 1].trim_start(), format!("-> {remedy}"));
            }
        }
        assert!(text.contains("engine software") && text.contains("MB/s to compress"));
        assert!(text.contains("no accelerator: no libwd"));
        assert_eq!(lines.last(), Some(&examination.verdict.sentence.as_str()));
    }

    #[test]
    fn the_json_has_the_same_content() {
        let examination = examination();
        let json = examination.json();
        let json: serde_json::Value = serde_json::from_str(&json).expect("valid JSON");
        assert_eq!(json["readiness"], "software_only");
        assert_eq!(json["exit_status"], 1);
        assert_eq!(json["items"].as_array().map(Vec::len), Some(examination.report.items.len()));
        assert!(json["engines"][0]["round_trip"]["compress_mb_per_s"].as_f64() > Some(0.0));
        assert!(json["engines"][1]["error"].as_str().is_some_and(|error| error.contains("libwd")));
    }
}
