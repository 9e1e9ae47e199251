//! Where a sparse file has data: GNU tar's old format, and its PAX versions 0.0, 0.1 and 1.0.

use super::head::{BLOCK, Head, Segment, Unreadable};
use super::pax::Sparse;
use super::raw::{self, Raw};
use super::values::decimal;
use crate::Result;

/// A file may have so many pieces of data.
const MAX_SEGMENTS: usize = 1 << 20;

/// A map and the size that the file has with its holes, as far as they can be read.
struct Map {
    segments: Vec<Segment>,
    real_size: Option<u64>,
}

/// Why there is no map.
enum Trouble {
    Damaged(&'static str),
    /// It is not known either where the map ends.
    NoEnd(&'static str),
    Input(crate::Error),
}

impl From<crate::Error> for Trouble {
    fn from(error: crate::Error) -> Self {
        Self::Input(error)
    }
}

/// What of the file is odd, for a warning.
pub(super) type Oddity = Option<&'static str>;

/// Fills in `sparse`, `size` and `stored`, if the file is sparse, and `unreadable` if nobody can say what
/// is in it. `next_block` returns the next block of the tar.
pub(super) fn read_map(
    raw: Raw<'_>,
    pax: &Sparse,
    head: &mut Head,
    next_block: impl FnMut() -> Result<Box<[u8; BLOCK]>>,
) -> Result<Oddity> {
    let said = head.stored;
    let map = if raw.kind() == b'S' && raw.is_gnu() {
        read_old(raw, next_block)
    } else if pax.is_damaged && (pax.numbers.is_some() || said != pax.real_size.unwrap_or(said)) {
        Err(Trouble::Damaged("the map of the sparse file can't be read"))
    } else {
        match (pax.major, pax.minor) {
            (Some(1), None | Some(0)) => read_in_data(head, pax.real_size, next_block),
            (None, _) | (Some(0), None | Some(0 | 1)) => match &pax.numbers {
                Some(numbers) => pairs(numbers, pax.real_size),
                // A size alone makes no hole.
                None if pax.real_size.is_none_or(|size| size == said) => return Ok(None),
                // No data, and no pieces of it: a hole.
                None if said == 0 => pairs(&[], pax.real_size),
                None => Err(Trouble::Damaged("the map of the sparse file is missing")),
            },
            _ => Err(Trouble::Damaged("the map of the sparse file is of an unknown version")),
        }
    };
    let result = map.and_then(|map| apply(map, said, head));
    match result {
        Ok(oddity) => Ok(oddity),
        Err(Trouble::Input(error)) => Err(error),
        Err(Trouble::Damaged(what)) => {
            head.unreadable = Some(Unreadable::Damaged(what));
            Ok(Some(what))
        }
        Err(Trouble::NoEnd(what)) => {
            // The next header is looked for from here.
            head.stored = 0;
            head.unreadable = Some(Unreadable::Damaged(what));
            Ok(Some(what))
        }
    }
}

/// Gives the entry its pieces, if there is data for them.
fn apply(map: Map, said: u64, head: &mut Head) -> Result<Oddity, Trouble> {
    let damaged = Trouble::Damaged;
    let Map { segments, real_size } = map;
    let (mut end, mut highest, mut sum, mut in_order) = (0, 0, 0_u64, true);
    for segment in &segments {
        in_order &= segment.offset >= end;
        end =
            segment.offset.checked_add(segment.len).ok_or(damaged("the sparse file has no end"))?;
        highest = end.max(highest);
        sum = sum.saturating_add(segment.len);
    }
    let has_size = real_size.is_some();
    let real_size = real_size.unwrap_or(highest);
    if highest > real_size || i64::try_from(real_size).is_err() {
        return Err(damaged("the sparse file has data behind its end"));
    }
    if sum > head.stored {
        return Err(damaged("the sparse file has less data than its map says"));
    }
    let mut oddity = None;
    if !has_size {
        oddity = Some("the size of the sparse file is missing; it ends with its last piece");
    }
    if sum < head.stored {
        if segments.is_empty() {
            let what = "the sparse file has data that its map does not know";
            return Err(if said == real_size { Trouble::NoEnd(what) } else { damaged(what) });
        }
        // Old versions of bsdtar write the size with the holes there.
        if said == real_size {
            head.stored = sum;
        } else {
            oddity = Some("the sparse file has more data than its map says, which is skipped");
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

/// The old format: four pieces in the header, and more in blocks behind it.
fn read_old(
    raw: Raw<'_>,
    mut next_block: impl FnMut() -> Result<Box<[u8; BLOCK]>>,
) -> Result<Map, Trouble> {
    const DAMAGED: &str = "the map of the sparse file can't be read";
    let block = raw.0;
    let mut segments = Vec::new();
    let mut is_damaged = push_all(&block[386..482], &mut segments).is_none();
    let mut more = block[482] != 0;
    while more {
        let block = next_block()?;
        is_damaged |= segments.len() > MAX_SEGMENTS;
        // A block that is no map says that the one before was none either.
        if push_all(&block[..504], &mut segments).is_none() {
            return Err(Trouble::NoEnd(DAMAGED));
        }
        if is_damaged {
            segments.clear();
        }
        more = block[504] != 0;
    }
    let real_size = raw::number(&block[483..495]).ok().flatten();
    let real_size = real_size.and_then(|size| u64::try_from(size).ok());
    if is_damaged || real_size.is_none() {
        return Err(Trouble::Damaged(DAMAGED));
    }
    Ok(Map { segments, real_size })
}

/// Adds the pieces of a table; `None` if there is something that is no number.
fn push_all(table: &[u8], segments: &mut Vec<Segment>) -> Option<()> {
    for pair in table.chunks_exact(24).filter(|pair| pair[0] != 0 && pair[12] != 0) {
        let number = |field| u64::try_from(raw::number(field).ok()??).ok();
        segments.push(Segment { offset: number(&pair[..12])?, len: number(&pair[12..])? });
    }
    Some(())
}

fn pairs(numbers: &[u64], real_size: Option<u64>) -> Result<Map, Trouble> {
    let pairs = numbers.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Err(Trouble::Damaged("the map of the sparse file is not made of pairs"));
    }
    let segments = pairs.map(|pair| Segment { offset: pair[0], len: pair[1] }).collect();
    Ok(Map { segments, real_size })
}

/// Version 1.0: a number of pairs, then the pairs, each number on a line, up to a full block.
fn read_in_data(
    head: &mut Head,
    real_size: Option<u64>,
    mut next_block: impl FnMut() -> Result<Box<[u8; BLOCK]>>,
) -> Result<Map, Trouble> {
    const DAMAGED: Trouble = Trouble::Damaged("the map of the sparse file can't be read");
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
