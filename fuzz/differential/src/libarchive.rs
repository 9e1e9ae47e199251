//! libarchive in a separate process, which extracts like bsdtar: see `extract.c`.

use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub(crate) struct Libarchive {
    program: PathBuf,
    process: Process,
}

struct Process {
    child: Child,
    requests: ChildStdin,
    replies: ChildStdout,
}

impl Process {
    fn start(program: &Path) -> io::Result<Self> {
        let mut child = Command::new(program)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (requests, replies) = pipes.ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self { child, requests, replies })
    }

    fn extract(&mut self, tar: &[u8], folder: &Path) -> io::Result<String> {
        let folder = folder.as_os_str().as_bytes();
        let counted = |bytes: &[u8]| [&(bytes.len() as u32).to_ne_bytes()[..], bytes].concat();
        self.requests.write_all(&[counted(folder), counted(tar)].concat())?;
        let mut start = [0; 5];
        self.replies.read_exact(&mut start)?;
        let len = u32::from_ne_bytes([start[1], start[2], start[3], start[4]]);
        let mut messages = vec![0; len as usize];
        self.replies.read_exact(&mut messages)?;
        let messages = String::from_utf8_lossy(&messages).replace('\n', " ");
        Ok(format!("{messages}| status {}", start[0]))
    }
}

impl Libarchive {
    pub(crate) fn start(program: PathBuf) -> io::Result<Self> {
        let process = Process::start(&program)?;
        Ok(Self { program, process })
    }

    /// Extracts an archive and returns the messages, or that libarchive crashed or hung.
    pub(crate) fn extract(&mut self, tar: &[u8], folder: &Path) -> io::Result<String> {
        self.process.extract(tar, folder).or_else(|_| {
            let _ = self.process.child.kill();
            let status = self.process.child.wait()?;
            self.process = Process::start(&self.program)?;
            Ok(format!("crashed or hung: {status}"))
        })
    }
}
