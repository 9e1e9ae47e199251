//! The contents of a directory.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Files with holes can be huge: at most this much of one is compared, and its length.
const MAX_COMPARED: u64 = 1 << 20;

/// Everything below a directory, by its relative path.
pub(crate) type Tree = BTreeMap<Vec<u8>, Node>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) mode: u32,
    /// Seconds and nanoseconds; `None` for the time of extraction.
    pub(crate) mtime: Option<(i64, i64)>,
    /// Set while the tree is read, for files with several names.
    pub(super) inode: Option<u64>,
    /// The first name of this file.
    pub(crate) first_name: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File { len: u64, hash: u64 },
    Folder,
    Symlink(Vec<u8>),
    Pipe,
    Other,
}

impl Kind {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::Folder => "directory",
            Self::Symlink(_) => "symlink",
            Self::Pipe => "pipe",
            Self::Other => "device or socket",
        }
    }
}

/// An open directory. Its entries are accessed through its handle, however long its path is.
struct Folder {
    name: PathBuf,
    handle: fs::File,
}

impl Folder {
    /// Opens a directory, even one whose mode forbids it.
    fn open(path: &Path, name: PathBuf) -> io::Result<Self> {
        let handle = match fs::File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
                fs::File::open(path)
            }
            handle => handle,
        };
        Ok(Self { name, handle: handle? })
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.handle.as_raw_fd()))
    }

    fn entries(&self) -> io::Result<Vec<fs::DirEntry>> {
        let entries = fs::read_dir(self.path())?.collect::<io::Result<Vec<_>>>()?;
        // A directory that can be listed may still deny access to its entries.
        if entries.iter().any(|entry| entry.metadata().is_err()) {
            fs::set_permissions(self.path(), fs::Permissions::from_mode(0o700))?;
        }
        Ok(entries)
    }

    fn child(&self, entry: &fs::DirEntry) -> io::Result<Self> {
        Self::open(&entry.path(), self.name.join(entry.file_name()))
    }
}

/// Reads a directory. Times from `now` on are those of extraction.
pub(crate) fn read(root: &Path, now: i64) -> io::Result<Tree> {
    let mut tree = Tree::new();
    let mut inodes = BTreeMap::new();
    let mut folders = vec![Folder::open(root, PathBuf::new())?];
    while let Some(folder) = folders.pop() {
        for entry in folder.entries()? {
            let metadata = entry.metadata()?;
            let kind = kind(&entry.path(), &metadata)?;
            if kind == Kind::Folder {
                folders.push(folder.child(&entry)?);
            }
            let name = folder.name.join(entry.file_name()).into_os_string().into_vec();
            let several = kind != Kind::Folder && metadata.nlink() > 1;
            if several {
                let first: &mut Vec<u8> =
                    inodes.entry(metadata.ino()).or_insert_with(|| name.clone());
                if name < *first {
                    first.clone_from(&name);
                }
            }
            let mtime = (metadata.mtime(), metadata.mtime_nsec());
            let node = Node {
                kind,
                mode: metadata.mode() & 0o7777,
                // Some programs write times that they can't represent as the highest that they can.
                mtime: (mtime.0 < now || mtime.0 > now + 3600).then_some(mtime),
                inode: several.then(|| metadata.ino()),
                first_name: name.clone(),
            };
            tree.insert(name, node);
        }
    }
    for node in tree.values_mut() {
        if let Some(first) = node.inode.take().and_then(|inode| inodes.get(&inode)) {
            node.first_name.clone_from(first);
        }
    }
    Ok(tree)
}

fn kind(path: &Path, metadata: &fs::Metadata) -> io::Result<Kind> {
    let kind = metadata.file_type();
    Ok(if kind.is_dir() {
        Kind::Folder
    } else if kind.is_symlink() {
        Kind::Symlink(fs::read_link(path)?.as_os_str().as_bytes().to_vec())
    } else if kind.is_fifo() {
        Kind::Pipe
    } else if kind.is_file() {
        Kind::File { len: metadata.len(), hash: hash(path, metadata)? }
    } else {
        Kind::Other
    })
}

fn hash(path: &Path, metadata: &fs::Metadata) -> io::Result<u64> {
    let file = match fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
            let file = fs::File::open(path);
            // Restored, because the file may have another name.
            fs::set_permissions(path, metadata.permissions())?;
            file
        }
        file => file,
    };
    let mut contents = Vec::new();
    file?.take(MAX_COMPARED).read_to_end(&mut contents)?;
    let mut hasher = DefaultHasher::new();
    contents.hash(&mut hasher);
    Ok(hasher.finish())
}

/// Removes the contents of a directory, whatever their modes. The directory stays.
pub(crate) fn clear(folder: &Path) -> io::Result<()> {
    clear_opened(&Folder::open(folder, PathBuf::new())?)
}

fn clear_opened(folder: &Folder) -> io::Result<()> {
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    for entry in folder.entries()? {
        if entry.file_type()?.is_dir() {
            clear_opened(&folder.child(&entry)?)?;
            fs::remove_dir(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
