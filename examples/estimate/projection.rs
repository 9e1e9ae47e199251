//! From the sample to the whole database.

use crate::codecs::{Case, Codecs};
use crate::database::{Database, Family, Level};
use crate::measure::Measured;
use crate::report::{
    CodecReport, FamilyReport, FamilySize, LevelReport, LevelSize, Report, SampleReport,
};
use crate::sample::LevelSample;

/// Projects what each case would make of the database. `measured` has a row for each case, with an
/// entry for each sample.
pub(crate) fn project(
    database: &Database,
    samples: &[LevelSample],
    codecs: &Codecs,
    measured: &[Vec<Measured>],
) -> Report {
    let families: Vec<_> = database
        .families
        .iter()
        .enumerate()
        .map(|(index, family)| family_report(index, family, samples))
        .collect();
    let bytes = families.iter().map(|family| family.bytes).sum();
    Report {
        path: database.path.clone(),
        files: families.iter().flat_map(|family| &family.levels).map(|level| level.files).sum(),
        bytes,
        sample: SampleReport {
            blocks: samples.iter().map(|sample| sample.blocks.len()).sum(),
            bytes: samples.iter().map(LevelSample::size).sum(),
        },
        accelerator_missing: codecs.accelerator_missing.clone(),
        codecs: codecs
            .cases
            .iter()
            .zip(measured)
            .map(|(case, measured)| codec_report(case, measured, samples, &families))
            .collect(),
        families,
    }
}

fn family_report(index: usize, family: &Family, samples: &[LevelSample]) -> FamilyReport {
    let levels: Vec<_> = family
        .levels
        .iter()
        .enumerate()
        .map(|(number, level)| level_report(level, sample_of(samples, index, number)))
        .collect();
    FamilyReport {
        name: family.name.clone(),
        compression: family.options.compression.clone(),
        block_size: family.options.layout.block_size,
        bytes: levels.iter().map(|level| level.bytes).sum(),
        levels,
    }
}

fn level_report(level: &Level, sample: Option<&LevelSample>) -> LevelReport {
    let raw = level.properties.raw;
    // The layout in blocks adds to the records, and saves by sharing prefixes of keys.
    let uncompressed = sample.map_or(raw, |sample| scale(raw, sample.size(), sample.raw));
    LevelReport {
        level: level.number,
        files: level.files.len(),
        bytes: level.size(),
        data_bytes: level.properties.data,
        uncompressed_bytes: uncompressed,
    }
}

fn codec_report(
    case: &Case,
    measured: &[Measured],
    samples: &[LevelSample],
    families: &[FamilyReport],
) -> CodecReport {
    let together: Measured = measured.iter().copied().sum();
    let bytes: u64 = samples.iter().map(LevelSample::size).sum();
    let sizes: Vec<_> = families
        .iter()
        .enumerate()
        .map(|(index, family)| {
            let level_size = |(number, level): (usize, &LevelReport)| {
                let found = samples
                    .iter()
                    .zip(measured)
                    .find(|(sample, _)| (sample.family, sample.level) == (index, number));
                LevelSize { level: level.level, projected_bytes: projected(level, found) }
            };
            let levels: Vec<_> = family.levels.iter().enumerate().map(level_size).collect();
            FamilySize {
                name: family.name.clone(),
                projected_bytes: levels.iter().map(|level| level.projected_bytes).sum(),
                levels,
            }
        })
        .collect();
    let uncompressed: u64 =
        families.iter().flat_map(|family| &family.levels).map(|l| l.uncompressed_bytes).sum();
    let micros = |time: std::time::Duration| time.as_secs_f64() * 1e6 / together.blocks as f64;
    let whole = uncompressed as f64 / bytes as f64;
    CodecReport {
        format: case.format,
        level: case.level,
        engine: case.engine.clone(),
        ratio: bytes as f64 / together.stored as f64,
        stored_raw: together.stored_raw as f64 / together.blocks as f64,
        compress_us_per_block: micros(together.compress),
        decompress_us_per_block: micros(together.decompress),
        projected_bytes: sizes.iter().map(|family| family.projected_bytes).sum(),
        projected_compress_s: together.compress.as_secs_f64() * whole,
        projected_decompress_s: together.decompress.as_secs_f64() * whole,
        families: sizes,
    }
}

/// Returns the size of a level's files if its data blocks were compressed like those of its sample.
/// Indexes, filters and the rest stay as they are. A level without a sample stays as it is.
fn projected(level: &LevelReport, sample: Option<(&LevelSample, &Measured)>) -> u64 {
    let Some((sample, measured)) = sample else { return level.bytes };
    let rest = level.bytes.saturating_sub(level.data_bytes);
    rest + scale(level.uncompressed_bytes, measured.stored, sample.size())
}

fn sample_of(samples: &[LevelSample], family: usize, level: usize) -> Option<&LevelSample> {
    samples.iter().find(|sample| (sample.family, sample.level) == (family, level))
}

/// Returns `value * numerator / denominator`; the value itself for a denominator of 0.
fn scale(value: u64, numerator: u64, denominator: u64) -> u64 {
    let product = u128::from(value) * u128::from(numerator);
    product.checked_div(u128::from(denominator)).map_or(value, |scaled| scaled as u64)
}
