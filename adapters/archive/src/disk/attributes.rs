//! Extended attributes, access control lists and `SELinux` labels of a file on disk, as PAX
//! records.

use std::path::Path;

use rustix::fs::{getxattr, lgetxattr, listxattr, llistxattr};
use rustix::io::Errno;

use super::acl;
use super::owners::Owners;
use crate::pattern;

/// Maximum length of a list and of a value (Linux's `XATTR_LIST_MAX`, `XATTR_SIZE_MAX`).
const MAX: usize = 1 << 16;

const ACL_ACCESS: &str = "system.posix_acl_access";
const ACL_DEFAULT: &str = "system.posix_acl_default";
const SELINUX: &str = "security.selinux";

/// Which attributes to read.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes {
    pub(super) acls: bool,
    pub(super) selinux: bool,
    pub(super) xattrs: bool,
    /// If not empty, a name must match at least one of these patterns.
    pub(super) include: Vec<Vec<u8>>,
    /// A name must not match any of these patterns.
    pub(super) exclude: Vec<Vec<u8>>,
}

/// Keys and values of PAX records.
pub(super) type Records = Vec<(Vec<u8>, Vec<u8>)>;

/// Where attributes are read from.
struct Source<'a> {
    path: &'a Path,
    follow: bool,
}

impl Attributes {
    pub(super) fn wanted(&self) -> bool {
        self.acls || self.selinux || self.xattrs
    }

    /// Returns the records, and messages about attributes that could not be read. On a file system
    /// without attributes there are none.
    pub(super) fn read(
        &self,
        path: &Path,
        follow: bool,
        mode: u32,
        owners: &Owners,
    ) -> (Records, Vec<String>) {
        let source = Source { path, follow };
        let (mut records, mut failures) = (Vec::new(), Vec::new());
        let names = match source.names() {
            Ok(names) => names,
            Err(errno) => {
                return (records, vec![format!("extended attributes can't be read: {errno}")]);
            }
        };
        let mut get = |name: &str| match source.get(name) {
            Ok(value) => value,
            Err(errno) => {
                failures.push(format!("extended attribute {name} can't be read: {errno}"));
                None
            }
        };
        let mut get = |name: &str| names.iter().any(|n| n == name).then(|| get(name)).flatten();
        if self.acls {
            let text = |list: Vec<u8>| acl::text(&list, owners);
            let (access, default) =
                (get(ACL_ACCESS).and_then(text), get(ACL_DEFAULT).and_then(text));
            // Programs that set the default list expect an access list with it.
            let access = access.or_else(|| default.is_some().then(|| acl::from_mode(mode)));
            for (key, list) in [("access", access), ("default", default)] {
                let record = |text: String| (format!("SCHILY.acl.{key}").into(), text.into_bytes());
                records.extend(list.map(record));
            }
        }
        if self.selinux
            && let Some(mut label) = get(SELINUX)
        {
            while label.pop_if(|byte| *byte == 0).is_some() {}
            records.push((b"RHT.security.selinux".to_vec(), label));
        }
        if self.xattrs {
            for name in names.iter().filter(|name| self.includes(name.as_bytes())) {
                if let Some(value) = get(name) {
                    records.push((format!("SCHILY.xattr.{}", encoded(name)).into(), value));
                }
            }
        }
        (records, failures)
    }

    fn includes(&self, name: &[u8]) -> bool {
        let matches = |pattern: &Vec<u8>| pattern::matches(pattern, name);
        (self.include.is_empty() || self.include.iter().any(matches))
            && !self.exclude.iter().any(matches)
    }
}

impl Source<'_> {
    /// Returns the names, sorted. Names that are not UTF-8 are omitted; none have ever been seen.
    fn names(&self) -> Result<Vec<String>, Errno> {
        let mut list = vec![0; MAX];
        let len = if self.follow {
            listxattr(self.path, &mut list[..])
        } else {
            llistxattr(self.path, &mut list[..])
        };
        let len = match len {
            Err(Errno::NOTSUP | Errno::NOSYS) => 0,
            len => len?,
        };
        let names = list[..len].split(|byte| *byte == 0).filter(|name| !name.is_empty());
        let mut names: Vec<_> =
            names.filter_map(|name| String::from_utf8(name.to_vec()).ok()).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Returns the value; `None` if the attribute no longer exists.
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Errno> {
        let mut value = vec![0; MAX];
        let len = if self.follow {
            getxattr(self.path, name, &mut value[..])
        } else {
            lgetxattr(self.path, name, &mut value[..])
        };
        match len {
            Err(Errno::NODATA) => Ok(None),
            len => {
                value.truncate(len?);
                Ok(Some(value))
            }
        }
    }
}

/// Encodes a name for the key of a record, as GNU tar does: a `=` would end the key.
fn encoded(name: &str) -> String {
    name.replace('%', "%25").replace('=', "%3D")
}
