//! What PAX extended headers say (POSIX pax, and what GNU tar, star and libarchive add).

use crate::{Error, Result};

/// The keys that we know, of one entry or of all that follow.
#[derive(Clone, Debug, Default)]
pub(super) struct Extensions {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    /// Seconds and nanoseconds.
    pub(super) mtime: Option<(i64, u32)>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    pub(super) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) sparse: Sparse,
}

/// GNU tar's three ways to say where the holes are.
#[derive(Clone, Debug, Default)]
pub(super) struct Sparse {
    /// Version 1.0: the map is before the contents.
    pub(super) map_in_data: bool,
    /// Versions 0.0 and 0.1: offsets and lengths by turns.
    pub(super) numbers: Vec<u64>,
    pub(super) real_size: Option<u64>,
}

const XATTR: &[u8] = b"SCHILY.xattr.";

impl Extensions {
    /// Takes the records of a header, which began at byte `at` of the tar.
    pub(super) fn parse(&mut self, data: &[u8], at: u64) -> Result<()> {
        let mut rest = data;
        let mut sparse_name = None;
        while !rest.is_empty() {
            let wrong = || Error::tar(at, "an extended header has a record that can't be read");
            let (key, value, behind) = record(rest).ok_or_else(wrong)?;
            rest = behind;
            let number = || decimal(value).ok_or_else(wrong);
            match key {
                // As if it had not been said (POSIX pax, "an empty value").
                b"path" | b"linkpath" | b"size" | b"uid" | b"gid" | b"mtime"
                    if value.is_empty() => {}
                b"path" => self.path = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => self.size = Some(number()?),
                b"uid" => self.uid = Some(number()?),
                b"gid" => self.gid = Some(number()?),
                b"mtime" => self.mtime = Some(time(value).ok_or_else(wrong)?),
                b"GNU.sparse.name" => sparse_name = Some(value.to_vec()),
                b"GNU.sparse.major" => self.sparse.map_in_data = number()? == 1,
                b"GNU.sparse.realsize" | b"GNU.sparse.size" => {
                    self.sparse.real_size = Some(number()?);
                }
                b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                    self.sparse.numbers.push(number()?);
                }
                b"GNU.sparse.map" => {
                    let numbers = value.split(|byte| *byte == b',').map(decimal);
                    self.sparse.numbers = numbers.collect::<Option<_>>().ok_or_else(wrong)?;
                }
                _ => {
                    if let Some(name) = key.strip_prefix(XATTR) {
                        self.xattrs.push((name.to_vec(), value.to_vec()));
                    }
                }
            }
        }
        if sparse_name.is_some() {
            self.path = sparse_name;
        }
        Ok(())
    }

    /// These, with those of one entry before them.
    pub(super) fn overlaid(&self, entry: Self) -> Self {
        Self {
            path: entry.path.or_else(|| self.path.clone()),
            link: entry.link.or_else(|| self.link.clone()),
            size: entry.size.or(self.size),
            mtime: entry.mtime.or(self.mtime),
            uid: entry.uid.or(self.uid),
            gid: entry.gid.or(self.gid),
            xattrs: entry.xattrs,
            sparse: entry.sparse,
        }
    }
}

/// Key and value of the record "LENGTH KEY=VALUE\n", and what is behind it.
fn record(data: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = data.iter().position(|byte| *byte == b' ')?;
    let len = usize::try_from(decimal(&data[..space])?).ok()?;
    let record = data.get(space + 1..len)?;
    let (end, body) = record.split_last()?;
    let equals = body.iter().position(|byte| *byte == b'=')?;
    (*end == b'\n').then(|| (&body[..equals], &body[equals + 1..], &data[len..]))
}

pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Seconds with a fraction, before 1970 too.
fn time(value: &[u8]) -> Option<(i64, u32)> {
    let (negative, value) = match value.strip_prefix(b"-") {
        Some(value) => (true, value),
        None => (false, value),
    };
    let mut parts = value.splitn(2, |byte| *byte == b'.');
    let seconds = i64::try_from(decimal(parts.next()?)?).ok()?;
    let mut digits = *b"000000000";
    if let Some(fraction) = parts.next() {
        let n = fraction.len().min(digits.len());
        digits[..n].copy_from_slice(&fraction[..n]);
    }
    let nanoseconds = decimal(&digits)? as u32;
    Some(match (negative, nanoseconds) {
        (false, _) => (seconds, nanoseconds),
        (true, 0) => (-seconds, 0),
        (true, _) => (-seconds - 1, 1_000_000_000 - nanoseconds),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_one_behind_the_other() {
        let mut extensions = Extensions::default();
        let data = b"12 path=a/b\n30 mtime=1350244992.023960108\n26 SCHILY.xattr.user.x=\n=\n";
        extensions.parse(data, 0).expect("good records");
        assert_eq!(extensions.path.as_deref(), Some(&b"a/b"[..]));
        assert_eq!(extensions.mtime, Some((1_350_244_992, 23_960_108)));
        assert_eq!(extensions.xattrs, [(b"user.x".to_vec(), b"\n=".to_vec())]);
    }

    #[test]
    fn bad_records_are_refused() {
        for data in [&b"12 path=a/b"[..], b"99 path=a\n", b"x", b"9 size=x\n", b"0 a=\n"] {
            assert!(Extensions::default().parse(data, 7).is_err(), "{data:?}");
        }
    }

    #[test]
    fn times_before_1970_have_a_positive_fraction() {
        assert_eq!(time(b"-1.25"), Some((-2, 750_000_000)));
        assert_eq!(time(b"-3"), Some((-3, 0)));
        assert_eq!(time(b"7.5"), Some((7, 500_000_000)));
        assert_eq!(time(b"7.x"), None);
    }
}
