//! Decides what to do with a file.

use super::header::{Header, Parsed};
use super::input::Input;
use super::messages::{Messages, about, reason};
use super::settings::Settings;

/// What to do with a file.
#[derive(Debug)]
pub(super) enum Job {
    Compress,
    Decompress(Header),
    /// Copy it unchanged: it is not compressed.
    Copy,
}

impl Job {
    /// Chooses the job by the beginning of the file. If there is none, reports an error and returns
    /// `None`.
    pub(super) fn find(
        settings: &Settings,
        messages: &Messages,
        input: &mut Input,
        to_stdout: bool,
    ) -> Option<Self> {
        if !settings.decompress {
            return Some(Self::Compress);
        }
        let parsed = input.peek_header();
        let pass_through = settings.force > 0 && to_stdout && !settings.list;
        let is_gzip = input.peeked().starts_with(&[0x1f, 0x8b]);
        let is_short = input.peeked().len() < 2 && !input.peeked().starts_with(&[0]);
        let name = &input.name;
        match parsed {
            Err(error) => messages.fail(about(name, format_args!(": {}", reason(&error)))),
            Ok(Parsed::Member(header)) => return Some(Self::Decompress(header)),
            Ok(Parsed::Unsupported(what))
                if what.starts_with("is ") || what.starts_with("has ") =>
            {
                messages.fail(about(name, format_args!(" {what}")));
            }
            Ok(Parsed::Unsupported(what)) => messages.fail(about(name, format_args!(": {what}"))),
            Ok(Parsed::Foreign(Some(what))) => {
                messages.fail_on_new_line(about(name, format_args!(": {what} -- not supported")));
            }
            Ok(Parsed::Incomplete | Parsed::Foreign(_)) if pass_through && !is_gzip => {
                return Some(Self::Copy);
            }
            Ok(Parsed::Foreign(None)) if !is_short => {
                messages.fail_on_new_line(about(name, ": not in gzip format"));
            }
            Ok(_) => messages.fail_on_new_line(about(name, ": unexpected end of file")),
        }
        None
    }
}
