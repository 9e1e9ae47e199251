//! The result as tables for people.

use std::fmt::Write;

use crate::report::{CodecReport, FamilyReport, Report};

/// Returns the report as text. Sizes are in MB (10^6 bytes).
pub(crate) fn text(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = write(report, &mut text);
    text
}

fn write(report: &Report, to: &mut String) -> std::fmt::Result {
    writeln!(
        to,
        "{}: {} column families, {} table files, {} MB",
        report.path,
        report.families.len(),
        report.files,
        megabytes(report.bytes)
    )?;
    for family in &report.families {
        let FamilyReport { name, block_size, compression, .. } = family;
        writeln!(to, "  {name}: blocks of {block_size} bytes, {compression}")?;
    }
    let sample = &report.sample;
    writeln!(to, "sample: {} blocks, {} MB", sample.blocks, megabytes(sample.bytes))?;
    if let Some(reason) = &report.accelerator_missing {
        writeln!(to, "{reason} (`uadk-compress doctor` says more)")?;
    }
    codecs(report, to)?;
    levels(report, to)
}

fn codecs(report: &Report, to: &mut String) -> std::fmt::Result {
    writeln!(
        to,
        "\n{:<8} {:<30} {:>6} {:>6} {:>10} {:>10} {:>10} {:>8}",
        "codec", "engine", "ratio", "raw %", "us to", "us to", "projected", "of today"
    )?;
    writeln!(
        to,
        "{:<8} {:<30} {:>6} {:>6} {:>10} {:>10} {:>10} {:>8}",
        "", "", "", "", "compress", "decompress", "MB", "%"
    )?;
    for codec in &report.codecs {
        writeln!(
            to,
            "{:<8} {:<30} {:>6.2} {:>6.1} {:>10.1} {:>10.1} {:>10} {:>8.1}",
            short_name(codec),
            codec.engine,
            codec.ratio,
            codec.stored_raw * 100.0,
            codec.compress_us_per_block,
            codec.decompress_us_per_block,
            megabytes(codec.projected_bytes),
            codec.projected_bytes as f64 * 100.0 / report.bytes as f64,
        )?;
    }
    writeln!(
        to,
        "\nratio: of data blocks; raw: blocks that would be stored uncompressed; us: CPU time of \
         the calling\nthread per block; projected: all table files, with indexes and filters as \
         they are"
    )
}

/// Prints each level under each codec, in MB. The columns are the rows of the table above.
fn levels(report: &Report, to: &mut String) -> std::fmt::Result {
    write!(to, "\n{:<24} {:>5} {:>9}", "projected MB", "level", "today")?;
    for codec in &report.codecs {
        write!(to, " {:>9}", short_name(codec))?;
    }
    writeln!(to)?;
    for family in &report.families {
        for level in &family.levels {
            let today = megabytes(level.bytes);
            write!(to, "{:<24} {:>5} {today:>9}", family.name, level.level)?;
            for codec in &report.codecs {
                let size = codec.level_size(&family.name, level.level).unwrap_or_default();
                write!(to, " {:>9}", megabytes(size))?;
            }
            writeln!(to)?;
        }
    }
    Ok(())
}

fn short_name(codec: &CodecReport) -> String {
    let level = codec.level.map(|level| format!(" {level}")).unwrap_or_default();
    format!("{}{level}", codec.format)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.2}", bytes as f64 / 1e6)
}
