//! What the database must contain.

use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::family::FAMILIES;
use crate::operations::{Change, Operation, Operations};
use crate::record::{KEYS, Version};

/// The version of each key of a family, by its number; `None` if it has no value.
pub(crate) type Contents = Vec<Option<Version>>;

/// What all acknowledged operations have left, and the operations that were not acknowledged when
/// the writer was killed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Expected {
    pub(crate) families: Vec<Contents>,
    /// At most one of each thread. Each may have been done or not.
    pub(crate) in_flight: Vec<InFlight>,
}

/// An operation, by its position in the sequence of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InFlight {
    pub(crate) round: u32,
    pub(crate) thread: u32,
    pub(crate) threads: u32,
    pub(crate) number: u32,
}

impl fmt::Display for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { round, thread, threads, number } = self;
        write!(f, "operation {number} of round {round} (thread {thread} of {threads})")
    }
}

impl InFlight {
    pub(crate) fn operation(&self, seed: u64) -> Operation {
        Operations::new(seed, self.round, self.thread, self.threads)
            .nth(self.number as usize)
            .expect("the sequence is endless")
    }
}

impl Default for Expected {
    /// Returns what a new database contains.
    fn default() -> Self {
        Self { families: vec![vec![None; KEYS as usize]; FAMILIES.len()], in_flight: Vec::new() }
    }
}

impl Expected {
    pub(crate) fn load(path: &Path) -> Result<Self> {
        Ok(serde_json::from_reader(BufReader::new(File::open(path)?))?)
    }

    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        Ok(std::fs::write(path, serde_json::to_vec(self)?)?)
    }

    pub(crate) fn apply(&mut self, operation: &Operation) {
        for Change { family, keys, version } in operation.changes() {
            self.families[*family][keys.start as usize..keys.end as usize].fill(*version);
        }
    }

    /// Applies the operations in flight that were done, as `done` says in their order, and forgets
    /// the others.
    pub(crate) fn resolve(&mut self, seed: u64, done: &[bool]) {
        for (in_flight, done) in std::mem::take(&mut self.in_flight).iter().zip(done) {
            if *done {
                self.apply(&in_flight.operation(seed));
            }
        }
    }

    /// Compares the contents of some families, by their positions, with what they must be. Returns
    /// which operations in flight were done. Those without an effect count as done.
    ///
    /// # Errors
    ///
    /// Returns the first difference, or the operation of which only a part was done.
    pub(crate) fn explain(&self, seed: u64, found: &[(usize, Contents)]) -> Result<Vec<bool>> {
        let mut explained = self.clone();
        let mut all_done = Vec::new();
        for in_flight in &self.in_flight {
            let operation = in_flight.operation(seed);
            let mut after = explained.clone();
            after.apply(&operation);
            let is_left_by = |state: &Self| {
                touched(&operation).all(|(f, k)| {
                    found.iter().all(|(family, contents)| {
                        f != *family || contents[k] == state.families[f][k]
                    })
                })
            };
            let done = is_left_by(&after);
            if !done && !is_left_by(&explained) {
                return Err(explained.half_done(in_flight, &operation, &after, found).into());
            }
            if done {
                explained = after;
            }
            all_done.push(done);
        }
        for (family, contents) in found {
            let pairs = contents.iter().zip(&explained.families[*family]);
            for (key, (found, expected)) in pairs.enumerate() {
                if found != expected {
                    return Err(difference(*family, key, *found, *expected).into());
                }
            }
        }
        Ok(all_done)
    }

    /// Describes an operation that was done in part. `self` is what was before it.
    fn half_done(
        &self,
        in_flight: &InFlight,
        operation: &Operation,
        after: &Self,
        found: &[(usize, Contents)],
    ) -> String {
        let lines = touched(operation).flat_map(|(f, k)| {
            let of_family = found.iter().filter(move |(family, _)| *family == f);
            of_family.map(move |(_, contents)| {
                let states = [contents[k], self.families[f][k], after.families[f][k]];
                let [found, before, after] = states.map(name);
                let family = FAMILIES[f].name;
                format!("\n  family {family}, key {k}: {found}; before: {before}; after: {after}")
            })
        });
        format!("{in_flight} is half done:{}", lines.collect::<String>())
    }
}

