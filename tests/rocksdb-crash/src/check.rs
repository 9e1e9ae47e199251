//! Reads the database and checks every record.

use std::ops::Range;

use rocksdb::{DB, DBPinnableSlice, IteratorMode, ReadOptions};

use crate::database::handle;
use crate::error::Result;
use crate::expected::{Contents, difference};
use crate::family::FAMILIES;
use crate::record::{KEYS, Version, key, key_number, version};

/// Returns the contents of families, by their positions.
///
/// # Errors
///
/// Returns RocksDB's errors, and the first key or value that no operation has written.
pub(crate) fn read(db: &DB, families: &[usize]) -> Result<Vec<(usize, Contents)>> {
    families.iter().map(|family| read_family(db, *family).map(|found| (*family, found))).collect()
}

/// Reads a whole family by iteration, and some keys by lookup too.
fn read_family(db: &DB, family: usize) -> Result<Contents> {
    let mut contents = vec![None; KEYS as usize];
    scan(db, family, ReadOptions::default(), |key, version| {
        contents[key as usize] = Some(version);
    })?;
    for key in (0..KEYS).step_by(16) {
        lookup(db, family, key, contents[key as usize])?;
    }
    Ok(contents)
}

/// Checks keys of one family by lookup and by a scan. `expected` has the contents of all keys.
pub(crate) fn check_range(
    db: &DB,
    family: usize,
    keys: Range<u32>,
    expected: &Contents,
) -> Result<()> {
    let mut found = vec![None; keys.len()];
    let mut options = ReadOptions::default();
    options.set_iterate_range(key(keys.start)..key(keys.end));
    scan(db, family, options, |key, version| found[(key - keys.start) as usize] = Some(version))?;
    for (key, found) in keys.zip(found) {
        let expected = expected[key as usize];
        if found != expected {
            return Err(difference(family, key as usize, found, expected).into());
        }
        lookup(db, family, key, expected)?;
    }
    Ok(())
}

/// Calls `visit` with each key and version.
fn scan(
    db: &DB,
    family: usize,
    options: ReadOptions,
    mut visit: impl FnMut(u32, Version),
) -> Result<()> {
    let name = FAMILIES[family].name;
    for record in db.iterator_cf_opt(handle(db, family)?, options, IteratorMode::Start) {
        let (key, value) = record.map_err(|error| format!("family {name}: {error}"))?;
        let number = key_number(&key).ok_or_else(|| {
            format!("family {name} has the key {}, which was never written", key.escape_ascii())
        })?;
        visit(number, checked_version(family, number, &value)?);
    }
    Ok(())
}

fn lookup(db: &DB, family: usize, number: u32, expected: Option<Version>) -> Result<()> {
    let value = db.get_pinned_cf(handle(db, family)?, key(number));
    let value = value.map_err(|error| at(family, number, &error))?;
    let version = |value: DBPinnableSlice<'_>| checked_version(family, number, &value);
    let found = value.map(version).transpose()?;
    if found == expected {
        Ok(())
    } else {
        let difference = difference(family, number as usize, found, expected);
        Err(format!("{difference}, by a lookup").into())
    }
}

fn checked_version(family: usize, number: u32, value: &[u8]) -> Result<Version> {
    Ok(version(family, number, value).map_err(|error| at(family, number, &error))?)
}

fn at(family: usize, number: u32, error: &dyn std::fmt::Display) -> String {
    format!("family {}, key {number}: {error}", FAMILIES[family].name)
}
