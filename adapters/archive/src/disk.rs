//! Adding what is on disk.

mod acl;
mod attributes;
mod holes;
mod location;
mod mode;
mod note;
mod owners;
mod properties;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::entry::trimmed;
use crate::header::{Fields, Time};
use crate::write::{Parts, TarStream, tidy};
use crate::{ArchiveWriter, EntryKind, Error, Result};
use attributes::{Attributes, Records};
use location::Location;
pub use mode::{BadMode, ModeChange};
pub use note::{Appended, Note};
use properties::Properties;

/// Adds files, folders, links and the rest from disk to an archive: permissions, times to the nanosecond,
/// owners, and which names are of one file. Paths on disk may have any length.
///
/// ```no_run
/// use std::path::Path;
/// use uadk_compress_archive::{ArchiveWriter, TreeWriter};
///
/// let mut archive = ArchiveWriter::new(std::fs::File::create("backup.tar.gz")?)?;
/// let notes = TreeWriter::new().append_tree(&mut archive, Path::new("/home/me"), Path::new("me"))?;
/// for note in &notes {
///     eprintln!("{note}");
/// }
/// archive.finish()?.sync_all()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
#[must_use]
pub struct TreeWriter {
    sparse: bool,
    dereference: bool,
    hard_dereference: bool,
    attributes: Attributes,
    properties: Properties,
    /// Names that files with several names have got, by device and inode.
    names: HashMap<(u64, u64), PathBuf>,
}

impl TreeWriter {
    /// Without attributes, holes as zeros, and links as links.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether to leave holes of files out of the archive, as GNU tar's `--sparse` does in its PAX format
    /// 1.0. Readers that don't know it (`BusyBox`, node-tar) then extract such a file as
    /// `GNUSparseFile.0/NAME`, with a list of its pieces before its data.
    pub fn sparse(mut self, sparse: bool) -> Self {
        self.sparse = sparse;
        self
    }

    /// Whether to add access control lists, as text in PAX records as GNU tar and star do.
    pub fn acls(mut self, acls: bool) -> Self {
        self.attributes.acls = acls;
        self
    }

    /// Whether to add `SELinux` labels, in PAX records as GNU tar does.
    pub fn selinux(mut self, selinux: bool) -> Self {
        self.attributes.selinux = selinux;
        self
    }

    /// Whether to add extended attributes of all namespaces that can be read, in PAX records as GNU tar does.
    pub fn xattrs(mut self, xattrs: bool) -> Self {
        self.attributes.xattrs = xattrs;
        self
    }

    /// Extended attributes are added only if their names match one of these patterns, in which `*`, `?` and
    /// brackets mean what they mean in a shell. Without any, all are.
    pub fn xattrs_include<P: Into<Vec<u8>>>(
        mut self,
        patterns: impl IntoIterator<Item = P>,
    ) -> Self {
        self.attributes.include = patterns.into_iter().map(Into::into).collect();
        self
    }

    /// Extended attributes are not added if their names match one of these patterns.
    pub fn xattrs_exclude<P: Into<Vec<u8>>>(
        mut self,
        patterns: impl IntoIterator<Item = P>,
    ) -> Self {
        self.attributes.exclude = patterns.into_iter().map(Into::into).collect();
        self
    }

    /// Whether to add what symbolic links lead to instead of them.
    pub fn dereference(mut self, dereference: bool) -> Self {
        self.dereference = dereference;
        self
    }

    /// Whether to add a file with several names once for each of them.
    pub fn hard_dereference(mut self, hard_dereference: bool) -> Self {
        self.hard_dereference = hard_dereference;
        self
    }

    /// The time of the last change that everything gets: seconds since 1970, and nanoseconds.
    pub fn mtime(mut self, mtime: Option<(i64, u32)>) -> Self {
        self.properties.mtime = mtime.map(|(seconds, nanoseconds)| Time {
            seconds,
            nanoseconds: nanoseconds.min(999_999_999),
        });
        self
    }

