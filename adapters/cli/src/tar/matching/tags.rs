//! Folders that say of themselves that they are to be left out.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// How much of a folder with a tag is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Extent {
    /// What is in it, besides the tag.
    Contents,
    /// What is in it, the tag too.
    Under,
    /// The folder itself.
    All,
}

/// A file whose presence makes a folder one to be left out.
#[derive(Debug)]
pub(crate) struct Tag {
    pub(crate) name: OsString,
    pub(crate) extent: Extent,
    /// Whether it has to begin as <https://bford.info/cachedir/> says.
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
