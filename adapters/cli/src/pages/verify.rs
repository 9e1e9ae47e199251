//! `pages verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;
use uadk_compress_pages::Error as PagesError;
use uadk_compress_pages::snapshot::verify;

use super::open::{open, open_chain};
use super::progress::progress;
use crate::error::{self, Error};

/// Reads snapshots and checks every byte; the status is 1 if any is damaged
///
/// Several are also checked to be a base and the deltas on it.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// The snapshots
    #[arg(required = true, value_name = "SNAPSHOT")]
    snapshots: Vec<PathBuf>,
    /// Print JSON, for machines
    #[arg(long)]
    json: bool,
}

/// Verifies, and says what is damaged and where.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    let mut intact = true;
    for path in &arguments.snapshots {
        let file = open(path)?;
        let len = file.metadata().map_err(|source| Error::read(path, source))?.len();
        let bar = progress(len);
        let verified = verify(file, &mut |done| bar.set_position(done.file));
        bar.finish_and_clear();
        let (pages, damage) = match verified {
            Ok(verified) => {
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
        error::print(&if arguments.json {
            let damage: Vec<_> = damage
                .iter()
                .map(|(what, offset)| json!({ "what": what, "offset": offset }))
                .collect();
            format!("{}\n", json!({ "snapshot": path, "pages": pages, "damage": damage }))
        } else if damage.is_empty() {
            format!("{}: intact, {pages} pages with data\n", path.display())
        } else {
            let lines = damage.iter().map(|(what, _)| format!("{}: {what}\n", path.display()));
            lines.collect()
        })?;
    }
    if intact && arguments.snapshots.len() > 1 {
        open_chain(&arguments.snapshots)?;
    }
    Ok(if intact { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
