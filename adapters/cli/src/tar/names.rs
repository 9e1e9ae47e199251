//! Names of entries that the user gave, and how names are printed.

use std::ffi::OsString;
use std::fmt::Write;

/// Names of entries; a folder's stands for all that is in it.
#[derive(Debug)]
pub(super) struct Wanted {
    names: Vec<(Vec<u8>, bool)>,
}

impl Wanted {
    pub(super) fn new(names: &[OsString]) -> Self {
        let names = names.iter().map(|name| (trimmed(name.as_encoded_bytes()).to_vec(), false));
        Self { names: names.collect() }
    }

    /// Whether all entries are.
    pub(super) fn is_all(&self) -> bool {
        self.names.is_empty()
    }

    pub(super) fn includes(&mut self, name: &[u8]) -> bool {
        let name = trimmed(name);
        let mut included = self.names.is_empty();
        for (wanted, found) in &mut self.names {
            let fits = match name.strip_prefix(wanted.as_slice()) {
                Some([] | [b'/', ..]) => true,
                Some(_) => wanted.is_empty(),
                None => false,
            };
            *found |= fits;
            included |= fits;
        }
        included
    }

    /// Tells of names that nothing fitted; gives their number.
    pub(super) fn tell_missing(&self) -> u64 {
        let missing = self.names.iter().filter(|(_, found)| !found);
        for (name, _) in missing.clone() {
            eprintln!("uadk-compress: {}: not found in the archive", escaped(name));
        }
        missing.count() as u64
    }
}

/// A name without `./` before it and `/` behind it.
pub(super) fn trimmed(mut name: &[u8]) -> &[u8] {
    while let Some(rest) = name.strip_prefix(b"./") {
        name = rest;
    }
    while let [rest @ .., b'/'] = name {
        name = rest;
    }
    if name == b"." { b"" } else { name }
}

/// A name for the terminal: control characters, backslashes and what is no UTF-8 as GNU tar writes
/// them.
pub(super) fn escaped(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    push_escaped(&mut text, name);
    text
}

/// Adds the name to `text`, as [`escaped`] gives it.
pub(super) fn push_escaped(text: &mut String, name: &[u8]) {
    for chunk in name.utf8_chunks() {
        let mut plain = 0;
        let valid = chunk.valid();
        for (i, c) in valid.char_indices().filter(|(_, c)| c.is_control() || *c == '\\') {
            text.push_str(&valid[plain..i]);
            plain = i + c.len_utf8();
            match c {
                '\\' => text.push_str("\\\\"),
                '\n' => text.push_str("\\n"),
                '\t' => text.push_str("\\t"),
                c => {
                    let mut bytes = [0; 4];
                    octal(text, c.encode_utf8(&mut bytes).as_bytes());
                }
            }
        }
        text.push_str(&valid[plain..]);
        octal(text, chunk.invalid());
    }
}

fn octal(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a string can't fail.
        let _ = write!(text, "\\{byte:03o}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stands_for_what_is_in_it() {
        let mut wanted = Wanted::new(&["./a/b/".into(), "c".into()]);
        for name in ["a/b", "a/b/", "./a/b/c", "c"] {
            assert!(wanted.includes(name.as_bytes()), "{name}");
        }
        for name in ["a", "a/bc", "cc"] {
            assert!(!wanted.includes(name.as_bytes()), "{name}");
        }
        assert_eq!(wanted.tell_missing(), 0);
        assert!(Wanted::new(&[".".into()]).includes(b"anything"));
    }

    #[test]
    fn terminals_are_not_written_to_by_names() {
        assert_eq!(escaped("grün.txt".as_bytes()), "grün.txt");
        assert_eq!(escaped(b"a\x1b[2Jb\n\\\xff"), "a\\033[2Jb\\n\\\\\\377");
    }
}
