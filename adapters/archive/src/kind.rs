//! Kinds of entries.

/// The kind of an entry.
///
/// ```
/// use uadk_compress_archive::tar::Header;
/// use uadk_compress_archive::{ArchiveReader, ArchiveWriter, EntryKind};
///
/// let mut archive = ArchiveWriter::new(Vec::new())?;
/// archive.append_link(Header::new_gnu(), "latest", "version-2")?;
/// let file = archive.finish()?;
///
/// let mut archive = ArchiveReader::new(&file[..])?;
/// let entry = archive.next_entry()?.expect("one entry");
/// assert_eq!(entry.entry().kind(), EntryKind::Symlink);
/// assert_eq!(entry.entry().kind().name(), "symlink");
/// # Ok::<(), uadk_compress_archive::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EntryKind {
    /// A regular file, sparse or not.
    File,
    /// Another name of an earlier file.
    HardLink,
    /// A symbolic link.
    Symlink,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
    /// A directory.
    Directory,
    /// A named pipe.
    Fifo,
    /// Any other type flag of the tar header. It has contents like a file and is extracted as one.
    Other(u8),
}

impl EntryKind {
    pub(crate) const fn from_byte(byte: u8) -> Self {
        match byte {
            b'0' | 0 | b'7' | b'S' => Self::File,
            b'1' => Self::HardLink,
            b'2' => Self::Symlink,
            b'3' => Self::CharDevice,
            b'4' => Self::BlockDevice,
            // GNU tar also has directories with a list of their contents (`D`).
            b'5' | b'D' => Self::Directory,
            b'6' => Self::Fifo,
            other => Self::Other(other),
        }
    }

    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::File => b'0',
            Self::HardLink => b'1',
            Self::Symlink => b'2',
            Self::CharDevice => b'3',
            Self::BlockDevice => b'4',
            Self::Directory => b'5',
            Self::Fifo => b'6',
            Self::Other(byte) => byte,
        }
    }

    /// Returns whether contents follow in the tar.
    pub(crate) const fn has_data(self) -> bool {
        matches!(self, Self::File | Self::Other(_))
    }

    /// Returns the name of the kind.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::HardLink => "hardlink",
            Self::Symlink => "symlink",
            Self::CharDevice => "char-device",
            Self::BlockDevice => "block-device",
            Self::Directory => "directory",
            Self::Fifo => "fifo",
            Self::Other(_) => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_survive_conversion_to_bytes() {
        for byte in 0..=255 {
            let kind = EntryKind::from_byte(byte);
            assert_eq!(EntryKind::from_byte(kind.byte()), kind);
        }
    }
}
