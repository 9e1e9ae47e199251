//! The examination of the machine and the engines.

use std::path::Path;

use uadk_compress::UadkStats;
use uadk_compress::probe::{self, Report, System};

use super::trial::Trial;
use super::verdict::Verdict;

/// All findings.
pub(super) struct Examination {
    pub(super) report: Report,
    pub(super) software: Trial,
    pub(super) accelerator: Trial,
    /// `None` without UADK, or if the accelerator is not tested.
    pub(super) uadk: Option<UadkStats>,
    pub(super) verdict: Verdict,
}

impl Examination {
    pub(super) fn new(root: Option<&Path>) -> Self {
        let system = root.map_or_else(System::host, System::at);
        let report = probe::inspect(&system);
        let software = Trial::software();
        let (accelerator, uadk) = match root {
            Some(_) => (Trial::Skipped, None),
            None => Trial::accelerator(),
        };
        let verdict = Verdict::new(&report, &software, &accelerator);
        Self { report, software, accelerator, uadk, verdict }
    }
}
