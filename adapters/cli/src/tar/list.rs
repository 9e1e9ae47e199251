//! `tar list`.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{BufWriter, Write};

use serde::Serialize;
use uadk_compress_archive::{Entry, EntryKind};

use super::archive::Archive;
use super::names::{Wanted, push_escaped};
use crate::error::Error;
use crate::streams;

/// Lists an archive: at once where it has an index
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    archive: Archive,
    /// Entries to list, folders with all that is in them; all if none is given
    #[arg(value_name = "NAME")]
    names: Vec<OsString>,
    /// Permissions, owner, size, time (UTC) and the targets of links too
    #[arg(short, long)]
    verbose: bool,
    /// Print JSON, for machines
    #[arg(long)]
    json: bool,
}

/// Runs `tar list`.
pub(super) fn run(arguments: &Arguments) -> Result<(), Error> {
    let archive = &arguments.archive;
    let mut reader = archive.reader()?;
    let mut list = List {
        wanted: Wanted::new(&arguments.names),
        verbose: arguments.verbose,
        json: arguments.json,
        printed: 0,
        line: String::new(),
        out: BufWriter::with_capacity(1 << 16, streams::stdout()?),
    };
    list.begin()?;
    if archive.is_seekable() {
        let index = reader.index().map_err(|error| archive.failed(error))?;
        for entry in index.entries() {
            list.print(entry)?;
        }
    } else {
        while let Some(entry) = reader.next_entry().map_err(|error| archive.failed(error))? {
            list.print(entry.entry())?;
        }
    }
    list.end()?;
    match list.wanted.tell_missing() {
        0 => Ok(()),
        count => Err(Error::Some { count }),
    }
}

struct List<W: Write> {
    wanted: Wanted,
    verbose: bool,
    json: bool,
    printed: u64,
    line: String,
    out: BufWriter<W>,
}

#[derive(Serialize)]
struct Row<'a> {
    /// With U+FFFD where it is no UTF-8.
    path: std::borrow::Cow<'a, str>,
    kind: &'static str,
    size: u64,
    mode: u32,
    mtime: i64,
    uid: u64,
    gid: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<std::borrow::Cow<'a, str>>,
    tar_offset: u64,
    block_offset: Option<u64>,
}

impl<W: Write> List<W> {
    fn begin(&mut self) -> Result<(), Error> {
        if self.json {
            self.out.write_all(b"[")?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Error> {
        if self.json {
            self.out.write_all(b"\n]\n")?;
        }
        Ok(self.out.flush()?)
    }

    fn print(&mut self, entry: &Entry) -> Result<(), Error> {
        if !self.wanted.is_all() && !self.wanted.includes(entry.path_bytes()) {
            return Ok(());
        }
        if self.json {
            self.out.write_all(if self.printed == 0 { b"\n" } else { b",\n" })?;
            self.printed += 1;
            let row = Row {
                path: entry.path().to_string_lossy(),
                kind: entry.kind().name(),
                size: entry.size(),
                mode: entry.mode(),
                mtime: entry.mtime(),
                uid: entry.uid(),
                gid: entry.gid(),
                link: entry.link().map(|link| link.to_string_lossy()),
                tar_offset: entry.tar_offset(),
                block_offset: entry.block_offset(),
            };
            return serde_json::to_writer(&mut self.out, &row)
                .map_err(|error| Error::Output(error.into()));
        }
        self.line.clear();
        if self.verbose {
            let (kind, mode) = (entry.kind(), permissions(entry));
            let owner = format!("{}/{}", entry.uid(), entry.gid());
            // Writing to a string can't fail.
            let _ = write!(self.line, "{}{mode} {owner} ", letter(kind));
            let _ =
                write!(self.line, "{:>1$} ", entry.size(), 18_usize.saturating_sub(owner.len()));
            time(&mut self.line, entry.mtime());
            self.line.push(' ');
        }
        push_escaped(&mut self.line, entry.path_bytes());
        if entry.kind() == EntryKind::Directory && !self.line.ends_with('/') {
            self.line.push('/');
        }
        if self.verbose
            && let Some(link) = entry.link()
        {
            let hard = entry.kind() == EntryKind::HardLink;
            self.line.push_str(if hard { " link to " } else { " -> " });
            push_escaped(&mut self.line, link.as_os_str().as_encoded_bytes());
        }
        self.line.push('\n');
        Ok(self.out.write_all(self.line.as_bytes())?)
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

/// `rwxr-xr-x`, with `s` and `t` where those bits are set.
fn permissions(entry: &Entry) -> String {
    let mode = entry.mode();
    let bits = (0..9).map(|i| if mode >> (8 - i) & 1 == 1 { b"rwx"[i % 3] } else { b'-' });
    let mut bits: Vec<u8> = bits.collect();
    for (bit, place, letter) in [(0o4000, 2, b's'), (0o2000, 5, b's'), (0o1000, 8, b't')] {
        if mode & bit != 0 {
            let executable = bits[place] == b'x';
            bits[place] = if executable { letter } else { letter.to_ascii_uppercase() };
        }
    }
    String::from_utf8_lossy(&bits).into_owned()
}

/// Adds "2026-11-24 06:33", in UTC.
fn time(line: &mut String, seconds: i64) {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date(days);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    let _ = write!(line, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}");
}

/// Year, month and day of a day since 1970 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
const fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00"),
            (951_782_400, "2000-02-29 00:00"),
            (1_700_000_000, "2023-11-14 22:13"),
            (-1, "1969-12-31 23:59"),
        ] {
            let mut line = String::new();
            time(&mut line, seconds);
            assert_eq!(line, text);
        }
    }
}
