//! The result, as `--json` prints it. docs/rocksdb.md describes the fields.

use serde::Serialize;

use crate::error::Error;

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) path: String,
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    pub(crate) sample: SampleReport,
    pub(crate) accelerator_missing: Option<String>,
    pub(crate) families: Vec<FamilyReport>,
    pub(crate) codecs: Vec<CodecReport>,
}

#[derive(Debug, Serialize)]
pub(crate) struct SampleReport {
    pub(crate) blocks: usize,
    pub(crate) bytes: u64,
}

/// A column family today.
#[derive(Debug, Serialize)]
pub(crate) struct FamilyReport {
    pub(crate) name: String,
    pub(crate) compression: String,
    pub(crate) block_size: usize,
    pub(crate) bytes: u64,
    pub(crate) levels: Vec<LevelReport>,
}

#[derive(Debug, Serialize)]
pub(crate) struct LevelReport {
    pub(crate) level: i32,
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    pub(crate) data_bytes: u64,
    pub(crate) uncompressed_bytes: u64,
}

/// What a codec would make of the database.
#[derive(Debug, Serialize)]
pub(crate) struct CodecReport {
    pub(crate) format: &'static str,
    pub(crate) level: Option<i32>,
    pub(crate) engine: String,
    pub(crate) ratio: f64,
    pub(crate) stored_raw: f64,
    pub(crate) compress_us_per_block: f64,
    pub(crate) decompress_us_per_block: f64,
    pub(crate) projected_bytes: u64,
    pub(crate) projected_compress_s: f64,
    pub(crate) projected_decompress_s: f64,
    pub(crate) families: Vec<FamilySize>,
}

#[derive(Debug, Serialize)]
pub(crate) struct FamilySize {
    pub(crate) name: String,
    pub(crate) projected_bytes: u64,
    pub(crate) levels: Vec<LevelSize>,
}

#[derive(Debug, Serialize)]
pub(crate) struct LevelSize {
    pub(crate) level: i32,
    pub(crate) projected_bytes: u64,
}

impl Report {
    pub(crate) fn json(&self) -> Result<String, Error> {
        let text =
            serde_json::to_string_pretty(self).map_err(|error| Error::Output(error.into()))?;
        Ok(text + "\n")
    }
}

impl CodecReport {
    /// Returns the size of a family's level under this codec.
    pub(crate) fn level_size(&self, family: &str, level: i32) -> Option<u64> {
        let family = self.families.iter().find(|entry| entry.name == family)?;
        let level = family.levels.iter().find(|entry| entry.level == level)?;
        Some(level.projected_bytes)
    }
}
