//! openraft's state machine in RocksDB. Its snapshots are table files, written with the options of
//! the node's column family: nodes with and without us take in each other's.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use openraft::storage::RaftStateMachine;
use openraft::{EntryPayload, OptionalSend, RaftSnapshotBuilder};
use rocksdb::{
    DBPinnableSlice, IngestExternalFileOptions, IteratorMode, SstFileWriter, WriteBatch,
    WriteOptions,
};

use super::{DATA, Database, META, decode, encode, failed_read, failed_write, options};
use crate::types::{Entry, LogId, Membership, Snapshot, SnapshotMeta, StorageError, TypeConfig};

/// The last entry that the records contain.
const APPLIED: &str = "applied";
const MEMBERSHIP: &str = "membership";
/// The newest snapshot: where it ends, and its table file.
const SNAPSHOT: &str = "snapshot";
const SNAPSHOT_FILE: &str = "snapshot file";

/// Behind the keys of all records, which are text.
const END: &[u8] = &[0xff];

/// The state machine of a node. Clones share the database.
#[derive(Clone, Debug)]
pub(crate) struct StateMachine {
    database: Arc<Database>,
    /// Where a snapshot's table file is written before it is sent, and before it is taken in.
    file: PathBuf,
}

impl StateMachine {
    /// Creates the state machine of a database. Takes in the snapshot whose installation was
    /// interrupted, if there is one.
    pub(crate) fn new(database: Arc<Database>, file: PathBuf) -> Result<Self, StorageError> {
        let this = Self { database, file };
        let kept: Option<SnapshotMeta> = this.database.remembered(SNAPSHOT)?;
        let applied = this.applied()?;
        if let Some(meta) = kept.filter(|meta| meta.last_log_id > applied) {
            this.adopt(&meta)?;
        }
        Ok(this)
    }

    fn applied(&self) -> Result<Option<LogId>, StorageError> {
        Ok(self.database.remembered::<Option<LogId>>(APPLIED)?.flatten())
    }

    /// Remembers a snapshot and its table file in place of the one before.
    fn keep(&self, meta: &SnapshotMeta, file: &[u8]) -> Result<(), StorageError> {
        let family = self.database.family(META)?;
        let mut batch = WriteBatch::default();
        batch.put_cf(family, SNAPSHOT, encode(meta)?);
        batch.put_cf(family, SNAPSHOT_FILE, file);
        let mut durable = WriteOptions::default();
        durable.set_sync(true);
        self.database.db.write_opt(batch, &durable).map_err(failed_write)
    }

