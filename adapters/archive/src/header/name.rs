//! Names in headers.

/// Bytes that a header has for a name, and for the folders before it.
pub(super) const LEN: usize = 100;
pub(super) const PREFIX_LEN: usize = 155;

/// The two parts of a header's name, without the slash between them; `None` if it has no room for it.
pub(super) fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    if path.len() <= LEN {
        return Some((b"", path));
    }
    // The slash behind a folder ends its name; it does not begin an empty one.
    let end = path.len() - 1;
    let at = path[..end.min(PREFIX_LEN + 1)].iter().rposition(|byte| *byte == b'/')?;
    let (prefix, name) = (&path[..at], &path[at + 1..]);
    (!prefix.is_empty() && name.len() <= LEN).then_some((prefix, name))
}

/// What a header has of a name that it has no room for. Not that of a folder, for which some take it.
pub(super) fn beginning(path: &[u8]) -> &[u8] {
    let mut name = &path[..path.len().min(LEN)];
    while let Some(shorter) = name.strip_suffix(b"/") {
        name = shorter;
    }
    name
}

/// The name in a folder `folder` beside it, as GNU tar makes it.
pub(super) fn beside(path: &[u8], folder: &[u8]) -> Vec<u8> {
    let (parent, name) = parent_and_name(path);
    [parent, b"/", folder, b"/", name].concat()
}

/// The folder that it is in, and its name there.
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
    fn names_are_split_at_the_last_slash_that_does() {
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
    fn a_folder_is_put_between_a_name_and_where_it_is() {
        assert_eq!(beside(b"dir/file", b"x"), b"dir/x/file");
        assert_eq!(beside(b"file", b"x"), b"./x/file");
        assert_eq!(beside(b"a/b/", b"x"), b"a/x/b");
    }
}
