//! The estimate against RocksDB: what a real compaction with the codec makes of the same database.

mod databases;
mod errors;
mod oracle;
mod output;
mod read_only;
