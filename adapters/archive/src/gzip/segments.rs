//! Where the segments of a gzip member are.

use block_deflate::Format;
use block_deflate::segment::Joiner;

use super::place::Place;

/// One segment: a piece of a deflate stream that can be inflated by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Byte of the file at which it begins.
    pub(crate) file: u64,
    /// Bytes in the file.
    pub(crate) len: u32,
    /// Byte of the data at which it begins.
    pub(crate) data: u64,
    /// Bytes of data.
    pub(crate) data_len: u32,
    /// CRC-32 of them.
    pub(crate) crc: u32,
}

/// Segments that follow each other without a gap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Segments(Vec<Segment>);

impl Segments {
    pub(crate) fn push(&mut self, segment: Segment) {
        self.0.push(segment);
    }

    /// Forgets the last segment.
    pub(crate) fn pop(&mut self) {
        self.0.pop();
    }

    /// Adds a segment if it follows the last one, or begins the data.
    pub(crate) fn push_next(&mut self, segment: Segment) {
        let follows = match self.end() {
            Some((file, data)) => segment.file == file && segment.data == data,
            None => segment.data == 0,
        };
        if follows {
            self.0.push(segment);
        }
    }

    pub(crate) fn as_slice(&self) -> &[Segment] {
        &self.0
    }

    /// The segment that begins at that byte of the file.
    pub(crate) fn at_file(&self, file: u64) -> Option<&Segment> {
        self.0.binary_search_by_key(&file, |segment| segment.file).ok().map(|i| &self.0[i])
    }

    /// The segment that has that byte of the data.
    pub(crate) fn at_data(&self, data: u64) -> Option<&Segment> {
        let behind = self.0.partition_point(|segment| segment.data <= data);
        let segment = &self.0[behind.checked_sub(1)?];
        (data < segment.data + u64::from(segment.data_len)).then_some(segment)
    }

    /// Where a byte of the data is; that behind the last one is at the beginning of what follows.
    pub(crate) fn place(&self, data: u64) -> Option<Place> {
        if let Some(segment) = self.at_data(data) {
            let within = (data - segment.data) as u32;
            return Some(Place { block: segment.file, within });
        }
        let (block, end) = self.end()?;
        (data == end).then_some(Place { block, within: 0 })
    }

    /// Finds places in the order of the data.
    pub(crate) fn ahead(&self) -> Ahead<'_> {
        Ahead(&self.0)
    }

    /// Forgets all segments from that byte of the file on.
    pub(crate) fn truncate(&mut self, file: u64) {
        self.0.truncate(self.0.partition_point(|segment| segment.file < file));
    }

    /// Bytes of data in the segments that begin before that byte of the file.
    pub(crate) fn data_before(&self, file: u64) -> u64 {
        let behind = self.0.partition_point(|segment| segment.file < file);
        let last = behind.checked_sub(1).map(|i| &self.0[i]);
        last.map_or(0, |last| last.data + u64::from(last.data_len))
    }

    /// Where in the file and in the data the last one ends.
    pub(crate) fn end(&self) -> Option<(u64, u64)> {
        let last = self.0.last()?;
        Some((last.file + u64::from(last.len), last.data + u64::from(last.data_len)))
    }

    /// The checksum of all of their data.
    pub(crate) fn checksum(&self) -> Joiner {
        let mut joiner = new_joiner();
        self.0.iter().for_each(|segment| joiner.add(segment.crc, u64::from(segment.data_len)));
        joiner
    }
}

/// The segments from one on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead<'a>(&'a [Segment]);

impl Ahead<'_> {
    /// Where a byte of the data is that is in no segment before the one of the last call.
    pub(crate) fn place(&mut self, data: u64) -> Option<Place> {
        loop {
            let (segment, rest) = self.0.split_first()?;
            let within = u32::try_from(data.checked_sub(segment.data)?).ok();
            match within.filter(|within| *within < segment.data_len) {
                Some(within) => return Some(Place { block: segment.file, within }),
                None => self.0 = rest,
            }
        }
    }
}

/// Joins the checksums of a member's pieces.
pub(crate) fn new_joiner() -> Joiner {
    Joiner::new(Format::Gzip, block_deflate::Window::Kib32)
}
