//! What the machine and the engines were found to be.

use std::path::Path;

use uadk_compress::UadkStats;
use uadk_compress::probe::{self, Report, System};

use super::trial::Trial;
use super::verdict::Verdict;

/// All that was found.
pub(super) struct Examination {
    pub(super) report: Report,
    pub(super) software: Trial,
    pub(super) accelerator: Trial,
    /// `None` without UADK, or if it was not to be tried.
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
