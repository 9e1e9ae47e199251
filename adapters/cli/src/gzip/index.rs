//! Index files.

use std::fs::{self, FileTimes, Metadata};
use std::path::{Path, PathBuf};

use super::gzi::Gzi;
use super::input::Input;
use super::messages::Messages;
use super::settings::Settings;
use super::target;
use crate::error::Error;
use crate::output::{Attributes, Output};

/// The mode of an index that replaces a symlink, whose own mode is meaningless.
const PRIVATE: u32 = 0o600;

/// The file of an index, which appears when the index is complete.
#[derive(Debug)]
pub(super) struct IndexFile {
    output: Output,
    path: PathBuf,
    /// The file whose owner and mode it gets.
    like: Option<Metadata>,
}

impl IndexFile {
    /// Begins the index of a file, by the rules for compressed files. Reports errors.
    pub(super) fn begin(
        settings: &Settings,
        messages: &Messages,
        path: PathBuf,
        input: &Input,
    ) -> Option<Self> {
        let output = target::create(settings, messages, &path)?;
        let like = input.metadata.is_file().then(|| input.metadata.clone());
        Some(Self { output, path, like })
    }

    /// Writes the index; reports a failure and returns `false`.
    pub(super) fn finish(self, messages: &Messages, index: &Gzi) -> bool {
        let Self { mut output, path, like } = self;
        let written = index.write(&mut output).map_err(|source| Error::write(&path, source));
        let put = written.and_then(|()| {
            output.finish(match &like {
                Some(like) => Attributes::Of(like, FileTimes::new()),
                None if is_symlink(&path) => Attributes::Mode(PRIVATE),
                None => Attributes::Usual,
            })
        });
        put.inspect_err(|error| target::not_created(messages, &path, error)).is_ok()
    }
}

fn is_symlink(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
}
