//! `pages restore`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;
use uadk_compress::stats::Stats;
use uadk_compress_pages::snapshot::{
    Chain, Damage, ImageFile, Layout, Progress, RestoreOptions, Snapshot, StreamReader,
    WriteMemory, restore,
};
use uadk_compress_pages::{Error as PagesError, ZeroPages};

use super::flags::{self, Report, Writing};
use super::open::{open, open_chain};
use super::sequential::Sequential;
use crate::error::{self, Error};
use crate::output::{Attributes, Links, Nodes, Output, Rules};
use crate::stats_line;
use crate::streams;

/// The mode of an image whose snapshot comes from a pipe: guest memory is secret.
const SECRET: u32 = 0o600;

/// Restores an image of guest memory
///
/// Restores one snapshot, or a base and its deltas; - is stdin, or stdout. IMAGE is sparse, has the
/// snapshot's mode, and appears when it is complete. To a pipe, all memory is written in order.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// The snapshots, the base first, and the image
    #[arg(required = true, num_args = 2.., value_names = ["SNAPSHOT", "IMAGE"])]
    paths: Vec<PathBuf>,
    /// Restore the intact part of a damaged or truncated snapshot, and exit with status 1
    #[arg(long)]
    partial: bool,
    #[command(flatten)]
    writing: Writing,
    #[command(flatten)]
    report: Report,
}

/// The result of restoring, including the parts that are missing.
struct Outcome {
    memory: u64,
    pages: u64,
    missing: Vec<String>,
    /// The engine statistics of each snapshot.
    stats: Vec<Stats>,
    /// Whether the image went to a pipe, which may be stdout.
    is_stream: bool,
}

/// Restores, and prints the result.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    let Some((image, snapshots)) = arguments.paths.split_last() else {
        return Ok(ExitCode::FAILURE);
    };
    let outcome = match snapshots {
        [one] if one == Path::new("-") => arguments.stream(one, streams::stdin()?, image)?,
        several if several.iter().any(|path| path == Path::new("-")) => {
            return Err(Error::ChainFromStdin);
        }
        several => match arguments.chain(several, image) {
            // A truncated snapshot has no index: find the intact part by reading sequentially.
            Err(Error::Snapshot { source: PagesError::Incomplete, .. })
                if arguments.partial && several.len() == 1 =>
            {
                arguments.stream(&several[0], open(&several[0])?, image)?
            }
            other => other?,
        },
    };
    let Outcome { memory, pages, missing, stats, is_stream } = &outcome;
    let text = if arguments.report.json {
        let mut value = json!({ "memory": memory, "pages": pages, "missing": missing });
        if arguments.report.stats {
            value["stats"] = stats.iter().map(stats_line::json).collect();
        }
        format!("{value}\n")
    } else {
        let mib = *memory as f64 / f64::from(1 << 20);
        let stats = stats.iter().filter(|_| arguments.report.stats).map(stats_line::line);
        let stats: String = stats.map(|line| line + "\n").collect();
        let done = format!("{stats}{mib:.1} MiB of memory, {pages} pages with data\n");
        missing.iter().fold(done, |text, missing| text + "missing: " + missing + "\n")
    };
    flags::print(&text, *is_stream)?;
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Arguments {
    fn chain(&self, snapshots: &[PathBuf], image: &Path) -> Result<Outcome, Error> {
        let chain = open_chain(snapshots)?;
        let here = |source| Error::snapshot(&snapshots[0], source);
        match Target::create(image, self.writing.force, chain.layout())? {
            Target::Image(output, memory) => {
                let options = RestoreOptions::default()
                    .threads(self.writing.threads())
                    .zero_pages(ZeroPages::Fresh)
                    .partial(self.partial);
                let bar = streams::progress(Some(chain.layout().len()));
                let restored =
                    restore(&chain, &memory, &options, &mut |done| bar.set_position(done.memory));
                bar.finish_and_clear();
                let restored = restored.map_err(here)?;
                output.finish(Attributes::Mode(mode(snapshots)?))?;
                let missing = restored.damage.iter().map(Damage::to_string).collect();
                let Progress { memory, pages, .. } = restored.progress;
                let stats = stats(&chain);
                Ok(Outcome { memory, pages, missing, stats, is_stream: false })
            }
            Target::Pipe(to) => {
                let memory = Sequential::new(to, chain.layout());
                let mut outcome = in_order(&chain, &memory, self.partial).map_err(here)?;
                memory.finish().map_err(|source| Error::write(image, source))?;
                outcome.stats = stats(&chain);
                Ok(outcome)
            }
        }
    }

    fn stream(&self, path: &Path, input: impl Read, image: &Path) -> Result<Outcome, Error> {
        let here = |source| Error::snapshot(path, source);
        let mut reader =
            StreamReader::new(io::BufReader::with_capacity(1 << 20, input)).map_err(here)?;
        if reader.header().parent.is_some() {
            return Err(here(PagesError::NeedsParent));
        }
        match Target::create(image, self.writing.force, &reader.header().layout)? {
            Target::Image(output, memory) => {
                let outcome = self.read(path, &mut reader, &memory)?;
                let mode = if streams::is_dash(path) {
                    SECRET
                } else {
                    mode(std::slice::from_ref(&path.to_owned()))?
                };
                output.finish(Attributes::Mode(mode))?;
                Ok(outcome)
            }
            Target::Pipe(to) => {
                let memory = Sequential::new(to, &reader.header().layout);
                let outcome = self.read(path, &mut reader, &memory)?;
                memory.finish().map_err(|source| Error::write(image, source))?;
                Ok(Outcome { is_stream: true, ..outcome })
            }
        }
    }

    fn read(
        &self,
        path: &Path,
        reader: &mut StreamReader<impl Read>,
        memory: &impl WriteMemory,
    ) -> Result<Outcome, Error> {
        let bar = streams::progress(Some(reader.header().layout.len()));
        let mut done = Progress::default();
        let result = reader.restore(memory, ZeroPages::Fresh, &mut done, &mut |done, _| {
            bar.set_position(done.memory);
        });
        bar.finish_and_clear();
        let missing = match result {
            Ok(()) => Vec::new(),
            Err(reason) if self.partial => {
                vec![format!("everything from {:#x} on: {}", done.memory, error::chain(&reason))]
            }
            Err(reason) => return Err(Error::snapshot(path, reason)),
        };
        let stats = reader.stats().into_iter().collect();
        Ok(Outcome { memory: done.memory, pages: done.pages, missing, stats, is_stream: false })
    }
}

