//! The cases to measure.

use std::sync::Arc;

use uadk_compress::{BlockCompressor, Level};

use super::measure::Mode;
use crate::size;

/// One case to measure.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) engine: &'static str,
    pub(super) codec: Arc<dyn BlockCompressor>,
    /// `None` for engines that ignore the level.
    pub(super) level: Option<Level>,
    pub(super) block_size: usize,
    pub(super) mode: Mode,
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.engine, self.codec.format())?;
        if let Some(level) = self.level {
            write!(f, " level {}", level.get())?;
        }
        write!(f, ", blocks of {}, {}", size::display(self.block_size), self.mode.name())
    }
}
