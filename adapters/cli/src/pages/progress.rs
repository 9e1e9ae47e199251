//! The progress bar.

use indicatif::{ProgressBar, ProgressStyle};

/// Creates a progress bar for this many bytes of memory, hidden if stderr is not a terminal.
pub(super) fn progress(bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{bar:30} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta} {wide_msg}",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(bytes).with_style(style)
}
