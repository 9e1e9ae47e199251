//! Names of compressed and decompressed files.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// What compressed files end in, as gzip knows it.
const KNOWN: [&[u8]; 7] = [b".gz", b".z", b".taz", b".tgz", b"-gz", b"-z", b"_z"];
/// What bgzip's files may end in, too.
const BLOCKS: &[u8] = b".bgz";

/// Where the suffix of a compressed file begins in its name, in whatever case it is written.
fn find(name: &[u8], own: &[u8], decompress: bool) -> Option<usize> {
    let lower = name.to_ascii_lowercase();
    let own = own.to_ascii_lowercase();
    let blocks: &[&[u8]] = if decompress { &[BLOCKS] } else { &[] };
    let mut all = std::iter::once(&own[..]).chain(KNOWN).chain(blocks.iter().copied());
    all.find_map(|suffix| {
        let at = lower.len().checked_sub(suffix.len())?;
        // A name that is nothing else has none.
        let before = *lower.get(at.checked_sub(1)?)?;
        (before != b'/' && lower.ends_with(suffix)).then_some(at)
    })
}

/// The suffix of a compressed file's name.
pub(super) fn suffix(name: &Path, own: &[u8], decompress: bool) -> Option<OsString> {
    let name = name.as_os_str().as_bytes();
    find(name, own, decompress).map(|at| OsStr::from_bytes(&name[at..]).to_owned())
}

/// The name with a suffix.
pub(super) fn with_suffix(name: &Path, suffix: &[u8]) -> PathBuf {
    let mut name = name.as_os_str().to_owned();
    name.push(OsStr::from_bytes(suffix));
    name.into()
}

/// The name of what a compressed file holds, by its suffix; `None` if that is none.
pub(super) fn decompressed(name: &Path, own: &[u8]) -> Option<PathBuf> {
    let name = name.as_os_str().as_bytes();
    let at = find(name, own, true)?;
    let mut plain = name[..at].to_vec();
    if matches!(&name[at..].to_ascii_lowercase()[..], b".tgz" | b".taz") {
        plain.extend_from_slice(b".tar");
    }
    Some(OsString::from_vec(plain).into())
}

/// What a file may be called that is asked for without its suffix, in the order of the search.
pub(super) fn candidates(name: &Path, own: &[u8]) -> impl Iterator<Item = PathBuf> {
    let suffixes = [own, b".gz", b".z", b"-z", b".Z", b"-gz", b"_z"];
    suffixes.map(|suffix| with_suffix(name, suffix)).into_iter()
}

/// The name that a header says, in the folder of another: its last part only, so that it leads
/// nowhere else. `None` if nothing is left of it.
pub(super) fn from_header(name: &[u8], beside: &Path) -> Option<PathBuf> {
    let last = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let usable = !matches!(last, b"" | b"." | b"..");
    usable.then(|| beside.with_file_name(OsStr::from_bytes(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_in_any_case_become_what_gzip_makes_of_them() {
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
    fn a_header_leads_to_no_other_folder() {
        let beside = Path::new("d/x");
        assert_eq!(from_header(b"../../etc/passwd", beside), Some("d/passwd".into()));
        for name in [&b""[..], b"..", b"a/", b"/", b"a/.."] {
            assert_eq!(from_header(name, beside), None, "{name:?}");
        }
    }
}