/// Returns the families and keys that an operation writes to.
fn touched(operation: &Operation) -> impl Iterator<Item = (usize, usize)> {
    let changes = operation.changes().iter();
    changes.flat_map(|change| change.keys.clone().map(move |key| (change.family, key as usize)))
}

/// Describes a key with the wrong contents.
pub(crate) fn difference(
    family: usize,
    key: usize,
    found: Option<Version>,
    expected: Option<Version>,
) -> String {
    format!(
        "family {}, key {key}: found {}, expected {}",
        FAMILIES[family].name,
        name(found),
        name(expected)
    )
}

fn name(version: Option<Version>) -> String {
    version.map_or("no value".to_owned(), |version| format!("the value of {version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: u64 = 1;

    /// Returns a state with an operation of several changes in flight, and that operation.
    fn batch_in_flight() -> (Expected, Operation) {
        let number = Operations::new(SEED, 0, 0, 1)
            .position(|operation| touched(&operation).count() > 5)
            .expect("the sequence is endless");
        let in_flight = InFlight { round: 0, thread: 0, threads: 1, number: number as u32 };
        let expected = Expected { in_flight: vec![in_flight], ..Expected::default() };
        (expected, in_flight.operation(SEED))
    }

    fn explain(expected: &Expected, found: &Expected) -> Result<Vec<bool>> {
        let found: Vec<_> = found.families.iter().cloned().enumerate().collect();
        expected.explain(SEED, &found)
    }

    #[test]
    fn an_operation_in_flight_may_be_done_or_not() {
        let (expected, operation) = batch_in_flight();
        let mut done = expected.clone();
        done.apply(&operation);
        assert_eq!(explain(&expected, &expected).expect("not done"), [false]);
        assert_eq!(explain(&expected, &done).expect("done"), [true]);
        let mut resolved = expected.clone();
        resolved.resolve(SEED, &[true]);
        assert_eq!((resolved.families, resolved.in_flight), (done.families, vec![]));
        let mut resolved = expected.clone();
        resolved.resolve(SEED, &[false]);
        assert_eq!((resolved.families, resolved.in_flight), (expected.families, vec![]));
    }

    #[test]
    fn an_operation_that_is_done_in_part_is_an_error() {
        let (expected, operation) = batch_in_flight();
        for left_out in 0..operation.changes().len() {
            let mut changes = operation.changes().to_vec();
            changes.remove(left_out);
            let mut found = expected.clone();
            found.apply(&Operation::Write(changes));
            let mut whole = expected.clone();
            whole.apply(&operation);
            if found != whole {
                let error = explain(&expected, &found).expect_err("a part is missing");
                assert!(error.to_string().contains("half done"), "{error}");
            }
        }
    }

    #[test]
    fn a_lost_value_a_stale_value_and_an_extra_one_are_errors() {
        let expected = |round| {
            let mut expected = Expected::default();
            expected.families[2][5] = Some(Version { round, operation: 0 });
            expected
        };
        for (state, found, message) in [
            (expected(1), Expected::default(), "found no value, expected the value of operation 0"),
            (expected(1), expected(0), "found the value of operation 0 of round 0"),
            (Expected::default(), expected(0), "expected no value"),
        ] {
            let error = explain(&state, &found).expect_err("a difference").to_string();
            assert!(error.contains("family custom, key 5") && error.contains(message), "{error}");
        }
    }

    #[test]
    fn a_saved_state_is_loaded_as_it_was() {
        let (mut expected, operation) = batch_in_flight();
        expected.apply(&operation);
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("expected");
        expected.save(&path).expect("saved");
        assert_eq!(Expected::load(&path).expect("loaded"), expected);
    }
}
