//! Names in headers.

/// Lengths of the header fields for a name, and for its prefix.
pub(super) const LEN: usize = 100;
pub(super) const PREFIX_LEN: usize = 155;

/// Splits a path into prefix and name, without the slash between them. Returns `None` if it does
/// not fit into a header.
pub(super) fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    if path.len() <= LEN {
        return Some((b"", path));
    }
    // A trailing slash belongs to the name of a directory; it does not begin an empty name.
    let end = path.len() - 1;
    let at = path[..end.min(PREFIX_LEN + 1)].iter().rposition(|byte| *byte == b'/')?;
    let (prefix, name) = (&path[..at], &path[at + 1..]);
    (!prefix.is_empty() && name.len() <= LEN).then_some((prefix, name))
}

/// Truncates a name that does not fit into a header. Trailing slashes are removed, because some
/// readers would take it for a directory.
pub(super) fn truncated(path: &[u8]) -> &[u8] {
    let mut name = &path[..path.len().min(LEN)];
    while let Some(shorter) = name.strip_suffix(b"/") {
        name = shorter;
    }
    name
}

/// Moves a name into a subdirectory `folder` of its parent, as GNU tar does.
pub(super) fn in_subdirectory(path: &[u8], folder: &[u8]) -> Vec<u8> {
    let (parent, name) = parent_and_name(path);
    [parent, b"/", folder, b"/", name].concat()
}

/// Splits a path into its parent directory and its name in it.
fn parent_and_name(path: &[u8]) -> (&[u8], &[u8]) {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b".", path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_at_the_last_possible_slash() {
        let (p, n) = ("p".repeat(90), "n".repeat(90));
        let path = format!("a/{p}/{n}");
        assert_eq!(split(path.as_bytes()), Some((&path.as_bytes()[..92], n.as_bytes())));
        let folder = format!("{path}/");
        assert_eq!(split(folder.as_bytes()).map(|(_, name)| name.len()), Some(91));
        assert_eq!(split(&[b'x'; 100]), Some((&b""[..], &[b'x'; 100][..])));
        for none in ["x".repeat(101), format!("a/{}", "x".repeat(101)), format!("{p}/").repeat(3)] {
            assert_eq!(split(none.as_bytes()), None, "{none}");
        }
        let longest = format!("{}/{}", "p".repeat(155), "n".repeat(100));
        assert!(split(longest.as_bytes()).is_some());
        assert!(split(format!("p{longest}").as_bytes()).is_none());
    }

    #[test]
    fn names_are_moved_into_a_subdirectory() {
        assert_eq!(in_subdirectory(b"dir/file", b"x"), b"dir/x/file");
        assert_eq!(in_subdirectory(b"file", b"x"), b"./x/file");
        assert_eq!(in_subdirectory(b"a/b/", b"x"), b"a/x/b");
    }
}
