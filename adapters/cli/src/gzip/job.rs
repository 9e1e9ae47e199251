//! What is to be done with a file.

use super::header::{Begin, Header};
use super::input::Input;
use super::messages::{Messages, about, reason};
use super::settings::Settings;

/// What is to be done with a file.
#[derive(Debug)]
pub(super) enum Job {
    Compress,
    Decompress(Header),
    /// Pass it on: it is not compressed.
    Copy,
}

impl Job {
    /// What is to be done with the file, by what it begins with; `None` if nothing can be, which is
    /// said.
    pub(super) fn find(
        settings: &Settings,
        messages: &Messages,
        input: &mut Input,
        to_stdout: bool,
    ) -> Option<Self> {
        if !settings.decompress {
            return Some(Self::Compress);
        }
        let begin = input.begin();
        let passes = settings.force > 0 && to_stdout && !settings.list;
        let is_gzip = input.looked_at().starts_with(&[0x1f, 0x8b]);
        let is_short = input.looked_at().len() < 2 && !input.looked_at().starts_with(&[0]);
        let name = &input.name;
        match begin {
            Err(error) => messages.fail(about(name, format_args!(": {}", reason(&error)))),
            Ok(Begin::Member(header)) => return Some(Self::Decompress(header)),
            Ok(Begin::Unsupported(what)) if what.starts_with("is ") || what.starts_with("has ") => {
                messages.fail(about(name, format_args!(" {what}")));
            }
            Ok(Begin::Unsupported(what)) => messages.fail(about(name, format_args!(": {what}"))),
            Ok(Begin::Foreign(Some(what))) => {
                messages.fail_of_data(about(name, format_args!(": {what} -- not supported")));
            }
            Ok(Begin::Incomplete | Begin::Foreign(_)) if passes && !is_gzip => {
                return Some(Self::Copy);
            }
            Ok(Begin::Foreign(None)) if !is_short => {
                messages.fail_of_data(about(name, ": not in gzip format"));
            }
            Ok(_) => messages.fail_of_data(about(name, ": unexpected end of file")),
        }
        None
    }
}
