//! The settings on a command line.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use uadk_compress::Level;

use super::getopt::{Getopt, Given};
use super::help;
use super::messages::Messages;
use super::options::{BGZIP, Flag, GZIP};
use super::program::Program;
use crate::streams;
use crate::streams::tell;

/// The maximum length of a suffix, in bytes.
const MAX_SUFFIX: usize = 30;

/// What to do, and with which files.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // Flags of the command line.
pub(super) struct Settings {
    pub(super) program: Program,
    ascii: bool,
    pub(super) decompress: bool,
    pub(super) stdout: bool,
    /// The number of times it was given.
    pub(super) force: u8,
    pub(super) keep: bool,
    pub(super) list: bool,
    pub(super) test: bool,
    pub(super) quiet: bool,
    pub(super) verbose: u8,
    pub(super) recursive: bool,
    /// Whether to use names in headers.
    pub(super) names: bool,
    /// Whether to use times in headers.
    pub(super) times: bool,
    pub(super) suffix: Vec<u8>,
    pub(super) synchronous: bool,
    pub(super) level: Level,
    pub(super) threads: Option<usize>,
    pub(super) stats: bool,
    pub(super) json: bool,
    /// Whether to write block gzip.
    pub(super) bgzf: bool,
    pub(super) index: bool,
    pub(super) index_name: Option<PathBuf>,
    pub(super) reindex: bool,
    /// The offset in the data to begin at, and the length.
    pub(super) range: Option<(u64, Option<u64>)>,
    /// Whether to show a progress bar on a terminal: not if called by the name of a program that
    /// has none.
    pub(super) progress: bool,
    pub(super) files: Vec<OsString>,
}

/// The request on a command line.
#[derive(Debug)]
pub(super) enum Request {
    Work(Box<Settings>),
    /// Print a text, such as the help.
    Text(String),
}

impl Settings {
    /// Parses the options in the environment, then the command line. Reports errors.
    pub(super) fn parse(
        program: Program,
        environment: Option<&OsStr>,
        arguments: Vec<OsString>,
        messages: &Messages,
    ) -> Result<Request, ()> {
        let table = if program == Program::Bgzip { BGZIP } else { GZIP };
        let mut settings = Self::new(program);
        let mut values = Values::default();
        let fail = |what: String| {
            messages.fail(what);
            tell!("Try `{} --help' for more information.", messages.prefix);
        };
        let environment = environment.map(words).unwrap_or_default();
        if !environment.is_empty() {
            if environment.iter().any(|word| word == "--") {
                fail("--: option not valid in GZIP environment variable".to_owned());
                return Err(());
            }
            let mut getopt = Getopt::new(table, environment);
            while let Some(given) = getopt.next() {
                let given = given.map_err(fail)?;
                if !may_be_in_environment(given.flag) {
                    let name = given.name;
                    fail(format!("{name}: option not valid in GZIP environment variable"));
                    return Err(());
                }
                settings.apply(given, &mut values).map_err(fail)?;
            }
            if let Some(word) = getopt.operands().first() {
                let word = word.display();
                fail(format!("{word}: non-option in GZIP environment variable"));
                return Err(());
            }
            if !settings.quiet {
                messages.note(
                    "warning: GZIP environment variable is deprecated; use an alias or script",
                );
            }
        }
        let mut getopt = Getopt::new(table, arguments);
        while let Some(given) = getopt.next() {
            let given = given.map_err(fail)?;
            let text = match given.flag {
                Flag::Help => help::help(program, table),
                Flag::Version => help::version(program),
                Flag::License => help::license(program),
                _ => {
                    settings.apply(given, &mut values).map_err(fail)?;
                    continue;
                }
            };
            return Ok(Request::Text(text));
        }
        settings.files = getopt.operands();
        settings.complete(&values).map_err(fail)?;
        if settings.suffix.is_empty() || settings.suffix.len() > MAX_SUFFIX {
            let suffix = String::from_utf8_lossy(&settings.suffix).into_owned();
            messages.fail(format!("invalid suffix '{suffix}'"));
            return Err(());
        }
        if settings.ascii && !settings.quiet {
            messages.note("option --ascii ignored on this system");
        }
        messages.set_quiet(settings.quiet);
        Ok(Request::Work(Box::new(settings)))
    }

    fn new(program: Program) -> Self {
        let decompress = matches!(program, Program::Gunzip | Program::Zcat);
        Self {
            program,
            ascii: false,
            decompress,
            stdout: program == Program::Zcat,
            force: 0,
            keep: false,
            list: false,
            test: false,
            quiet: false,
            verbose: 0,
            recursive: false,
            names: false,
            times: false,
            suffix: b".gz".to_vec(),
            synchronous: false,
            level: Level::BALANCED,
            threads: None,
            stats: false,
            json: false,
            bgzf: program == Program::Bgzip,
            index: false,
            index_name: None,
            reindex: false,
            range: None,
            progress: false,
            files: Vec::new(),
        }
    }

