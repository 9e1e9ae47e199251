//! Names on the command line and in file lists.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::super::files_from;
use super::super::matching::glob::Flags;
use super::super::names::unquoted;
use super::getopt::{self, Event};
use super::options::Id;
use super::usage::Usage;

/// A name, with the options in effect where it was given.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: Vec<u8>,
    pub(super) folder: PathBuf,
    pub(super) recurse: bool,
    pub(super) flags: Flags,
}

/// The names so far, and the options for the following ones.
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
    /// Whether a file list was given, even an empty one.
    pub(super) from_files: bool,
}

/// The values of `--wildcards` and related options.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matching {
    pub(super) wildcards: Option<bool>,
    pub(super) anchored: Option<bool>,
    pub(super) ignore_case: bool,
    pub(super) match_slash: bool,
}

impl Matching {
    /// Returns the flags for a pattern with these defaults.
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
    /// Changes the directory, relative to the current one.
    pub(super) fn change_folder(&mut self, folder: &Path) {
        self.folder = self.folder.join(folder);
    }

    /// Adds a name, and unquotes it unless that is disabled.
    pub(super) fn push(&mut self, name: &[u8]) {
        let name = if self.unquote { self.without_quotes(name) } else { name.to_vec() };
        self.push_literal(name);
    }

    /// Unquotes a name, unless only a file with the literal backslashes exists.
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

    /// Adds the names in a file list.
    pub(super) fn push_file(&mut self, path: &Path) -> Result<(), Usage> {
        self.from_files = true;
        let failed = |error| Usage::meaning(format!("can't read {}: {error}", path.display()));
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

    /// Parses a line of a file list that starts with a dash. Only `-C` and `--add-file` make sense.
    fn options_in_line(&mut self, line: &[u8]) -> Result<(), Usage> {
        let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let words: Vec<_> = words.map(|word| OsString::from_vec(word.to_vec())).collect();
        for event in getopt::line(&words)? {
            match event {
                Event::Operand(name) => self.push(name.as_encoded_bytes()),
                Event::Option(option, Some(value)) if option.id == Id::Directory => {
                    self.change_folder(Path::new(&value));
                }
                Event::Option(option, Some(value)) if option.id == Id::AddFile => {
                    self.push(value.as_encoded_bytes());
                }
                Event::Option(option, _) => {
                    return Err(Usage::meaning(format!(
                        "option {option} is not allowed in a file list"
                    )));
                }
            }
        }
        Ok(())
    }
}
