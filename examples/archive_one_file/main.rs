//! One file out of a big archive, without reading the rest.
//!
//!     cargo run --example archive_one_file -- ARCHIVE.tar.gz              # lists it
//!     cargo run --example archive_one_file -- ARCHIVE.tar.gz NAME         # writes that file to stdout
//!
//! Archives of other tools are read too; those are read once from the beginning to the end.

use std::fs::File;
use std::io;
use std::time::Instant;

use uadk_compress_archive::ArchiveReader;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let Some(path) = arguments.next() else {
        return Err("give an archive, and the name of an entry".into());
    };
    let begun = Instant::now();
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
    eprintln!("{:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
    Ok(())
}
