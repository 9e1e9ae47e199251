//! PAX extended headers (POSIX pax, with the extensions of GNU tar, star and libarchive).

use super::head::Attributes;
use super::raw::{NoNumber, text};
use super::values::{decimal, gnu_xattr_name, libarchive_xattr, time, unpadded};

/// The values of the known keys, for one entry or for all that follow.
#[derive(Clone, Debug, Default)]
pub(super) struct Extensions {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    /// Seconds and nanoseconds.
    pub(super) mtime: Option<(i64, u32)>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) user: Option<Vec<u8>>,
    pub(super) group: Option<Vec<u8>>,
    pub(super) attributes: Box<Attributes>,
    pub(super) sparse: Sparse,
    /// Warnings about unreadable records that were dropped.
    pub(super) dropped: Vec<String>,
}

/// Sparse file information, in GNU tar's three PAX versions.
#[derive(Clone, Debug, Default)]
pub(super) struct Sparse {
    /// 1 if the map is stored before the contents.
    pub(super) major: Option<u64>,
    pub(super) minor: Option<u64>,
    /// Versions 0.0 and 0.1: alternating offsets and lengths.
    pub(super) numbers: Option<Vec<u64>>,
    pub(super) real_size: Option<u64>,
    /// Whether some of it is unreadable.
    pub(super) is_damaged: bool,
}

/// Maximum number of warnings about dropped records of one header.
const MAX_DROPPED: usize = 100;

impl Extensions {
    /// Adds the records of a header. Unreadable ones are dropped.
    pub(super) fn parse(&mut self, data: &[u8]) {
        let mut rest = data;
        let mut sparse_name = None;
        loop {
            rest = match record(rest) {
                Record::End => break,
                Record::Broken { what, after } => {
                    self.drop_record(format!("a PAX record {what}"));
                    let (lost, after) = rest.split_at(rest.len() - after.len());
                    self.sparse.is_damaged |= lost.windows(11).any(|bytes| bytes == b"GNU.sparse.");
                    after
                }
                Record::Whole { key, value, after } => {
                    if key == b"GNU.sparse.name" {
                        sparse_name = self.name(key, value);
                    } else if self.take(key, value).is_none() {
                        self.sparse.is_damaged |= key.starts_with(b"GNU.sparse.");
                        self.drop_record(unreadable(key, value));
                    }
                    after
                }
            };
        }
        if let Some(name) = sparse_name {
            self.path = Some(name);
        }
    }

    fn drop_record(&mut self, what: String) {
        if self.dropped.len() < MAX_DROPPED {
            self.dropped.push(what);
        }
    }

