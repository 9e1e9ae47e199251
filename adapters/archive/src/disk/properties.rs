//! What entries say of files: permissions, owners, times.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use super::mode::ModeChange;
use super::owners::Owners;
use crate::EntryKind;
use crate::header::{Fields, Time};

/// What is said instead of what files have, and the names of owners.
#[derive(Debug, Default)]
pub(super) struct Properties {
    pub(super) mtime: Option<Time>,
    /// Name and number; without a number, files keep theirs.
    pub(super) owner: Option<(String, Option<u64>)>,
    pub(super) group: Option<(String, Option<u64>)>,
    pub(super) mode: Option<ModeChange>,
    pub(super) owners: Owners,
}

impl Properties {
    /// What the headers of a file say, without its attributes.
    pub(super) fn fields(&self, metadata: &Metadata, kind: EntryKind) -> Box<Fields> {
        let mode = metadata.mode() & 0o7777;
        let change = self.mode.as_ref().filter(|_| !metadata.is_symlink());
        let mtime = Time {
            seconds: metadata.mtime(),
            nanoseconds: u32::try_from(metadata.mtime_nsec()).unwrap_or(0),
        };
        let known = |name: Option<&str>| name.unwrap_or_default().to_owned();
        let (user, uid) =
            self.owner.clone().unwrap_or_else(|| (known(self.owners.user(metadata.uid())), None));
        let (group, gid) =
            self.group.clone().unwrap_or_else(|| (known(self.owners.group(metadata.gid())), None));
        let named = |name: String| if self.owners.numeric { String::new() } else { name };
        Box::new(Fields {
            kind: kind.byte(),
            mode: change.map_or(mode, |change| change.apply(mode, metadata.is_dir())) & 0o7777,
            uid: uid.unwrap_or_else(|| metadata.uid().into()),
            gid: gid.unwrap_or_else(|| metadata.gid().into()),
            mtime: self.mtime.unwrap_or(mtime),
            user: named(user).into_bytes(),
            group: named(group).into_bytes(),
            ..Fields::default()
        })
    }
}
