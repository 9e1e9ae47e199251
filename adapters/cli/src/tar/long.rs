//! Formats lines about entries like GNU tar.

use std::fmt::Write;

use uadk_compress_archive::EntryKind;

use super::names::{Quoting, push_quoted};
use super::times::{self, Format, Time};

/// The entry that a line describes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) name: &'a [u8],
    pub(super) kind: EntryKind,
    pub(super) mode: u32,
    pub(super) size: u64,
    pub(super) mtime: Time,
    pub(super) uid: u64,
    pub(super) gid: u64,
    /// Empty if unknown.
    pub(super) user: &'a [u8],
    pub(super) group: &'a [u8],
    pub(super) device: Option<(u32, u32)>,
    pub(super) link: Option<&'a [u8]>,
}

/// How lines are formatted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// With permissions, owner, size and time.
    pub(super) long: bool,
    pub(super) numeric_owner: bool,
    pub(super) times: Format,
    pub(super) quoting: Quoting,
}

/// Formats lines whose columns grow as needed and never shrink.
#[derive(Debug)]
pub(super) struct Lines {
    style: Style,
    owner_and_size: usize,
    time: usize,
    text: String,
}

impl Lines {
    pub(super) const fn new(style: Style) -> Self {
        Self { style, owner_and_size: 19, time: 16, text: String::new() }
    }

    /// Appends a line, including the newline.
    pub(super) fn push(&mut self, out: &mut Vec<u8>, row: &Row<'_>) {
        let style = self.style;
        if style.long {
            self.push_properties(out, row);
        }
        push_quoted(out, row.name, style.quoting);
        if row.kind == EntryKind::Directory && !row.name.ends_with(b"/") {
            out.push(b'/');
        }
        if style.long
            && let Some(link) = row.link
        {
            let hard = row.kind == EntryKind::HardLink;
            out.extend(if hard { &b" link to "[..] } else { b" -> " });
            push_quoted(out, link, style.quoting);
        }
        out.push(b'\n');
    }

    fn push_properties(&mut self, out: &mut Vec<u8>, row: &Row<'_>) {
        let numeric = self.style.numeric_owner;
        let name = |name: &[u8], number: u64| {
            if numeric || name.is_empty() {
                number.to_string()
            } else {
                String::from_utf8_lossy(name).into_owned()
            }
        };
        let owner = format!("{}/{}", name(row.user, row.uid), name(row.group, row.gid));
        let size = match row.device {
            Some((major, minor)) => format!("{major},{minor}"),
            None => row.size.to_string(),
        };
        let needed = owner.chars().count() + 1 + size.len();
        self.owner_and_size = self.owner_and_size.max(needed);
        let pad = self.owner_and_size - needed;
        self.text.clear();
        times::push(&mut self.text, row.mtime, self.style.times);
        self.time = self.time.max(self.text.len());
        let mut line = String::new();
        // Writing to a string can't fail.
        let _ = write!(
            line,
            "{}{} {owner} {}{size} {:<width$} ",
            letter(row.kind),
            permissions(row.mode),
            " ".repeat(pad),
            self.text,
            width = self.time,
        );
        out.extend(line.as_bytes());
    }
}

const fn letter(kind: EntryKind) -> char {
    match kind {
        EntryKind::File => '-',
        EntryKind::HardLink => 'h',
        EntryKind::Symlink => 'l',
        EntryKind::CharDevice => 'c',
        EntryKind::BlockDevice => 'b',
        EntryKind::Directory => 'd',
        EntryKind::Fifo => 'p',
        _ => '?',
    }
}

/// Formats permissions such as `rwxr-xr-x`, with `s` and `t` for the special bits.
fn permissions(mode: u32) -> String {
    let bits = (0..9).map(|i| if mode >> (8 - i) & 1 == 1 { b"rwx"[i % 3] } else { b'-' });
    let mut bits: Vec<u8> = bits.collect();
    for (bit, index, letter) in [(0o4000, 2, b's'), (0o2000, 5, b's'), (0o1000, 8, b't')] {
        if mode & bit != 0 {
            let executable = bits[index] == b'x';
            bits[index] = if executable { letter } else { letter.to_ascii_uppercase() };
        }
    }
    String::from_utf8_lossy(&bits).into_owned()
}
