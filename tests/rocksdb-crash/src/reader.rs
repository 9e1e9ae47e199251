//! The processes that check the database and end by themselves.

use rocksdb::{BottommostLevelCompaction, CompactOptions, DB, Options, WaitForCompactOptions};

use crate::check::read;
use crate::database::{Database, handle};
use crate::error::Result;
use crate::expected::Expected;
use crate::family::{self, FAMILIES};
use crate::files::Files;
use crate::report::Report;
use crate::round::Round;
use crate::settings::{FORMATS, Settings};

/// Compresses everything that is left at the end, in the newest format version that Debian's
/// `sst_dump` reads.
const OLD_TABLES: &str =
    "bottommost_compression=kZSTD;block_based_table_factory={format_version=5}";

/// Reads the database as a program with a stock RocksDB would: without our compression manager,
/// without our codec, and without the database's settings.
pub(crate) fn without_us(files: &Files, round: &Round) -> Result<()> {
    let expected = Expected::load(&files.expected())?;
    let families = family::stock();
    let names = families.iter().map(|family| FAMILIES[*family].name);
    let mut options = Options::default();
    options.set_paranoid_checks(true);
    let with_context = |error: &dyn std::fmt::Display| format!("without us: {error}");
    let db = DB::open_cf_for_read_only(&options, files.database(), names, false)
        .map_err(|error| with_context(&error))?;
    let found = read(&db, &families).map_err(|error| with_context(&error))?;
    let done = expected.explain(round.seed, &found).map_err(|error| with_context(&error))?;
    Report::Opened { done }.send()
}

/// Checks the database, compacts all of it into files that old versions of RocksDB can read, checks
/// it again, and names these files.
pub(crate) fn finish(files: &Files, round: &Round) -> Result<()> {
    let mut expected = Expected::load(&files.expected())?;
    let settings = Settings { ours: FORMATS.to_vec(), ..round.settings.clone() };
    let database = Database::open(&files.database(), &settings, OLD_TABLES, &|inner| inner)?;
    let db = &database.db;
    let done = expected.explain(round.seed, &read(db, &family::all())?)?;
    expected.resolve(round.seed, &done);
    Report::Opened { done }.send()?;

    let mut options = CompactOptions::default();
    options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
    for family in family::all() {
        let cf = handle(db, family)?;
        db.flush_cf(cf)?;
        db.compact_range_cf_opt(cf, None::<&[u8]>, None::<&[u8]>, &options);
    }
    db.wait_for_compact(&WaitForCompactOptions::default())?;
    expected.explain(round.seed, &read(db, &family::all())?)?;

    let stock: Vec<_> = family::stock().iter().map(|family| FAMILIES[*family].name).collect();
    for file in db.live_files()? {
        if stock.contains(&&*file.column_family_name) {
            let path = files.database().join(file.name.trim_start_matches('/'));
            Report::Table { path: path.display().to_string() }.send()?;
        }
    }
    database.report_blocks()
}
