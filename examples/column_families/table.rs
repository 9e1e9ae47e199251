//! The demo's results.

use uadk_compress_bench_support::cpu::Cost;

/// The figures of a family.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    /// Size of the table files in bytes.
    pub(crate) size: u64,
    pub(crate) load: Cost,
    pub(crate) get: Cost,
    pub(crate) gets: usize,
    /// Bytes of keys and values scanned.
    pub(crate) scanned: u64,
    pub(crate) scan: Cost,
}

/// Prints a line per family; `bytes` is the size of the input.
pub(crate) fn print(families: &[Measured], bytes: usize) {
    println!(
        "\n{:<18} {:>9} {:>6} {:>15} {:>12} {:>10} {:>12}",
        "family", "size MB", "ratio", "load+compact s", "get us", "scan MB/s", "scan MB/s"
    );
    println!(
        "{:<18} {:>9} {:>6} {:>15} {:>12} {:>10} {:>12}",
        "", "", "", "(CPU)", "(CPU)", "(wall)", "(per CPU s)"
    );
    for family in families {
        let megabytes = family.scanned as f64 / 1e6;
        println!(
            "{:<18} {:>9.1} {:>6.2} {:>15.2} {:>12.1} {:>10.0} {:>12.0}",
            family.name,
            family.size as f64 / 1e6,
            bytes as f64 / family.size as f64,
            family.load.cpu.as_secs_f64(),
            family.get.cpu.as_secs_f64() * 1e6 / family.gets as f64,
            megabytes / family.scan.wall.as_secs_f64(),
            megabytes / family.scan.cpu.as_secs_f64(),
        );
    }
}
