//! Adding files from disk.

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

/// Adds files, directories, links etc. from disk to an archive, with permissions, owners,
/// nanosecond times and hard links. Paths on disk may have any length.
///
/// ```no_run
/// use std::path::Path;
/// use uadk_compress_archive::{ArchiveWriter, TreeWriter};
///
/// let mut archive = ArchiveWriter::new(std::fs::File::create("backup.tar.gz")?)?;
/// let mut tree = TreeWriter::new();
/// let notes = tree.append_tree(&mut archive, Path::new("/home/me"), Path::new("me"))?;
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
    /// Names under which files with several names were added, by device and inode.
    names: HashMap<(u64, u64), PathBuf>,
}

impl TreeWriter {
    /// Creates the default writer: no attributes, holes stored as zeros, links stored as links.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether to omit the holes of files, like GNU tar's `--sparse` in its PAX format 1.0.
    /// Readers that don't support it (`BusyBox`, node-tar) extract such a file as
    /// `GNUSparseFile.0/NAME`, with a list of its segments before its data.
    pub fn sparse(mut self, sparse: bool) -> Self {
        self.sparse = sparse;
        self
    }

    /// Sets whether to add access control lists, as text in PAX records like GNU tar and star.
    pub fn acls(mut self, acls: bool) -> Self {
        self.attributes.acls = acls;
        self
    }

    /// Sets whether to add `SELinux` labels, in PAX records like GNU tar.
    pub fn selinux(mut self, selinux: bool) -> Self {
        self.attributes.selinux = selinux;
        self
    }

    /// Sets whether to add extended attributes, in PAX records like GNU tar. All readable
    /// namespaces are included.
    pub fn xattrs(mut self, xattrs: bool) -> Self {
        self.attributes.xattrs = xattrs;
        self
    }

    /// Restricts extended attributes to those whose names match one of these shell patterns (with
    /// `*`, `?` and brackets). Without patterns, all are added.
    pub fn xattrs_include<P: Into<Vec<u8>>>(
        mut self,
        patterns: impl IntoIterator<Item = P>,
    ) -> Self {
        self.attributes.include = patterns.into_iter().map(Into::into).collect();
        self
    }

    /// Excludes extended attributes whose names match one of these patterns.
    pub fn xattrs_exclude<P: Into<Vec<u8>>>(
        mut self,
        patterns: impl IntoIterator<Item = P>,
    ) -> Self {
        self.attributes.exclude = patterns.into_iter().map(Into::into).collect();
        self
    }

    /// Sets whether to follow symbolic links and add their targets instead.
    pub fn dereference(mut self, dereference: bool) -> Self {
        self.dereference = dereference;
        self
    }

    /// Sets whether to add a separate copy of a file for each of its hard links.
    pub fn hard_dereference(mut self, hard_dereference: bool) -> Self {
        self.hard_dereference = hard_dereference;
        self
    }

    /// Sets the modification time of all entries: seconds since 1970, and nanoseconds.
    pub fn mtime(mut self, mtime: Option<(i64, u32)>) -> Self {
        self.properties.mtime = mtime.map(|(seconds, nanoseconds)| Time {
            seconds,
            nanoseconds: nanoseconds.min(999_999_999),
        });
        self
    }

    /// Sets the owner of all entries: name, which may be empty, and user ID. Without an ID, each
    /// entry keeps its own.
    pub fn owner(mut self, owner: Option<(String, Option<u64>)>) -> Self {
        self.properties.owner = owner;
        self
    }

    /// Sets the group of all entries: name, which may be empty, and group ID. Without an ID, each
    /// entry keeps its own.
    pub fn group(mut self, group: Option<(String, Option<u64>)>) -> Self {
        self.properties.group = group;
        self
    }

    /// Sets whether to omit the names of owners and groups, so that only the IDs count.
    pub fn numeric_owner(mut self, numeric_owner: bool) -> Self {
        self.properties.owners.numeric = numeric_owner;
        self
    }

    /// Sets how permissions are changed. Those of symbolic links are not.
    pub fn mode(mut self, mode: Option<ModeChange>) -> Self {
        self.properties.mode = mode;
        self
    }

