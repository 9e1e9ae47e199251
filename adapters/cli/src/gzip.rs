//! `gzip`, `gunzip`, `zcat` and `bgzip`, with their options, messages and exit statuses.
//!
//! Differences from GNU gzip 1.12: `-l` adds up all members of a file, and is instant for block
//! gzip; a damaged file does not stop the run; compress (`.Z`), pack, LZH and zip files are refused
//! with the name of their format; names and times are stored only with `-N`.

mod bgzf;
mod bgzip;
mod convert;
mod documented;
mod failure;
mod getopt;
mod gzi;
mod header;
mod help;
mod index;
mod input;
mod job;
mod list;
mod messages;
mod names;
mod options;
mod program;
mod ratio;
mod session;
mod settings;
mod target;
mod work;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

pub(crate) use documented::{Bgzip, Gunzip, Gzip, Zcat};
use messages::Messages;
use program::Program;
use session::Session;
use settings::{Request, Settings};

/// One of the programs and its arguments.
#[derive(Debug)]
pub(crate) struct Call {
    program: Program,
    is_subcommand: bool,
    arguments: Vec<OsString>,
}

impl Call {
    /// Recognises one of the programs, called by its own name (a symlink to this program) or as a
    /// subcommand.
    pub(crate) fn from_arguments(mut arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        let own = arguments.next()?;
        let called = Path::new(&own).file_name().and_then(Program::from_name);
        let is_subcommand = called.is_none();
        let program = match called {
            Some(program) => program,
            None => Program::from_name(&arguments.next()?)?,
        };
        Some(Self { program, is_subcommand, arguments: arguments.collect() })
    }

    /// Runs the program.
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
            Ok(Request::Work(mut settings)) => {
                settings.progress = self.is_subcommand && settings.verbose == 0 && !settings.quiet;
                settings
            }
            Ok(Request::Text(text)) => return help::print(&text),
            Err(()) => return ExitCode::FAILURE,
        };
        let mut session = Session::new(&settings, &messages);
        session.run();
        messages.status()
    }
}
