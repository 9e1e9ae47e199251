//! A database that is open for reading only.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rocksdb::{ColumnFamily, ColumnFamilyDescriptor, DB, LiveFile, MergeOperands, Options};

use crate::error::Error;
use crate::options_file::{self, BYTEWISE, FamilyOptions};
use crate::properties::Properties;

/// Table files that are open at once, of a database that may have many.
const MAX_OPEN_FILES: i32 = 256;
/// The column family that every database has, and that must be opened.
const DEFAULT: &str = "default";

/// A database, and what is known of its column families without reading records.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) path: String,
    db: DB,
    /// Those to estimate that have table files.
    pub(crate) families: Vec<Family>,
}

/// A column family.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) options: FamilyOptions,
    /// Those that have table files, from the first to the last.
    pub(crate) levels: Vec<Level>,
}

/// A level of a column family.
#[derive(Debug)]
pub(crate) struct Level {
    pub(crate) number: i32,
    pub(crate) files: Vec<LiveFile>,
    pub(crate) properties: Properties,
}

impl Database {
    /// Opens a database without a lock, and without writing to it.
    ///
    /// # Errors
    ///
    /// Fails if there is no database, if `wanted` has a family that it lacks, or if a wanted family
    /// can't be estimated.
    pub(crate) fn open(path: &Path, wanted: &[String]) -> Result<Self, Error> {
        if !path.exists() {
            return Err(Error::Missing { path: path.to_owned() });
        }
        if !path.join("CURRENT").is_file() {
            return Err(Error::NotADatabase { path: path.to_owned() });
        }
        let failed = |source| Error::Open { path: path.to_owned(), source };
        let known = DB::list_cf(&Options::default(), path).map_err(failed)?;
        let names = selected(&known, wanted)?;
        let options = options_file::read(path)
            .map_err(|source| Error::Read { path: path.to_owned(), source })?;
        check_comparators(&names, &options)?;
        let db = open(path, &names, &options).map_err(failed)?;

        let mut files: HashMap<String, BTreeMap<i32, Vec<LiveFile>>> = HashMap::new();
        for file in db.live_files().map_err(failed)? {
            let levels = files.entry(file.column_family_name.clone()).or_default();
            levels.entry(file.level).or_default().push(file);
        }
        let mut database = Self {
            path: path.display().to_string(),
            db,
            families: Vec::with_capacity(names.len()),
        };
        for name in names {
            let Some(levels) = files.remove(&name) else { continue };
            let family = database.family(name, levels, &options)?;
            database.families.push(family);
        }
        if database.families.is_empty() { Err(Error::Empty) } else { Ok(database) }
    }

    /// Returns RocksDB's handle of a family, which [`open`](Self::open) has opened.
    pub(crate) fn handle(&self, family: &str) -> Result<&ColumnFamily, Error> {
        let unknown = || Error::UnknownFamily { name: family.to_owned(), known: Vec::new() };
        self.db.cf_handle(family).ok_or_else(unknown)
    }

    pub(crate) const fn db(&self) -> &DB {
        &self.db
    }

    fn family(
        &self,
        name: String,
        levels: BTreeMap<i32, Vec<LiveFile>>,
        options: &HashMap<String, FamilyOptions>,
    ) -> Result<Family, Error> {
        let handle = self.handle(&name)?;
        let failed = |source| Error::Sample { family: name.clone(), source };
        let property = self.db.property_int_value_cf(handle, "rocksdb.num-blob-files");
        if property.map_err(failed)?.is_some_and(|files| files > 0) {
            return Err(Error::Blobs { family: name });
        }
        let mut found = Vec::with_capacity(levels.len());
        for (number, files) in levels {
            let property = format!("rocksdb.aggregated-table-properties-at-level{number}");
            let text = self.db.property_value_cf(handle, property.as_str()).map_err(failed)?;
            let properties = Properties::parse(&text.unwrap_or_default());
            found.push(Level { number, files, properties });
        }
        let options = options.get(&name).cloned().unwrap_or_default();
        Ok(Family { name, options, levels: found })
    }
}

impl Level {
    /// Returns the size of the table files in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size as u64).sum()
    }
}

/// Returns the wanted families; all if none is named.
fn selected(known: &[String], wanted: &[String]) -> Result<Vec<String>, Error> {
    if wanted.is_empty() {
        return Ok(known.to_vec());
    }
    if let Some(name) = wanted.iter().find(|name| !known.contains(name)) {
        return Err(Error::UnknownFamily { name: name.clone(), known: known.to_vec() });
    }
    // In the database's order, each once.
    Ok(known.iter().filter(|name| wanted.contains(name)).cloned().collect())
}

/// Refuses families that RocksDB would refuse to open, without naming them.
fn check_comparators(
    names: &[String],
    options: &HashMap<String, FamilyOptions>,
) -> Result<(), Error> {
    // The default family is always opened.
    for name in names.iter().map(String::as_str).chain([DEFAULT]) {
        if let Some(options) = options.get(name).filter(|options| options.comparator != BYTEWISE) {
            let comparator = options.comparator.clone();
            return Err(Error::Comparator { family: name.to_owned(), comparator });
        }
    }
    Ok(())
}

/// Opens with default options: files say themselves how they are to be read, except for what is set
/// here.
fn open(
    path: &Path,
    names: &[String],
    options: &HashMap<String, FamilyOptions>,
) -> Result<DB, rocksdb::Error> {
    let mut names = names.to_vec();
    if !names.iter().any(|name| name == DEFAULT) {
        names.push(DEFAULT.to_owned());
    }
    let families = names.into_iter().map(|name| {
        let mut loaded = Options::default();
        if let Some(levels) = options.get(&name).and_then(|options| options.levels) {
            loaded.set_num_levels(levels);
        }
        loaded.set_merge_operator_associative("join", join);
        ColumnFamilyDescriptor::new(name, loaded)
    });
    let mut options = Options::default();
    options.set_max_open_files(MAX_OPEN_FILES);
    DB::open_cf_descriptors_read_only(&options, path, families, false)
}

/// Stands in for the database's merge operator: its operands are in the files as they are, and that
/// is what gets compressed. The signature is RocksDB's.
#[expect(clippy::unnecessary_wraps, reason = "None would be a failed merge")]
fn join(_key: &[u8], value: Option<&[u8]>, operands: &MergeOperands) -> Option<Vec<u8>> {
    Some(value.into_iter().chain(operands).flatten().copied().collect())
}
