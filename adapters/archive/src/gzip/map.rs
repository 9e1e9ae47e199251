//! Where reading may begin in a file.

/// Where a member or a segment begins.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Start {
    /// In the file.
    pub(super) file: u64,
    /// In the data.
    pub(super) data: u64,
    /// Whether it is a segment, and has no header.
    pub(super) in_member: bool,
}

/// Where the members and segments begin that have been seen.
#[derive(Debug, Default)]
pub(super) struct Map {
    starts: Vec<Start>,
    /// Where the first member begins whose length is not known.
    pub(super) frontier: Start,
    /// Whether there is none.
    pub(super) complete: bool,
    /// All starts are known up to this byte of the data.
    covered: u64,
}

impl Map {
    /// Notes a start.
    pub(super) fn see(&mut self, start: Start) {
        let i = self.starts.partition_point(|known| known.data < start.data);
        if self.starts.get(i).is_none_or(|known| known.data != start.data) {
            self.starts.insert(i, start);
        }
    }

    /// Notes that all starts in a part of the data have been seen.
    pub(super) fn cover(&mut self, from: u64, to: u64) {
        if from <= self.covered {
            self.covered = self.covered.max(to);
        }
    }

    /// Whether the last start before a byte of the data is known.
    pub(super) fn covers(&self, data: u64) -> bool {
        data < self.covered || data < self.frontier.data || self.complete
    }

    /// The last start at or before a byte of the data.
    pub(super) fn find(&self, data: u64) -> Start {
        let behind = self.starts.partition_point(|start| start.data <= data);
        behind.checked_sub(1).map_or(Start::default(), |i| self.starts[i])
    }
}