    fn kept_file(&self) -> Result<Option<DBPinnableSlice<'_>>, StorageError> {
        self.database
            .db
            .get_pinned_cf(self.database.family(META)?, SNAPSHOT_FILE)
            .map_err(failed_read)
    }

    /// Replaces all records by those of the snapshot that is kept.
    fn adopt(&self, meta: &SnapshotMeta) -> Result<(), StorageError> {
        let db = &self.database.db;
        let data = self.database.family(DATA)?;
        db.delete_range_cf(data, b"".as_slice(), END).map_err(failed_write)?;
        // A snapshot of nothing has no file.
        if let Some(bytes) = self.kept_file()?.filter(|bytes| !bytes.is_empty()) {
            std::fs::write(&self.file, bytes).map_err(failed_write)?;
            let mut options = IngestExternalFileOptions::default();
            options.set_move_files(true);
            db.ingest_external_file_cf_opts(data, &options, vec![&self.file])
                .map_err(failed_write)?;
        }
        let mut batch = WriteBatch::default();
        let family = self.database.family(META)?;
        batch.put_cf(family, APPLIED, encode(&meta.last_log_id)?);
        batch.put_cf(family, MEMBERSHIP, encode(&meta.last_membership)?);
        db.write(batch).map_err(failed_write)
    }

    /// Returns a table file with all records of now, and where they end; no bytes for no records.
    fn table_file(&self) -> Result<(Option<LogId>, Membership, Vec<u8>), StorageError> {
        // Records and positions of the same moment: entries are applied meanwhile.
        let view = self.database.db.snapshot();
        let meta = self.database.family(META)?;
        let value = |name| view.get_cf(meta, name).map_err(failed_read);
        let applied: Option<Option<LogId>> =
            value(APPLIED)?.map(|bytes| decode(&bytes)).transpose()?;
        let membership = value(MEMBERSHIP)?.map(|bytes| decode(&bytes)).transpose()?;

        let options = options::data(&self.database.codec()).map_err(failed_open)?;
        let mut records =
            view.iterator_cf(self.database.family(DATA)?, IteratorMode::Start).peekable();
        if records.peek().is_none() {
            return Ok((applied.flatten(), membership.unwrap_or_default(), Vec::new()));
        }
        let mut writer = SstFileWriter::create(&options);
        writer.open(&self.file).map_err(failed_write)?;
        for record in records {
            let (key, value) = record.map_err(failed_read)?;
            writer.put(key, value).map_err(failed_write)?;
        }
        writer.finish().map_err(failed_write)?;
        let bytes = std::fs::read(&self.file).map_err(failed_read)?;
        std::fs::remove_file(&self.file).map_err(failed_write)?;
        Ok((applied.flatten(), membership.unwrap_or_default(), bytes))
    }
}

fn failed_open(error: Box<dyn std::error::Error + Send + Sync>) -> StorageError {
    failed_read(std::io::Error::other(error))
}

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, Membership), StorageError> {
        let membership: Option<Membership> = self.database.remembered(MEMBERSHIP)?;
        Ok((self.applied()?, membership.unwrap_or_default()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<()>, StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let (data, meta) = (self.database.family(DATA)?, self.database.family(META)?);
        // Records and position change together. The log has what a crash loses of them.
        let mut batch = WriteBatch::default();
        let mut answers = Vec::new();
        for entry in entries {
            batch.put_cf(meta, APPLIED, encode(&Some(entry.log_id))?);
            match entry.payload {
                EntryPayload::Blank => {}
                EntryPayload::Normal(put) => {
                    for (key, value) in put.records {
                        batch.put_cf(data, key, value);
                    }
                }
                EntryPayload::Membership(members) => {
                    let membership = Membership::new(Some(entry.log_id), members);
                    batch.put_cf(meta, MEMBERSHIP, encode(&membership)?);
                }
            }
            answers.push(());
        }
        self.database.db.write(batch).map_err(failed_write)?;
        Ok(answers)
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        self.clone()
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<Cursor<Vec<u8>>>, StorageError> {
        Ok(Box::default())
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        snapshot: Box<Cursor<Vec<u8>>>,
    ) -> Result<(), StorageError> {
        self.keep(meta, snapshot.get_ref())?;
        self.adopt(meta)?;
        self.database.count_installed();
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
        let Some(meta) = self.database.remembered(SNAPSHOT)? else { return Ok(None) };
        let file = self.kept_file()?.map(|bytes| bytes.to_vec()).unwrap_or_default();
        Ok(Some(Snapshot { meta, snapshot: Box::new(Cursor::new(file)) }))
    }
}

impl RaftSnapshotBuilder<TypeConfig> for StateMachine {
    async fn build_snapshot(&mut self) -> Result<Snapshot, StorageError> {
        let (last_log_id, last_membership, file) = self.table_file()?;
        // It must differ between snapshots, on all nodes.
        let snapshot_id = match last_log_id {
            Some(last) => format!("{last}-{}", self.database.db.latest_sequence_number()),
            None => "empty".to_owned(),
        };
        let meta = SnapshotMeta { last_log_id, last_membership, snapshot_id };
        self.keep(&meta, &file)?;
        Ok(Snapshot { meta, snapshot: Box::new(Cursor::new(file)) })
    }
}
