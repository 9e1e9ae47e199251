//! Hard links that can't be extracted.

use std::collections::HashSet;

use crate::entry::trimmed;
use crate::{Entry, EntryKind, Warning};

/// Returns warnings about hard links to themselves, and to names that no earlier entry has.
pub(crate) fn check(entries: &[Entry]) -> Vec<Warning> {
    let mut names = HashSet::new();
    let mut warnings = Vec::new();
    // Names are only collected if there are hard links.
    let last = entries.iter().rposition(|entry| entry.kind == EntryKind::HardLink);
    for entry in &entries[..last.map_or(0, |last| last + 1)] {
        let path = relative(&entry.path);
        if entry.kind == EntryKind::HardLink {
            let target = relative(&entry.link);
            let warning = |what: String| Warning::new(&entry.path, entry.start, what);
            if !names.contains(target) {
                let target = String::from_utf8_lossy(&entry.link).into_owned();
                warnings.push(warning(if path == relative(&entry.link) {
                    "hard link to itself, and no earlier entry has its contents".into()
                } else {
                    format!("hard link to {target}, which does not precede it in the archive")
                }));
            } else if path == target {
                warnings.push(warning("hard link to itself".into()));
            }
        }
        names.insert(path);
    }
    warnings
}

/// Returns the name that extraction uses, without leading `/`.
fn relative(path: &[u8]) -> &[u8] {
    let first = path.iter().position(|byte| *byte != b'/').unwrap_or(path.len());
    trimmed(&path[first..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: EntryKind, path: &str, link: &str) -> Entry {
        Entry {
            path: path.as_bytes().into(),
            link: link.as_bytes().into(),
            kind,
            size: 0,
            mode: 0o644,
            mtime: 0,
            uid: 0,
            gid: 0,
            start: 512,
            tar_len: 512,
            header_len: 512,
            checksum: 0,
            place: None,
            details: None,
        }
    }

    #[test]
    fn links_need_an_earlier_target() {
        let entries = [
            entry(EntryKind::File, "./d/file", ""),
            entry(EntryKind::HardLink, "good", "d/file"),
            entry(EntryKind::HardLink, "absolute", "/d/file"),
            entry(EntryKind::HardLink, "chained", "good"),
            entry(EntryKind::HardLink, "good", "./good"),
            entry(EntryKind::HardLink, "alone", "alone"),
            entry(EntryKind::HardLink, "early", "late"),
            entry(EntryKind::File, "late", ""),
            entry(EntryKind::Symlink, "symlink", "nowhere"),
        ];
        let warnings = check(&entries);
        let names: Vec<_> = warnings.iter().map(Warning::name_bytes).collect();
        assert_eq!(names, [&b"good"[..], b"alone", b"early"]);
        assert!(warnings.iter().all(|warning| !warning.is_notice()));
    }
}
