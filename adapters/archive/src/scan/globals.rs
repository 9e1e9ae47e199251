//! Global PAX headers, which apply to all entries after them.

use super::pax::Extensions;

/// The global attributes, in order; each set applies from a given byte of the tar onwards.
#[derive(Debug, Default)]
pub(super) struct Globals {
    changes: Vec<(u64, Extensions)>,
    none: Box<Extensions>,
}

impl Globals {
    pub(super) fn at(&self, position: u64) -> &Extensions {
        let before = self.changes.partition_point(|(at, _)| *at <= position);
        before.checked_sub(1).map_or(&self.none, |last| &self.changes[last].1)
    }

    /// Adds the global header at this byte. Returns warnings about what was dropped from it.
    pub(super) fn add(&mut self, at: u64, data: &[u8]) -> Vec<String> {
        let mut extensions = self.at(at).clone();
        extensions.global(data);
        let dropped = std::mem::take(&mut extensions.dropped);
        // It is already known if the same tar is read again.
        if self.changes.last().is_none_or(|(last, _)| *last < at) {
            self.changes.push((at, extensions));
        }
        dropped
    }
}
