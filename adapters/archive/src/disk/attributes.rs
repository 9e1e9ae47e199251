//! Extended attributes of a file on disk, as PAX records.

use std::path::Path;

use rustix::fs::{lgetxattr, llistxattr};

/// No list and no value is longer (Linux's `XATTR_LIST_MAX`, `XATTR_SIZE_MAX`).
const MAX: usize = 1 << 16;

/// Keys and values. What can't be read, or belongs to no file system that has any, is not there.
pub(super) fn read(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut list = vec![0; MAX];
    let Ok(len) = llistxattr(path, &mut list[..]) else { return Vec::new() };
    let mut value = vec![0; if len > 0 { MAX } else { 0 }];
    let names = list[..len].split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let mut records: Vec<_> = names
        .filter_map(|name| {
            let name = std::str::from_utf8(name).ok().filter(|name| !name.contains('='))?;
            let len = lgetxattr(path, name, &mut value[..]).ok()?;
            Some((format!("SCHILY.xattr.{name}"), value[..len].to_vec()))
        })
        .collect();
    records.sort_unstable();
    records
}
