//! The process that is killed: checks the database, then writes until it ends.

use std::path::Path;
use std::process::exit;
use std::sync::Arc;

use rocksdb::{ErrorKind, SstFileWriter, WriteBatch, WriteOptions};
use uadk_compress::BlockCompressor;

use crate::check::{check_range, read};
use crate::database::{Database, handle};
use crate::death::{Counted, LastBlock, die};
use crate::error::Result;
use crate::expected::Expected;
use crate::family;
use crate::files::Files;
use crate::operations::{Change, Operation};
use crate::record::{key, value};
use crate::report::Report;
use crate::round::{Kill, Round};
use crate::sabotage::Sabotage;
use crate::settings::Wal;

/// Batches before this operation are written as they should be, even by [`Sabotage::Tear`].
const FIRST_TORN: u32 = 5;

/// How often a table file is offered to RocksDB.
const INGEST_TRIES: u32 = 100;

/// Opens the database, checks all of it, and writes. Returns only if something is wrong.
pub(crate) fn run(files: &Files, round: &Round, sabotage: Option<Sabotage>) -> Result<()> {
    let mut expected = Expected::load(&files.expected())?;
    let database = open(files, round, sabotage)?;
    let done = expected.explain(round.seed, &read(&database.db, &family::all())?)?;
    expected.resolve(round.seed, &done);
    Report::Opened { done }.send()?;
    std::thread::scope(|scope| {
        for thread in 0..round.threads {
            let mut writer = Writer {
                files,
                database: &database,
                round,
                sabotage,
                thread,
                expected: expected.clone(),
            };
            scope.spawn(move || {
                if let Err(error) = writer.write() {
                    // The other threads would never end.
                    eprintln!("thread {thread}: {error}");
                    exit(1);
                }
            });
        }
    });
    Ok(())
}

/// Opens the database with compressors that obey the round's kill, and the sabotage.
fn open(files: &Files, round: &Round, sabotage: Option<Sabotage>) -> Result<Database> {
    let last_block = LastBlock::new(match round.kill {
        Kill::Block { number } => Some(number),
        Kill::Acknowledged { .. } | Kill::Started { .. } => None,
    });
    let wrap = |inner: Arc<dyn BlockCompressor>| -> Arc<dyn BlockCompressor> {
        let inner = match sabotage {
            Some(sabotage) => sabotage.compressor(inner),
            None => inner,
        };
        Arc::new(Counted { inner, last_block: Arc::clone(&last_block) })
    };
    let extra = sabotage.map_or("", Sabotage::options);
    Database::open(&files.database(), &round.settings, extra, &wrap)
}

/// One thread.
struct Writer<'a> {
    files: &'a Files,
    database: &'a Database,
    round: &'a Round,
    sabotage: Option<Sabotage>,
    thread: u32,
    /// Right for this thread's keys.
    expected: Expected,
}

impl Writer<'_> {
    /// Does one operation after another, and acknowledges each before it begins the next.
    fn write(&mut self) -> Result<()> {
        for (number, operation) in (0..).zip(self.round.operations(self.thread)) {
            let acknowledged = Report::Acknowledged { thread: self.thread, number };
            if self.sabotage == Some(Sabotage::Forget) {
                acknowledged.send()?;
                self.perform(number, &operation)?;
            } else {
                self.perform(number, &operation).map_err(|error| {
                    format!("operation {number} of {} threads: {error}", self.round.threads)
                })?;
                acknowledged.send()?;
            }
            self.expected.apply(&operation);
        }
        Ok(())
    }

    fn perform(&self, number: u32, operation: &Operation) -> Result<()> {
        let db = &self.database.db;
        match operation {
            Operation::Write(changes) if self.sabotage == Some(Sabotage::Tear) => {
                self.tear(number, changes)
            }
            Operation::Write(changes) => self.write_batch(number, changes),
            Operation::Ingest { family, changes } => self.ingest(*family, changes),
            Operation::Read { family, keys } => {
                check_range(db, *family, keys.clone(), &self.expected.families[*family])
            }
            Operation::Flush { family } => {
                db.flush_cf(handle(db, *family)?)?;
                self.database.report_blocks()
            }
            Operation::Compact { family } => {
                db.compact_range_cf(handle(db, *family)?, None::<&[u8]>, None::<&[u8]>);
                Ok(())
            }
            Operation::Switch { family, compression } => {
                let cf = handle(db, *family)?;
                Ok(db.set_options_cf(cf, &[("compression", compression)])?)
            }
        }
    }

    fn write_batch(&self, number: u32, changes: &[Change]) -> Result<()> {
        let db = &self.database.db;
        let mut batch = WriteBatch::default();
        for Change { family, keys, version } in changes {
            let cf = handle(db, *family)?;
            match version {
                Some(version) => {
                    batch.put_cf(cf, key(keys.start), value(*family, keys.start, *version));
                }
                None if keys.len() == 1 => batch.delete_cf(cf, key(keys.start)),
                None => batch.delete_range_cf(cf, key(keys.start), key(keys.end)),
            }
        }
        if self.sabotage == Some(Sabotage::Stray) {
            batch.put(b"stray", b"");
        }
        let wal = self.round.settings.wal;
        let mut options = WriteOptions::default();
        // Syncing every write would take most of the time.
        options.set_sync(wal == Wal::Synced && number.is_multiple_of(8));
        options.disable_wal(self.sabotage == Some(Sabotage::Forget));
        db.write_opt(batch, &options)?;
        if wal == Wal::Flushed && self.sabotage != Some(Sabotage::Forget) {
            db.flush_wal(number.is_multiple_of(8))?;
        }
        Ok(())
    }

    /// Writes a batch one change at a time, and dies in the middle.
    fn tear(&self, number: u32, changes: &[Change]) -> Result<()> {
        for (i, change) in changes.iter().enumerate() {
            if i > 2 && number >= FIRST_TORN {
                die();
            }
            self.write_batch(number, std::slice::from_ref(change))?;
        }
        Ok(())
    }

    /// Writes a table file and adds it.
    fn ingest(&self, family: usize, changes: &[Change]) -> Result<()> {
        let path = self.files.ingested(self.thread);
        let mut table = SstFileWriter::create(self.database.options(family));
        table.open(&path)?;
        for Change { keys, version, .. } in changes {
            match version {
                Some(version) => table.put(key(keys.start), value(family, keys.start, *version))?,
                None => table.delete(key(keys.start))?,
            }
        }
        table.finish()?;
        self.add_table(family, &path)?;
        Ok(std::fs::remove_file(path)?)
    }

    fn add_table(&self, family: usize, path: &Path) -> Result<()> {
        let db = &self.database.db;
        let cf = handle(db, family)?;
        for _ in 1..INGEST_TRIES {
            match db.ingest_external_file_cf(cf, vec![path]) {
                // RocksDB refuses, and changes nothing, if another thread got in the way of its
                // flush (ExternalSstFileIngestionJob::Run).
                Err(error) if error.kind() == ErrorKind::TryAgain => {}
                result => return Ok(result?),
            }
        }
        Ok(db.ingest_external_file_cf(cf, vec![path])?)
    }
}
