//! Translates shell patterns to regular expressions.

use std::fmt::Write;

use regex::bytes::{Regex, RegexBuilder};

/// How a pattern is matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::struct_excessive_bools)] // Options of the command line, one each.
pub(crate) struct Flags {
    /// `*`, `?` and `[` are wildcards.
    pub(crate) wildcards: bool,
    /// The pattern matches only from the start of a name, not after any `/`.
    pub(crate) anchored: bool,
    pub(crate) ignore_case: bool,
    /// Wildcards match `/`, too.
    pub(crate) match_slash: bool,
    /// A pattern that matches a directory matches everything in it.
    pub(crate) with_contents: bool,
}

impl Flags {
    /// The defaults for `--exclude`.
    pub(crate) const EXCLUDE: Self = Self {
        wildcards: true,
        anchored: false,
        ignore_case: false,
        match_slash: true,
        with_contents: true,
    };
    /// The defaults for member names.
    pub(crate) const INCLUDE: Self = Self { wildcards: false, anchored: true, ..Self::EXCLUDE };
}

/// Returns whether the pattern has unescaped wildcards.
pub(super) fn has_wildcards(pattern: &[u8]) -> bool {
    let mut bytes = pattern.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'*' | b'?' | b'[' => return true,
            _ => {}
        }
    }
    false
}

/// Removes the backslashes from a pattern without wildcards.
pub(super) fn unescaped(pattern: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(pattern.len());
    let mut bytes = pattern.iter().copied();
    while let Some(byte) = bytes.next() {
        text.push(if byte == b'\\' { bytes.next().unwrap_or(byte) } else { byte });
    }
    text
}

/// Compiles an expression that matches whole names; `None` if the pattern can't match anything.
pub(super) fn compile(pattern: &[u8], flags: Flags) -> Option<Regex> {
    let mut text = String::from(if flags.anchored { r"\A" } else { r"\A(?:.*/)?" });
    if flags.wildcards {
        translate(&mut text, pattern, flags)?;
    } else {
        for byte in pattern {
            literal(&mut text, *byte);
        }
    }
    text.push_str(if flags.with_contents { r"(?:/.*)?\z" } else { r"\z" });
    let mut builder = RegexBuilder::new(&text);
    builder.unicode(false).dot_matches_new_line(true).case_insensitive(flags.ignore_case);
    builder.build().ok()
}

/// One character: a byte that is not UTF-8 counts as one.
const CHARACTER: &str = r"(?:(?u:.)|[\x80-\xFF])";
/// The same without `/`.
const NO_SLASH: &str = r"(?:(?u:[^/])|[\x80-\xFF])";

fn translate(text: &mut String, pattern: &[u8], flags: Flags) -> Option<()> {
    let mut rest = pattern;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b'*' => text.push_str(if flags.match_slash { ".*" } else { "[^/]*" }),
            b'?' => text.push_str(if flags.match_slash { CHARACTER } else { NO_SLASH }),
            b'[' => match class(behind, true) {
                Some((class, len)) => {
                    let slash = if flags.match_slash { "" } else { "&&[^/]" };
                    let _ = write!(text, "(?u:[{class}{slash}])");
                    rest = &behind[len..];
                }
                None => literal(text, b'['),
            },
            // A lone backslash at the end matches nothing.
            b'\\' => {
                let (byte, behind) = behind.split_first()?;
                literal(text, *byte);
                rest = behind;
            }
            byte => literal(text, *byte),
        }
    }
    Some(())
}

/// Adds a byte that stands for itself. With Unicode off, it matches a single byte.
pub(in crate::tar) fn literal(text: &mut String, byte: u8) {
    let c = char::from(byte);
    if c.is_ascii_alphanumeric() || c == '/' || c == '_' {
        text.push(c);
    } else {
        let _ = write!(text, "\\x{byte:02X}");
    }
}

/// Translates a class, and returns its length including the closing bracket; `None` if it is not
/// closed, so that the bracket stands for itself. In shell patterns, unlike in regular expressions,
/// `!` negates too, and a backslash escapes the next character.
pub(in crate::tar) fn class(rest: &[u8], shell: bool) -> Option<(String, usize)> {
    let negated = rest.first().is_some_and(|byte| *byte == b'^' || shell && *byte == b'!');
    let mut text = String::from(if negated { "[^" } else { "[" });
    let mut at = usize::from(negated);
    let first = at;
    loop {
        match rest.get(at..).filter(|rest| !rest.is_empty())? {
            [b']', ..] if at > first => {
                text.push(']');
                return Some((text, at + 1));
            }
            [b'[', b':', name @ ..] => {
                let len = name.windows(2).position(|two| two == b":]")?;
                match &name[..len] {
                    b"alpha" => text.push_str(r"\p{Alphabetic}"),
                    b"upper" => text.push_str(r"\p{Uppercase}"),
                    b"lower" => text.push_str(r"\p{Lowercase}"),
                    b"alnum" => text.push_str(r"\p{Alphabetic}\p{Nd}"),
                    name => drop(write!(text, "[:{}:]", String::from_utf8_lossy(name))),
                }
                at += len + 4;
            }
            [b'-', b']', ..] => {
                text.push_str(r"\-");
                at += 1;
            }
            [b'-', ..] if at > first => {
                text.push('-');
                at += 1;
            }
            [b'\\', _, ..] if shell => at += 1 + member(&mut text, &rest[at + 1..]),
            behind => at += member(&mut text, behind),
        }
    }
}

/// Adds one member of a class; returns its length.
fn member(text: &mut String, rest: &[u8]) -> usize {
    let first = rest.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
    // Bytes that are not UTF-8 are not characters and can't be in a class.
    let Some(c) = first else { return rest.len().min(1) };
    if c.is_alphanumeric() {
        text.push(c);
    } else {
        let _ = write!(text, "\\x{{{:X}}}", u32::from(c));
    }
    c.len_utf8()
}
