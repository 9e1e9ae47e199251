//! One finding of an inspection.

use std::fmt::{Display, Formatter};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// What was looked at ("kernel", "`CONFIG_UACCE`", "/dev/hisi_zip-0").
    pub topic: String,
    /// Its state.
    pub state: State,
    /// It is there and should work, but can't be used and must be repaired. Always
    /// [`State::Missing`].
    pub broken: bool,
    /// What was found.
    pub detail: String,
    /// What to do about it, with the commands to type; or advice, where all is well.
    pub remedy: Option<String>,
}

impl Item {
    pub(super) fn new(topic: impl Into<String>, state: State, detail: impl Into<String>) -> Self {
        Self { topic: topic.into(), state, broken: false, detail: detail.into(), remedy: None }
    }

    pub(super) fn ok(topic: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(topic, State::Ok, detail)
    }

    pub(super) fn broken(topic: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { broken: true, ..Self::new(topic, State::Missing, detail) }
    }

    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

/// How one [`Item`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// As it should be.
    Ok,
    /// The accelerator works, but something is worth a look.
    Warning,
    /// The accelerator can't work like this.
    Missing,
}

impl State {
    /// `Missing`, or a mere `Warning` where other evidence shows that the accelerator works.
    pub(super) const fn missing_unless(evidence: bool) -> Self {
        if evidence { Self::Warning } else { Self::Missing }
    }
}

impl Display for State {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Missing => "missing",
        })
    }
}
