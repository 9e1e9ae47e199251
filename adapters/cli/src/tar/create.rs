//! `tar create` and `tar append`.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use indicatif::ProgressBar;
use uadk_compress::Level;
use uadk_compress_archive::{ArchiveOptions, ArchiveWriter, TreeWriter};

use super::archive::Archive;
use super::exclude::Exclude;
use super::failures::Failures;
use super::names::{escaped, trimmed};
use crate::error::Error;
use crate::streams;

/// Makes an archive of files and folders
#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    #[command(flatten)]
    archive: Archive,
    #[command(flatten)]
    what: What,
    /// Go on where making this archive was interrupted: its whole entries stay as they are, its torn
    /// end is cut off, and what is missing is added
    #[arg(long)]
    resume: bool,
    /// With --resume: cut the archive off where it is damaged, even if more entries may follow there
    #[arg(long, requires = "resume")]
    discard_damaged: bool,
}

/// Adds files and folders to the end of an archive
#[derive(Debug, clap::Args)]
pub(crate) struct Append {
    #[command(flatten)]
    archive: Archive,
    #[command(flatten)]
    what: What,
}

#[derive(Debug, clap::Args)]
struct What {
    /// Files and folders to add, by the names that they get in the archive
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The folder that the paths are in
    #[arg(short = 'C', long, value_name = "FOLDER", default_value = ".")]
    directory: PathBuf,
    /// Leave out names that match; * stands for / too
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<OsString>,
    /// Level: 1 to 12, 0 or `fastest` for the least CPU
    #[arg(long, value_name = "LEVEL", default_value = "6", value_parser = streams::level)]
    level: Level,
    /// Add extended attributes
    #[arg(long)]
    xattrs: bool,
    /// List names as they are added
    #[arg(short, long)]
    verbose: bool,
}

/// Runs `tar create`.
pub(crate) fn create(arguments: &Create) -> Result<(), Error> {
    let Create { archive, what, .. } = arguments;
    let options = archive.options().level(what.level);
    if streams::is_dash(&archive.file) {
        if arguments.resume {
            return Err(Error::refused("a pipe can't be resumed", Some("give a file with -f")));
        }
        let writer = options.writer(streams::stdout()?).map_err(|error| archive.failed(error))?;
        return Walk::new(archive, what, writer, None).run().map(drop);
    }
    let failed = |error| Error::file(&archive.file, error);
    if arguments.resume {
        let mut open = OpenOptions::new();
        let file = open.read(true).write(true).create(true).truncate(false).open(&archive.file);
        let file = file.map_err(failed)?;
        let own = file.metadata().map_err(failed)?;
        let options = options.discard_damaged(arguments.discard_damaged);
        let (writer, recovered) = options.resume(file).map_err(|error| archive.failed(error))?;
        let mut walk = Walk::new(archive, what, writer, Some(&own));
        let names = recovered.entries.iter().map(|entry| trimmed(entry.path_bytes()).to_vec());
        walk.present = names.collect();
        return walk.run().map(drop);
    }
    let file = File::create(&archive.file).map_err(failed)?;
    let own = file.metadata().map_err(failed)?;
    let writer = options.writer(file).map_err(|error| archive.failed(error))?;
    Walk::new(archive, what, writer, Some(&own)).run().map(drop)
}

/// Runs `tar append`.
pub(crate) fn append(arguments: &Append) -> Result<(), Error> {
    let Append { archive, what } = arguments;
    if streams::is_dash(&archive.file) {
        return Err(Error::refused(
            "nothing can be appended to a pipe",
            Some("give a file with -f"),
        ));
    }
    let failed = |error| Error::file(&archive.file, error);
    let file = OpenOptions::new().read(true).write(true).open(&archive.file).map_err(failed)?;
    let own = file.metadata().map_err(failed)?;
    let options: ArchiveOptions = archive.options().level(what.level);
    let writer = options.append(file).map_err(|error| archive.failed(error))?;
    Walk::new(archive, what, writer, Some(&own)).run().map(drop)
}

