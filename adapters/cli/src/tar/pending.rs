//! What the archive crate has no way to do yet, each behind a function of its own that says so. The
//! documentation of each says what it becomes.

use std::fs::{File, Metadata};
use std::io::Write;
use std::path::Path;

use uadk_compress_archive::{
    ArchiveReader, ArchiveWriter, Entry, EntryReader, ExtractOptions, Extracted, Extractor,
    Result as ArchiveResult, TreeWriter,
};

use super::job::{Attributes, Existing, Owner, Restore, Store};
use crate::error::Error;

fn unsupported(option: &str) -> Error {
    Error::refused(format!("{option} is not supported yet"), None)
}

/// Refuses the options that are set.
fn refuse(options: &[(bool, &str)]) -> Result<(), Error> {
    match options.iter().find(|(set, _)| *set) {
        Some((_, option)) => Err(unsupported(option)),
        None => Ok(()),
    }
}

/// `ArchiveReader::ignore_zeros(on)`.
pub(super) fn ignore_zeros<R>(_: &mut ArchiveReader<R>, on: bool) -> Result<(), Error> {
    refuse(&[(on, "--ignore-zeros")])
}

/// The texts of `ArchiveReader::take_warnings()`, and whether each is a mere notice.
pub(super) fn reader_warnings<R>(_: &mut ArchiveReader<R>) -> Vec<(String, bool)> {
    Vec::new()
}

/// The texts of `Extractor::take_warnings()`, and whether each is a mere notice.
pub(super) fn extractor_warnings(_: &mut Extractor) -> Vec<(String, bool)> {
    Vec::new()
}

/// `Entry::user_name()`.
pub(super) fn user(_: &Entry) -> &[u8] {
    b""
}

/// `Entry::group_name()`.
pub(super) fn group(_: &Entry) -> &[u8] {
    b""
}

/// `Entry::device()`.
pub(super) fn device(_: &Entry) -> Option<(u32, u32)> {
    None
}

/// `Entry::mtime_nanoseconds()`.
pub(super) fn nanoseconds(_: &Entry) -> Option<u32> {
    None
}

/// `ExtractOptions` with the setters `.acls .selinux .xattrs .xattrs_include .numeric_owner .existing
/// .keep_directory_symlink .touch`; `Existing` has the same variants there.
pub(super) fn extract_options(restore: &Restore) -> Result<ExtractOptions, Error> {
    refuse_attributes(&restore.attributes)?;
    refuse(&[
        (restore.existing == Existing::Skip, "--skip-old-files"),
        (restore.existing == Existing::Overwrite, "--overwrite"),
        (restore.existing == Existing::UnlinkFirst, "--unlink-first"),
        (restore.keep_directory_symlink, "--keep-directory-symlink"),
        (restore.touch, "--touch"),
    ])?;
    Ok(ExtractOptions::new()
        .permissions(restore.permissions)
        .owner(restore.owner)
        .xattrs(restore.attributes.xattrs)
        .keep_old(restore.existing == Existing::Keep)
        .max_size(restore.max_size))
}

fn refuse_attributes(attributes: &Attributes) -> Result<(), Error> {
    refuse(&[
        (attributes.acls, "--acls"),
        (attributes.selinux, "--selinux"),
        (!attributes.include.is_empty(), "--xattrs-include"),
        (!attributes.exclude.is_empty(), "--xattrs-exclude"),
    ])
}

/// `Extractor::extract_renamed(entry, name, link)`, or `extract` if both are as in the archive.
pub(super) fn extract_as(
    extractor: &mut Extractor,
    entry: &mut EntryReader<'_, File>,
    name: Option<&[u8]>,
    link: Option<&[u8]>,
) -> Result<ArchiveResult<Extracted>, Error> {
    refuse(&[(name.is_some() || link.is_some(), "another name on extraction")])?;
    Ok(extractor.extract(entry))
}

/// `TreeWriter` with the setters `.sparse .acls .selinux .xattrs .xattrs_include .dereference
/// .hard_dereference .mtime .owner .group .numeric_owner .mode`.
pub(super) fn tree_writer(store: &Store) -> Result<TreeWriter, Error> {
    refuse_attributes(&store.attributes)?;
    let Store { owner, group, .. } = store;
    refuse(&[
        (store.dereference, "--dereference"),
        (store.hard_dereference, "--hard-dereference"),
        (store.mtime.is_some(), "--mtime"),
        (owner.as_ref().is_some_and(Owner::is_set), "--owner"),
        (group.as_ref().is_some_and(Owner::is_set), "--group"),
        (store.numeric_owner, "--numeric-owner, in a new archive,"),
        (store.mode.is_some(), "--mode"),
        (store.absolute_names, "--absolute-names, in a new archive,"),
    ])?;
    Ok(TreeWriter::new().xattrs(store.attributes.xattrs).sparse(store.sparse))
}

/// What became of a file that was added: `Appended`.
#[derive(Debug)]
pub(super) struct Added {
    pub(super) metadata: Metadata,
    /// What a person should know, and whether it makes the status 1.
    pub(super) notes: Vec<(String, bool)>,
}

/// `TreeWriter::append_path`; with `link`, the target that a symbolic link gets instead of its own.
pub(super) fn append<W: Write>(
    tree: &mut TreeWriter,
    writer: &mut ArchiveWriter<W>,
    disk: &Path,
    name: &Path,
    link: Option<&Path>,
) -> Result<ArchiveResult<Added>, Error> {
    refuse(&[(link.is_some(), "another target of a symbolic link")])?;
    let added = tree.append_path(writer, disk, name);
    Ok(added.map(|metadata| Added { metadata, notes: Vec::new() }))
}
