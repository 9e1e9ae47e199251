//! Files to compress or decompress.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::header::{self, Begin};
use super::messages::{Messages, about, reason};
use super::names;
use super::program::Program;
use super::settings::Settings;
use crate::streams;

/// A header is looked at in pieces of this size.
const PIECE: usize = 64 << 10;
/// No header is longer: what is, is not read.
const MAX_HEADER: usize = 192 << 10;
/// More than a reader of gzip has read ahead.
const REMEMBERED: usize = 2 << 20;

/// A file that is read from beginning to end, and whose end can be read once more.
#[derive(Debug)]
pub(super) struct Input {
    file: Waiting,
    pub(super) name: PathBuf,
    pub(super) metadata: Metadata,
    /// Where in a regular file reading began.
    start: Option<u64>,
    /// Bytes that were looked at and are to be read yet.
    head: VecDeque<u8>,
    /// The last bytes that were read, where they can't be sought for.
    last: VecDeque<u8>,
    /// Bytes read.
    pub(super) position: u64,
    pub(super) bar: ProgressBar,
    /// Whether reading failed.
    pub(super) failed: bool,
}

impl Input {
    /// Opens the file of that name, or, to decompress as gzip, one with a suffix behind it. What keeps it
    /// from that is said. A FIFO is waited for only if it `is_named` on the command line.
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
            file: Waiting(file),
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

    /// Whether the file may be replaced by what is made of it, as gzip sees it.
    pub(super) fn may_be_replaced(&self, settings: &Settings, messages: &Messages) -> bool {
        let (mode, links) = (self.metadata.mode(), self.metadata.nlink());
        let why = if !self.metadata.is_file() {
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
        messages.warn(about(&self.name, format_args!(" {why}")));
        false
    }

    /// Looks at what the file begins with, without taking it.
    pub(super) fn begin(&mut self) -> io::Result<Begin> {
        let mut piece = vec![0; PIECE];
        loop {
            let begin = header::parse(self.head.make_contiguous());
            if begin != Begin::Incomplete || self.head.len() > MAX_HEADER {
                return Ok(begin);
            }
            let n = match self.file.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                n => n?,
            };
            if n == 0 {
                return Ok(Begin::Incomplete);
            }
            self.head.extend(&piece[..n]);
        }
    }

    /// What has been looked at.
    pub(super) fn looked_at(&mut self) -> &[u8] {
        self.head.make_contiguous()
    }

    /// A regular file, and where in it reading began.
    pub(super) fn regular(&self) -> Option<(&File, u64)> {
        self.start.map(|start| (&self.file.0, start))
    }

    /// What is behind `offset` of what was read, and behind that; `None` if it is too long ago.
    pub(super) fn rest(self, offset: u64) -> Option<Box<dyn Read>> {
        if let Some(start) = self.start {
            return Some(Box::new(From { file: self.file.0, at: start + offset }));
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

/// A file whose bytes are waited for, also where whoever opened it has reads fail instead.
#[derive(Debug)]
struct Waiting(File);

impl Read for Waiting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // An interrupted one leads to another read, and that to another wait.
                    match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], None) {
                        Ok(_) | Err(Errno::INTR) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                read => return read,
            }
        }
    }
}

/// A file from a place on.
struct From {
    file: File,
    at: u64,
}

impl Read for From {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(buffer, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// Files in place are not opened through symlinks without --force. Nobody waits for the other end of
/// a FIFO, unless it is named and only read: what is in a folder may have none.
fn open(settings: &Settings, path: &Path, is_named: bool) -> io::Result<File> {
    let mut flags = OFlags::NOCTTY;
    if !settings.stdout || !is_named {
        flags |= OFlags::NONBLOCK;
    }
    if !settings.stdout && settings.force == 0 {
        flags |= OFlags::NOFOLLOW;
    }
    File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}
