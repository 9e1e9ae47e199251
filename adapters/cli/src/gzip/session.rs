//! Processes the files one after another.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::bgzip;
use super::convert::{Converted, Converter};
use super::failure::{self, Stop};
use super::header::Header;
use super::index::IndexFile;
use super::input::Input;
use super::job::Job;
use super::list::{self, Row, Table};
use super::messages::{self, Messages, about, reason};
use super::names;
use super::settings::Settings;
use super::target;
use super::work::Failure;
use crate::output::{Attributes, Output};
use crate::signals::Unfinished;
use crate::stats_line;
use crate::streams;
use crate::streams::tell;

/// The work on all files of a command line.
#[derive(Debug)]
pub(super) struct Session<'s> {
    settings: &'s Settings,
    messages: &'s Messages,
    converter: Converter<'s>,
    table: Table,
    /// Device and inode of the directories being processed, outermost first.
    folders: Vec<(u64, u64)>,
}

/// Where the result goes.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
enum To {
    Stdout,
    /// The file is only read.
    Nowhere,
    File(Output, PathBuf),
}

impl To {
    fn name(&self) -> &Path {
        match self {
            Self::File(_, name) => name,
            _ => Path::new("stdout"),
        }
    }
}

impl<'s> Session<'s> {
    pub(super) fn new(settings: &'s Settings, messages: &'s Messages) -> Self {
        let converter = Converter::new(settings, messages);
        Self { settings, messages, converter, table: Table::default(), folders: Vec::new() }
    }

    /// Processes all files, and reports errors.
    pub(super) fn run(&mut self) {
        // If it stops, nothing is left to do.
        let _ = self.all().and_then(|()| self.finish());
        if self.settings.stats
            && let Some(stats) = self.converter.stats()
        {
            if self.settings.json {
                tell!("{}", stats_line::json(&stats));
            } else {
                self.messages.note(stats_line::line(&stats));
            }
        }
    }

    fn all(&mut self) -> Result<(), Stop> {
        if self.settings.files.is_empty() {
            return self.stdin();
        }
        self.settings.files.iter().try_for_each(|file| self.named(file))
    }

