//! Normalises, quotes and unquotes names.

use std::fmt::Write;

/// Strips leading `./` and trailing `/` from a name.
pub(super) fn trimmed(mut name: &[u8]) -> &[u8] {
    while let Some(rest) = name.strip_prefix(b"./") {
        name = rest;
    }
    while let [rest @ .., b'/'] = name {
        name = rest;
    }
    if name == b"." { b"" } else { name }
}

/// Strips trailing slashes from a name; `/` alone keeps one.
pub(super) fn without_slash(name: &[u8]) -> &[u8] {
    match name {
        [rest @ .., b'/'] if !rest.is_empty() => without_slash(rest),
        name => name,
    }
}

/// Makes a name safe to store, as GNU tar does, if it is absolute or leads out of the directory:
/// cuts off everything up to the last `..`, and leading slashes of the rest.
pub(super) fn safe(name: &[u8]) -> &[u8] {
    let mut start = 0;
    let mut at = 0;
    for part in name.split(|byte| *byte == b'/') {
        at += part.len() + 1;
        if part == b".." {
            start = at.min(name.len());
        }
    }
    let rest = &name[start..];
    let slashes = rest.iter().take_while(|byte| **byte == b'/').count();
    match &rest[slashes..] {
        [] => b".",
        rest => rest,
    }
}

/// How names are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Quoting {
    /// Escapes control characters, backslashes and invalid UTF-8 with a backslash, as GNU tar does.
    #[default]
    Escape,
    /// Prints names unchanged.
    Literal,
}

/// Escapes a name for the terminal, see [`Quoting::Escape`].
pub(super) fn escaped(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    push_escaped(&mut text, name);
    text
}

/// Adds a name to a line.
pub(super) fn push_quoted(line: &mut Vec<u8>, name: &[u8], quoting: Quoting) {
    match quoting {
        Quoting::Escape if !name.iter().all(|byte| is_plain(*byte)) => {
            line.extend(escaped(name).as_bytes());
        }
        Quoting::Literal | Quoting::Escape => line.extend(name),
    }
}

/// Returns whether a byte of a name is always printed unchanged.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'\\'
}

fn push_escaped(text: &mut String, name: &[u8]) {
    for chunk in name.utf8_chunks() {
        let mut plain = 0;
        let valid = chunk.valid();
        for (i, c) in valid.char_indices().filter(|(_, c)| c.is_control() || *c == '\\') {
            text.push_str(&valid[plain..i]);
            plain = i + c.len_utf8();
            let letter = match c {
                '\\' => '\\',
                '\x07' => 'a',
                '\x08' => 'b',
                '\x0C' => 'f',
                '\n' => 'n',
                '\r' => 'r',
                '\t' => 't',
                '\x0B' => 'v',
                c => {
                    let mut bytes = [0; 4];
                    octal(text, c.encode_utf8(&mut bytes).as_bytes());
                    continue;
                }
            };
            text.extend(['\\', letter]);
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

/// Resolves the backslash sequences in a name, as in a file list. Other backslashes stay.
pub(super) fn unquoted(name: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        if *byte != b'\\' {
            text.push(*byte);
            continue;
        }
        let (meant, len) = match behind {
            [b'\\', ..] => (b'\\', 1),
            [b'a', ..] => (0x07, 1),
            [b'b', ..] => (0x08, 1),
            [b'f', ..] => (0x0C, 1),
            [b'n', ..] => (b'\n', 1),
            [b'r', ..] => (b'\r', 1),
            [b't', ..] => (b'\t', 1),
            [b'v', ..] => (0x0B, 1),
            [b'?', ..] => (0x7F, 1),
            [b'0'..=b'7', ..] => {
                let digits = behind.iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7'));
                let value = digits.clone().fold(0_u32, |n, digit| n * 8 + u32::from(digit - b'0'));
                (value as u8, digits.count())
            }
            _ => (b'\\', 0),
        };
        text.push(meant);
        rest = &behind[len..];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_in_names_are_escaped() {
        assert_eq!(escaped("grün.txt".as_bytes()), "grün.txt");
        assert_eq!(escaped(b"a\x1b[2Jb\n\\\xff"), "a\\033[2Jb\\n\\\\\\377");
    }

    #[test]
    fn escaped_names_are_unquoted_again() {
        for name in [&b"a\x1b\x07\r\n\\b\xff"[..], "grün".as_bytes(), b"\\q"] {
            assert_eq!(unquoted(escaped(name).as_bytes()), name);
        }
        assert_eq!(unquoted(b"a\\qb\\"), b"a\\qb\\");
    }

    #[test]
    fn names_never_lead_out() {
        for (name, rest) in [
            ("a/b", "a/b"),
            ("/a", "a"),
            ("//a/", "a/"),
            ("../a", "a"),
            ("a/../../b/c", "b/c"),
            ("..", "."),
            ("/", "."),
            ("a..b/...", "a..b/..."),
        ] {
            assert_eq!(safe(name.as_bytes()), rest.as_bytes(), "{name}");
        }
    }
}
