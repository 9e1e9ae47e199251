//! The report at the end of the test.

use std::collections::BTreeMap;

use crate::kit::cases::Case;
use crate::kit::judge::{Difference, Evidence};
use crate::kit::rules::{self, RULES, Rule};

/// Counts the differences that rules explain and collects those that they don't.
#[derive(Debug, Default)]
pub(crate) struct Report {
    explained: BTreeMap<&'static str, usize>,
    unexplained: String,
    count: usize,
}

impl Report {
    pub(crate) fn add(&mut self, case: &Case, evidence: &Evidence, differences: &[Difference]) {
        let mut lines = String::new();
        for difference in differences {
            match rules::explain(difference, evidence, None) {
                Some(rule) => *self.explained.entry(rule.name).or_default() += 1,
                None => lines.extend(["    ", &difference.to_string(), "\n"]),
            }
        }
        if !lines.is_empty() {
            let one_line = |log: &str| log.trim_end().replace('\n', " | ");
            let (gnu, bsd) = (one_line(&evidence.gnu), one_line(&evidence.bsd));
            let ours = evidence.ours.complaints.join(" | ");
            let said = format!("    GNU: {gnu}\n    bsdtar: {bsd}\n    ours: {ours}\n");
            self.unexplained.extend([&case.name, "\n", &lines, &said]);
            self.count += 1;
        }
    }

    pub(crate) fn finish(&self, cases: usize) {
        println!("{cases} archives; documented differences:");
        for rule in &RULES {
            let count = self.explained.get(rule.name).copied().unwrap_or(0);
            println!("{count:6} {:20} {}", rule.name, rule.reason);
        }
        assert!(
            self.count == 0,
            "{} of {cases} archives are extracted differently from GNU tar and bsdtar:\n{}",
            self.count,
            self.unexplained
        );
    }

    /// Adds the explained differences of another report.
    pub(crate) fn add_explained(&mut self, other: &Self) {
        for (name, count) in &other.explained {
            *self.explained.entry(name).or_default() += count;
        }
    }

    /// Checks that each rule is still needed.
    pub(crate) fn check_rules(&self) {
        let is_unused = |rule: &&Rule| !self.explained.contains_key(rule.name);
        let unused: Vec<_> = RULES.iter().filter(is_unused).map(|rule| rule.name).collect();
        assert!(unused.is_empty(), "no archive needs these rules: {unused:?}");
    }
}
