//! Adding what is on disk.

mod attributes;
mod holes;
mod owners;

use std::collections::HashMap;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use tar::{EntryType, Header};

use crate::write::Parts;
use crate::{ArchiveWriter, Error, Result};
use owners::Owners;

/// Adds files, folders, links and the rest from disk to an archive: permissions, times, owners, holes, and
/// which names are of one file.
///
/// ```no_run
/// use std::path::Path;
/// use uadk_compress_archive::{ArchiveWriter, TreeWriter};
///
/// let mut archive = ArchiveWriter::new(std::fs::File::create("backup.tar.gz")?)?;
/// TreeWriter::new().append_tree(&mut archive, Path::new("/home/me"), Path::new("me"))?;
/// archive.finish()?.sync_all()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
#[must_use]
pub struct TreeWriter {
    xattrs: bool,
    no_holes: bool,
    /// Names that files with several names have got, by device and inode.
    names: HashMap<(u64, u64), PathBuf>,
    owners: Owners,
}

impl TreeWriter {
    /// Without extended attributes, and with holes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether to add extended attributes, in PAX headers as GNU tar and libarchive do. Those are left
    /// out that can't be written there: with a `=` in their name, or a name that is no UTF-8.
    pub fn xattrs(mut self, xattrs: bool) -> Self {
        self.xattrs = xattrs;
        self
    }

    /// Whether to leave holes of files out of the archive. It does if not set.
    pub fn sparse(mut self, sparse: bool) -> Self {
        self.no_holes = !sparse;
        self
    }

    /// Adds what is at `disk` with all that is below it, in the order of names. The first file that
    /// can't be read ends it; walk yourself, with [`append_path`](Self::append_path), to go on.
    ///
    /// # Errors
    ///
    /// As [`append_path`](Self::append_path).
    pub fn append_tree<W: Write>(
        &mut self,
        archive: &mut ArchiveWriter<W>,
        disk: &Path,
        name: &Path,
    ) -> Result<()> {
        // The next one last. Not recursive, so that deep folders need no deep stack.
        let mut pending = vec![(disk.to_owned(), name.to_owned())];
        while let Some((disk, name)) = pending.pop() {
            if self.append_path(archive, &disk, &name)?.is_dir() {
                let children = children(&disk)?.into_iter().rev();
                pending.extend(children.map(|child| (disk.join(&child), name.join(&child))));
            }
        }
        Ok(())
    }

    /// Adds what is at `disk`, without what is below it, under the name `name`, and gives what is
    /// known of it. A symbolic link is added as one; so is a further name of a file that was added.
    ///
    /// # Errors
    ///
    /// [`Error::Entry`] if it can't be read, or not all of it, or if it is a socket; others can follow
    /// then. Those of what is written to, after which nothing can follow.
    pub fn append_path<W: Write>(
        &mut self,
        archive: &mut ArchiveWriter<W>,
        disk: &Path,
        name: &Path,
    ) -> Result<Metadata> {
        let metadata = fs::symlink_metadata(disk).map_err(|error| unreadable(disk, error))?;
        let kind = metadata.file_type();
        if let Some(first) = self.note(&metadata, name) {
            self.append_further_name(archive, name, &metadata, &first)?;
        } else if kind.is_file() {
            self.append_opened(archive, disk, name)?;
        } else if kind.is_symlink() {
            self.append_symlink(archive, disk, name, &metadata)?;
        } else if kind.is_socket() {
            let path = disk.as_os_str().as_encoded_bytes();
            return Err(Error::entry(path, "a socket can't be in an archive; it is left out"));
        } else {
            self.append_node(archive, disk, name, &metadata)?;
        }
        Ok(metadata)
    }

    fn append_further_name<W: Write>(
        &self,
        archive: &mut ArchiveWriter<W>,
        name: &Path,
        metadata: &Metadata,
        first: &Path,
    ) -> Result<()> {
        let mut header = self.header(metadata);
        header.set_entry_type(EntryType::Link);
        append_empty(archive, name, header, Some(first), metadata, Vec::new())
    }

    fn append_opened<W: Write>(
        &self,
        archive: &mut ArchiveWriter<W>,
        disk: &Path,
        name: &Path,
    ) -> Result<()> {
        // Should it have become something else, this neither follows a link nor waits.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mut options = OpenOptions::new();
        let file = options.read(true).custom_flags(flags.bits().cast_signed()).open(disk);
        let file = file.map_err(|error| unreadable(disk, error))?;
        let metadata = file.metadata().map_err(|error| unreadable(disk, error))?;
        if !metadata.is_file() {
            return Err(unreadable(disk, io::Error::other("it is no file any more")));
        }
        let pax = self.attributes(disk);
        self.append_file(archive, name, &file, &metadata, pax)
    }

    fn append_symlink<W: Write>(
        &self,
        archive: &mut ArchiveWriter<W>,
        disk: &Path,
        name: &Path,
        metadata: &Metadata,
    ) -> Result<()> {
        let target = fs::read_link(disk).map_err(|error| unreadable(disk, error))?;
        let (header, pax) = (self.header(metadata), self.attributes(disk));
        append_empty(archive, name, header, Some(&target), metadata, pax)
    }

