//! Sparse file maps: GNU tar's old format, and its PAX versions 0.0, 0.1 and 1.0.

use super::head::{BLOCK, Head, Segment, Unreadable};
use super::pax::Sparse;
use super::raw::{self, Raw};
use super::values::decimal;
use crate::Result;

/// Maximum number of data segments of a file.
const MAX_SEGMENTS: usize = 1 << 20;

/// A map, and the size of the file including holes if it is known.
struct Map {
    segments: Vec<Segment>,
    real_size: Option<u64>,
}

/// Why a map is unusable.
enum MapError {
    Damaged(&'static str),
    /// It is also unknown where the map ends.
    NoEnd(&'static str),
    Input(crate::Error),
}

impl From<crate::Error> for MapError {
    fn from(error: crate::Error) -> Self {
        Self::Input(error)
    }
}

/// A warning about an odd map.
pub(super) type Oddity = Option<&'static str>;

/// Fills in `sparse`, `size` and `stored` if the file is sparse, and `unreadable` if its map is
/// unusable. `next_block` returns the next block of the tar.
pub(super) fn read_map(
    raw: Raw<'_>,
    pax: &Sparse,
    head: &mut Head,
    next_block: impl FnMut() -> Result<Box<[u8; BLOCK]>>,
) -> Result<Oddity> {
    let declared = head.stored;
    let map = if raw.kind() == b'S' && raw.is_gnu() {
        // As with other sizes, a record overrides the header.
        read_old(raw, next_block)
            .map(|map| Map { real_size: pax.real_size.or(map.real_size), ..map })
    } else if pax.is_damaged
        && (pax.numbers.is_some() || declared != pax.real_size.unwrap_or(declared))
    {
        Err(MapError::Damaged("invalid sparse file map"))
    } else {
        match (pax.major, pax.minor) {
            (Some(1), None | Some(0)) => read_in_data(head, pax.real_size, next_block),
            (None, _) | (Some(0), None | Some(0 | 1)) => match &pax.numbers {
                Some(numbers) => pairs(numbers, pax.real_size),
                // The size alone does not make a hole.
                None if pax.real_size.is_none_or(|size| size == declared) => return Ok(None),
                // Without data, the whole file is a hole.
                None if declared == 0 => pairs(&[], pax.real_size),
                None => Err(MapError::Damaged("missing sparse file map")),
            },
            _ => Err(MapError::Damaged("unknown version of the sparse file map")),
        }
    };
    let result = map.and_then(|map| apply(map, declared, head));
    match result {
        Ok(oddity) => Ok(oddity),
        Err(MapError::Input(error)) => Err(error),
        Err(MapError::Damaged(what)) => {
            head.unreadable = Some(Unreadable::Damaged(what));
            Ok(Some(what))
        }
        Err(MapError::NoEnd(what)) => {
            // The search for the next header starts here.
            head.stored = 0;
            head.unreadable = Some(Unreadable::Damaged(what));
            Ok(Some(what))
        }
    }
}

/// Sets the segments of the entry, if there is data for them. `declared` is the size of the
/// contents in the tar according to the headers.
fn apply(map: Map, declared: u64, head: &mut Head) -> Result<Oddity, MapError> {
    let damaged = MapError::Damaged;
    let Map { segments, real_size } = map;
    let (mut end, mut highest, mut sum, mut in_order) = (0, 0, 0_u64, true);
    for segment in &segments {
        in_order &= segment.offset >= end;
        end = segment
            .offset
            .checked_add(segment.len)
            .ok_or(damaged("the sparse file is too large"))?;
        highest = end.max(highest);
        sum = sum.saturating_add(segment.len);
    }
    let has_size = real_size.is_some();
    let real_size = real_size.unwrap_or(highest);
    if highest > real_size || i64::try_from(real_size).is_err() {
        return Err(damaged("the sparse file has data past its end"));
    }
    if sum > head.stored {
        return Err(damaged("the sparse file has less data than its map lists"));
    }
    let mut oddity = None;
    if !has_size {
        oddity = Some("the size of the sparse file is missing; it ends with its last segment");
    }
    if sum < head.stored {
        if segments.is_empty() {
            let what = "the sparse file has data that its map does not list";
            return Err(if declared == real_size { MapError::NoEnd(what) } else { damaged(what) });
        }
        // Old versions of bsdtar declare the size including holes.
        if declared == real_size {
            head.stored = sum;
        } else {
            oddity = Some("the sparse file has more data than its map lists; skipping the excess");
        }
    }
    head.size = real_size;
    if in_order {
        head.sparse = Some(segments);
    } else {
        head.unreadable = Some(Unreadable::Disordered(segments));
    }
    Ok(oddity)
}

/// Reads a map in the old format: four segments in the header, and more in the blocks after it.
fn read_old(
    raw: Raw<'_>,
    mut next_block: impl FnMut() -> Result<Box<[u8; BLOCK]>>,
) -> Result<Map, MapError> {
    const DAMAGED: &str = "invalid sparse file map";
    let block = raw.0;
    let mut segments = Vec::new();
    let mut is_damaged = push_all(&block[386..482], &mut segments).is_none();
    let mut more = block[482] != 0;
    while more {
        let block = next_block()?;
        is_damaged |= segments.len() > MAX_SEGMENTS;
        // If this block is not part of a map, neither was the last one.
        if push_all(&block[..504], &mut segments).is_none() {
            return Err(MapError::NoEnd(DAMAGED));
        }
        if is_damaged {
            segments.clear();
        }
        more = block[504] != 0;
    }
    let real_size = raw::number(&block[483..495]).ok().flatten();
    let real_size = real_size.and_then(|size| u64::try_from(size).ok());
    if is_damaged || real_size.is_none() {
        return Err(MapError::Damaged(DAMAGED));
    }
    Ok(Map { segments, real_size })
}

/// Adds the segments of a table. Returns `None` if a field is not a number.
fn push_all(table: &[u8], segments: &mut Vec<Segment>) -> Option<()> {
    for pair in table.chunks_exact(24).filter(|pair| pair[0] != 0 && pair[12] != 0) {
        let number = |field| u64::try_from(raw::number(field).ok()??).ok();
        segments.push(Segment { offset: number(&pair[..12])?, len: number(&pair[12..])? });
    }
    Some(())
}

fn pairs(numbers: &[u64], real_size: Option<u64>) -> Result<Map, MapError> {
    let pairs = numbers.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err(MapError::Damaged("the sparse file map has an odd number of values"));
    }
    let segments = pairs.map(|pair| Segment { offset: pair[0], len: pair[1] }).collect();
    Ok(Map { segments, real_size })
}

/// Reads a map of version 1.0: the number of pairs, then the pairs, one number per line, padded to
/// a full block.
fn read_in_data(
    head: &mut Head,
    real_size: Option<u64>,
    mut next_block: impl FnMut() -> Result<Box<[u8; BLOCK]>>,
) -> Result<Map, MapError> {
    const DAMAGED: MapError = MapError::Damaged("invalid sparse file map");
    let mut numbers: Vec<u64> = Vec::new();
    let mut count = None;
    let mut line = Vec::new();
    while count.is_none_or(|count| numbers.len() < count) {
        head.stored = head.stored.checked_sub(BLOCK as u64).ok_or(DAMAGED)?;
        let block = next_block()?;
        for &byte in block.iter() {
            if byte != b'\n' {
                line.push(byte);
                if line.len() > 20 {
                    return Err(DAMAGED);
                }
                continue;
            }
            let number = decimal(&line).ok_or(DAMAGED)?;
            line.clear();
            match count {
                None if number <= MAX_SEGMENTS as u64 => count = Some(2 * number as usize),
                None => return Err(DAMAGED),
                Some(_) => numbers.push(number),
            }
            if count == Some(numbers.len()) {
                break;
            }
        }
    }
    pairs(&numbers, real_size)
}
