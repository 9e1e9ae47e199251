//! What is at a path that is to be written to.

use std::fmt::{self, Display, Formatter};
use std::fs::{self, FileType, Metadata};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::rules::Links;

/// As many links as the kernel follows.
const MAX_LINKS: usize = 40;

/// What is at a path, behind symlinks where they are followed.
#[derive(Debug)]
pub(super) enum Place {
    /// Nothing.
    Free(PathBuf),
    /// A regular file.
    File(PathBuf, Metadata),
    /// What must not be replaced.
    Node(Node, PathBuf),
}

/// What is no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Folder,
    Fifo,
    CharacterDevice,
    BlockDevice,
    /// A file that is open, by a name such as `/dev/stdout`.
    Descriptor,
    Other,
}

impl Place {
    pub(super) fn find(path: &Path, links: Links) -> io::Result<Self> {
        let mut place = path.to_owned();
        for _ in 0..MAX_LINKS {
            let metadata = match fs::symlink_metadata(&place) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(Self::Free(place));
                }
                metadata => metadata?,
            };
            let kind = metadata.file_type();
            if kind.is_file() || (kind.is_symlink() && links == Links::Replace) {
                return Ok(Self::File(place, metadata));
            }
            if !kind.is_symlink() {
                return Ok(Self::Node(Node::of(kind), place));
            }
            if place.starts_with("/proc") {
                // Its text need not be a path; opening it is what works.
                return Ok(Self::Node(Node::Descriptor, place));
            }
            let target = fs::read_link(&place)?;
            place = place.parent().unwrap_or(Path::new("/")).join(target);
            if let Ok(folder) = place.parent().unwrap_or(Path::new("/")).canonicalize()
                && let Some(name) = place.file_name()
            {
                place = folder.join(name);
            }
        }
        Err(io::Error::from(rustix::io::Errno::LOOP))
    }
}

impl Node {
    fn of(kind: FileType) -> Self {
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

    /// Whether bytes can be written to it one after the other, and nothing that lasts is lost.
    pub(super) const fn takes_bytes(self) -> bool {
        matches!(self, Self::Fifo | Self::CharacterDevice | Self::Descriptor)
    }
}

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folder => "a folder",
            Self::Fifo => "a FIFO",
            Self::CharacterDevice => "a character device",
            Self::BlockDevice => "a block device",
            Self::Descriptor => "an open file",
            Self::Other => "no regular file",
        })
    }
}
