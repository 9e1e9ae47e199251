//! Backs up a directory, and resumes an interrupted backup.
//!
//!     cargo run --example archive_backup -- DIRECTORY BACKUP.tar.gz
//!
//! Run it again after it was killed: entries already in the archive are kept, and the rest is
//! added. `tar xzf` restores the backup.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use uadk_compress_archive::{ArchiveWriter, Error, TreeWriter};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(directory), Some(backup)) = (arguments.next(), arguments.next()) else {
        return Err("usage: archive_backup DIRECTORY BACKUP.tar.gz".into());
    };
    let directory = fs::canonicalize(directory)?;
    let file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&backup)?;
    let (mut archive, found) = ArchiveWriter::resume(file)?;
    if let Some(torn) = &found.torn {
        println!("{} complete entries; {} bytes cut off: {torn}", found.entries.len(), found.cut);
    }
    let done: HashSet<PathBuf> =
        found.entries.iter().map(|entry| entry.path().components().collect()).collect();

    let name = PathBuf::from(directory.file_name().unwrap_or("root".as_ref()));
    let mut tree = TreeWriter::new().xattrs(true);
    add(&mut archive, &mut tree, &done, &directory, &name)?;
    println!("{} entries, {} bytes of tar", archive.entries(), archive.tar_len());
    archive.finish()?.sync_all()?;
    Ok(())
}

fn add(
    archive: &mut ArchiveWriter<File>,
    tree: &mut TreeWriter,
    done: &HashSet<PathBuf>,
    disk: &Path,
    name: &Path,
) -> Result<(), Error> {
    let metadata = if done.contains(name) {
        let metadata = fs::symlink_metadata(disk)?;
        tree.note(&metadata, name);
        metadata
    } else {
        match tree.append_path(archive, disk, name) {
            Ok(appended) => {
                for note in &appended.notes {
                    eprintln!("{note}");
                }
                appended.metadata
            }
            // A file that vanished or can't be read doesn't end the backup.
            Err(Error::Entry { name, what, source }) => {
                let cause = source.map(|source| format!(": {source}")).unwrap_or_default();
                eprintln!("skipped: {name}: {what}{cause}");
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    };
    if metadata.is_dir() {
        let mut children: Vec<_> = fs::read_dir(disk)?.collect::<Result<_, _>>()?;
        children.sort_by_key(fs::DirEntry::file_name);
        for child in children {
            add(archive, tree, done, &child.path(), &name.join(child.file_name()))?;
        }
    }
    Ok(())
}
