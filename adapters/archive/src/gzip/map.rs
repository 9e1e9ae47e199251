//! The positions in a file at which reading can start.

/// The beginning of a member or segment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Start {
    /// File offset.
    pub(super) file: u64,
    /// Offset in the data.
    pub(super) data: u64,
    /// Whether it is a segment, which has no header.
    pub(super) in_member: bool,
}

/// The starts of the members and segments seen so far.
#[derive(Debug, Default)]
pub(super) struct Map {
    starts: Vec<Start>,
    /// The first member of unknown length.
    pub(super) frontier: Start,
    /// Whether there is no such member.
    pub(super) complete: bool,
    /// All starts are known up to this offset in the data.
    covered: u64,
    /// Offsets in the data, inside members: the data after each refers to data before it.
    barriers: Vec<u64>,
}

/// How far back a deflate stream refers.
pub(crate) const HISTORY: usize = 32 << 10;
/// Minimum distance between segment starts: more starts would not be worth their memory.
const MIN_DISTANCE: u64 = 64 << 10;

impl Map {
    /// Adds a start.
    pub(super) fn add(&mut self, start: Start) {
        let i = self.starts.partition_point(|known| known.data < start.data);
        let is_same = |known: &Start| known.data == start.data;
        let follows = |known: &Start| start.in_member && start.data - known.data < MIN_DISTANCE;
        let is_known = self.starts.get(i).is_some_and(is_same)
            || self.starts[..i].last().is_some_and(follows)
            || start.in_member && !self.is_far_before_barrier(start.data);
        if !is_known {
            self.starts.insert(i, start);
        }
    }

    /// Records that, inside a member, the data after this offset refers to data before it.
    pub(super) fn add_barrier(&mut self, data: u64) {
        if let Err(i) = self.barriers.binary_search(&data) {
            self.barriers.insert(i, data);
        }
        let near = self.starts.partition_point(|start| start.data + HISTORY as u64 <= data);
        let mut after = self.starts.split_off(near);
        after.retain(|start| !start.in_member || start.data > data);
        self.starts.append(&mut after);
    }

    /// Returns whether the next barrier, if any, is too far away to refer to data before this
    /// offset.
    pub(super) fn is_far_before_barrier(&self, data: u64) -> bool {
        let next = self.barriers.partition_point(|barrier| *barrier <= data);
        self.barriers.get(next).is_none_or(|barrier| barrier - data >= HISTORY as u64)
    }

    /// Records that all starts in a range of the data have been seen.
    pub(super) fn cover(&mut self, from: u64, to: u64) {
        if from <= self.covered {
            self.covered = self.covered.max(to);
        }
    }

    /// Returns whether the last start before this offset in the data is known.
    pub(super) fn covers(&self, data: u64) -> bool {
        data < self.covered || data < self.frontier.data || self.complete
    }

    /// Returns the last start at or before this offset in the data from which reading can start.
    pub(super) fn find(&self, data: u64) -> Start {
        // Data that has not been seen yet may refer back.
        let known_to = if data < self.frontier.data || self.complete {
            u64::MAX
        } else {
            self.covered.saturating_sub(HISTORY as u64)
        };
        let after = self.starts.partition_point(|start| start.data <= data);
        let is_sure = |start: &&Start| !start.in_member || start.data <= known_to;
        self.starts[..after].iter().rfind(is_sure).copied().unwrap_or_default()
    }
}