    /// Adds one record. Returns `None` if its value is unreadable. An empty value unsets the key
    /// (POSIX pax).
    fn take(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        match key {
            b"path" => self.path = self.name(key, value),
            b"linkpath" => self.link = self.name(key, value),
            b"uname" => self.user = self.name(key, value),
            b"gname" => self.group = self.name(key, value),
            b"size" => self.size = given(value, file_size).ok()?,
            b"uid" => self.uid = given(value, owner).ok()?,
            b"gid" => self.gid = given(value, owner).ok()?,
            b"mtime" => self.mtime = given(value, time).ok()?,
            // Not restored, but worth a warning if unreadable.
            b"atime" | b"ctime" => drop(given(value, time).ok()?),
            b"GNU.sparse.major" => self.sparse.major = Some(decimal(value)?),
            b"GNU.sparse.minor" => self.sparse.minor = Some(decimal(value)?),
            b"GNU.sparse.numblocks" => drop(decimal(value)?),
            b"GNU.sparse.realsize" | b"GNU.sparse.size" => {
                self.sparse.real_size = Some(file_size(value)?);
            }
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                let number = decimal(value)?;
                // Offsets and lengths must alternate.
                let is_offset = key == b"GNU.sparse.offset";
                let count = self.sparse.numbers.as_ref().map_or(0, Vec::len);
                if is_offset != count.is_multiple_of(2) {
                    return None;
                }
                self.sparse.numbers.get_or_insert_default().push(number);
            }
            b"GNU.sparse.map" => {
                let value = value.strip_suffix(b",").unwrap_or(value);
                let numbers = value.split(|byte| *byte == b',').map(decimal);
                self.sparse.numbers = Some(if value.is_empty() {
                    Vec::new()
                } else {
                    numbers.collect::<Option<_>>()?
                });
                // Set here, since other records may still add numbers.
                let count = self.sparse.numbers.as_ref().map_or(0, Vec::len);
                self.sparse.is_damaged |= !count.is_multiple_of(2);
            }
            b"SCHILY.acl.access" => self.attributes.acl_access = Some(value.to_vec()),
            b"SCHILY.acl.default" => self.attributes.acl_default = Some(value.to_vec()),
            b"SCHILY.acl.ace" => self.attributes.acl_foreign = true,
            b"RHT.security.selinux" => self.attributes.selinux = Some(value.to_vec()),
            _ => {
                if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                    let name = gnu_xattr_name(name);
                    self.attributes.set_xattr(checked_key(&name)?, value.to_vec(), true);
                } else if let Some(name) = key.strip_prefix(b"LIBARCHIVE.xattr.") {
                    let (name, value) = libarchive_xattr(name, value)?;
                    self.attributes.set_xattr(checked_key(&name)?, value, false);
                }
            }
        }
        Some(())
    }

    /// Returns the name up to the first NUL, where C programs end it.
    fn name(&mut self, key: &[u8], value: &[u8]) -> Option<Vec<u8>> {
        let name = text(value);
        if value[name.len()..].iter().any(|byte| *byte != 0) {
            let key = String::from_utf8_lossy(key);
            self.drop_record(format!("dropped {key} bytes after a NUL"));
        }
        (!name.is_empty()).then(|| name.to_vec())
    }

    /// Adds the records of a global header. Those that can only apply to a single entry are
    /// dropped.
    pub(super) fn global(&mut self, data: &[u8]) {
        // An empty value unsets that of an earlier header.
        let mut new = Self {
            mtime: self.mtime,
            uid: self.uid,
            gid: self.gid,
            user: self.user.take(),
            group: self.group.take(),
            ..Self::default()
        };
        new.parse(data);
        let single = [
            ("path", new.path.is_some()),
            ("linkpath", new.link.is_some()),
            ("size", new.size.is_some()),
            ("sparse map", new.sparse.numbers.is_some() || new.sparse.real_size.is_some()),
        ];
        for (key, _) in single.iter().filter(|(_, is_there)| *is_there) {
            new.drop_record(format!("global header sets a {key} for all entries; dropped"));
        }
        *self = Self {
            mtime: new.mtime,
            uid: new.uid,
            gid: new.gid,
            user: new.user,
            group: new.group,
            dropped: new.dropped,
            ..Self::default()
        };
    }

    /// Returns these global values, overridden by those of one entry.
    pub(super) fn overlaid(&self, mut entry: Box<Self>) -> Box<Self> {
        entry.mtime = entry.mtime.or(self.mtime);
        entry.uid = entry.uid.or(self.uid);
        entry.gid = entry.gid.or(self.gid);
        entry.user = entry.user.take().or_else(|| self.user.clone());
        entry.group = entry.group.take().or_else(|| self.group.clone());
        entry
    }
}

impl Attributes {
    /// Sets an extended attribute. Libarchive writes each one twice: the form without encoding
    /// takes precedence.
    fn set_xattr(&mut self, name: &[u8], value: Vec<u8>, overrides: bool) {
        match self.xattrs.iter_mut().find(|(known, _)| known == name) {
            Some(known) if overrides => known.1 = value,
            Some(_) => {}
            None => self.xattrs.push((name.to_vec(), value)),
        }
    }
}

/// Returns the name of an extended attribute if it is valid for a system call.
fn checked_key(name: &[u8]) -> Option<&[u8]> {
    (!name.is_empty() && !name.contains(&0)).then_some(name)
}

/// Parses a value. An empty one means that there is none.
fn given<T>(value: &[u8], read: impl Fn(&[u8]) -> Option<T>) -> Result<Option<T>, NoNumber> {
    if value.is_empty() { Ok(None) } else { read(value).map(Some).ok_or(NoNumber) }
}

fn file_size(value: &[u8]) -> Option<u64> {
    decimal(unpadded(value)).filter(|size| i64::try_from(*size).is_ok())
}

/// Parses an owner ID. The highest number means "no owner".
fn owner(value: &[u8]) -> Option<u32> {
    u32::try_from(decimal(unpadded(value))?).ok().filter(|number| *number != u32::MAX)
}

fn unreadable(key: &[u8], value: &[u8]) -> String {
    const SHOWN: usize = 40;
    let key = key[..key.len().min(SHOWN)].escape_ascii();
    let more = if value.len() > SHOWN { "..." } else { "" };
    let value = value[..value.len().min(SHOWN)].escape_ascii();
    format!("dropped {key}: invalid value {value}{more}")
}

/// The next record of an extended header.
enum Record<'a> {
    Whole {
        key: &'a [u8],
        value: &'a [u8],
        after: &'a [u8],
    },
    Broken {
        what: &'static str,
        after: &'a [u8],
    },
    /// Only padding follows.
    End,
}

