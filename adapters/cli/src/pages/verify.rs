//! `pages verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;
use uadk_compress_pages::Error as PagesError;
use uadk_compress_pages::snapshot::verify;

use super::flags::Report;
use super::open::{open, open_chain};
use crate::error::{self, Error};
use crate::{stats_line, streams};

/// Reads snapshots and checks every byte; the exit status is 1 if any is damaged
///
/// Several snapshots must also be a base and its deltas.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// The snapshots
    #[arg(required = true, value_name = "SNAPSHOT")]
    snapshots: Vec<PathBuf>,
    #[command(flatten)]
    report: Report,
}

/// Verifies, and prints what is damaged and where.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    let mut intact = true;
    for path in &arguments.snapshots {
        let file = open(path)?;
        let len = file.metadata().map_err(|source| Error::read(path, source))?.len();
        let bar = streams::progress(Some(len));
        let verified = verify(file, &mut |done| bar.set_position(done.file));
        bar.finish_and_clear();
        let mut stats = None;
        let (pages, damage) = match verified {
            Ok(verified) => {
                stats = verified.stats.filter(|_| arguments.report.stats);
                let damage: Vec<_> = verified
                    .damage
                    .iter()
                    .map(|damage| (damage.to_string(), damage.offset))
                    .collect();
                (verified.progress.pages, damage)
            }
            Err(PagesError::Damaged(damage)) => (0, vec![(damage.to_string(), damage.offset)]),
            Err(source @ PagesError::Incomplete) => (0, vec![(error::chain(&source), len)]),
            Err(source) => return Err(Error::snapshot(path, source)),
        };
        intact &= damage.is_empty();
        error::print(&if arguments.report.json {
            let damage: Vec<_> = damage
                .iter()
                .map(|(what, offset)| json!({ "what": what, "offset": offset }))
                .collect();
            let mut value = json!({ "snapshot": path, "pages": pages, "damage": damage });
            if let Some(stats) = &stats {
                value["stats"] = stats_line::json(stats);
            }
            format!("{value}\n")
        } else if damage.is_empty() {
            format!("{}: intact, {pages} pages with data\n", path.display())
        } else {
            let lines = damage.iter().map(|(what, _)| format!("{}: {what}\n", path.display()));
            lines.collect()
        })?;
        if let Some(stats) = stats.filter(|_| !arguments.report.json) {
            error::print(&format!("{}: {}\n", path.display(), stats_line::line(&stats)))?;
        }
    }
    if intact && arguments.snapshots.len() > 1 {
        open_chain(&arguments.snapshots)?;
    }
    Ok(if intact { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