/// A walk through the files and folders to add.
struct Walk<'a, W: Write> {
    archive: &'a Archive,
    what: &'a What,
    writer: ArchiveWriter<W>,
    tree: TreeWriter,
    exclude: Exclude,
    /// Names that are in the archive already.
    present: HashSet<Vec<u8>>,
    /// The archive itself, which is not added to itself.
    own: Option<(u64, u64)>,
    failures: Failures,
    bar: ProgressBar,
}

impl<'a, W: Write> Walk<'a, W> {
    fn new(
        archive: &'a Archive,
        what: &'a What,
        writer: ArchiveWriter<W>,
        own: Option<&Metadata>,
    ) -> Self {
        Self {
            archive,
            what,
            writer,
            tree: TreeWriter::new().xattrs(what.xattrs),
            exclude: Exclude::new(&what.exclude),
            present: HashSet::new(),
            own: own.map(|file| (file.dev(), file.ino())),
            failures: Failures::default(),
            bar: if what.verbose { ProgressBar::hidden() } else { streams::progress(None) },
        }
    }

    fn run(mut self) -> Result<W, Error> {
        for path in &self.what.paths {
            let disk = self.what.directory.join(path);
            let Some(name) = name_of(path) else {
                eprintln!(
                    "uadk-compress: {}: a name with .. in it can't be in an archive; use -C",
                    path.display()
                );
                self.failures.count += 1;
                continue;
            };
            self.add(&disk, &name)?;
        }
        self.bar.finish_and_clear();
        let inner = self.writer.finish().map_err(|error| self.archive.failed(error))?;
        self.failures.result()?;
        Ok(inner)
    }

    fn add(&mut self, disk: &Path, name: &Path) -> Result<(), Error> {
        let bytes = name.as_os_str().as_encoded_bytes();
        if self.exclude.matches(trimmed(bytes)) {
            return Ok(());
        }
        let metadata = match self.add_one(disk, name) {
            Ok(metadata) => metadata,
            Err(error) => return self.failures.note(&self.archive.file, error),
        };
        if !metadata.is_dir() {
            return Ok(());
        }
        let children = match self.tree.children(disk) {
            Ok(children) => children,
            Err(error) => return self.failures.note(&self.archive.file, error),
        };
        for child in children {
            self.add(&disk.join(&child), &name.join(&child))?;
        }
        Ok(())
    }

    fn add_one(
        &mut self,
        disk: &Path,
        name: &Path,
    ) -> Result<Metadata, uadk_compress_archive::Error> {
        let bytes = name.as_os_str().as_encoded_bytes();
        if (self.own.is_some() || !self.present.is_empty())
            && let Ok(metadata) = self.tree.metadata(disk)
        {
            if self.own == Some((metadata.dev(), metadata.ino())) {
                eprintln!("uadk-compress: {}: is the archive; left out", disk.display());
                return Ok(metadata);
            }
            if self.present.contains(trimmed(bytes)) {
                self.tree.note(&metadata, name);
                return Ok(metadata);
            }
        }
        let before = self.writer.tar_len();
        let added = self.tree.append_path(&mut self.writer, disk, name)?;
        self.bar.inc(self.writer.tar_len() - before);
        for note in &added.notes {
            eprintln!("uadk-compress: {note}");
            self.failures.count += u64::from(note.status() > 0);
        }
        if self.what.verbose && added.stored {
            eprintln!("{}", escaped(bytes));
        }
        Ok(added.metadata)
    }
}

/// The name that a path gets: without what leads to the root, as GNU tar does it.
fn name_of(path: &Path) -> Option<PathBuf> {
    let mut name = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => name.push(part),
            Component::ParentDir => return None,
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    // The folder itself.
    Some(if name.as_os_str().is_empty() { PathBuf::from(".") } else { name })
}
