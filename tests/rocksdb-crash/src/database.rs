//! Opens the database with a round's settings.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rocksdb::{ColumnFamily, ColumnFamilyDescriptor, DB, Options};
use uadk_compress::{BlockCompressor, Compressor, Format, Policy};
use uadk_compress_rocksdb::{BlockCompressors, OptionsExt, Schema};

use crate::error::Result;
use crate::family::FAMILIES;
use crate::lz4::Lz4;
use crate::report::Report;
use crate::settings::Settings;

/// The name of the custom codec in files.
const CUSTOM: &str = "CrashLz4";

/// A database that is open for writing.
pub(crate) struct Database {
    pub(crate) db: DB,
    /// The options of each family.
    options: Vec<Options>,
    compressors: Vec<Compressor>,
}

/// Wraps a compressor in others.
pub(crate) type Wrap<'a> = dyn Fn(Arc<dyn BlockCompressor>) -> Arc<dyn BlockCompressor> + 'a;

impl Database {
    /// Opens or creates the database. `extra` are more options for families that any RocksDB can
    /// read; all compressors are wrapped.
    pub(crate) fn open(
        dir: &Path,
        settings: &Settings,
        extra: &str,
        wrap: &Wrap<'_>,
    ) -> Result<Self> {
        let compressors = compressors(settings)?;
        let mut options = Vec::new();
        for (family, own) in FAMILIES.iter().zip(&settings.families) {
            let mut base = if family.is_stock { stock(&compressors, wrap)? } else { custom(wrap)? };
            let mut all = base.get_options_from_string(own)?;
            if family.is_stock && !extra.is_empty() {
                all = all.get_options_from_string(extra)?;
            }
            options.push(all);
        }
        let mut database = Options::default().get_options_from_string(&settings.database)?;
        database.create_if_missing(true);
        database.create_missing_column_families(true);
        let names = FAMILIES.iter().map(|family| family.name);
        let families = names.zip(options.iter().cloned());
        let families = families.map(|(name, options)| ColumnFamilyDescriptor::new(name, options));
        let db = DB::open_cf_descriptors(&database, dir, families)?;
        Ok(Self { db, options, compressors })
    }

    pub(crate) fn options(&self, family: usize) -> &Options {
        &self.options[family]
    }

    /// Reports the blocks of RocksDB's own formats that the accelerator and software processed.
    pub(crate) fn report_blocks(&self) -> Result<()> {
        let stats = self.compressors.iter().map(Compressor::stats);
        let (accelerator, software) = stats.fold((0, 0), |(accelerator, software), stats| {
            (accelerator + stats.accelerator.blocks(), software + stats.software.blocks())
        });
        Report::Blocks { accelerator, software }.send()
    }
}

/// Returns a family's handle.
pub(crate) fn handle(db: &DB, family: usize) -> Result<&ColumnFamily> {
    let name = FAMILIES[family].name;
    db.cf_handle(name).ok_or_else(|| format!("column family {name} not found").into())
}

fn compressors(settings: &Settings) -> Result<Vec<Compressor>> {
    // Writers live for a second: a faulty device is tried again soon, and never too slow.
    let policy = Policy::default()
        .with_min_block(256)
        .with_hold_off(Duration::from_millis(1), Duration::from_millis(20))
        .with_max_delay(Duration::from_secs(1));
    let build =
        |format: &Format| Compressor::builder().format(*format).policy(policy.clone()).build();
    Ok(settings.ours.iter().map(build).collect::<std::result::Result<_, _>>()?)
}

fn stock(compressors: &[Compressor], wrap: &Wrap<'_>) -> Result<Options> {
    let set = compressors.iter().fold(BlockCompressors::new(), |set, compressor| {
        set.with(wrap(Arc::new(compressor.clone())))
    });
    let mut options = Options::default();
    if !compressors.is_empty() {
        options.set_block_compressor(set, Schema::Stock)?;
    }
    Ok(options)
}

fn custom(wrap: &Wrap<'_>) -> Result<Options> {
    let mut options = Options::default();
    options.set_block_compressor(wrap(Arc::new(Lz4)), Schema::custom(CUSTOM))?;
    Ok(options)
}