    /// The owner that everything gets: name, which may be empty, and number. Without a number, each file
    /// keeps its own.
    pub fn owner(mut self, owner: Option<(String, Option<u64>)>) -> Self {
        self.properties.owner = owner;
        self
    }

    /// The group that everything gets: name, which may be empty, and number. Without a number, each file
    /// keeps its own.
    pub fn group(mut self, group: Option<(String, Option<u64>)>) -> Self {
        self.properties.group = group;
        self
    }

    /// Whether to leave out the names of owners and groups, so that only the numbers count.
    pub fn numeric_owner(mut self, numeric_owner: bool) -> Self {
        self.properties.owners.numeric = numeric_owner;
        self
    }

    /// How permissions are changed, except those of symbolic links.
    pub fn mode(mut self, mode: Option<ModeChange>) -> Self {
        self.properties.mode = mode;
        self
    }

    /// Adds what is at `disk` with all that is below it, in the order of names. What can't be read is left
    /// out, with a note of status 2; the rest is added. To leave things out, walk yourself, with
    /// [`append_path`](Self::append_path) and [`children`](Self::children).
    ///
    /// # Errors
    ///
    /// Those of what is written to, after which nothing can follow.
    pub fn append_tree<W: Write>(
        &mut self,
        archive: &mut ArchiveWriter<W>,
        disk: &Path,
        name: &Path,
    ) -> Result<Vec<Note>> {
        let mut notes = Vec::new();
        // The folders that lead to where we are, for links that lead back to one.
        let mut folders: Vec<(u64, u64)> = Vec::new();
        // The next one last. Not recursive, so that deep folders need no deep stack.
        let mut pending = vec![(disk.to_owned(), name.to_owned(), 0)];
        while let Some((disk, name, depth)) = pending.pop() {
            folders.truncate(depth);
            let appended = match self.append_path(archive, &disk, &name) {
                Ok(appended) => appended,
                Err(error @ Error::Entry { .. }) => {
                    notes.push(Note::of_failure(&disk, &error, depth > 0));
                    continue;
                }
                Err(error) => return Err(error),
            };
            notes.extend(appended.notes);
            if !appended.metadata.is_dir() {
                continue;
            }
            let id = id(&appended.metadata);
            if self.dereference && folders.contains(&id) {
                let what = "it is a folder that leads to it; what is in it is not added again";
                notes.push(Note::new(&disk, what, 2));
                continue;
            }
            folders.push(id);
            match self.children(&disk) {
                Ok(children) => pending.extend(
                    children
                        .into_iter()
                        .rev()
                        .map(|child| (disk.join(&child), name.join(&child), depth + 1)),
                ),
                Err(error) => notes.push(Note::of_failure(&disk, &error, depth > 0)),
            }
        }
        Ok(notes)
    }

    /// Adds what is at `disk`, without what is below it, under the name `name`. A symbolic link is added as
    /// one, a slash behind it or not; so is a further name of a file that was added. Sockets are left
    /// out, with a note.
    ///
    /// A file has the size in the archive that it had when it was opened; if it changes meanwhile, there is
    /// a note of status 1.
    ///
    /// # Errors
    ///
    /// [`Error::Entry`] if it can't be read, or not all of it; others can follow then. Those of what is
    /// written to, after which nothing can follow.
    pub fn append_path<W: Write>(
        &mut self,
        archive: &mut ArchiveWriter<W>,
        disk: &Path,
        name: &Path,
    ) -> Result<Appended> {
        self.append_renamed(archive, disk, name, None)
    }

