//! A bench's results: a table for people, a JSON file for machines.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// One comparison.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The measured case ("16 KiB, level 1").
    pub case: String,
    /// The measured quantity and its unit ("load+compact CPU s").
    pub metric: String,
    /// Our figure, in the metric's unit.
    pub ours: f64,
    /// The peer's figure.
    pub peer: f64,
    /// The peer's name.
    pub peer_name: String,
    /// Our figure divided by the peer's.
    pub ratio: f64,
    /// The bound for the ratio: `<=` or `>=` and a number.
    pub bound: Option<String>,
}

impl Row {
    /// Returns whether the bound is met, or `None` if there is none.
    ///
    /// # Panics
    ///
    /// Panics if the bound isn't `<=` or `>=` and a number.
    #[must_use]
    pub fn met(&self) -> Option<bool> {
        let bound = self.bound.as_deref()?;
        let (sign, number) = bound.split_at(2);
        let number: f64 = number.parse().expect("a number after <= or >=");
        Some(match sign {
            "<=" => self.ratio <= number,
            ">=" => self.ratio >= number,
            _ => panic!("invalid bound {bound:?}"),
        })
    }
}

/// The results of one bench.
#[derive(Clone, Debug)]
pub struct Report {
    name: &'static str,
    rows: Vec<Row>,
}

impl Report {
    /// Creates a report that is written to `target/bench/NAME.json`.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, rows: Vec::new() }
    }

    /// Adds a comparison. For `bound`, see [`Row::bound`].
    pub fn add(
        &mut self,
        case: impl Into<String>,
        metric: &str,
        (ours, peer): (f64, f64),
        peer_name: &str,
        bound: Option<&str>,
    ) {
        self.rows.push(Row {
            case: case.into(),
            metric: metric.to_owned(),
            ours,
            peer,
            peer_name: peer_name.to_owned(),
            ratio: ours / peer,
            bound: bound.map(str::to_owned),
        });
    }

    /// Prints the table, writes the file and returns the number of bounds missed.
    ///
    /// # Errors
    ///
    /// Fails if the file can't be written.
    pub fn finish(&self) -> std::io::Result<usize> {
        println!(
            "{:<24} {:<20} {:<15} {:>10} {:>10} {:>7}  bound",
            "case", "metric", "peer", "ours", "peer", "ratio"
        );
        for row in &self.rows {
            let bound = match (&row.bound, row.met()) {
                (Some(bound), Some(true)) => format!("{bound} met"),
                (Some(bound), _) => format!("{bound} MISSED"),
                (None, _) => String::new(),
            };
            println!(
                "{:<24} {:<20} {:<15} {:>10.3} {:>10.3} {:>7.3}  {bound}",
                row.case, row.metric, row.peer_name, row.ours, row.peer, row.ratio
            );
        }
        let path = self.path();
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir)?;
        }
        fs::write(&path, serde_json::to_string_pretty(&self.rows)?)?;
        let missed = self.rows.iter().filter(|row| row.met() == Some(false)).count();
        println!("{} rows in {}, {missed} bounds missed", self.rows.len(), path.display());
        Ok(missed)
    }

    fn path(&self) -> PathBuf {
        folder().join(format!("{}.json", self.name))
    }
}

/// Returns the directory `bench` in the target directory, for results and cached data.
#[must_use]
pub fn folder() -> PathBuf {
    // The path of a bench is `target/PROFILE/deps/NAME`.
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(3).unwrap_or_else(|| Path::new("target")).join("bench")
}
