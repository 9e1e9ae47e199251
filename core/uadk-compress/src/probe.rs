//! What this machine offers for the accelerator and what is missing, item by item, with remedies.
//!
//! [`inspect`] only reads files and settings, and changes nothing. [`round_trip`] then tries an
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
//!     println!("the software engine will process every block");
//! }
//! ```
//!
//! The requirements come from UADK's installation guide (its file `INSTALL`), QEMU's notes on UADK,
//! and the files that `libwd` itself reads at start.

mod advice;
mod config;
mod device;
mod hardware;
mod item;
mod kernel;
mod library;
mod node;
mod round_trip;
mod system;
#[cfg(test)]
mod tests;

use std::fmt::{Display, Formatter};

pub use item::{Item, State};
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

/// The findings of an inspection.
///
/// ```
/// use uadk_compress::probe::{self, Readiness, Report, State, System};
///
/// let report: Report = probe::inspect(&System::host());
/// let missing = report.items.iter().filter(|item| item.state == State::Missing).count();
/// println!("{}: {missing} of {} items missing", report.readiness(), report.items.len());
/// assert_eq!(report.readiness() == Readiness::Ready, missing == 0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// One item per requirement of the accelerator, and some advice.
    pub items: Vec<Item>,
}

impl Report {
    /// Returns the overall result:
    ///
    /// - [`Broken`](Readiness::Broken) if an item is [`broken`](field@Item::broken);
    /// - else [`SoftwareOnly`](Readiness::SoftwareOnly) if an item is [`Missing`](State::Missing);
    /// - else [`Ready`](Readiness::Ready). Warnings don't count.
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

/// Whether a machine can use the accelerator.
///
/// ```
/// use uadk_compress::probe::{self, Readiness, System};
///
/// // A directory without files looks like a machine without an accelerator.
/// let readiness = probe::inspect(&System::at("/nonexistent")).readiness();
/// let exit_code = match readiness {
///     Readiness::Ready => 0,
///     Readiness::SoftwareOnly => 1,
///     Readiness::Broken => 2,
/// };
/// assert_eq!(exit_code, 1);
/// assert_eq!(readiness.to_string(), "software only");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Readiness {
    /// Everything the accelerator needs is present.
    Ready,
    /// Something is missing: software processes every block.
    SoftwareOnly,
    /// Something is present but unusable: software processes every block until it is repaired.
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
