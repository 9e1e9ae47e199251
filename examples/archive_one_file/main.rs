//! Reads one file from a large archive without reading the rest.
//!
//!     cargo run --example archive_one_file -- ARCHIVE.tar.gz         # lists the archive
//!     cargo run --example archive_one_file -- ARCHIVE.tar.gz NAME    # writes the file to stdout
//!
//! Archives from other tools work too; they are read once from beginning to end.

use std::fs::File;
use std::io;
use std::time::Instant;

use uadk_compress_archive::ArchiveReader;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let Some(path) = arguments.next() else {
        return Err("usage: archive_one_file ARCHIVE.tar.gz [NAME]".into());
    };
    let start = Instant::now();
    let mut archive = ArchiveReader::new(File::open(path)?)?;
    if let Some(name) = arguments.next() {
        let mut entry = archive.open(&name)?;
        io::copy(&mut entry, &mut io::stdout())?;
    } else {
        let index = archive.index()?;
        for entry in index.entries() {
            println!("{:>12}  {}", entry.size(), entry.path().display());
        }
        let how = if index.is_stored() { "from its index" } else { "by reading all of it" };
        eprintln!("{} entries {how}", index.entries().len());
    }
    eprintln!("{:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    Ok(())
}
