//! The input data.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::streams;

/// The data to compress.
#[derive(Debug)]
pub(super) struct Input {
    /// The contents of the files, concatenated.
    pub(super) data: Vec<u8>,
    pub(super) files: Vec<PathBuf>,
    /// Whether the files have more data than was read.
    pub(super) is_cut: bool,
}

impl Input {
    /// Reads up to `limit` bytes; the unused share of a file goes to the following files.
    pub(super) fn read(files: &[PathBuf], limit: usize) -> Result<Self, Error> {
        let mut input = Self { data: Vec::new(), files: files.to_vec(), is_cut: false };
        for (i, path) in files.iter().enumerate() {
            let share = (limit - input.data.len()).div_ceil(files.len() - i);
            input.append(path, share).map_err(|source| match source.kind() {
                io::ErrorKind::IsADirectory => Error::Folder { path: path.clone() },
                _ => Error::read(path, source),
            })?;
        }
        if input.data.is_empty() {
            return Err(Error::Empty { files: input.names() });
        }
        Ok(input)
    }

    /// Returns the names of the files, for messages.
    pub(super) fn names(&self) -> String {
        let names: Vec<_> = self.files.iter().map(|path| path.display().to_string()).collect();
        names.join(", ")
    }

    fn append(&mut self, path: &Path, share: usize) -> io::Result<()> {
        let mut reader: Box<dyn Read> = if path == Path::new("-") {
            Box::new(streams::stdin()?)
        } else {
            Box::new(File::open(path)?)
        };
        reader.by_ref().take(share as u64).read_to_end(&mut self.data)?;
        self.is_cut |= reader.read(&mut [0])? > 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn each_file_gets_its_share_and_what_others_leave() {
        let dir = tempfile::tempdir().expect("creates a temporary directory");
        let path = |name: &str, contents: &[u8]| {
            let path = dir.path().join(name);
            fs::write(&path, contents).expect("writes a temporary file");
            path
        };
        let files = [path("a", b"a"), path("b", &[b'b'; 100]), path("c", &[b'c'; 100])];
        let input = Input::read(&files, 21).expect("readable files");
        assert_eq!(input.data, [&b"a"[..], &[b'b'; 10], &[b'c'; 10]].concat());
        assert!(input.is_cut);
        assert!(!Input::read(&files, 201).expect("readable files").is_cut);
    }

    #[test]
    fn errors_name_the_file() {
        let dir = tempfile::tempdir().expect("creates a temporary directory");
        let empty = dir.path().join("empty");
        fs::write(&empty, b"").expect("writes a temporary file");
        for (path, what) in [
            (dir.path().join("none"), "can't read"),
            (dir.path().to_owned(), "is a directory"),
            (empty, "no data to compress"),
        ] {
            let message = Input::read(std::slice::from_ref(&path), 100).unwrap_err().to_string();
            assert!(message.contains(what), "{message}");
            assert!(message.contains(&path.display().to_string()), "{message}");
        }
    }
}