/// Where an image goes.
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
enum Target {
    /// A new file of the layout's length.
    Image(Output, ImageFile),
    /// A pipe, which is written from beginning to end.
    Pipe(File),
}

impl Target {
    fn create(image: &Path, force: bool, layout: &Layout) -> Result<Self, Error> {
        let failed = |source| Error::write(image, source);
        if streams::is_dash(image) {
            return Ok(Self::Pipe(streams::stdout().map_err(failed)?));
        }
        let rules = Rules { force, links: Links::Follow, nodes: Nodes::Through };
        let output = Output::create(image, rules)?;
        let file = output.file().try_clone().map_err(failed)?;
        if output.is_stream() {
            return Ok(Self::Pipe(file));
        }
        file.set_len(layout.len()).map_err(failed)?;
        Ok(Self::Image(output, ImageFile::new(file, layout)))
    }
}

/// Returns the engine statistics of each snapshot.
fn stats(chain: &Chain<File>) -> Vec<Stats> {
    chain.layers().iter().filter_map(Snapshot::stats).collect()
}

/// Returns the permissions that all snapshots have in common.
fn mode(snapshots: &[PathBuf]) -> Result<u32, Error> {
    snapshots.iter().try_fold(0o666, |mode, path| {
        let metadata = std::fs::metadata(path).map_err(|source| Error::read(path, source))?;
        Ok(mode & metadata.permissions().mode())
    })
}

/// Writes all pages in the order of their addresses.
fn in_order(
    chain: &Chain<File>,
    memory: &Sequential<impl Write + Send>,
    partial: bool,
) -> Result<Outcome, PagesError> {
    let layout = chain.layout();
    let mut pages = chain.pages();
    let mut outcome = Outcome {
        memory: layout.len(),
        pages: 0,
        missing: Vec::new(),
        stats: Vec::new(),
        is_stream: true,
    };
    let bar = streams::progress(Some(layout.len()));
    for (number, region) in layout.regions().iter().enumerate() {
        for offset in (0..region.len).step_by(layout.page_size()) {
            match pages.read(region.address + offset) {
                Ok(None) => {}
                Ok(Some(page)) => {
                    memory.write(number, offset, page).map_err(PagesError::Memory)?;
                    outcome.pages += 1;
                }
                Err(PagesError::Damaged(damage)) if partial => {
                    let text = damage.to_string();
                    if outcome.missing.last() != Some(&text) {
                        outcome.missing.push(text);
                    }
                }
                Err(error) => return Err(error),
            }
            bar.inc(layout.page_size() as u64);
        }
    }
    bar.finish_and_clear();
    Ok(outcome)
}
