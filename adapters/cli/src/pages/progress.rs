//! How far a command is.

use indicatif::{ProgressBar, ProgressStyle};

/// Bytes of memory done, of so many. Hidden where stderr is no terminal.
pub(super) fn progress(bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{bar:30} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta} {wide_msg}",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(bytes).with_style(style)
}
