//! `gzip`, `gunzip`, `zcat` and `bgzip`, with the options, messages and statuses of those.
//!
//! What differs from GNU gzip 1.12: `-l` adds up all members of a file, and is instant for block
//! gzip; a damaged file does not keep the next ones from their turn; compress's `.Z`, pack, LZH and
//! zip files are refused by name; names and times are not stored.

mod bgzf;
mod bgzip;
mod documented;
mod getopt;
mod gzi;
mod header;
mod help;
mod index;
mod input;
mod job;
mod list;
mod make;
mod messages;
mod names;
mod options;
mod program;
mod ratio;
mod session;
mod settings;
mod target;
mod trouble;
mod work;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

pub(crate) use documented::{Bgzip, Gunzip, Gzip, Zcat};
use messages::Messages;
use program::Program;
use session::Session;
use settings::{Settings, Wanted};

/// One of the programs and its arguments.
#[derive(Debug)]
pub(crate) struct Call {
    program: Program,
    /// Whether it is a subcommand.
    is_ours: bool,
    arguments: Vec<OsString>,
}

impl Call {
    /// A program that is called by its own name (a symlink to this one), or as a subcommand of
    /// this.
    pub(crate) fn of(mut arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        let own = arguments.next()?;
        let called = Path::new(&own).file_name().and_then(Program::of_name);
        let is_ours = called.is_none();
        let program = match called {
            Some(program) => program,
            None => Program::of_name(&arguments.next()?)?,
        };
        Some(Self { program, is_ours, arguments: arguments.collect() })
    }

    /// Does what it says.
    pub(crate) fn run(self) -> ExitCode {
        let messages = Messages::new(self.program);
        let environment = match self.program {
            Program::Bgzip => None,
            _ => std::env::var_os("GZIP"),
        };
        let settings = match Settings::parse(
            self.program,
            environment.as_deref(),
            self.arguments,
            &messages,
        ) {
            Ok(Wanted::Work(mut settings)) => {
                settings.progress = self.is_ours && settings.verbose == 0 && !settings.quiet;
                settings
            }
            Ok(Wanted::Text(text)) => return help::print(&text),
            Err(()) => return ExitCode::FAILURE,
        };
        let mut session = Session::new(&settings, &messages);
        session.run();
        messages.status()
    }
}
