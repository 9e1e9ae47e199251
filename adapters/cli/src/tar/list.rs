//! Lists an archive.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde::Serialize;
use uadk_compress_archive::{Entry, EntryKind};

use super::extract::report_missing;
use super::job::{ListJob, ListOutput};
use super::long::Lines;
use super::members::{link_bytes, row};
use super::meter::Meter;
use super::names::without_slash;
use super::status::{Status, warn_about_index};
use super::transform::Scope;
use crate::error::Error;
use crate::streams;
use crate::streams::tell;

/// Runs the job.
pub(super) fn run(mut job: ListJob) -> Result<Status, Error> {
    let mut meter = Meter::for_reader(job.summary)?;
    let mut members = std::mem::take(&mut job.members);
    let archive = &job.archive;
    let failed = |error| archive.failed(error);
    let mut reader = members.reader(archive, &meter)?;
    let mut status = Status::default();
    let mut list = List {
        job: &job,
        lines: match job.output {
            ListOutput::Lines { style, .. } => Some(Lines::new(style)),
            ListOutput::Json => None,
        },
        printed: 0,
        bytes: 0,
        line: Vec::new(),
        out: BufWriter::with_capacity(1 << 16, streams::stdout()?),
    };
    let headers = matches!(job.output, ListOutput::Lines { headers: true, .. });
    list.begin()?;
    let mut is_indexed = false;
    if archive.is_seekable() {
        is_indexed = reader.load_stored_index().map_err(failed)?;
        warn_about_index(&reader);
    }
    // Without an index, everything before damaged data is listed.
    if headers || members.ignore_zeros || !is_indexed {
        while let Some(entry) = reader.next_entry().map_err(failed)? {
            if members.folder(entry.entry(), Path::new("")).is_some() {
                list.print(entry.entry())?;
            }
        }
    } else {
        for entry in reader.index().map_err(failed)?.entries() {
            if members.folder(entry, Path::new("")).is_some() {
                list.print(entry)?;
            }
        }
    }
    list.end()?;
    let bytes = list.bytes;
    status.warn_about_archive(archive, &mut reader);
    report_missing(&members, &mut status);
    meter.count(&reader);
    match meter.json() {
        Some(json) if matches!(job.output, ListOutput::Json) => tell!("{json}"),
        _ => meter.print("read", bytes, members.whole(archive)),
    }
    // The program ends: the system frees memory faster than dropping every entry.
    std::mem::forget(reader);
    Ok(status)
}

struct List<'a> {
    job: &'a ListJob,
    /// `None` for JSON.
    lines: Option<Lines>,
    printed: u64,
    bytes: u64,
    line: Vec<u8>,
    out: BufWriter<File>,
}

#[derive(Serialize)]
struct JsonRow<'a> {
    /// Bytes that are not UTF-8 are replaced by U+FFFD.
    path: Cow<'a, str>,
    /// The exact name, if `path` is not exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_percent: Option<String>,
    kind: &'static str,
    size: u64,
    mode: u32,
    mtime: i64,
    uid: u64,
    gid: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link_percent: Option<String>,
    tar_offset: u64,
    block_offset: Option<u64>,
}

impl List<'_> {
    fn begin(&mut self) -> Result<(), Error> {
        if self.lines.is_none() {
            self.out.write_all(b"[")?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Error> {
        if self.lines.is_none() {
            self.out.write_all(b"\n]\n")?;
        }
        Ok(self.out.flush()?)
    }

    fn print(&mut self, entry: &Entry) -> Result<(), Error> {
        self.bytes += entry.size();
        let Some(lines) = &mut self.lines else { return self.print_json(entry) };
        let name = entry.path_bytes();
        self.line.clear();
        let transform = &self.job.transform;
        if self.job.show_transformed && !transform.is_none() {
            let mut name = transform.member(without_slash(name), Scope::Member);
            if entry.kind() == EntryKind::Directory {
                name.push(b'/');
            }
            let scope = Scope::for_target(entry.kind());
            let link = link_bytes(entry).map(|link| transform.member(link, scope));
            lines.push(&mut self.line, &row(entry, &name, link.as_deref()));
        } else {
            lines.push(&mut self.line, &row(entry, name, link_bytes(entry)));
        }
        Ok(self.out.write_all(&self.line)?)
    }

    fn print_json(&mut self, entry: &Entry) -> Result<(), Error> {
        self.out.write_all(if self.printed == 0 { b"\n" } else { b",\n" })?;
        self.printed += 1;
        let link = link_bytes(entry);
        let row = JsonRow {
            path: String::from_utf8_lossy(entry.path_bytes()),
            path_percent: percent(entry.path_bytes()),
            kind: entry.kind().name(),
            size: entry.size(),
            mode: entry.mode(),
            mtime: entry.mtime(),
            uid: entry.uid(),
            gid: entry.gid(),
            link: link.map(String::from_utf8_lossy),
            link_percent: link.and_then(percent),
            tar_offset: entry.tar_offset(),
            block_offset: entry.block_offset(),
        };
        serde_json::to_writer(&mut self.out, &row).map_err(|error| Error::Output(error.into()))
    }
}

/// Percent-encodes a name that is not UTF-8; `None` if it is.
fn percent(name: &[u8]) -> Option<String> {
    if str::from_utf8(name).is_ok() {
        return None;
    }
    let mut text = String::with_capacity(name.len() * 2);
    for byte in name {
        match byte {
            b'%' | 0..=0x1F | 0x7F.. => drop(write!(text, "%{byte:02X}")),
            byte => text.push(char::from(*byte)),
        }
    }
    Some(text)
}
