//! `pages save`.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::json;
use uadk_compress::stats::Stats;
use uadk_compress::{BlockCompressor, Compressor, Format, Level};
use uadk_compress_pages::Error as PagesError;
use uadk_compress_pages::snapshot::{
    Chain, ChangedPages, ImageFile, Layout, Pages, Progress, ReadMemory, Region, SaveOptions,
    Saved, save,
};

use super::flags::{self, Report, Writing};
use super::id::hex;
use super::open::{open, open_chain};
use crate::error::Error;
use crate::output::{Attributes, Links, Nodes, Output, Rules};
use crate::size;
use crate::stats_line;
use crate::streams;

/// Guest memory is secret: at most its owner may read and write it.
const SECRET: u32 = 0o600;
/// The lowest level of the formats with negative levels.
const LOWEST: i32 = Level::nearest(i32::MIN).get();

/// Saves an image of guest memory, such as the file of QEMU's memory-backend-file
///
/// Zero pages take no space, and clusters are compressed in parallel. With --base, only the pages
/// that differ from those snapshots are saved. OUT appears when it is complete, readable only by
/// its owner; - is stdout.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// The guest's memory, its regions concatenated
    image: PathBuf,
    /// The snapshot
    out: PathBuf,
    /// A region of guest addresses, ADDRESS:SIZE (default: all of IMAGE at address 0)
    #[arg(long, value_name = "REGION", value_parser = region)]
    region: Vec<Region>,
    /// Save only the difference to this snapshot: pass the base, then its deltas
    #[arg(long, value_name = "SNAPSHOT")]
    base: Vec<PathBuf>,
    /// Page size: 4K to 64K
    #[arg(long, value_name = "SIZE", default_value = "4K", value_parser = size::parse_page)]
    page_size: usize,
    /// Bytes that are compressed together and read to get one page (default: 16K, at least a page)
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    cluster_size: Option<usize>,
    /// Format of the clusters; a delta may have another one than its base
    #[arg(long, value_name = "FORMAT", default_value = "deflate", value_parser = formats())]
    format: Format,
    /// Level of the software engine: 1 to 12, 0 for the least CPU; zstd has -131072 to 22, and LZ4
    /// negative ones for speed
    #[arg(long, value_name = "LEVEL", default_value_t = 1, allow_negative_numbers = true)]
    level: i32,
    #[command(flatten)]
    writing: Writing,
    #[command(flatten)]
    report: Report,
}

/// Saves, and prints the result, on stderr if the snapshot goes to a pipe.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    let codec = Compressor::builder().format(arguments.format).level(arguments.level()?).build();
    let codec = codec.map_err(Error::Engine)?;
    let layout = arguments.layout()?;
    let image = ImageFile::new(open(&arguments.image)?, &layout);
    let codec = Arc::new(codec);
    let shared: Arc<dyn BlockCompressor> = codec.clone();
    let mut options = SaveOptions::default().threads(arguments.writing.threads());
    let changed = match &arguments.base[..] {
        [] => None,
        base => {
            let chain = open_chain(base)?;
            if *chain.layout() != layout {
                return Err(Error::OtherLayout { path: base[0].clone() });
            }
            if let Some(newest) = chain.layers().last() {
                options = options.parent(newest.header().id);
            }
            Some(difference(&chain, &image).map_err(|s| Error::snapshot(&base[0], s))?)
        }
    };
    let pages = changed.as_ref().map_or(Pages::All, Pages::Changed);
    let bar = streams::progress(Some(layout.len()));
    let mut report = |done: Progress| bar.set_position(done.memory);
    let mut is_stream = streams::is_dash(&arguments.out);
    let saved = if is_stream {
        let output = streams::stdout()?;
        save(output, &layout, &image, pages, &shared, &options, &mut report)
    } else {
        let rules =
            Rules { force: arguments.writing.force, links: Links::Follow, nodes: Nodes::Through };
        let mut output = Output::create(&arguments.out, rules)?;
        is_stream = output.is_stream();
        let saved = save(&mut output, &layout, &image, pages, &shared, &options, &mut report);
        if saved.is_ok() {
            let image = image.file().metadata();
            let image = image.map_err(|source| Error::read(&arguments.image, source))?;
            output.finish(Attributes::Mode(image.permissions().mode() & SECRET))?;
        }
        saved
    };
    bar.finish_and_clear();
    let saved = saved.map_err(|source| Error::snapshot(&arguments.out, source))?;
    let stats = arguments.report.stats.then(|| codec.stats());
    let text = describe(&saved, &layout, arguments.report.json, stats.as_ref());
    flags::print(&text, is_stream)?;
    Ok(ExitCode::SUCCESS)
}

