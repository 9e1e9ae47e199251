//! How the subcommands print the line of an entry.

use crate::tar::long::Style;
use crate::tar::names::Quoting;
use crate::tar::times::Format;

/// Returns the style with numeric owners and times in UTC.
pub(super) const fn style(long: bool) -> Style {
    let times = Format { utc: true, full: false };
    Style { long, numeric_owner: true, times, quoting: Quoting::Escape }
}
