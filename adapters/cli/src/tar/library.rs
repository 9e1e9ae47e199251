//! Converts the settings of jobs to those of the archive crate.

use std::fs::File;

use uadk_compress_archive::{EntryReader, ExtractOptions, Extracted, Extractor, TreeWriter};

use super::job::{Owner, Restore, Store};

/// Returns the options for extracting entries.
pub(super) fn extract_options(restore: &Restore) -> ExtractOptions {
    let attributes = &restore.attributes;
    ExtractOptions::new()
        .permissions(restore.permissions)
        .owner(restore.owner)
        .numeric_owner(restore.numeric_owner)
        .acls(attributes.acls)
        .selinux(attributes.selinux)
        .xattrs(attributes.xattrs)
        .xattrs_include(attributes.include.iter().map(String::as_str))
        .xattrs_exclude(attributes.exclude.iter().map(String::as_str))
        .existing(restore.existing)
        .keep_directory_symlink(restore.keep_directory_symlink)
        .touch(restore.touch)
        .max_size(restore.max_size)
}

/// Returns the writer that adds files. The time is set for each file, see [`Store::mtime_of`].
pub(super) fn tree_writer(store: &Store) -> TreeWriter {
    let attributes = &store.attributes;
    let owner = |owner: &Owner| (owner.name.clone().unwrap_or_default(), owner.number);
    TreeWriter::new()
        .sparse(store.sparse)
        .acls(attributes.acls)
        .selinux(attributes.selinux)
        .xattrs(attributes.xattrs)
        .xattrs_include(attributes.include.iter().map(String::as_str))
        .xattrs_exclude(attributes.exclude.iter().map(String::as_str))
        .dereference(store.dereference)
        .hard_dereference(store.hard_dereference)
        .owner(store.owner.as_ref().map(owner))
        .group(store.group.as_ref().map(owner))
        .numeric_owner(store.numeric_owner)
        .mode(store.mode.clone())
}

/// Extracts an entry, under another name and with another link target if given.
pub(super) fn extract_as(
    extractor: &mut Extractor,
    entry: &mut EntryReader<'_, File>,
    name: Option<&[u8]>,
    link: Option<&[u8]>,
) -> uadk_compress_archive::Result<Extracted> {
    let own = entry.entry().path_bytes().to_vec();
    extractor.extract_renamed(entry, name.unwrap_or(&own), link)
}
