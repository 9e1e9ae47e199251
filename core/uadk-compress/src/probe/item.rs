//! One finding of an inspection.

use std::fmt::{Display, Formatter};

/// One thing that was inspected.
///
/// ```
/// use uadk_compress::probe::{self, Item, State, System};
///
/// let report = probe::inspect(&System::at("/nonexistent"));
/// let flaws: Vec<&Item> = report.items.iter().filter(|item| item.state != State::Ok).collect();
/// for item in &flaws {
///     let remedy = item.remedy.as_deref().expect("every flaw has a remedy");
///     println!("{} ({}): {}\n    {remedy}", item.topic, item.state, item.detail);
/// }
/// assert!(flaws.iter().any(|item| item.topic == "libwd"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// What was inspected ("kernel", "`CONFIG_UACCE`", "/dev/hisi_zip-0").
    pub topic: String,
    /// Its state.
    pub state: State,
    /// Whether it is present but unusable, and must be repaired. The state is then always
    /// [`State::Missing`].
    pub broken: bool,
    /// What was found.
    pub detail: String,
    /// What to do about it, with the commands to run; or advice if the state is
    /// [`Ok`](State::Ok).
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

/// The state of one [`Item`].
///
/// ```
/// use uadk_compress::probe::{self, State, System};
///
/// let report = probe::inspect(&System::at("/nonexistent"));
/// let worst = report.items.iter().map(|item| item.state).max();
/// assert_eq!(worst, Some(State::Missing));
/// assert_eq!(format!("{:<8}|", State::Ok), "ok      |");
/// ```
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
    /// Returns `Missing`, or only `Warning` if `evidence` shows that the accelerator works.
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
