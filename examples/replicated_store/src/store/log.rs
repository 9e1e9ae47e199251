//! openraft's log in RocksDB.

use std::fmt::Debug;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use openraft::storage::{LogFlushed, LogState, RaftLogStorage};
use openraft::{OptionalSend, RaftLogReader};
use rocksdb::{Direction, IteratorMode, WriteBatch, WriteOptions};

use super::{Database, LOG, META, decode, encode, failed_read, failed_write};
use crate::types::{Entry, LogId, StorageError, TypeConfig, Vote};

const VOTE: &str = "vote";
const COMMITTED: &str = "committed";
const PURGED: &str = "purged";

/// The log of a node. Clones share the database.
#[derive(Clone, Debug)]
pub(crate) struct LogStore(pub(crate) Arc<Database>);

impl LogStore {
    /// Writes a batch that must not be lost.
    fn write(&self, batch: WriteBatch) -> Result<(), StorageError> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.0.db.write_opt(batch, &options).map_err(failed_write)
    }

    fn remember(&self, name: &str, value: &impl serde::Serialize) -> Result<(), StorageError> {
        let mut batch = WriteBatch::default();
        batch.put_cf(self.0.family(META)?, name, encode(value)?);
        self.write(batch)
    }

    /// Deletes the entries from `first` up to, but without, `end`.
    fn delete(&self, first: u64, end: u64) -> Result<(), StorageError> {
        let mut batch = WriteBatch::default();
        batch.delete_range_cf(self.0.family(LOG)?, key(first), key(end));
        self.write(batch)
    }
}

/// Keys sort as the numbers do.
const fn key(index: u64) -> [u8; 8] {
    index.to_be_bytes()
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, StorageError> {
        let first = match range.start_bound() {
            Bound::Included(first) => *first,
            Bound::Excluded(before) => before + 1,
            Bound::Unbounded => 0,
        };
        let first = key(first);
        let from = IteratorMode::From(&first, Direction::Forward);
        let mut entries = Vec::new();
        for record in self.0.db.iterator_cf(self.0.family(LOG)?, from) {
            let (_, value) = record.map_err(failed_read)?;
            let entry: Entry = decode(&value)?;
            if !range.contains(&entry.log_id.index) {
                break;
            }
            entries.push(entry);
        }
        Ok(entries)
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, StorageError> {
        let last_purged_log_id: Option<LogId> = self.0.remembered(PURGED)?;
        let mut iterator = self.0.db.iterator_cf(self.0.family(LOG)?, IteratorMode::End);
        let last = iterator.next().transpose().map_err(failed_read)?;
        let last = last.map(|(_, value)| decode::<Entry>(&value)).transpose()?;
        let last_log_id = last.map(|entry| entry.log_id).or(last_purged_log_id);
        Ok(LogState { last_purged_log_id, last_log_id })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        self.remember(VOTE, vote)
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        self.0.remembered(VOTE)
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), StorageError> {
        // It may be lost: the leader knows better.
        let family = self.0.family(META)?;
        self.0.db.put_cf(family, COMMITTED, encode(&committed)?).map_err(failed_write)
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, StorageError> {
        Ok(self.0.remembered(COMMITTED)?.flatten())
    }

    async fn append<I>(
        &mut self,
        entries: I,
        flushed: LogFlushed<TypeConfig>,
    ) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut batch = WriteBatch::default();
        for entry in entries {
            batch.put_cf(self.0.family(LOG)?, key(entry.log_id.index), encode(&entry)?);
        }
        self.write(batch)?;
        flushed.log_io_completed(Ok(()));
        Ok(())
    }

    async fn truncate(&mut self, from: LogId) -> Result<(), StorageError> {
        self.delete(from.index, u64::MAX)
    }

    async fn purge(&mut self, upto: LogId) -> Result<(), StorageError> {
        self.remember(PURGED, &upto)?;
        self.delete(0, upto.index + 1)
    }
}