    /// As [`append_path`](Self::append_path); a symbolic link gets another target than it has on disk.
    ///
    /// # Errors
    ///
    /// As [`append_path`](Self::append_path).
    pub fn append_renamed<W: Write>(
        &mut self,
        archive: &mut ArchiveWriter<W>,
        disk: &Path,
        name: &Path,
        target: Option<&[u8]>,
    ) -> Result<Appended> {
        let location = Location::of(disk).map_err(|error| unreadable(disk, error))?;
        let metadata = location.metadata(self.dereference);
        let metadata = metadata.map_err(|error| unreadable(disk, error))?;
        let mut appended = Appended { metadata, stored: true, notes: Vec::new() };
        let kind = appended.metadata.file_type();
        if kind.is_socket() {
            appended.notes.push(Note::new(disk, "socket ignored", 0));
            appended.stored = false;
            return Ok(appended);
        }
        let name = &if kind.is_dir() { name.join("") } else { without_slash(name) };
        if let Some(first) = self.first_name(&appended.metadata) {
            appended.stored = !is_same_name(first, name);
            if appended.stored {
                let mut fields = self.properties.fields(&appended.metadata, EntryKind::HardLink);
                fields.link = tidy(first).into_os_string().into_encoded_bytes();
                append_empty(archive, name, fields)?;
            }
            return Ok(appended);
        }
        if kind.is_file() {
            self.append_file(archive, disk, &location, name, &mut appended)?;
        } else {
            self.append_node(archive, disk, &location, name, target, &mut appended)?;
        }
        self.note(&appended.metadata, name);
        Ok(appended)
    }

    /// What the system says of what is at `disk`, or where links are
    /// [dereferenced](Self::dereference), of what it leads to.
    ///
    /// # Errors
    ///
    /// [`Error::Entry`] if it can't be read.
    pub fn metadata(&self, disk: &Path) -> Result<Metadata> {
        let metadata = Location::of(disk).and_then(|place| place.metadata(self.dereference));
        metadata.map_err(|error| unreadable(disk, error))
    }

    /// The names in a folder on disk, sorted by their bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Entry`] if it can't be read.
    pub fn children(&self, folder: &Path) -> Result<Vec<OsString>> {
        let children = Location::of(folder).and_then(|place| place.children());
        children.map_err(|error| {
            let path = folder.as_os_str().as_encoded_bytes();
            Error::entry_from(path, "the folder can't be read", error)
        })
    }

    /// Remembers that a file with several names is in the archive under `name`, without adding it:
    /// for names that an archive that is [resumed](ArchiveWriter::resume) has already. Returns the name
    /// that it was remembered under before.
    pub fn note(&mut self, metadata: &Metadata, name: &Path) -> Option<PathBuf> {
        if !self.may_have_names(metadata) {
            return None;
        }
        if let Some(first) = self.first_name(metadata) {
            return Some(first.to_owned());
        }
        self.names.insert(id(metadata), name.to_owned());
        None
    }

    fn first_name(&self, metadata: &Metadata) -> Option<&Path> {
        let first = self.may_have_names(metadata).then(|| self.names.get(&id(metadata)))?;
        first.map(PathBuf::as_path)
    }

    fn may_have_names(&self, metadata: &Metadata) -> bool {
        // Where links are followed, a file has the names of its links too.
        let has_names = metadata.nlink() > 1 || self.dereference;
        !self.hard_dereference && !metadata.is_dir() && has_names
    }

    fn append_file<W: Write>(
        &self,
        archive: &mut ArchiveWriter<W>,
        disk: &Path,
        location: &Location,
        name: &Path,
        appended: &mut Appended,
    ) -> Result<()> {
        // Should it have become something else, this neither follows a link nor waits.
        let file = location.open(OFlags::RDONLY | OFlags::NONBLOCK, self.dereference);
        let file = File::from(file.map_err(|error| unreadable(disk, error))?);
        let before = file.metadata().map_err(|error| unreadable(disk, error))?;
        if !before.is_file() {
            return Err(unreadable(disk, io::Error::other("it is no file any more")));
        }
        let mut fields = self.properties.fields(&before, EntryKind::File);
        fields.records = self.attributes(disk, location, appended);
        let size = before.len();
        let holey = self.sparse && before.blocks() * 512 < size;
        let segments = if holey { holes::segments(&file, size) } else { None };
        let missing = if let Some(segments) = segments {
            let stored = segments.iter().map(|segment| segment.len).sum();
            let map = holes::map(&segments);
            let parts = Parts { fields, size, stored, sparse_map: Some(map) };
            archive.append_parts(name, parts, |stream| copy_pieces(stream, &file, &segments))
        } else {
            let parts = Parts { fields, size, stored: size, sparse_map: None };
            archive.append_parts(name, parts, |stream| stream.copy(&mut &file, size))
        }?;
        let now = file.metadata().map_err(|error| unreadable(disk, error))?;
        if missing > 0 {
            let what = format!("file shrank by {missing} bytes; padding with zeros");
            appended.notes.push(Note::new(disk, what, 1));
        } else if now.len() > size || changed(&now) != changed(&before) {
            appended.notes.push(Note::new(disk, "file changed as we read it", 1));
        }
        appended.metadata = before;
        Ok(())
    }

