//! libarchive in a process of its own, which extracts as bsdtar does: see `extract.c`.

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
        let mut said = vec![0; len as usize];
        self.replies.read_exact(&mut said)?;
        Ok(format!("{}| status {}", String::from_utf8_lossy(&said).replace('\n', " "), start[0]))
    }
}

impl Libarchive {
    pub(crate) fn start(program: PathBuf) -> io::Result<Self> {
        let process = Process::start(&program)?;
        Ok(Self { program, process })
    }

    /// What it said; if it crashed or hung over this archive, that.
    pub(crate) fn extract(&mut self, tar: &[u8], folder: &Path) -> io::Result<String> {
        self.process.extract(tar, folder).or_else(|_| {
            let _ = self.process.child.kill();
            let status = self.process.child.wait()?;
            self.process = Process::start(&self.program)?;
            Ok(format!("it crashed or hung: {status}"))
        })
    }
}