    fn finish(&self) -> Result<(), Stop> {
        if self.settings.list {
            self.table
                .finish(self.settings)
                .map_err(|error| failure::stdout_failed(self.settings, self.messages, &error))?;
        }
        if self.settings.synchronous && self.settings.stdout && !self.settings.test {
            let synced = streams::stdout().and_then(|stdout| stdout.sync_data());
            match synced {
                // Pipes have nothing to sync.
                Err(error) if error.kind() != io::ErrorKind::InvalidInput => {
                    return Err(failure::stdout_failed(self.settings, self.messages, &error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn named(&mut self, name: &OsStr) -> Result<(), Stop> {
        if name == "-" { self.stdin() } else { self.process(name, true) }
    }

    /// Processes a file or directory that is named on the command line or was found in a directory.
    fn process(&mut self, name: &OsStr, is_named: bool) -> Result<(), Stop> {
        let Some(input) = Input::open(self.settings, self.messages, name, is_named) else {
            return Ok(());
        };
        if !input.metadata.is_dir() {
            return self.file(input);
        }
        if self.settings.recursive {
            return self.folder(&input);
        }
        self.messages.warn(about(&input.name, " is a directory -- ignored"));
        Ok(())
    }

    fn folder(&mut self, folder: &Input) -> Result<(), Stop> {
        let (name, id) = (&folder.name, (folder.metadata.dev(), folder.metadata.ino()));
        if self.folders.contains(&id) {
            self.messages.warn(about(name, " leads back to a parent directory -- ignored"));
            return Ok(());
        }
        let children = fs::read_dir(name)
            .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect());
        let mut children: Vec<_> = match children {
            Ok(children) => children,
            Err(error) => {
                self.messages.fail(about(name, format_args!(": {}", reason(&error))));
                return Ok(());
            }
        };
        children.sort_unstable();
        self.folders.push(id);
        let done =
            children.iter().try_for_each(|child| self.process(name.join(child).as_os_str(), false));
        self.folders.pop();
        done
    }

    fn stdin(&mut self) -> Result<(), Stop> {
        let Settings { decompress, force, list, test, verbose, .. } = *self.settings;
        let terminal =
            if decompress { io::stdin().is_terminal() } else { io::stdout().is_terminal() };
        if terminal && force == 0 && !list {
            let (how, de) = if decompress { ("read from", "de") } else { ("written to", "") };
            self.messages.fail(format!(
                "compressed data not {how} a terminal. Use -f to force {de}compression.\n\
                 For help, type: {} -h",
                self.messages.prefix
            ));
            return Err(Stop);
        }
        let mut input = Input::stdin().map_err(|error| {
            self.messages.fail(format!("standard input: {}", reason(&error)));
            Stop
        })?;
        if self.settings.reindex {
            self.reindex(&input, None);
            return Ok(());
        }
        if let Some(range) = self.settings.range {
            return self.range(input, range);
        }
        let Some(job) = Job::find(self.settings, self.messages, &mut input, true) else {
            return Ok(());
        };
        if let (true, Job::Decompress(header)) = (list, &job) {
            return self.list(input, header, Path::new("stdout"));
        }
        let to = if test { To::Nowhere } else { To::Stdout };
        let Ok(index) = self.begin_index(&input, &job, None) else { return Ok(()) };
        let Some(converted) = self.convert(input, &job, &to)? else { return Ok(()) };
        if verbose > 0 {
            if test {
                tell!(" OK");
            } else if !decompress {
                tell!("{}", converted.ratio);
            }
        }
        self.put_index(&converted, index);
        Ok(())
    }

    fn file(&mut self, mut input: Input) -> Result<(), Stop> {
        let settings = self.settings;
        if settings.reindex {
            let name = input.name.clone();
            self.reindex(&input, Some(&name));
            return Ok(());
        }
        if let Some(range) = settings.range {
            return self.range(input, range);
        }
        if !settings.stdout && !input.may_be_replaced(settings, self.messages) {
            return Ok(());
        }
        let mut target = PathBuf::from("stdout");
        if !settings.stdout || settings.list || settings.test {
            let Some(name) = target::name(settings, self.messages, &input.name) else {
                return Ok(());
            };
            target = name;
        }
        let Some(job) = Job::find(settings, self.messages, &mut input, settings.stdout) else {
            return Ok(());
        };
        if let Job::Decompress(Header { name: Some(name), .. }) = &job
            && settings.names
            && (!settings.stdout || settings.list)
            && let Some(name) = names::from_header(name, &target)
        {
            target = name;
        }
        if let (true, Job::Decompress(header)) = (settings.list, &job) {
            return self.list(input, header, &target);
        }
        let to = if settings.test {
            To::Nowhere
        } else if settings.stdout {
            To::Stdout
        } else {
            let Some(output) = target::create(settings, self.messages, &target) else {
                return Ok(());
            };
            To::File(output, target)
        };
        let Ok(index) = self.begin_index(&input, &job, Some(&to)) else { return Ok(()) };
        let (name, metadata) = (input.name.clone(), input.metadata.clone());
        if settings.verbose > 0 {
            messages::print(&about(&name, ":\t"));
        }
        let Some(converted) = self.convert(input, &job, &to)? else { return Ok(()) };
        let target = to.name().to_owned();
        if let To::File(output, _) = to {
            // This may take long, so do it before holding back signals. `finish` reports errors.
            let _ = output.file().sync_all();
            // A signal leaves either the source or the result, never both.
            let held = Unfinished::hold();
            let times = target::times(&metadata, &job, settings);
            if let Err(error) = output.finish(Attributes::Of(&metadata, times)) {
                target::not_created(self.messages, &target, &error);
                return Ok(());
            }
            // Without the index, the source is kept.
            if !self.put_index(&converted, index) {
                return Ok(());
            }
            if !settings.keep
                && let Err(error) = fs::remove_file(&name)
            {
                self.messages.warn(about(&name, format_args!(": {}", reason(&error))));
            }
            drop(held);
        } else if !self.put_index(&converted, index) {
            return Ok(());
        }
        if settings.verbose > 0 {
            if settings.test {
                tell!(" OK");
            } else {
                let how = if settings.keep { "created" } else { "replaced with" };
                let end = format!("{} -- {how} ", converted.ratio).into_bytes();
                messages::print(&[&end[..], &about(&target, "\n")].concat());
            }
        }
        Ok(())
    }

    /// Compresses, decompresses or copies a file. Reports a failure and returns `None`.
    fn convert(&mut self, mut input: Input, job: &Job, to: &To) -> Result<Option<Converted>, Stop> {
        let mut stdout;
        let mut file;
        let mut nowhere = io::sink();
        let writer: &mut dyn Write = match to {
            To::Nowhere => &mut nowhere,
            To::Stdout => {
                stdout = streams::stdout().map_err(|error| {
                    failure::stdout_failed(self.settings, self.messages, &error)
                })?;
                &mut stdout
            }
            To::File(output, _) => {
                file = output.file();
                &mut file
            }
        };
        let name = input.name.clone();
        let total = Some(input.metadata.len()).filter(|_| input.metadata.is_file());
        let is_shown = matches!(to, To::Stdout) && io::stdout().is_terminal();
        if self.settings.progress && !is_shown {
            input.bar = streams::progress(total);
        }
        let bar = input.bar.clone();
        let result = self.converter.convert(input, job, writer);
        bar.finish_and_clear();
        result.map(Some).or_else(|failure| match failure {
            Failure::Write(error) if matches!(to, To::Stdout) => {
                Err(failure::stdout_failed(self.settings, self.messages, &error))
            }
            Failure::Write(error) => {
                self.messages
                    .fail_on_new_line(about(to.name(), format_args!(": {}", reason(&error))));
                Err(Stop)
            }
            failure => {
                failure::report(self.messages, &name, &failure);
                Ok(None)
            }
        })
    }

    /// Prints the sizes of a file.
    fn list(&mut self, input: Input, header: &Header, shown: &Path) -> Result<(), Stop> {
        let time = match header.mtime {
            seconds @ 1.. if self.settings.times => {
                Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into()))
            }
            _ if input.metadata.is_file() => input.metadata.modified().ok(),
            _ => Some(SystemTime::now()),
        };
        let name = input.name.clone();
        let measured = match list::measure_blocks(&input, header) {
            Ok(Some(measured)) => Ok(Some(measured)),
            Ok(None) => self.converter.measure(input, header),
            Err(error) => Err(Failure::Read(error)),
        };
        match measured {
            Ok(None) => Ok(()),
            Ok(Some((ratio, crc))) => {
                let row = Row { ratio, crc, time, name: shown };
                let printed = self.table.print(self.settings, &row);
                printed
                    .map_err(|error| failure::stdout_failed(self.settings, self.messages, &error))
            }
            Err(failure) => {
                failure::report(self.messages, &name, &failure);
                Ok(())
            }
        }
    }

    /// Begins the index of a file that is being compressed, if requested. Reports a failure.
    fn begin_index(
        &self,
        input: &Input,
        job: &Job,
        to: Option<&To>,
    ) -> Result<Option<IndexFile>, ()> {
        if !self.settings.index || !matches!(job, Job::Compress) {
            return Ok(None);
        }
        let compressed = to.map(|to| match to {
            To::File(_, target) => target.clone(),
            _ => names::with_suffix(&input.name, &self.settings.suffix),
        });
        self.index_file(input, compressed.as_deref()).map(Some)
    }

    /// Begins an index, under the name given by `-I` or next to the compressed file.
    fn index_file(&self, input: &Input, compressed: Option<&Path>) -> Result<IndexFile, ()> {
        let named = self.settings.index_name.clone();
        let path = named.or_else(|| compressed.map(|file| names::with_suffix(file, b".gzi")));
        let Some(path) = path else {
            self.messages.fail("the index of standard input needs a name: use -I");
            return Err(());
        };
        IndexFile::begin(self.settings, self.messages, path, input).ok_or(())
    }

    /// Writes the index, if one was begun; reports a failure and returns `false`.
    fn put_index(&self, converted: &Converted, file: Option<IndexFile>) -> bool {
        match (&converted.index, file) {
            (Some(index), Some(file)) => file.finish(self.messages, index),
            _ => true,
        }
    }

    /// Indexes an existing file.
    fn reindex(&self, input: &Input, compressed: Option<&Path>) {
        let name = &input.name;
        if input.regular().is_none() {
            self.messages.fail(about(name, ": not a regular file, can't be indexed"));
            return;
        }
        match bgzip::index_of(input) {
            Ok(Some(index)) => {
                if let Ok(file) = self.index_file(input, compressed) {
                    file.finish(self.messages, &index);
                }
            }
            Ok(None) => self.messages.fail(about(name, ": not block gzip")),
            Err(error) => self.messages.fail(about(name, format_args!(": {}", reason(&error)))),
        }
    }

    /// Writes a range of the data to stdout.
    fn range(&mut self, input: Input, range: (u64, Option<u64>)) -> Result<(), Stop> {
        let name = input.name.clone();
        let mut stdout = streams::stdout()
            .map_err(|error| failure::stdout_failed(self.settings, self.messages, &error))?;
        let done = self
            .converter
            .options()
            .and_then(|options| bgzip::range(&options, input, range, &mut stdout));
        match done {
            Ok(()) => {}
            Err(Failure::Write(error)) => {
                return Err(failure::stdout_failed(self.settings, self.messages, &error));
            }
            Err(failure) => failure::report(self.messages, &name, &failure),
        }
        Ok(())
    }
}
