//! The adapter in a real RocksDB, and its files in RocksDB without the adapter.

mod common;
mod custom_schema;
mod damage;
mod dictionaries;
mod failures;
mod files;
mod levels;
mod managers;
mod parallel;
mod probe;
mod registry;
mod stock_readers;
mod stock_schema;
mod types;
mod windows;

#[path = "../../../../core/uadk-compress/tests/common/windows.rs"]
mod far_blocks;
#[path = "../../../../examples/custom_codec/lz4.rs"]
mod lz4;
