//! What this machine offers for the accelerator and what is missing, item by item, with the remedy.
//!
//! [`inspect`] looks at files and settings alone and changes nothing; [`round_trip`] then tries an
//! engine with real blocks.
//!
//! ```
//! use uadk_compress::probe::{self, Readiness, State, System};
//!
//! let report = probe::inspect(&System::host());
//! for item in report.items.iter().filter(|item| item.state == State::Missing) {
//!     println!("{}: {}", item.topic, item.detail);
//! }
//! if report.readiness() != Readiness::Ready {
//!     println!("the software engine will do every block");
//! }
//! ```
//!
//! What is asked for comes from UADK's installation guide (its file `INSTALL`), QEMU's notes on
//! UADK, and what `libwd` itself reads when it starts.

mod advice;
mod config;
mod device;
mod hardware;
mod kernel;
mod library;
mod node;
mod round_trip;
mod system;
#[cfg(test)]
mod tests;

use std::fmt::{Display, Formatter};

pub use round_trip::{RoundTrip, round_trip};
pub use system::{Library, System, User};

use device::Device;

/// Inspects `system`.
///
/// Reads files below [`System::root`], writes nothing, and opens no device.
#[must_use]
pub fn inspect(system: &System) -> Report {
    let devices = Device::all(system);
    let mut items = vec![hardware::architecture(system), kernel::version(system, &devices)];
    items.extend(kernel::options(system, &devices));
    items.push(hardware::smmu(system, &devices));
    items.push(hardware::zip_engine(system, &devices));
    items.push(hardware::module(system, &devices));
    items.extend(device::items(system, &devices));
    items.extend(library::items(system));
    items.extend(advice::environment(system));
    items.extend(advice::page_faults(system));
    Report { items }
}

/// What an inspection found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One for each thing that the accelerator needs, and for some that it is good to know.
    pub items: Vec<Item>,
}

impl Report {
    /// What the items come to:
    ///
    /// - [`Broken`](Readiness::Broken) if an item is [`broken`](field@Item::broken);
    /// - else [`SoftwareOnly`](Readiness::SoftwareOnly) if an item is [`Missing`](State::Missing);
    /// - else [`Ready`](Readiness::Ready). Warnings change nothing.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        if self.items.iter().any(|item| item.broken) {
            Readiness::Broken
        } else if self.items.iter().any(|item| item.state == State::Missing) {
            Readiness::SoftwareOnly
        } else {
            Readiness::Ready
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// What was looked at ("kernel", "`CONFIG_UACCE`", "/dev/hisi_zip-0").
    pub topic: String,
    /// How it is.
    pub state: State,
    /// It is there and should work, but can't be used: somebody has to mend it. Always
    /// [`State::Missing`].
    pub broken: bool,
    /// What was found.
    pub detail: String,
    /// What to do about it, with the commands to type; or advice, where all is well.
    pub remedy: Option<String>,
}

impl Item {
    fn new(topic: impl Into<String>, state: State, detail: impl Into<String>) -> Self {
        Self { topic: topic.into(), state, broken: false, detail: detail.into(), remedy: None }
    }

    fn ok(topic: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(topic, State::Ok, detail)
    }

    fn broken(topic: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { broken: true, ..Self::new(topic, State::Missing, detail) }
    }

    fn remedy(mut self, remedy: impl Into<String>) -> Self {
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
    /// `Missing`, or a mere `Warning` where other evidence says that the accelerator works.
    const fn missing_unless(evidence: bool) -> Self {
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

/// What a machine can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Readiness {
    /// All that the accelerator needs is there.
    Ready,
    /// Something is missing, and software does every block.
    SoftwareOnly,
    /// Something is there that should work and can't be used. Blocks are done in software.
    Broken,
}

impl Display for Readiness {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Ready => "ready",
            Self::SoftwareOnly => "software only",
            Self::Broken => "broken",
        })
    }
}