    /// Adds a folder, symbolic link, device or pipe.
    fn append_node<W: Write>(
        &self,
        archive: &mut ArchiveWriter<W>,
        disk: &Path,
        location: &Location,
        name: &Path,
        target: Option<&[u8]>,
        appended: &mut Appended,
    ) -> Result<()> {
        let metadata = &appended.metadata;
        let kind = metadata.file_type();
        let kind = match () {
            () if kind.is_dir() => EntryKind::Directory,
            () if kind.is_symlink() => EntryKind::Symlink,
            () if kind.is_char_device() => EntryKind::CharDevice,
            () if kind.is_block_device() => EntryKind::BlockDevice,
            () => EntryKind::Fifo,
        };
        let mut fields = self.properties.fields(metadata, kind);
        if matches!(kind, EntryKind::CharDevice | EntryKind::BlockDevice) {
            let device = metadata.rdev();
            fields.device = (rustix::fs::major(device), rustix::fs::minor(device));
        }
        if kind == EntryKind::Symlink {
            fields.link = match target {
                Some(target) => target.to_vec(),
                None => location.read_link().map_err(|error| unreadable(disk, error))?,
            };
        }
        fields.records = self.attributes(disk, location, appended);
        append_empty(archive, name, fields)
    }

    fn attributes(&self, disk: &Path, location: &Location, appended: &mut Appended) -> Records {
        if !self.attributes.wanted() {
            return Records::new();
        }
        let mode = appended.metadata.mode();
        let (records, failures) = self.attributes.read(
            &location.short(),
            self.dereference,
            mode,
            &self.properties.owners,
        );
        appended.notes.extend(failures.into_iter().map(|what| Note::new(disk, what, 2)));
        records
    }
}

/// Whether two names are of one entry: `./` at the beginning does not matter.
fn is_same_name(one: &Path, other: &Path) -> bool {
    let [one, other] = [one, other].map(tidy);
    let [one, other] = [&one, &other].map(|name| name.as_os_str().as_encoded_bytes());
    trimmed(one) == trimmed(other)
}

fn id(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// When anything of the file was last changed.
fn changed(metadata: &Metadata) -> (i64, i64) {
    (metadata.ctime(), metadata.ctime_nsec())
}

fn without_slash(name: &Path) -> PathBuf {
    let name = tidy(name);
    let has_slash = name.as_os_str().as_encoded_bytes().ends_with(b"/");
    if has_slash { name.components().collect() } else { name }
}

fn unreadable(disk: &Path, error: io::Error) -> Error {
    Error::entry_from(disk.as_os_str().as_encoded_bytes(), "it can't be read", error)
}

/// Adds what has no contents.
fn append_empty<W: Write>(
    archive: &mut ArchiveWriter<W>,
    name: &Path,
    fields: Box<Fields>,
) -> Result<()> {
    let parts = Parts { fields, size: 0, stored: 0, sparse_map: None };
    archive.append_parts(name, parts, |_| Ok(0)).map(drop)
}

/// Copies the pieces of a sparse file as long as there are all bytes of them; returns how many there were.
fn copy_pieces<W: Write>(
    stream: &mut TarStream<W>,
    mut file: &File,
    segments: &[crate::scan::Segment],
) -> Result<u64> {
    let mut written = 0;
    for segment in segments {
        file.seek(SeekFrom::Start(segment.offset))?;
        let n = stream.copy(&mut file.take(segment.len), segment.len)?;
        written += n;
        if n < segment.len {
            break;
        }
    }
    Ok(written)
}
