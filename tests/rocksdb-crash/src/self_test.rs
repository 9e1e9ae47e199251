//! Shows that the test finds errors: makes them on purpose.

use clap::ValueEnum;

use crate::error::Result;
use crate::files::Files;
use crate::run::Run;
use crate::sabotage::Sabotage;

/// How often the writer is killed until its error must have been found.
const KILLS: u32 = 30;

/// Runs a short test with each error in it.
///
/// # Errors
///
/// Returns the first error that is not found, or for another reason than it should be.
pub(crate) fn run(seed: u64) -> Result<()> {
    for sabotage in Sabotage::value_variants() {
        let dir = tempfile::Builder::new().prefix("rocksdb-crash-").tempdir()?;
        let files = Files::new(dir.path());
        let run = Run { seed, kills: KILLS, sabotage: Some(*sabotage), files };
        match run.execute(|_| ()) {
            Ok(_) => return Err(format!("not found in {KILLS} rounds: {sabotage:?}").into()),
            Err(failure) => check(*sabotage, &failure.to_string())?,
        }
    }
    Ok(())
}

/// Checks that a failure is about the error that was made.
fn check(sabotage: Sabotage, failure: &str) -> Result<()> {
    let is_symptom = |line: &&str| sabotage.symptoms().iter().any(|words| line.contains(words));
    let Some(line) = failure.lines().find(is_symptom) else {
        return Err(format!("{sabotage:?} led to something else: {failure}").into());
    };
    println!("{sabotage:?} is found: {line}");
    Ok(())
}
