//! `tar index`.

use std::path::PathBuf;

use uadk_compress::Level;
use uadk_compress_archive::Layout;

use crate::error::Error;
use crate::output::{Attributes, Links, Nodes, Output, Rules};
use crate::streams;
use crate::streams::tell;
use crate::tar::archive::{Archive, layout_in, layout_of};
use crate::tar::meter::{Meter, Summary};
use crate::tar::status::Status;

/// Adds an index to an archive, or rebuilds it
///
/// Archives of blocks or independent segments (bgzip, crabz, pigz -i) get it at their end. Other
/// archives are rewritten with --output, with exactly the same tar inside.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    archive: Archive,
    /// Leave the archive unchanged, and write a new one with an index; - for stdout
    #[arg(short, long, value_name = "NEW")]
    output: Option<PathBuf>,
    /// With --output: replace an existing file, once the new one is complete
    #[arg(long, requires = "output")]
    force: bool,
    /// With --output: write block gzip (BGZF), like `tar create --bgzf`
    #[arg(long, requires = "output")]
    bgzf: bool,
    /// Report the blocks of each engine, and why the accelerator was not used
    #[arg(long)]
    stats: bool,
    /// Level of the new archive
    #[arg(long, value_name = "LEVEL", default_value = "6", value_parser = streams::level)]
    level: Level,
}

/// Runs `tar index`.
pub(super) fn run(arguments: &Arguments) -> Result<Status, Error> {
    let archive = &arguments.archive;
    let summary = Summary { totals: false, stats: arguments.stats };
    let failed = |error| archive.failed(error);
    let (meter, entries) = if let Some(output) = &arguments.output {
        let layout = layout_of(arguments.bgzf);
        let meter = Meter::new(summary, arguments.level, Some(layout))?;
        let options = archive.options(&meter).layout(layout);
        let input = streams::input(&archive.file)?;
        let entries = if streams::is_dash(output) {
            options.rewrite(input, streams::stdout()?).map_err(failed)?
        } else {
            let rules =
                Rules { force: arguments.force, links: Links::Follow, nodes: Nodes::Through };
            let mut output = Output::create(output, rules)?;
            let entries = options.rewrite(input, &mut output).map_err(failed)?;
            output.finish(Attributes::Usual)?;
            entries
        };
        (meter, entries)
    } else {
        let file = archive.update(false)?;
        let layout = layout_in(&file, Layout::OneMember);
        let meter = Meter::new(summary, arguments.level, Some(layout))?;
        let entries = archive.options(&meter).index(file).map_err(failed)?;
        (meter, entries)
    };
    tell!("uadk-compress: indexed {entries} entries");
    meter.print("written", 0, None);
    Ok(Status::default())
}
