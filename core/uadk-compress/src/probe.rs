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

/// What an inspection found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
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