    /// Adds the file or directory at `disk` and everything below it, sorted by name. Unreadable
    /// files are skipped with a note of status 2; the rest is added. To exclude files, walk the
    /// tree yourself with [`append_path`](Self::append_path) and [`children`](Self::children).
    ///
    /// # Errors
    ///
    /// Those of the output, after which nothing can be added.
    pub fn append_tree<W: Write>(
        &mut self,
        archive: &mut ArchiveWriter<W>,
        disk: &Path,
        name: &Path,
    ) -> Result<Vec<Note>> {
        let mut notes = Vec::new();
        // The parent directories of the current one, to detect links back to them.
        let mut folders: Vec<(u64, u64)> = Vec::new();
        // A stack instead of recursion, so that deep trees don't need a deep call stack.
        let mut pending = vec![(disk.to_owned(), name.to_owned(), 0)];
        while let Some((disk, name, depth)) = pending.pop() {
            folders.truncate(depth);
            let appended = match self.append_path(archive, &disk, &name) {
                Ok(appended) => appended,
                Err(error @ Error::Entry { .. }) => {
                    notes.push(Note::from_failure(&disk, &error, depth > 0));
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
                let what = "leads back to a parent directory; its contents are not added again";
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
                Err(error) => notes.push(Note::from_failure(&disk, &error, depth > 0)),
            }
        }
        Ok(notes)
    }

    /// Adds the file at `disk` as `name`, without anything below it. A symbolic link is stored as a
    /// link, even with a trailing slash. Another name of a file that was already added is stored as
    /// a hard link. Sockets are skipped with a note.
    ///
    /// A file is stored with the size that it had when it was opened. If it changes while it is
    /// read, there is a note of status 1.
    ///
    /// # Errors
    ///
    /// [`Error::Entry`] if it can't be read completely, after which others can still be added.
    /// Those of the output, after which nothing can be added.
    pub fn append_path<W: Write>(
        &mut self,
        archive: &mut ArchiveWriter<W>,
        disk: &Path,
        name: &Path,
    ) -> Result<Appended> {
        self.append_renamed(archive, disk, name, None)
    }

    /// Like [`append_path`](Self::append_path), but stores a symbolic link with a different target.
    ///
    /// # Errors
    ///
    /// See [`append_path`](Self::append_path).
    pub fn append_renamed<W: Write>(
        &mut self,
        archive: &mut ArchiveWriter<W>,
        disk: &Path,
        name: &Path,
        target: Option<&[u8]>,
    ) -> Result<Appended> {
        let location = Location::new(disk).map_err(|error| unreadable(disk, error))?;
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

    /// Returns the metadata of the file at `disk`, or of its target if links are
    /// [dereferenced](Self::dereference).
    ///
    /// # Errors
    ///
    /// [`Error::Entry`] if it can't be read.
    pub fn metadata(&self, disk: &Path) -> Result<Metadata> {
        let metadata = Location::new(disk).and_then(|location| location.metadata(self.dereference));
        metadata.map_err(|error| unreadable(disk, error))
    }

    /// Returns the names in a directory on disk, sorted by their bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Entry`] if it can't be read.
    pub fn children(&self, folder: &Path) -> Result<Vec<OsString>> {
        let children = Location::new(folder).and_then(|location| location.children());
        children.map_err(|error| {
            let path = folder.as_os_str().as_encoded_bytes();
            Error::entry_from(path, "the directory can't be read", error)
        })
    }

    /// Records that a file with several names is in the archive as `name`, without adding it. Used
    /// for the entries of an archive that is [resumed](ArchiveWriter::resume). Returns the name
    /// under which the file was already recorded, if any.
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
        // If links are followed, a file can also be reached through its symbolic links.
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
        // If the file has been replaced, this neither follows a link nor blocks on a pipe.
        let file = location.open(OFlags::RDONLY | OFlags::NONBLOCK, self.dereference);
        let file = File::from(file.map_err(|error| unreadable(disk, error))?);
        let before = file.metadata().map_err(|error| unreadable(disk, error))?;
        if !before.is_file() {
            return Err(unreadable(disk, io::Error::other("no longer a regular file")));
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
            archive.append_parts(name, parts, |stream| copy_segments(stream, &file, &segments))
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

    /// Adds a directory, symbolic link, device or pipe.
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

/// Returns whether two names denote the same entry, ignoring a leading `./`.
fn is_same_name(one: &Path, other: &Path) -> bool {
    let [one, other] = [one, other].map(tidy);
    let [one, other] = [&one, &other].map(|name| name.as_os_str().as_encoded_bytes());
    trimmed(one) == trimmed(other)
}

fn id(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Returns when the file or its attributes were last changed.
fn changed(metadata: &Metadata) -> (i64, i64) {
    (metadata.ctime(), metadata.ctime_nsec())
}

fn without_slash(name: &Path) -> PathBuf {
    let name = tidy(name);
    let has_slash = name.as_os_str().as_encoded_bytes().ends_with(b"/");
    if has_slash { name.components().collect() } else { name }
}

fn unreadable(disk: &Path, error: io::Error) -> Error {
    Error::entry_from(disk.as_os_str().as_encoded_bytes(), "can't be read", error)
}

/// Adds an entry without contents.
fn append_empty<W: Write>(
    archive: &mut ArchiveWriter<W>,
    name: &Path,
    fields: Box<Fields>,
) -> Result<()> {
    let parts = Parts { fields, size: 0, stored: 0, sparse_map: None };
    archive.append_parts(name, parts, |_| Ok(0)).map(drop)
}

/// Copies the segments of a sparse file, up to the first one that is incomplete. Returns the number
/// of bytes copied.
fn copy_segments<W: Write>(
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
