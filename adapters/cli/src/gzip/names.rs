//! Names of compressed and decompressed files.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The suffixes of compressed files that gzip knows.
const KNOWN: [&[u8]; 7] = [b".gz", b".z", b".taz", b".tgz", b"-gz", b"-z", b"_z"];
/// The other suffix of bgzip's files.
const BLOCKS: &[u8] = b".bgz";

/// Returns where the suffix of a compressed file begins in its name, in upper or lower case.
fn find(name: &[u8], own: &[u8], decompress: bool) -> Option<usize> {
    let lower = name.to_ascii_lowercase();
    let own = own.to_ascii_lowercase();
    let blocks: &[&[u8]] = if decompress { &[BLOCKS] } else { &[] };
    let mut all = std::iter::once(&own[..]).chain(KNOWN).chain(blocks.iter().copied());
    all.find_map(|suffix| {
        let at = lower.len().checked_sub(suffix.len())?;
        // A name that consists only of the suffix counts as having none.
        let before = *lower.get(at.checked_sub(1)?)?;
        (before != b'/' && lower.ends_with(suffix)).then_some(at)
    })
}

/// Returns the suffix of a compressed file's name.
pub(super) fn suffix(name: &Path, own: &[u8], decompress: bool) -> Option<OsString> {
    let name = name.as_os_str().as_bytes();
    find(name, own, decompress).map(|at| OsStr::from_bytes(&name[at..]).to_owned())
}

/// Appends a suffix to a name.
pub(super) fn with_suffix(name: &Path, suffix: &[u8]) -> PathBuf {
    let mut name = name.as_os_str().to_owned();
    name.push(OsStr::from_bytes(suffix));
    name.into()
}

/// Returns the name of the decompressed file; `None` if the suffix is not known.
pub(super) fn decompressed(name: &Path, own: &[u8]) -> Option<PathBuf> {
    let name = name.as_os_str().as_bytes();
    let at = find(name, own, true)?;
    let mut plain = name[..at].to_vec();
    if matches!(&name[at..].to_ascii_lowercase()[..], b".tgz" | b".taz") {
        plain.extend_from_slice(b".tar");
    }
    Some(OsString::from_vec(plain).into())
}

/// Returns the names to try for a file that is named without its suffix, in order.
pub(super) fn candidates(name: &Path, own: &[u8]) -> impl Iterator<Item = PathBuf> {
    let suffixes = [own, b".gz", b".z", b"-z", b".Z", b"-gz", b"_z"];
    suffixes.map(|suffix| with_suffix(name, suffix)).into_iter()
}

/// Returns the name in a header, in the directory of `sibling`. Uses only its last component, so
/// that it can't lead anywhere else; `None` if that is unusable.
pub(super) fn from_header(name: &[u8], sibling: &Path) -> Option<PathBuf> {
    let last = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let usable = !matches!(last, b"" | b"." | b"..");
    usable.then(|| sibling.with_file_name(OsStr::from_bytes(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_in_any_case_are_removed_as_gzip_does() {
        for (name, plain) in [
            ("a.gz", Some("a")),
            ("a.GZ", Some("a")),
            ("a-gz", Some("a")),
            ("a-z", Some("a")),
            ("a_z", Some("a")),
            ("a.z", Some("a")),
            ("a.Z", Some("a")),
            ("d/a.tgz", Some("d/a.tar")),
            ("a.TAZ", Some("a.tar")),
            ("a.bgz", Some("a")),
            ("a.mine", Some("a")),
            ("a.gz.txt", None),
            (".gz", None),
            ("d/.gz", None),
            ("a_gz", None),
        ] {
            assert_eq!(decompressed(name.as_ref(), b".mine"), plain.map(PathBuf::from), "{name}");
        }
        assert_eq!(suffix("a.bgz".as_ref(), b".gz", false), None);
        assert_eq!(suffix("a.TGZ".as_ref(), b".gz", false), Some(".TGZ".into()));
    }

    #[test]
    fn names_in_headers_stay_in_the_directory() {
        let sibling = Path::new("d/x");
        assert_eq!(from_header(b"../../etc/passwd", sibling), Some("d/passwd".into()));
        for name in [&b""[..], b"..", b"a/", b"/", b"a/.."] {
            assert_eq!(from_header(name, sibling), None, "{name:?}");
        }
    }
}