fn describe(saved: &Saved, layout: &Layout, json: bool, stats: Option<&Stats>) -> String {
    let (memory, file) = (layout.len(), saved.progress.file);
    if json {
        let mut value = json!({
            "id": hex(&saved.id), "memory": memory, "file": file, "pages": saved.progress.pages,
        });
        if let Some(stats) = stats {
            value["stats"] = stats_line::json(stats);
        }
        return format!("{value}\n");
    }
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let text = format!(
        "{}: {:.1} MiB of memory, {} pages with data, {:.1} MiB in the file\n",
        hex(&saved.id),
        mib(memory),
        saved.progress.pages,
        mib(file)
    );
    stats.map_or(String::new(), |stats| stats_line::line(stats) + "\n") + &text
}

impl Arguments {
    /// Returns the level, if the format has it.
    fn level(&self) -> Result<Level, Error> {
        let (lowest, highest) = match self.format {
            Format::Zstd => (LOWEST, Level::BEST.get()),
            Format::Lz4 => (LOWEST, 12),
            _ => (0, 12),
        };
        if (lowest..=highest).contains(&self.level) {
            return Ok(Level::nearest(self.level));
        }
        let (level, format) = (self.level, self.format);
        let what = format!("invalid level {level} for {format}: must be {lowest} to {highest}");
        Err(Error::refused(what, None))
    }

    fn layout(&self) -> Result<Layout, Error> {
        let metadata = open(&self.image)?.metadata();
        let len = metadata.map_err(|source| Error::read(&self.image, source))?.len();
        let regions = match &self.region[..] {
            [] => vec![Region { address: 0, len }],
            regions => regions.to_vec(),
        };
        let cluster_size = self.cluster_size.unwrap_or(Layout::CLUSTER_SIZE.max(self.page_size));
        let layout = Layout::with_sizes(regions, self.page_size, cluster_size)
            .map_err(|source| Error::snapshot(&self.image, source))?;
        let expected = layout.len();
        if len != expected {
            return Err(Error::Regions { path: self.image.clone(), len, expected });
        }
        Ok(layout)
    }
}

/// Returns the pages in which an image differs from the newest state of a chain.
fn difference(chain: &Chain<File>, image: &ImageFile) -> Result<ChangedPages, PagesError> {
    let layout = chain.layout();
    let mut changed = ChangedPages::none(layout);
    let mut pages = chain.pages();
    let mut page = vec![0; layout.page_size()];
    for (number, region) in layout.regions().iter().enumerate() {
        for offset in (0..region.len).step_by(page.len()) {
            let address = region.address + offset;
            let before = pages.read(address)?;
            let is_hole = image.is_zero(number, offset, page.len()).map_err(PagesError::Memory)?;
            if is_hole && before.is_none() {
                continue;
            }
            image.read(number, offset, &mut page).map_err(PagesError::Memory)?;
            let same = match before {
                Some(before) => before == page,
                None => page.iter().all(|byte| *byte == 0),
            };
            if !same {
                changed.insert(address);
            }
        }
    }
    Ok(changed)
}

fn formats() -> impl TypedValueParser<Value = Format> {
    const FORMATS: [Format; 3] = [Format::RawDeflate, Format::Zstd, Format::Lz4];
    PossibleValuesParser::new(FORMATS.map(Format::name)).try_map(|name| {
        FORMATS.into_iter().find(|format| format.name() == name).ok_or("unknown format")
    })
}

fn region(text: &str) -> Result<Region, String> {
    let usage = || "expected ADDRESS:SIZE, such as 0x100000000:6G".to_owned();
    let (address, len) = text.split_once(':').ok_or_else(usage)?;
    let address = match address.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => address.parse().ok(),
    };
    Ok(Region { address: address.ok_or_else(usage)?, len: size::parse(len)? as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_an_address_and_a_size() {
        assert_eq!(region("0:2G"), Ok(Region { address: 0, len: 2 << 30 }));
        assert_eq!(region("0x100000000:6G"), Ok(Region { address: 1 << 32, len: 6 << 30 }));
        for text in ["", "5", "x:1G", "0x:1G", "0:0", "0:1X"] {
            assert!(region(text).is_err(), "{text}");
        }
    }
}
