//! What exists at an output path.

use std::fmt::{self, Display, Formatter};
use std::fs::{self, FileType, Metadata};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::rules::Links;

/// The number of links that the kernel follows.
const MAX_LINKS: usize = 40;

/// What exists at a path, after following symlinks if [`Links`] says so.
#[derive(Debug)]
pub(super) enum Target {
    /// Nothing.
    Free(PathBuf),
    /// A regular file.
    File(PathBuf, Metadata),
    /// Something that must not be replaced.
    Node(Node, PathBuf),
}

/// The type of something that is not a regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Folder,
    Fifo,
    CharacterDevice,
    BlockDevice,
    /// An open file, by a name such as `/dev/stdout`.
    Descriptor,
    Other,
}

impl Target {
    pub(super) fn resolve(path: &Path, links: Links) -> io::Result<Self> {
        let mut path = path.to_owned();
        for _ in 0..MAX_LINKS {
            let metadata = match fs::symlink_metadata(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(Self::Free(path));
                }
                metadata => metadata?,
            };
            let kind = metadata.file_type();
            if kind.is_file() || (kind.is_symlink() && links == Links::Replace) {
                return Ok(Self::File(path, metadata));
            }
            if !kind.is_symlink() {
                return Ok(Self::Node(Node::from_type(kind), path));
            }
            if path.starts_with("/proc") {
                // The link text need not be a path, but opening it works.
                return Ok(Self::Node(Node::Descriptor, path));
            }
            let target = fs::read_link(&path)?;
            path = path.parent().unwrap_or(Path::new("/")).join(target);
            if let Ok(folder) = path.parent().unwrap_or(Path::new("/")).canonicalize()
                && let Some(name) = path.file_name()
            {
                path = folder.join(name);
            }
        }
        Err(io::Error::from(rustix::io::Errno::LOOP))
    }
}

impl Node {
    fn from_type(kind: FileType) -> Self {
        if kind.is_dir() {
            Self::Folder
        } else if kind.is_fifo() {
            Self::Fifo
        } else if kind.is_char_device() {
            Self::CharacterDevice
        } else if kind.is_block_device() {
            Self::BlockDevice
        } else {
            Self::Other
        }
    }

    /// Returns whether it can be written sequentially without destroying stored data.
    pub(super) const fn takes_bytes(self) -> bool {
        matches!(self, Self::Fifo | Self::CharacterDevice | Self::Descriptor)
    }
}

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folder => "a directory",
            Self::Fifo => "a FIFO",
            Self::CharacterDevice => "a character device",
            Self::BlockDevice => "a block device",
            Self::Descriptor => "an open file",
            Self::Other => "not a regular file",
        })
    }
}
