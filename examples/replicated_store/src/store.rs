//! A node's RocksDB: one database with the log, the state machine's records, and what both need to
//! remember.

mod log;
mod options;
mod state_machine;

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use openraft::StorageIOError;
use parking_lot::Mutex;
use rocksdb::{ColumnFamily, ColumnFamilyDescriptor, DB, IteratorMode, Options};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use crate::types::{Records, Result, StorageError};

pub(crate) use log::LogStore;
pub(crate) use options::Codec;
pub(crate) use state_machine::StateMachine;

/// The family of log entries.
const LOG: &str = "log";
/// The family of votes and positions.
const META: &str = "meta";
/// The family of the state machine's records, which is the one that adopts our compressor.
const DATA: &str = "data";

/// A node's database.
#[derive(Debug)]
pub(crate) struct Database {
    db: DB,
    codec: Mutex<Codec>,
    /// Snapshots that came from other nodes.
    installed: AtomicU64,
    /// Dropped after `db`, which tells the receiver that the database is closed.
    _open: oneshot::Sender<Infallible>,
}

impl Database {
    /// Opens or creates a database. The receiver fails when the database is closed.
    pub(crate) fn open(
        path: &Path,
        codec: &Codec,
    ) -> Result<(Arc<Self>, oneshot::Receiver<Infallible>)> {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        let families =
            [(LOG, Options::default()), (META, Options::default()), (DATA, options::data(codec)?)];
        let families =
            families.into_iter().map(|(name, options)| ColumnFamilyDescriptor::new(name, options));
        let db = DB::open_cf_descriptors(&options, path, families)?;
        let (open, closed) = oneshot::channel();
        let codec = Mutex::new(codec.clone());
        Ok((Arc::new(Self { db, codec, installed: AtomicU64::new(0), _open: open }), closed))
    }

    /// Switches to a codec without closing the database. Files written from now on are its own.
    pub(crate) fn switch_to(&self, codec: &Codec) -> Result<()> {
        let option_strings = options::at_run_time(codec)?;
        self.db.set_options_cf(self.family(DATA)?, &option_strings)?;
        *self.codec.lock() = codec.clone();
        Ok(())
    }

    /// Returns the codec in use.
    pub(crate) fn codec(&self) -> Codec {
        self.codec.lock().clone()
    }

    /// Returns how many snapshots came from other nodes since the database was opened.
    pub(crate) fn installed(&self) -> u64 {
        self.installed.load(Ordering::Relaxed)
    }

    fn count_installed(&self) {
        self.installed.fetch_add(1, Ordering::Relaxed);
    }

    /// Writes the state machine's records from memory to a table file.
    pub(crate) fn flush(&self) -> Result<()> {
        Ok(self.db.flush_cf(self.family(DATA)?)?)
    }

    /// Returns all records of the state machine.
    pub(crate) fn records(&self) -> Result<Records> {
        records(&self.db)
    }

    /// Returns the records of a closed database, read by RocksDB alone.
    pub(crate) fn records_without_us(path: &Path) -> Result<Records> {
        let families = ["default", LOG, META, DATA];
        records(&DB::open_cf_for_read_only(&Options::default(), path, families, false)?)
    }

    fn family(&self, name: &'static str) -> Result<&ColumnFamily, StorageError> {
        family(&self.db, name).map_err(failed_read)
    }

    /// Returns what [`encode`] wrote under a name.
    fn remembered<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StorageError> {
        let value = self.db.get_pinned_cf(self.family(META)?, name).map_err(failed_read)?;
        value.map(|value| decode(&value)).transpose()
    }
}

fn records(db: &DB) -> Result<Records> {
    let mut records = Records::new();
    for record in db.iterator_cf(family(db, DATA)?, IteratorMode::Start) {
        let (key, value) = record?;
        records.insert(String::from_utf8(key.into())?, String::from_utf8(value.into())?);
    }
    Ok(records)
}

fn family<'a>(db: &'a DB, name: &str) -> std::io::Result<&'a ColumnFamily> {
    db.cf_handle(name).ok_or_else(|| std::io::Error::other(format!("no column family {name}")))
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, StorageError> {
    serde_json::to_vec(value).map_err(failed_write)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StorageError> {
    serde_json::from_slice(bytes).map_err(failed_read)
}

fn failed_read(error: impl std::error::Error + 'static) -> StorageError {
    StorageIOError::read(&error).into()
}

fn failed_write(error: impl std::error::Error + 'static) -> StorageError {
    StorageIOError::write(&error).into()
}
