//! The conclusion from all findings.

use uadk_compress::Error;
use uadk_compress::probe::{Readiness, Report, State};

use super::trial::{Trial, describe};

/// The conclusion.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) readiness: Readiness,
    /// One sentence for people.
    pub(super) sentence: String,
}

impl Verdict {
    /// Considers working engines first, then those that are installed but fail, then missing
    /// components.
    pub(super) fn new(report: &Report, software: &Trial, accelerator: &Trial) -> Self {
        let inspected = report.readiness();
        let missing = count(report, State::Missing);
        let (readiness, sentence) = match (software, accelerator) {
            (Trial::Unavailable(error) | Trial::Failed(error), _) => (
                Readiness::Broken,
                format!("the software engine itself fails ({}).", describe(error)),
            ),
            (_, Trial::Works(_)) if missing == 0 => {
                (Readiness::Ready, "the accelerator works.".to_owned())
            }
            (_, Trial::Works(_)) => (
                Readiness::Ready,
                format!(
                    "the accelerator works, although {} not found.",
                    items(missing, "was", "were")
                ),
            ),
            (_, Trial::Failed(Error::Busy)) => (
                Readiness::SoftwareOnly,
                "the accelerator's queues are full; software handles the rest.".to_owned(),
            ),
            (_, Trial::Failed(error)) => (
                Readiness::Broken,
                format!("the accelerator is present but fails ({}).", describe(error)),
            ),
            (_, Trial::Unavailable(error)) if inspected == Readiness::Ready => (
                Readiness::Broken,
                format!(
                    "nothing is missing, but the accelerator can't be used ({}).",
                    describe(error)
                ),
            ),
            (_, Trial::Skipped) if inspected == Readiness::Ready => {
                (inspected, "nothing is missing.".to_owned())
            }
            _ if inspected == Readiness::Broken => (
                inspected,
                "an installed component can't be used; software handles every block meanwhile."
                    .to_owned(),
            ),
            _ => (
                Readiness::SoftwareOnly,
                format!(
                    "software handles every block; {} missing for the accelerator.",
                    items(missing, "is", "are")
                ),
            ),
        };
        let sentence = match readiness {
            Readiness::Ready => format!("Ready: {sentence}"),
            Readiness::SoftwareOnly => format!("Works in software only: {sentence}"),
            Readiness::Broken => format!("Broken: {sentence}"),
        };
        Self { readiness, sentence }
    }

    pub(super) const fn exit_status(&self) -> u8 {
        match self.readiness {
            Readiness::Ready => 0,
            Readiness::SoftwareOnly => 1,
            Readiness::Broken => 2,
        }
    }
}

fn count(report: &Report, state: State) -> usize {
    report.items.iter().filter(|item| item.state == state).count()
}

fn items(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 item {one}") } else { format!("{count} items {many}") }
}

#[cfg(test)]
mod tests {
    use uadk_compress::probe::{self, System};
    use uadk_compress::{Format, Level, SoftwareCompressor};

    use super::*;

    fn works() -> Trial {
        let engine =
            SoftwareCompressor::new(Format::Zlib, Level::FASTEST).expect("a supported format");
        Trial::Works(probe::round_trip(&engine).expect("software works"))
    }

    fn unavailable() -> Trial {
        Trial::Unavailable(Error::Unavailable("no libwd".into()))
    }

    /// Nothing was inspected, so nothing is missing.
    fn complete() -> Report {
        Report::default()
    }

    fn lacking() -> Report {
        probe::inspect(&System::at("/nonexistent"))
    }

    fn with_unusable_library() -> Report {
        let mut report = lacking();
        for item in &mut report.items {
            item.broken = item.topic == "libwd";
        }
        report
    }

    #[test]
    fn the_round_trip_decides() {
        for (report, accelerator, readiness) in [
            (complete(), works(), Readiness::Ready),
            (lacking(), works(), Readiness::Ready),
            (lacking(), unavailable(), Readiness::SoftwareOnly),
            (complete(), unavailable(), Readiness::Broken),
            (with_unusable_library(), unavailable(), Readiness::Broken),
            (complete(), Trial::Failed(Error::Device { code: -62 }), Readiness::Broken),
            (lacking(), Trial::Failed(Error::Corrupt), Readiness::Broken),
            (complete(), Trial::Failed(Error::Busy), Readiness::SoftwareOnly),
            (complete(), Trial::Skipped, Readiness::Ready),
            (lacking(), Trial::Skipped, Readiness::SoftwareOnly),
        ] {
            let verdict = Verdict::new(&report, &works(), &accelerator);
            assert_eq!(verdict.readiness, readiness, "{accelerator:?}: {}", verdict.sentence);
        }
    }

    #[test]
    fn a_failing_software_engine_is_broken_whatever_else_works() {
        let verdict = Verdict::new(&complete(), &Trial::Failed(Error::Corrupt), &works());
        assert_eq!((verdict.readiness, verdict.exit_status()), (Readiness::Broken, 2));
        assert!(
            verdict.sentence.starts_with("Broken: the software engine"),
            "{}",
            verdict.sentence
        );
    }

    #[test]
    fn the_sentence_counts_what_is_missing() {
        let report = lacking();
        let sentence = Verdict::new(&report, &works(), &unavailable()).sentence;
        let missing = count(&report, State::Missing);
        assert!(sentence.contains(&format!("{missing} items are missing")), "{sentence}");
        assert_eq!(items(1, "is", "are"), "1 item is");
    }
}
