//! `pages restore`.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;
use uadk_compress_pages::snapshot::{
    Damage, ImageFile, Layout, Progress, RestoreOptions, StreamReader, restore,
};
use uadk_compress_pages::{Error as PagesError, ZeroPages};

use super::open::{open, open_chain};
use super::output::Output;
use super::progress::progress;
use crate::error::{self, Error};
use crate::streams;

/// Restores an image of guest memory
///
/// Give a snapshot, or a base and the deltas on it. - is stdin. IMAGE is sparse, and appears when it
/// is whole.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// The snapshots, the base first, and the image
    #[arg(required = true, num_args = 2.., value_names = ["SNAPSHOT", "IMAGE"])]
    paths: Vec<PathBuf>,
    /// Restore what is whole of a snapshot that is damaged or cut off; the status is 1 then
    #[arg(long)]
    partial: bool,
    /// Threads that decompress; as many as there are processors if not given
    #[arg(long, value_name = "COUNT")]
    threads: Option<usize>,
    /// Replace IMAGE
    #[arg(long)]
    force: bool,
    /// Print JSON, for machines
    #[arg(long)]
    json: bool,
}

/// What was restored, and what is missing of it.
struct Outcome {
    memory: u64,
    pages: u64,
    missing: Vec<String>,
}

/// Restores, and says what came of it.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    let Some((image, snapshots)) = arguments.paths.split_last() else {
        return Ok(ExitCode::FAILURE);
    };
    let outcome = match snapshots {
        [one] if one == Path::new("-") => arguments.stream(one, io::stdin(), image)?,
        several if several.iter().any(|path| path == Path::new("-")) => {
            return Err(Error::ChainFromStdin);
        }
        several => match arguments.chain(several, image) {
            // Without its end there is no index, and what is whole is found by reading on.
            Err(Error::Snapshot { source: PagesError::Incomplete, .. })
                if arguments.partial && several.len() == 1 =>
            {
                arguments.stream(&several[0], open(&several[0])?, image)?
            }
            other => other?,
        },
    };
    let Outcome { memory, pages, missing } = &outcome;
    error::print(&if arguments.json {
        format!("{}\n", json!({ "memory": memory, "pages": pages, "missing": missing }))
    } else {
        let mib = *memory as f64 / f64::from(1 << 20);
        let done = format!("{mib:.1} MiB of memory, {pages} pages with data\n");
        missing.iter().fold(done, |text, missing| text + "missing: " + missing + "\n")
    })?;
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Arguments {
    fn chain(&self, snapshots: &[PathBuf], image: &Path) -> Result<Outcome, Error> {
        let chain = open_chain(snapshots)?;
        let (output, memory) = self.output(image, chain.layout())?;
        let options = RestoreOptions::default()
            .threads(streams::threads_or_all(self.threads))
            .zero_pages(ZeroPages::Fresh)
            .partial(self.partial);
        let bar = progress(chain.layout().len());
        let restored =
            restore(&chain, &memory, &options, &mut |done| bar.set_position(done.memory));
        bar.finish_and_clear();
        let restored = restored.map_err(|source| Error::snapshot(&snapshots[0], source))?;
        output.finish()?;
        let missing = restored.damage.iter().map(Damage::to_string).collect();
        let Progress { memory, pages, .. } = restored.progress;
        Ok(Outcome { memory, pages, missing })
    }

    fn stream(&self, path: &Path, input: impl Read, image: &Path) -> Result<Outcome, Error> {
        let here = |source| Error::snapshot(path, source);
        let mut reader =
            StreamReader::new(io::BufReader::with_capacity(1 << 20, input)).map_err(here)?;
        if reader.header().parent.is_some() {
            return Err(here(PagesError::NeedsParent));
        }
        let (output, memory) = self.output(image, &reader.header().layout)?;
        let bar = progress(reader.header().layout.len());
        let mut done = Progress::default();
        let result = reader.restore(&memory, ZeroPages::Fresh, &mut done, &mut |done, _| {
            bar.set_position(done.memory);
        });
        bar.finish_and_clear();
        let missing = match result {
            Ok(()) => Vec::new(),
            Err(why) if self.partial => {
                vec![format!("everything behind {:#x}: {}", done.memory, error::chain(&why))]
            }
            Err(why) => return Err(here(why)),
        };
        output.finish()?;
        Ok(Outcome { memory: done.memory, pages: done.pages, missing })
    }

    /// A fresh image file of the layout's length.
    fn output(&self, image: &Path, layout: &Layout) -> Result<(Output, ImageFile), Error> {
        let output = Output::create(image, self.force)?;
        let failed = |source| Error::write(image, source);
        output.file().set_len(layout.len()).map_err(failed)?;
        let file = output.file().try_clone().map_err(failed)?;
        Ok((output, ImageFile::new(file, layout)))
    }
}
