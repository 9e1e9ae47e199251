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
    /// Bytes of the data from which on a member refers to what is before them.
    bars: Vec<u64>,
}

/// How far back a deflate stream refers.
pub(crate) const HISTORY: usize = 32 << 10;
/// Segments that have less data are not worth a start each.
const APART: u64 = 64 << 10;

impl Map {
    /// Notes a start.
    pub(super) fn see(&mut self, start: Start) {
        let i = self.starts.partition_point(|known| known.data < start.data);
        let is_near = |known: &Start| known.data == start.data;
        let follows = |known: &Start| start.in_member && start.data - known.data < APART;
        let is_known = self.starts.get(i).is_some_and(is_near)
            || self.starts[..i].last().is_some_and(follows)
            || start.in_member && !self.is_far_before_bar(start.data);
        if !is_known {
            self.starts.insert(i, start);
        }
    }

    /// Notes that from a byte of the data on, inside of a member, the data refers to what is before it.
    pub(super) fn bar(&mut self, data: u64) {
        if let Err(i) = self.bars.binary_search(&data) {
            self.bars.insert(i, data);
        }
        let near = self.starts.partition_point(|start| start.data + HISTORY as u64 <= data);
        let mut behind = self.starts.split_off(near);
        behind.retain(|start| !start.in_member || start.data > data);
        self.starts.append(&mut behind);
    }

    /// Whether what follows a byte of the data refers to nothing before it, even if a later part refers to
    /// what is before that.
    pub(super) fn is_far_before_bar(&self, data: u64) -> bool {
        let next = self.bars.partition_point(|bar| *bar <= data);
        self.bars.get(next).is_none_or(|bar| bar - data >= HISTORY as u64)
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

    /// The last start at or before a byte of the data from which the data can be read on.
    pub(super) fn find(&self, data: u64) -> Start {
        // Where it is not known what follows, that may refer back.
        let known_to = if data < self.frontier.data || self.complete {
            u64::MAX
        } else {
            self.covered.saturating_sub(HISTORY as u64)
        };
        let behind = self.starts.partition_point(|start| start.data <= data);
        let is_sure = |start: &&Start| !start.in_member || start.data <= known_to;
        self.starts[..behind].iter().rfind(is_sure).copied().unwrap_or_default()
    }
}
