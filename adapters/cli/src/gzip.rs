//! `gzip` and `gunzip`: filters, and files in place, as those of that name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use uadk_compress::Level;
use uadk_compress_archive::{GzOptions, GzReader};

use crate::error::Error;
use crate::report::report;
use crate::streams::{self, Counted, is_dash};

/// Compresses as gzip does, on all CPUs or an accelerator, into gzip that can be sought in
#[derive(Debug, clap::Args)]
pub(crate) struct Gzip {
    #[command(flatten)]
    common: Common,
    /// Decompress, as gunzip does
    #[arg(short, long, visible_alias = "uncompress")]
    decompress: bool,
    /// Level: 1 to 12, 0 or `fastest` for the least CPU; -1 to -9 mean the same
    #[arg(long, value_name = "LEVEL", default_value = "6", value_parser = streams::level)]
    level: Level,
    #[command(flatten)]
    levels: Levels,
}

/// Decompresses any gzip file, block gzip on all CPUs or an accelerator
#[derive(Debug, clap::Args)]
pub(crate) struct Gunzip {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools)] // Flags of the command line.
struct Common {
    /// Files; without any, or with -, from stdin to stdout
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write to stdout and keep the files
    #[arg(short = 'c', long)]
    stdout: bool,
    /// Keep the files
    #[arg(short, long)]
    keep: bool,
    /// Replace files that are there
    #[arg(short, long)]
    force: bool,
    /// Only read and check compressed files
    #[arg(short, long)]
    test: bool,
    /// Threads that compress or decompress; one per CPU if not said
    #[arg(long, value_name = "N", value_parser = streams::threads)]
    threads: Option<usize>,
}

/// -1 to -9.
#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools)] // Flags of the command line.
struct Levels {
    #[arg(short = '1', hide = true)]
    one: bool,
    #[arg(short = '2', hide = true)]
    two: bool,
    #[arg(short = '3', hide = true)]
    three: bool,
    #[arg(short = '4', hide = true)]
    four: bool,
    #[arg(short = '5', hide = true)]
    five: bool,
    #[arg(short = '6', hide = true)]
    six: bool,
    #[arg(short = '7', hide = true)]
    seven: bool,
    #[arg(short = '8', hide = true)]
    eight: bool,
    #[arg(short = '9', hide = true)]
    nine: bool,
}

impl Levels {
    /// The highest that was given.
    fn get(&self) -> Option<Level> {
        let given = [
            self.one, self.two, self.three, self.four, self.five, self.six, self.seven, self.eight,
            self.nine,
        ];
        let place = given.iter().rposition(|given| *given)?;
        Level::new(place as u8 + 1)
    }
}

/// Runs `gzip`.
pub(crate) fn compress(arguments: &Gzip) -> Result<ExitCode, Error> {
    if arguments.decompress || arguments.common.test {
        return arguments.common.each(&Job::Decompress);
    }
    arguments.common.each(&Job::Compress(arguments.levels.get().unwrap_or(arguments.level)))
}

/// Runs `gunzip`.
pub(crate) fn decompress(arguments: &Gunzip) -> Result<ExitCode, Error> {
    arguments.common.each(&Job::Decompress)
}

#[derive(Debug)]
enum Job {
    Compress(Level),
    Decompress,
}