/// Reads a record "LENGTH KEY=VALUE\n". Blanks may precede the length, and padding may follow the
/// last record.
fn record(data: &[u8]) -> Record<'_> {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = data.iter().position(|byte| !blank(byte)).unwrap_or(data.len());
    if data[start..].iter().all(|byte| matches!(byte, 0 | b' ' | b'\t' | b'\n')) {
        return Record::End;
    }
    let broken = |what| Record::Broken { what, after: &[] };
    let digits = data[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let Some(len) = decimal(&data[start..start + digits]) else {
        return broken("has no length; dropped the rest of its header");
    };
    let body_start = start + digits;
    let Some(record) =
        usize::try_from(len).ok().and_then(|len| data.get(..len)).filter(|r| r.len() > body_start)
    else {
        return broken("has a wrong length; dropped the rest of its header");
    };
    let after = &data[record.len()..];
    let Some(body) = record[body_start..].strip_suffix(b"\n") else {
        return broken("does not end with a newline; dropped the rest of its header");
    };
    let key_start = body.iter().position(|byte| !blank(byte)).unwrap_or(body.len());
    match body[key_start..].iter().position(|byte| *byte == b'=') {
        Some(equals) if key_start > 0 && !body[..key_start + equals].contains(&0) => {
            let (key, value) = body[key_start..].split_at(equals);
            Record::Whole { key, value: &value[1..], after }
        }
        _ => Record::Broken { what: "has no key; dropped", after },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(data: &[u8]) -> Extensions {
        let mut extensions = Extensions::default();
        extensions.parse(data);
        extensions
    }

    #[test]
    fn records_are_read_one_after_another() {
        let data = b"12 path=a/b\n30 mtime=1350244992.023960108\n26 SCHILY.xattr.user.x=\n=\n";
        let extensions = parsed(data);
        assert_eq!(extensions.path.as_deref(), Some(&b"a/b"[..]));
        assert_eq!(extensions.mtime, Some((1_350_244_992, 23_960_108)));
        assert_eq!(extensions.attributes.xattrs, [(b"user.x".to_vec(), b"\n=".to_vec())]);
        assert!(extensions.dropped.is_empty());
    }

    #[test]
    fn only_the_bad_record_is_dropped_if_its_end_is_known() {
        for data in [&b"12 path=a/b"[..], b"99 path=a\n", b"x", b"0 a=\n", b"11path=a/b\n"] {
            let extensions = parsed(data);
            assert!(extensions.path.is_none(), "{data:?}");
            assert_eq!(extensions.dropped.len(), 1, "{data:?}");
        }
        for bad in
            [&b"9 uid=-1\n"[..], b"9 size=x\n", b"7 none\n", b"9 mtime=\n9 uid=99\n", b"6 =x\n\n"]
        {
            let extensions = parsed(&[bad, b"12 path=a/b\n"].concat());
            assert!(extensions.path.is_some() || bad.len() == 7, "{bad:?}");
        }
        assert_eq!(parsed(b"9 uid=-1\n").dropped, ["dropped uid: invalid value -1"]);
    }

    #[test]
    fn padding_is_not_a_record() {
        for data in [&b"12 path=a/b\n\0\0\0"[..], b"  14 path=a/b\n", b"12 path=a/b\n  \n"] {
            let extensions = parsed(data);
            assert_eq!(extensions.path.as_deref(), Some(&b"a/b"[..]), "{data:?}");
            assert!(extensions.dropped.is_empty(), "{data:?}");
        }
    }

    #[test]
    fn numbers_may_have_padding() {
        let extensions = parsed(b"12 size=14\0\n10 uid=7 \n");
        assert_eq!((extensions.size, extensions.uid), (Some(14), Some(7)), "{extensions:?}");
        assert!(extensions.dropped.is_empty(), "{extensions:?}");
        assert_eq!(parsed(b"12 size=1\x002\n").size, None);
    }

    #[test]
    fn offsets_and_lengths_of_segments_alternate() {
        let (offset, len) = (b"23 GNU.sparse.offset=5\n", b"25 GNU.sparse.numbytes=3\n");
        let whole = parsed(&[&offset[..], &len[..]].concat());
        assert_eq!(whole.sparse.numbers, Some(vec![5, 3]));
        assert!(!whole.sparse.is_damaged);
        for wrong in [[&len[..], &offset[..]], [&offset[..], &offset[..]]] {
            assert!(parsed(&wrong.concat()).sparse.is_damaged, "{wrong:?}");
        }
        assert!(parsed(b"24 GNU.sparse.map=1,2,3\n").sparse.is_damaged);
    }

    #[test]
    fn both_forms_of_an_attribute_are_merged() {
        let extensions = parsed(b"30 LIBARCHIVE.xattr.user.a=eA\n25 SCHILY.xattr.user.a=y\n");
        assert_eq!(extensions.attributes.xattrs.len(), 1, "{extensions:?}");
        assert_eq!(extensions.attributes.xattrs[0].1, b"y");
    }
}
