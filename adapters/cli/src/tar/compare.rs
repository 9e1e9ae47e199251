//! Compares an archive with the files on disk.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use uadk_compress_archive::{Entry, EntryKind, EntryReader};

use super::extract::report_missing;
use super::job::{CompareJob, Lister};
use super::lister::Listing;
use super::members::{link_bytes, row};
use super::meter::Meter;
use super::names::{self, escaped, without_slash};
use super::status::Status;
use super::transform::Scope;
use crate::error::Error;
use crate::streams::tell;

/// Runs the job.
pub(super) fn run(mut job: CompareJob) -> Result<Status, Error> {
    let mut meter = Meter::for_reader(job.summary)?;
    let mut members = std::mem::take(&mut job.members);
    let mut reader = members.reader(&job.archive, &meter)?;
    let mut listing = Listing::new(Lister::Stdout, job.style)?;
    let mut status = Status::default();
    let mut bytes = 0;
    let compared = members.for_each(
        &job.archive,
        &mut reader,
        &job.folder,
        &mut status,
        |entry, folder, status| {
            bytes += entry.entry().size();
            if job.verbose {
                let known = entry.entry();
                listing.push(&row(known, known.path_bytes(), link_bytes(known)))?;
            }
            compare(&job, entry, folder, &mut listing, status)
        },
    );
    listing.finish()?;
    compared?;
    report_missing(&members, &mut status);
    meter.count(&reader);
    meter.print("read", bytes, members.whole(&job.archive));
    Ok(status)
}

fn compare(
    job: &CompareJob,
    entry: &mut EntryReader<'_, File>,
    folder: &Path,
    listing: &mut Listing,
    status: &mut Status,
) -> Result<(), Error> {
    let member = without_slash(entry.entry().path_bytes());
    let name = job.transform.member(member, Scope::Member);
    if name.is_empty() {
        return Ok(());
    }
    let name = names::safe(&name);
    let disk = folder.join(OsStr::from_bytes(name));
    let text = escaped(name);
    let metadata = match disk.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) => {
            tell!("uadk-compress: {text}: can't be compared: {error}");
            status.different = true;
            return Ok(());
        }
    };
    let differences = match differences(job, entry, folder, &disk, &metadata) {
        Ok(differences) => differences,
        Err(Problem::Disk(error)) => {
            tell!("uadk-compress: {text}: can't be read: {error}");
            status.different = true;
            return Ok(());
        }
        Err(Problem::Archive(error)) => return Err(job.archive.failed(error)),
    };
    let suffix = if entry.entry().kind() == EntryKind::Directory { "/" } else { "" };
    for difference in differences {
        listing.push_text(&format!("{text}{suffix}: {difference}\n"));
        status.different = true;
    }
    Ok(())
}

enum Problem {
    Disk(std::io::Error),
    Archive(uadk_compress_archive::Error),
}

/// Returns the differences, in GNU tar's words and order.
fn differences(
    job: &CompareJob,
    entry: &mut EntryReader<'_, File>,
    folder: &Path,
    disk: &Path,
    metadata: &Metadata,
) -> Result<Vec<String>, Problem> {
    let known = entry.entry();
    let kind = metadata.file_type();
    let same_type = match known.kind() {
        EntryKind::File | EntryKind::Other(_) => kind.is_file(),
        EntryKind::Directory => kind.is_dir(),
        EntryKind::Symlink => kind.is_symlink(),
        EntryKind::CharDevice => kind.is_char_device(),
        EntryKind::BlockDevice => kind.is_block_device(),
        EntryKind::Fifo => kind.is_fifo(),
        _ => true,
    };
    if known.kind() == EntryKind::Other(b'V') {
        return Ok(Vec::new());
    }
    let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
    if !same_type {
        return Ok(texts(&["File type differs"]));
    }
    let other_mode = known.mode() & 0o7777 != metadata.mode() & 0o7777;
    match known.kind() {
        EntryKind::HardLink => {
            let target = link_bytes(known).unwrap_or_default();
            let target = job.transform.member(target, Scope::HardLink);
            let path: PathBuf = folder.join(OsStr::from_bytes(names::safe(&target)));
            let linked = path.symlink_metadata().map_err(Problem::Disk)?;
            let same = (linked.dev(), linked.ino()) == (metadata.dev(), metadata.ino());
            let what = format!("Not linked to {}", escaped(&target));
            Ok(if same { Vec::new() } else { vec![what] })
        }
        EntryKind::Symlink => {
            let target = fs::read_link(disk).map_err(Problem::Disk)?;
            let stored = link_bytes(known).unwrap_or_default();
            let stored = job.transform.rename(stored, Scope::Symlink);
            let same = target.as_os_str().as_bytes() == stored;
            Ok(texts(if same { &[] } else { &["Symlink differs"] }))
        }
        EntryKind::CharDevice | EntryKind::BlockDevice => {
            let device = metadata.rdev();
            let numbers = (rustix::fs::major(device), rustix::fs::minor(device));
            if known.device().is_some_and(|known| known != numbers) {
                return Ok(texts(&["Device number differs"]));
            }
            Ok(texts(if other_mode { &["Mode differs"] } else { &[] }))
        }
        EntryKind::Directory | EntryKind::Fifo => {
            Ok(texts(if other_mode { &["Mode differs"] } else { &[] }))
        }
        _ => file_differences(entry, disk, metadata, other_mode),
    }
}

fn file_differences(
    entry: &mut EntryReader<'_, File>,
    disk: &Path,
    metadata: &Metadata,
    other_mode: bool,
) -> Result<Vec<String>, Problem> {
    let known = entry.entry();
    let other_time = |entry: &Entry| {
        // Archives without PAX times have whole seconds.
        let nanoseconds = i64::from(entry.mtime_nanoseconds());
        entry.mtime() != metadata.mtime()
            || nanoseconds != 0 && nanoseconds != metadata.mtime_nsec()
    };
    let other_size = known.size() != metadata.len();
    let found = [
        (other_mode, "Mode differs"),
        (known.uid() != u64::from(metadata.uid()), "Uid differs"),
        (known.gid() != u64::from(metadata.gid()), "Gid differs"),
        (other_time(known), "Mod time differs"),
        (other_size, "Size differs"),
    ];
    let found = found.iter().filter(|(differs, _)| *differs);
    let mut found: Vec<String> = found.map(|(_, text)| (*text).to_owned()).collect();
    if !other_size && !same_contents(entry, disk)? {
        found.push("Contents differ".to_owned());
    }
    Ok(found)
}

fn same_contents(entry: &mut EntryReader<'_, File>, disk: &Path) -> Result<bool, Problem> {
    let mut file = File::open(disk).map_err(Problem::Disk)?;
    let (mut ours, mut theirs) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let n = entry.read(&mut ours).map_err(|error| Problem::Archive(error.into()))?;
        if n == 0 {
            return Ok(true);
        }
        match file.read_exact(&mut theirs[..n]) {
            Ok(()) if ours[..n] == theirs[..n] => {}
            Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                return Err(Problem::Disk(error));
            }
            _ => return Ok(false),
        }
    }
}
