//! Tag files that exclude the directory they are in.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// How much of a directory with a tag is excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Extent {
    /// Its contents except the tag.
    Contents,
    /// Its contents including the tag.
    Under,
    /// The directory itself.
    All,
}

/// A file whose presence excludes a directory.
#[derive(Debug)]
pub(crate) struct Tag {
    pub(crate) name: OsString,
    pub(crate) extent: Extent,
    /// Whether it must have the signature of <https://bford.info/cachedir/>.
    pub(crate) is_cache: bool,
}

const SIGNATURE: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

impl Tag {
    pub(crate) fn cache(extent: Extent) -> Self {
        Self { name: "CACHEDIR.TAG".into(), extent, is_cache: true }
    }

    pub(crate) fn named(name: &OsStr, extent: Extent) -> Self {
        Self { name: name.to_owned(), extent, is_cache: false }
    }

    pub(crate) fn marks(&self, folder: &Path) -> bool {
        let path = folder.join(&self.name);
        if !self.is_cache {
            return path.symlink_metadata().is_ok();
        }
        let mut start = [0; SIGNATURE.len()];
        let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
        read.is_ok() && start == SIGNATURE
    }
}
