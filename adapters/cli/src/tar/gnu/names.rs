//! Names on the command line and in files.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::super::files_from;
use super::super::matching::glob::Flags;
use super::super::names::unquoted;
use super::getopt::{self, Event};
use super::options::Id;
use super::usage::Usage;

/// A name, and what held for it where it was written.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: Vec<u8>,
    pub(super) folder: PathBuf,
    pub(super) recurse: bool,
    pub(super) flags: Flags,
}

/// How names are taken, from here on.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // Options of the command line, one each.
pub(super) struct Names {
    pub(super) all: Vec<Named>,
    pub(super) folder: PathBuf,
    pub(super) recurse: bool,
    pub(super) matching: Matching,
    pub(super) null: bool,
    pub(super) verbatim: bool,
    pub(super) unquote: bool,
    /// Whether a file of names was given, though it may have none.
    pub(super) from_files: bool,
}

/// What `--wildcards` and its relatives said, where they were given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matching {
    pub(super) wildcards: Option<bool>,
    pub(super) anchored: Option<bool>,
    pub(super) ignore_case: bool,
    pub(super) match_slash: bool,
}

impl Matching {
    /// Those that hold for patterns which start from `defaults`.
    pub(super) fn flags(self, defaults: Flags, recurse: bool) -> Flags {
        Flags {
            wildcards: self.wildcards.unwrap_or(defaults.wildcards),
            anchored: self.anchored.unwrap_or(defaults.anchored),
            ignore_case: self.ignore_case,
            match_slash: self.match_slash,
            with_contents: recurse,
        }
    }
}

impl Default for Names {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            folder: PathBuf::new(),
            recurse: true,
            matching: Matching {
                wildcards: None,
                anchored: None,
                ignore_case: false,
                match_slash: true,
            },
            null: false,
            verbatim: false,
            unquote: true,
            from_files: false,
        }
    }
}

impl Names {
    /// Goes to a folder, from the one that was gone to before.
    pub(super) fn go_to(&mut self, folder: &Path) {
        self.folder = self.folder.join(folder);
    }

    /// A name on the command line, with backslash sequences if that is not switched off.
    pub(super) fn push(&mut self, name: &[u8]) {
        let name = if self.unquote { self.without_quotes(name) } else { name.to_vec() };
        self.push_literal(name);
    }

    /// A file that has backslashes in its name is meant, if it is there.
    fn without_quotes(&self, name: &[u8]) -> Vec<u8> {
        let plain = unquoted(name);
        let exists = |name: &[u8]| {
            self.folder.join(OsString::from_vec(name.to_vec())).symlink_metadata().is_ok()
        };
        if plain != name && !exists(&plain) && exists(name) { name.to_vec() } else { plain }
    }

    fn push_literal(&mut self, name: Vec<u8>) {
        let flags = self.matching.flags(Flags::INCLUDE, self.recurse);
        let (folder, recurse) = (self.folder.clone(), self.recurse);
        self.all.push(Named { name, folder, recurse, flags });
    }

    /// The names in a file.
    pub(super) fn push_file(&mut self, path: &Path) -> Result<(), Usage> {
        self.from_files = true;
        let failed = |error| Usage::meaning(format!("{}: can't be read: {error}", path.display()));
        let bytes = files_from::read(path).map_err(failed)?;
        let end = if self.null { b'\0' } else { b'\n' };
        for line in bytes.split(|byte| *byte == end).filter(|line| !line.is_empty()) {
            if self.null {
                self.push_literal(line.to_vec());
            } else if self.verbatim || !line.starts_with(b"-") {
                self.push(line);
            } else {
                self.options_in_line(line)?;
            }
        }
        Ok(())
    }

    /// A line of a file that begins with a dash. Of options, `-C` makes sense there.
    fn options_in_line(&mut self, line: &[u8]) -> Result<(), Usage> {
        let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let words: Vec<_> = words.map(|word| OsString::from_vec(word.to_vec())).collect();
        for event in getopt::line(&words)? {
            match event {
                Event::Operand(name) => self.push(name.as_encoded_bytes()),
                Event::Option(option, Some(value)) if option.id == Id::Directory => {
                    self.go_to(Path::new(&value));
                }
                Event::Option(option, Some(value)) if option.id == Id::AddFile => {
                    self.push(value.as_encoded_bytes());
                }
                Event::Option(option, _) => {
                    return Err(Usage::meaning(format!(
                        "the option {option} can't be in a file of names"
                    )));
                }
            }
        }
        Ok(())
    }
}
