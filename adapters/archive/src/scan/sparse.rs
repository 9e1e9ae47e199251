//! Where a sparse file has data: GNU tar's old format, and its PAX versions 0.0, 0.1 and 1.0.

use tar::{GnuExtSparseHeader, GnuSparseHeader, Header};

use super::head::{BLOCK, Head, Segment};
use super::pax::{self, Extensions};
use crate::{Error, Result};

/// A file may have so many pieces of data.
const MAX_SEGMENTS: usize = 1 << 20;

/// Fills in `sparse`, `size` and `stored`, if the file is sparse. `next_block` returns the next block
/// of the tar.
pub(super) fn read_map(
    header: &Header,
    at: u64,
    pax: &Extensions,
    head: &mut Head,
    mut next_block: impl FnMut() -> Result<Box<[u8; BLOCK]>>,
) -> Result<()> {
    let wrong = |what: &'static str| Error::tar(at, what);
    let (segments, real_size) = if header.as_old().linkflag[0] == b'S' {
        let gnu = header.as_gnu().ok_or(wrong("a sparse file needs GNU's kind of header"))?;
        let real_size = gnu.real_size().map_err(|_| wrong("a sparse file has no size"))?;
        let mut segments = Vec::new();
        push_all(&gnu.sparse, &mut segments, at)?;
        let mut more = gnu.is_extended();
        while more {
            let block = next_block()?;
            let mut extended = Box::new(GnuExtSparseHeader::new());
            extended.as_mut_bytes().copy_from_slice(&*block);
            push_all(extended.sparse(), &mut segments, at)?;
            more = extended.is_extended();
        }
        (segments, real_size)
    } else if let Some(real_size) = pax.sparse.real_size {
        let numbers = if pax.sparse.map_in_data {
            read_map_in_data(at, head, next_block)?
        } else {
            pax.sparse.numbers.clone()
        };
        let pairs = numbers.chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return Err(wrong("the map of a sparse file is not made of pairs"));
        }
        (pairs.map(|pair| Segment { offset: pair[0], len: pair[1] }).collect(), real_size)
    } else {
        return Ok(());
    };
    check(&segments, real_size, head.stored).map_err(|what| Error::tar(at, what))?;
    head.size = real_size;
    head.sparse = Some(segments);
    Ok(())
}

/// Version 1.0: a number of pairs, then the pairs, each number on a line, up to a full block.
fn read_map_in_data(
    at: u64,
    head: &mut Head,
    mut next_block: impl FnMut() -> Result<Box<[u8; BLOCK]>>,
) -> Result<Vec<u64>> {
    let wrong = || Error::tar(at, "the map of a sparse file can't be read");
    let mut numbers: Vec<u64> = Vec::new();
    let mut count = None;
    let mut line = Vec::new();
    while count.is_none_or(|count| numbers.len() < count) {
        head.stored = head.stored.checked_sub(BLOCK as u64).ok_or_else(wrong)?;
        let block = next_block()?;
        for &byte in block.iter() {
            if byte != b'\n' {
                line.push(byte);
                if line.len() > 20 {
                    break;
                }
                continue;
            }
            let number = pax::decimal(&line).ok_or_else(wrong)?;
            line.clear();
            match count {
                None if number <= MAX_SEGMENTS as u64 => count = Some(2 * number as usize),
                None => return Err(wrong()),
                Some(_) => numbers.push(number),
            }
            if count == Some(numbers.len()) {
                return Ok(numbers);
            }
        }
        if line.len() > 20 {
            return Err(wrong());
        }
    }
    Ok(numbers)
}

fn push_all(headers: &[GnuSparseHeader], segments: &mut Vec<Segment>, at: u64) -> Result<()> {
    for header in headers.iter().filter(|header| !header.is_empty()) {
        let (Ok(offset), Ok(len)) = (header.offset(), header.length()) else {
            return Err(Error::tar(at, "the map of a sparse file can't be read"));
        };
        if segments.len() == MAX_SEGMENTS {
            return Err(Error::tar(at, "a sparse file has more than a million pieces"));
        }
        segments.push(Segment { offset, len });
    }
    Ok(())
}

/// Pieces follow each other within the file, and there is data for all of them.
fn check(segments: &[Segment], real_size: u64, stored: u64) -> Result<(), &'static str> {
    let (mut end, mut sum) = (0_u64, 0_u64);
    for segment in segments {
        if segment.offset < end {
            return Err("the pieces of a sparse file overlap");
        }
        end = segment.offset.checked_add(segment.len).ok_or("a sparse file has no end")?;
        sum = sum.saturating_add(segment.len);
    }
    if end > real_size {
        return Err("a sparse file has data behind its end");
    }
    if sum != stored {
        return Err("a sparse file has other data than its map says");
    }
    Ok(())
}
