//! The locations of a gzip member's segments.

use block_deflate::Format;
use block_deflate::segment::Joiner;

use super::place::Place;

/// A segment: a piece of a deflate stream that can be inflated independently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// File offset.
    pub(crate) file: u64,
    /// Bytes in the file.
    pub(crate) len: u32,
    /// Offset in the data.
    pub(crate) data: u64,
    /// Bytes of data.
    pub(crate) data_len: u32,
    /// CRC-32 of the data.
    pub(crate) crc: u32,
}

/// Consecutive segments, without gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Segments(Vec<Segment>);

impl Segments {
    pub(crate) fn push(&mut self, segment: Segment) {
        self.0.push(segment);
    }

    /// Removes the last segment.
    pub(crate) fn pop(&mut self) {
        self.0.pop();
    }

    /// Adds a segment if it follows the last one, or begins the data.
    /// Ignores it otherwise.
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

    /// Returns the segment that begins at this file offset.
    pub(crate) fn at_file(&self, file: u64) -> Option<&Segment> {
        self.0.binary_search_by_key(&file, |segment| segment.file).ok().map(|i| &self.0[i])
    }

    /// Returns the segment that contains the byte at offset `data`.
    pub(crate) fn at_data(&self, data: u64) -> Option<&Segment> {
        let after = self.0.partition_point(|segment| segment.data <= data);
        let segment = &self.0[after.checked_sub(1)?];
        (data < segment.data + u64::from(segment.data_len)).then_some(segment)
    }

    /// Returns the place of a byte of the data. For the end of the data, it is the file offset
    /// after the last segment.
    pub(crate) fn place(&self, data: u64) -> Option<Place> {
        if let Some(segment) = self.at_data(data) {
            let within = (data - segment.data) as u32;
            return Some(Place { block: segment.file, within });
        }
        let (block, end) = self.end()?;
        (data == end).then_some(Place { block, within: 0 })
    }

    /// Returns a cursor that finds places in ascending order.
    pub(crate) fn ahead(&self) -> Ahead<'_> {
        Ahead(&self.0)
    }

    /// Removes all segments that begin at or after this file offset.
    pub(crate) fn truncate(&mut self, file: u64) {
        self.0.truncate(self.0.partition_point(|segment| segment.file < file));
    }

    /// Returns the bytes of data in the segments that begin before this file offset.
    pub(crate) fn data_before(&self, file: u64) -> u64 {
        let after = self.0.partition_point(|segment| segment.file < file);
        let last = after.checked_sub(1).map(|i| &self.0[i]);
        last.map_or(0, |last| last.data + u64::from(last.data_len))
    }

    /// Returns the end of the last segment in the file and in the data.
    pub(crate) fn end(&self) -> Option<(u64, u64)> {
        let last = self.0.last()?;
        Some((last.file + u64::from(last.len), last.data + u64::from(last.data_len)))
    }

    /// Returns the checksum of all data.
    pub(crate) fn checksum(&self) -> Joiner {
        let mut joiner = new_joiner();
        self.0.iter().for_each(|segment| joiner.add(segment.crc, u64::from(segment.data_len)));
        joiner
    }
}

/// A cursor over segments: those that are still ahead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead<'a>(&'a [Segment]);

impl Ahead<'_> {
    /// Returns the place of a byte of the data. Offsets must not decrease from call to call.
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

/// Creates a joiner of the checksums of a member's pieces.
pub(crate) fn new_joiner() -> Joiner {
    Joiner::new(Format::Gzip, block_deflate::Window::Kib32)
}