    fn apply(&mut self, given: Given<Flag>, values: &mut Values) -> Result<(), String> {
        let Given { flag, value, name } = given;
        let value = value.unwrap_or_default();
        let text = || value.to_string_lossy();
        match flag {
            Flag::BitsOrOffset => values.bits_or_offset = Some(value),
            Flag::Bgzf => self.bgzf = true,
            Flag::Decompress => self.decompress = true,
            Flag::Force => self.force = self.force.saturating_add(1),
            Flag::Index => self.index = true,
            Flag::IndexName => self.index_name = Some(value.into()),
            Flag::Json => self.json = true,
            Flag::Keep => self.keep = true,
            Flag::Level if self.program == Program::Bgzip && value == "-1" => {
                self.level = Level::BALANCED;
            }
            Flag::Level => {
                self.level = streams::level(&text())
                    .map_err(|reason| format!("{name} {}: {reason}", text()))?;
            }
            Flag::LevelDigit(digit) => self.level = Level::nearest(i32::from(digit)),
            Flag::List => (self.list, self.decompress, self.stdout) = (true, true, true),
            Flag::Lzw => return Err("-Z not supported in this version".to_owned()),
            Flag::Name => (self.names, self.times) = (true, true),
            Flag::NoName => (self.names, self.times) = (false, false),
            Flag::NoTime => self.times = false,
            Flag::Time => self.times = true,
            Flag::Quiet => (self.quiet, self.verbose) = (true, 0),
            Flag::Rebgzip => return Err(format!("{name} is not supported")),
            Flag::RecursiveOrReindex => values.recursive_or_reindex = true,
            Flag::Size => values.size = Some(value),
            Flag::Stats => self.stats = true,
            Flag::Stdout => self.stdout = true,
            Flag::Suffix => self.suffix = value.into_vec(),
            Flag::Synchronous => self.synchronous = true,
            Flag::Test => (self.test, self.decompress, self.stdout) = (true, true, true),
            Flag::Threads => {
                let threads = streams::threads(&text());
                self.threads =
                    Some(threads.map_err(|reason| format!("{name} {}: {reason}", text()))?);
            }
            Flag::Verbose => (self.verbose, self.quiet) = (self.verbose.saturating_add(1), false),
            Flag::Ascii => self.ascii = true,
            // --rsyncable is ignored; the caller handles the texts.
            Flag::Rsyncable | Flag::Help | Flag::License | Flag::Version => {}
        }
        Ok(())
    }

    /// Applies the options whose meaning depends on `bgzf`.
    fn complete(&mut self, values: &Values) -> Result<(), String> {
        let number = |what: &str, text: &OsString| {
            let number = text.to_str().and_then(|text| text.parse::<u64>().ok());
            number.ok_or_else(|| format!("{what} operand is not an integer"))
        };
        if let Some(text) = &values.bits_or_offset {
            if self.bgzf {
                self.range = Some((number("-b", text)?, None));
            } else if text.as_bytes().iter().any(|byte| !byte.is_ascii_digit()) {
                return Err("-b operand is not an integer".to_owned());
            }
        }
        if let Some(text) = &values.size {
            if !self.bgzf {
                return Err("-s requires --bgzf".to_owned());
            }
            self.range = Some((self.range.map_or(0, |range| range.0), Some(number("-s", text)?)));
        }
        if self.bgzf {
            self.reindex = values.recursive_or_reindex;
        } else if self.index || self.index_name.is_some() {
            return Err("-i and -I require --bgzf".to_owned());
        } else {
            self.recursive = values.recursive_or_reindex;
        }
        if self.range.is_some() {
            (self.decompress, self.stdout) = (true, true);
        }
        Ok(())
    }
}

/// Values whose meaning is only known after all options are parsed.
#[derive(Debug, Default)]
struct Values {
    bits_or_offset: Option<OsString>,
    size: Option<OsString>,
    recursive_or_reindex: bool,
}

const fn may_be_in_environment(flag: Flag) -> bool {
    matches!(
        flag,
        Flag::LevelDigit(_)
            | Flag::Name
            | Flag::NoName
            | Flag::Quiet
            | Flag::Rsyncable
            | Flag::Verbose
    )
}

/// Splits a text into words at blanks.
fn words(text: &OsStr) -> Vec<OsString> {
    let words = text.as_bytes().split(|byte| matches!(byte, b' ' | b'\t'));
    words.filter(|word| !word.is_empty()).map(|word| OsString::from_vec(word.to_vec())).collect()
}