    /// Adds a folder, device or pipe.
    fn append_node<W: Write>(
        &self,
        archive: &mut ArchiveWriter<W>,
        disk: &Path,
        name: &Path,
        metadata: &Metadata,
    ) -> Result<()> {
        let mut header = self.header(metadata);
        let kind = metadata.file_type();
        if kind.is_char_device() || kind.is_block_device() {
            let device = metadata.rdev();
            header.set_device_major(rustix::fs::major(device))?;
            header.set_device_minor(rustix::fs::minor(device))?;
        }
        let pax = self.attributes(disk);
        let folder = name.join("");
        let name = if metadata.is_dir() { &folder } else { name };
        append_empty(archive, name, header, None, metadata, pax)
    }

    /// Remembers that a file with several names is in the archive under `name`, without adding it:
    /// for names that an archive that is [resumed](ArchiveWriter::resume) has already. Gives the name
    /// that it was remembered under before.
    pub fn note(&mut self, metadata: &Metadata, name: &Path) -> Option<PathBuf> {
        if metadata.is_dir() || metadata.nlink() < 2 {
            return None;
        }
        let file = (metadata.dev(), metadata.ino());
        if let Some(first) = self.names.get(&file) {
            return Some(first.clone());
        }
        self.names.insert(file, name.to_owned());
        None
    }

    fn append_file<W: Write>(
        &self,
        archive: &mut ArchiveWriter<W>,
        name: &Path,
        mut file: &File,
        metadata: &Metadata,
        mut pax: Vec<(String, Vec<u8>)>,
    ) -> Result<()> {
        let mut header = self.header(metadata);
        let size = metadata.len();
        header.set_size(size);
        let mtime = early_mtime(metadata, &mut pax);
        let holey = !self.no_holes && metadata.blocks() * 512 < size;
        let segments = if holey { holes::segments(file, size) } else { None };
        let mut parts =
            Parts { header, link: None, pax, sparse_map: Vec::new(), size, stored: size, mtime };
        let Some(segments) = segments else {
            return archive.append_parts(name, parts, |stream| stream.copy(&mut file, size));
        };
        parts.stored = segments.iter().map(|segment| segment.len).sum();
        parts.sparse_map = holes::write_map(&mut parts.header, &segments, size, parts.stored);
        archive.append_parts(name, parts, |stream| {
            let mut written = 0;
            for segment in &segments {
                file.seek(SeekFrom::Start(segment.offset))?;
                let n = stream.copy(&mut file.take(segment.len), segment.len)?;
                written += n;
                if n < segment.len {
                    break;
                }
            }
            Ok(written)
        })
    }

    fn header(&self, metadata: &Metadata) -> Box<Header> {
        let mut header = Box::new(Header::new_gnu());
        header.set_metadata(metadata);
        header.set_mode(metadata.mode() & 0o7777);
        header.set_mtime(metadata.mtime().max(0).cast_unsigned());
        // Names that don't fit, or that nobody knows: the numbers say it too.
        if let Some(name) = self.owners.user(metadata.uid()) {
            let _ = header.set_username(name);
        }
        if let Some(name) = self.owners.group(metadata.gid()) {
            let _ = header.set_groupname(name);
        }
        header
    }

    fn attributes(&self, disk: &Path) -> Vec<(String, Vec<u8>)> {
        if self.xattrs { attributes::read(disk) } else { Vec::new() }
    }
}

fn unreadable(disk: &Path, error: io::Error) -> Error {
    Error::entry_from(disk.as_os_str().as_encoded_bytes(), "it can't be read", error)
}

/// Adds what has no contents.
fn append_empty<W: Write>(
    archive: &mut ArchiveWriter<W>,
    name: &Path,
    mut header: Box<Header>,
    link: Option<&Path>,
    metadata: &Metadata,
    mut pax: Vec<(String, Vec<u8>)>,
) -> Result<()> {
    header.set_size(0);
    let mtime = early_mtime(metadata, &mut pax);
    let parts = Parts { header, link, pax, sparse_map: Vec::new(), size: 0, stored: 0, mtime };
    archive.append_parts(name, parts, |_| Ok(0))
}

/// Times before 1970, which the header has no room for.
fn early_mtime(metadata: &Metadata, pax: &mut Vec<(String, Vec<u8>)>) -> Option<i64> {
    let mtime = metadata.mtime();
    if mtime >= 0 {
        return None;
    }
    pax.push(("mtime".to_owned(), mtime.to_string().into_bytes()));
    Some(mtime)
}

/// What is in a folder, in the order of names.
fn children(folder: &Path) -> Result<Vec<std::ffi::OsString>> {
    let read = || fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect();
    let children: io::Result<Vec<_>> = read();
    let mut children = children.map_err(|error| {
        let path = folder.as_os_str().as_encoded_bytes();
        Error::entry_from(path, "the folder can't be read", error)
    })?;
    children.sort_unstable();
    Ok(children)
}
