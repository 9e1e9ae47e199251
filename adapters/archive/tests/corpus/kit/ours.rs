//! Extracting and reading archives with our library.

use std::io::{Cursor, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use uadk_compress_archive::{
    ArchiveOptions, ArchiveReader, EntryKind, ExtractOptions, Extracted, Extractor,
};

/// Entries can have huge holes: at most this much of one is read.
const MAX_READ: u64 = 1 << 20;

/// What a command would have reported while it extracted, and the entries that it saw.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) complaints: Vec<String>,
    pub(crate) notices: Vec<String>,
    /// Complaints about headers, with the offsets of the headers in the tar.
    pub(crate) dropped: Vec<(usize, String)>,
    pub(crate) members: Vec<Member>,
}

/// An entry of the archive.
#[derive(Debug)]
pub(crate) struct Member {
    /// The path on disk.
    pub(crate) path: Vec<u8>,
    /// The target of a hard link.
    pub(crate) target: Option<Vec<u8>>,
    /// The range of its bytes in the tar.
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Compresses a tar with gzip.
pub(crate) fn gzip(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(tar).expect("writes to memory");
    encoder.finish().expect("writes to memory")
}

fn reader(gz: &[u8]) -> uadk_compress_archive::Result<ArchiveReader<Cursor<&[u8]>>> {
    ArchiveOptions::new().threads(1).reader(Cursor::new(gz))
}

/// Extracts as a command does: reports what can't be extracted, and continues.
pub(crate) fn extract(gz: &[u8], folder: &Path) -> Outcome {
    let mut outcome = Outcome::default();
    if let Err(error) = extract_into(gz, folder, &mut outcome) {
        outcome.complaints.push(chain(&error));
    }
    let starts = outcome.members.iter().skip(1).map(|member| member.start);
    let ends: Vec<_> = starts.chain([usize::MAX]).collect();
    outcome.members.iter_mut().zip(ends).for_each(|(member, end)| member.end = end);
    outcome
}

fn extract_into(
    gz: &[u8],
    folder: &Path,
    outcome: &mut Outcome,
) -> uadk_compress_archive::Result<()> {
    let mut archive = reader(gz)?;
    let mut extractor = Extractor::new(folder, ExtractOptions::new())?;
    let Outcome { complaints, notices, dropped, members } = outcome;
    let walked = loop {
        match archive.next_entry() {
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
            Ok(Some(mut entry)) => {
                let about = entry.entry();
                let start = usize::try_from(about.tar_offset()).expect("it fits into memory");
                let path = on_disk(about.path_bytes());
                let link = about.link().filter(|_| about.kind() == EntryKind::HardLink);
                let target = link.map(|link| on_disk(link.as_os_str().as_encoded_bytes()));
                members.push(Member { path, target, start, end: start });
                match extractor.extract(&mut entry) {
                    Ok(Extracted::Skipped(reason)) => {
                        complaints.push(format!("{}: {reason}", entry.entry().path().display()));
                    }
                    Ok(_) => {}
                    Err(error) => complaints.push(chain(&error)),
                }
            }
        }
    };
    for warning in archive.take_warnings().into_iter().chain(extractor.take_warnings()) {
        if warning.is_notice() {
            notices.push(warning.to_string());
        } else {
            complaints.push(warning.to_string());
            let at = usize::try_from(warning.offset()).expect("it fits into memory");
            dropped.push((at, warning.to_string()));
        }
    }
    extractor.finish()?;
    walked
}

/// Returns a name without empty and `.` components.
pub(crate) fn on_disk(path: &[u8]) -> Vec<u8> {
    let parts = path.split(|byte| *byte == b'/').filter(|part| !matches!(part, [] | [b'.']));
    parts.collect::<Vec<_>>().join(&b'/')
}

/// An entry as shown by listing and reading.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    path: Vec<u8>,
    link: Option<Vec<u8>>,
    kind: EntryKind,
    size: u64,
    mode: u32,
    mtime: i64,
    contents: Option<Vec<u8>>,
}

/// Reads in order, verifies, and reads by index. Fails if the results do not agree.
pub(crate) fn check_reading(gz: &[u8]) -> Result<(), String> {
    let in_order = read_in_order(gz);
    let mut archive = reader(gz).map_err(|error| chain(&error))?;
    match (archive.verify(), &in_order) {
        (Ok(verified), Ok(shown)) if verified.entries != shown.len() as u64 => {
            return Err(format!("{} entries verified, {} read", verified.entries, shown.len()));
        }
        (Ok(_), Err(error)) => return Err(format!("verified, but can't be read: {error}")),
        _ => {}
    }
    let count = match archive.index() {
        Ok(index) => index.entries().len(),
        Err(_) => return Ok(()),
    };
    let in_order = in_order.map_err(|error| format!("indexed, but can't be read: {error}"))?;
    if count != in_order.len() {
        return Err(format!("{count} entries indexed, {} read", in_order.len()));
    }
    // The last ones first, so that nothing depends on what was read before.
    for (n, expected) in in_order.iter().enumerate().rev() {
        let mut entry =
            archive.open_nth(n).map_err(|error| format!("entry {n}: {}", chain(&error)))?;
        let shown = show(&mut entry);
        if shown != *expected {
            return Err(format!("entry {n} by index is {shown:?}, in order {expected:?}"));
        }
    }
    Ok(())
}

fn read_in_order(gz: &[u8]) -> Result<Vec<Shown>, String> {
    let mut archive = reader(gz).map_err(|error| chain(&error))?;
    let mut all = Vec::new();
    while let Some(mut entry) = archive.next_entry().map_err(|error| chain(&error))? {
        all.push(show(&mut entry));
    }
    Ok(all)
}

fn show<R: Read>(entry: &mut uadk_compress_archive::EntryReader<'_, R>) -> Shown {
    let about = entry.entry().clone();
    let mut contents = Vec::new();
    let read = entry.take(MAX_READ).read_to_end(&mut contents);
    Shown {
        path: about.path_bytes().to_vec(),
        link: about.link().map(|link| link.as_os_str().as_encoded_bytes().to_vec()),
        kind: about.kind(),
        size: about.size(),
        mode: about.mode(),
        mtime: about.mtime(),
        contents: read.is_ok().then_some(contents),
    }
}

/// Returns the error and its sources as a program prints them.
fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
