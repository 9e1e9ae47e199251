//! Files to compress or decompress.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::header::{self, Parsed};
use super::messages::{Messages, about, reason};
use super::names;
use super::program::Program;
use super::settings::Settings;
use crate::streams;

/// Headers are peeked at in chunks of this size.
const PIECE: usize = 64 << 10;
/// Longer headers are not parsed.
const MAX_HEADER: usize = 192 << 10;
/// More than the gzip reader reads ahead.
const REMEMBERED: usize = 2 << 20;

/// A file that is read from beginning to end, and whose end can be read again.
#[derive(Debug)]
pub(super) struct Input {
    file: BlockingFile,
    pub(super) name: PathBuf,
    pub(super) metadata: Metadata,
    /// The offset where reading began; `None` if it is not a regular file.
    start: Option<u64>,
    /// Bytes that were peeked at and not read yet.
    head: VecDeque<u8>,
    /// The last bytes that were read, if the file is not seekable.
    last: VecDeque<u8>,
    /// Bytes read.
    pub(super) position: u64,
    pub(super) bar: ProgressBar,
    /// Whether reading failed.
    pub(super) failed: bool,
}

impl Input {
    /// Opens the named file. When decompressing like gzip, tries the name with a suffix appended if
    /// there is no such file. Reports errors. Waits for a FIFO's writer only if `is_named`: the
    /// command line names the file.
    pub(super) fn open(
        settings: &Settings,
        messages: &Messages,
        name: &OsStr,
        is_named: bool,
    ) -> Option<Self> {
        let open = |path: &Path| open(settings, path, is_named);
        let mut path = PathBuf::from(name);
        let mut opened = open(&path);
        let missing =
            |error: &io::Result<_>| matches!(error, Err(e) if e.kind() == io::ErrorKind::NotFound);
        if settings.decompress
            && settings.program != Program::Bgzip
            && missing(&opened)
            && names::suffix(&path, &settings.suffix, true).is_none()
        {
            let complained = names::with_suffix(&path, &settings.suffix);
            for candidate in names::candidates(Path::new(name), &settings.suffix) {
                opened = open(&candidate);
                path = candidate;
                if !missing(&opened) {
                    break;
                }
            }
            if missing(&opened) {
                path = complained;
            }
        }
        let opened = opened.and_then(|file| Self::new(file, path.clone()));
        match opened {
            Ok(input) => Some(input),
            Err(error) => {
                messages.fail(about(&path, format_args!(": {}", reason(&error))));
                None
            }
        }
    }

    pub(super) fn stdin() -> io::Result<Self> {
        Self::new(streams::stdin()?, "stdin".into())
    }

    fn new(mut file: File, name: PathBuf) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let start = if metadata.is_file() { file.stream_position().ok() } else { None };
        Ok(Self {
            file: BlockingFile(file),
            name,
            metadata,
            start,
            head: VecDeque::new(),
            last: VecDeque::new(),
            position: 0,
            bar: ProgressBar::hidden(),
            failed: false,
        })
    }

    /// Returns whether gzip would replace this file with the result.
    pub(super) fn may_be_replaced(&self, settings: &Settings, messages: &Messages) -> bool {
        let (mode, links) = (self.metadata.mode(), self.metadata.nlink());
        let reason = if !self.metadata.is_file() {
            "is not a directory or a regular file - ignored".to_owned()
        } else if mode & 0o4000 != 0 {
            "is set-user-ID on execution - ignored".to_owned()
        } else if mode & 0o2000 != 0 {
            "is set-group-ID on execution - ignored".to_owned()
        } else if settings.force == 0 && mode & 0o1000 != 0 {
            "has the sticky bit set - file ignored".to_owned()
        } else if settings.force == 0 && links > 1 {
            let s = if links == 2 { "" } else { "s" };
            format!("has {} other link{s} -- file ignored", links - 1)
        } else {
            return true;
        };
        messages.warn(about(&self.name, format_args!(" {reason}")));
        false
    }

    /// Parses the header at the beginning of the file without consuming it.
    pub(super) fn peek_header(&mut self) -> io::Result<Parsed> {
        let mut piece = vec![0; PIECE];
        loop {
            let parsed = header::parse(self.head.make_contiguous());
            if parsed != Parsed::Incomplete || self.head.len() > MAX_HEADER {
                return Ok(parsed);
            }
            let n = match self.file.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                n => n?,
            };
            if n == 0 {
                return Ok(Parsed::Incomplete);
            }
            self.head.extend(&piece[..n]);
        }
    }

    /// Returns the bytes that were peeked at and not read yet.
    pub(super) fn peeked(&mut self) -> &[u8] {
        self.head.make_contiguous()
    }

    /// Returns the file and the offset where reading began, if it is a regular file.
    pub(super) fn regular(&self) -> Option<(&File, u64)> {
        self.start.map(|start| (&self.file.0, start))
    }

    /// Returns all data from `offset` on; `None` if it was read too long ago.
    pub(super) fn rest(self, offset: u64) -> Option<Box<dyn Read>> {
        if let Some(start) = self.start {
            return Some(Box::new(FileTail { file: self.file.0, at: start + offset }));
        }
        let back = usize::try_from(self.position - offset).unwrap_or(usize::MAX);
        let skipped = self.last.len().checked_sub(back)?;
        let mut last = self.last;
        last.drain(..skipped);
        Some(Box::new(last.chain(self.head).chain(self.file)))
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = if self.head.is_empty() {
            self.file.read(buffer).inspect_err(|error| {
                self.failed |= error.kind() != io::ErrorKind::Interrupted;
            })?
        } else {
            self.head.read(buffer)?
        };
        if self.start.is_none() {
            self.last.extend(&buffer[..n]);
            let surplus = self.last.len().saturating_sub(REMEMBERED);
            self.last.drain(..surplus);
        }
        self.position += n as u64;
        self.bar.inc(n as u64);
        Ok(n)
    }
}

/// A file whose reads block, even if it was opened non-blocking.
#[derive(Debug)]
struct BlockingFile(File);

impl Read for BlockingFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait(&self.0)?,
                read => return read,
            }
        }
    }
}

/// Waits until the file has data, or its last writer has closed it. A FIFO that no process has
/// opened for writing yet has neither.
fn wait(file: &File) -> io::Result<()> {
    loop {
        match poll(&mut [PollFd::new(file, PollFlags::IN)], None) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Ok(()),
        }
    }
}

/// A file from an offset on.
struct FileTail {
    file: File,
    at: u64,
}

impl Read for FileTail {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(buffer, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// Opens a file. Without --force, a file that is to be replaced is not opened through a symlink.
/// Waits for the writer of a FIFO only if it is named and only read: a FIFO found in a directory
/// may have none.
fn open(settings: &Settings, path: &Path, is_named: bool) -> io::Result<File> {
    // A blocking open of a FIFO would wait for another writer even if the FIFO holds data. For
    // other files, such as tapes and leased files, a blocking open waits until they are ready.
    let is_fifo = || std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo());
    let may_wait = settings.stdout && is_named;
    let waits_for_data = may_wait && is_fifo();
    let mut flags = OFlags::NOCTTY;
    if !may_wait || waits_for_data {
        flags |= OFlags::NONBLOCK;
    }
    if !settings.stdout && settings.force == 0 {
        flags |= OFlags::NOFOLLOW;
    }
    let file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    if waits_for_data {
        wait(&file)?;
    }
    Ok(file)
}
