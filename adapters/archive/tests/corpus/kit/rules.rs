//! The documented differences: where we do on purpose what neither GNU tar nor bsdtar does.

use super::judge::{Aspect, Difference};
use super::ours::Outcome;

/// Why a difference is right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
    applies: fn(&Difference, &Outcome) -> bool,
}

pub(crate) const RULES: [Rule; 1] = [Rule {
    name: "cut-off",
    why: "a file that the archive's end cuts off is not left behind as if it were whole",
    applies: |difference, outcome| {
        difference.aspect == Aspect::Missing && outcome.told("ends in the middle")
    },
}];

impl Outcome {
    /// Whether a complaint has these words in it.
    fn told(&self, words: &str) -> bool {
        self.complaints.iter().any(|complaint| complaint.contains(words))
    }
}

/// The rule that explains a difference.
pub(crate) fn explain(difference: &Difference, outcome: &Outcome) -> Option<&'static Rule> {
    RULES.iter().find(|rule| (rule.applies)(difference, outcome))
}