impl Common {
    fn each(&self, job: &Job) -> Result<ExitCode, Error> {
        if self.files.is_empty() {
            self.filter(job, Path::new("-"))?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut count = 0;
        for file in &self.files {
            let done = if self.stdout || self.test || is_dash(file) {
                self.filter(job, file)
            } else {
                self.in_place(job, file)
            };
            match done {
                Err(error) if error.is_broken_pipe() => break,
                Err(error) => {
                    report(&error);
                    count += 1;
                }
                Ok(()) => {}
            }
        }
        if count == 0 { Ok(ExitCode::SUCCESS) } else { Err(Error::Some { count }) }
    }

    fn filter(&self, job: &Job, file: &Path) -> Result<(), Error> {
        let input = streams::input(file)?;
        if self.test {
            return self.run(job, file, input, Path::new("-"), &mut io::sink());
        }
        self.run(job, file, input, Path::new("-"), &mut streams::stdout()?)
    }

    /// From a file to one with another name, which takes its place.
    fn in_place(&self, job: &Job, file: &Path) -> Result<(), Error> {
        let metadata = fs::symlink_metadata(file).map_err(|error| Error::file(file, error))?;
        if !metadata.is_file() {
            let what = format!("{} is no regular file", file.display());
            return Err(Error::refused(what, Some("with --stdout it can be read")));
        }
        let input = streams::input(file)?;
        let target = target(job, file)?;
        let failed = |error| Error::file(&target, error);
        if self.force {
            match fs::remove_file(&target) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        let mut options = OpenOptions::new();
        let mut output =
            options.write(true).create_new(true).mode(0o600).open(&target).map_err(|error| {
                match error.kind() {
                    io::ErrorKind::AlreadyExists => Error::Exists { path: target.clone() },
                    _ => failed(error),
                }
            })?;
        let done = self.run(job, file, input, &target, &mut output).and_then(|()| {
            output.set_permissions(metadata.permissions()).map_err(failed)?;
            let modified = metadata.modified().map_err(failed)?;
            output.set_modified(modified).map_err(failed)
        });
        if done.is_err() {
            // What is half done must not look like what was asked for.
            let _ = fs::remove_file(&target);
        } else if !self.keep {
            fs::remove_file(file).map_err(|error| Error::file(file, error))?;
        }
        done
    }

    fn run(
        &self,
        job: &Job,
        from: &Path,
        input: File,
        to: &Path,
        output: &mut impl Write,
    ) -> Result<(), Error> {
        let mut options = GzOptions::new();
        if let Some(threads) = self.threads {
            options = options.threads(threads);
        }
        let total = input.metadata().ok().filter(fs::Metadata::is_file).map(|file| file.len());
        let bar = streams::progress(total);
        let input = Counted { inner: input, bar: bar.clone() };
        let result = match job {
            Job::Compress(level) => {
                let done = options.level(*level).compress(input, output);
                done.map(drop).map_err(|error| Error::archive(from, error))
            }
            Job::Decompress => options
                .reader(input)
                .map_err(|error| Error::archive(from, error))
                .and_then(|mut reader| copy(&mut reader, from, output, to)),
        };
        bar.finish_and_clear();
        result
    }
}

/// Writes what the reader has ready, without a copy.
fn copy<R: io::Read>(
    reader: &mut GzReader<R>,
    from: &Path,
    output: &mut impl Write,
    to: &Path,
) -> Result<(), Error> {
    loop {
        let ready = reader.fill_buf().map_err(|error| Error::archive(from, error.into()))?;
        if ready.is_empty() {
            return Ok(());
        }
        output.write_all(ready).map_err(|error| Error::file(to, error))?;
        let n = ready.len();
        reader.consume(n);
    }
}

/// The name of what a file becomes.
fn target(job: &Job, file: &Path) -> Result<PathBuf, Error> {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or("");
    let known = matches!(extension, "gz" | "bgz" | "tgz");
    match job {
        Job::Compress(_) if known => Err(Error::refused(
            format!("{} is compressed already, by its name", file.display()),
            None,
        )),
        Job::Compress(_) => {
            let mut name = file.as_os_str().to_owned();
            name.push(".gz");
            Ok(name.into())
        }
        Job::Decompress if extension == "tgz" => Ok(file.with_extension("tar")),
        Job::Decompress if known => Ok(file.with_extension("")),
        Job::Decompress => Err(Error::refused(
            format!("{} has none of the endings .gz, .bgz and .tgz", file.display()),
            Some("with --stdout it is read all the same"),
        )),
    }
}
