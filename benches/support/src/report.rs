//! A bench's results: a table for people, a JSON file for machines.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// One comparison.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// On what ("16 KiB, level 1").
    pub case: String,
    /// Of what ("load+compact CPU s").
    pub metric: String,
    /// Our figure, in the metric's unit.
    pub ours: f64,
    /// The peer's.
    pub peer: f64,
    /// Who the peer is.
    pub peer_name: String,
    /// Ours / peer.
    pub ratio: f64,
    /// What the ratio must meet: `<=` or `>=` and a number.
    pub bound: Option<String>,
}

impl Row {
    /// Whether the bound, if there is one, is met.
    ///
    /// # Panics
    ///
    /// If the bound is not `<=` or `>=` and a number.
    #[must_use]
    pub fn met(&self) -> Option<bool> {
        let bound = self.bound.as_deref()?;
        let (sign, number) = bound.split_at(2);
        let number: f64 = number.parse().expect("a number behind <= or >=");
        Some(match sign {
            "<=" => self.ratio <= number,
            ">=" => self.ratio >= number,
            _ => panic!("{bound:?} is not a bound"),
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
    /// A report that goes to `target/bench/NAME.json`.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, rows: Vec::new() }
    }

    /// Adds a comparison; `bound` as in [`Row::bound`].
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

    /// Prints the table and writes the file. Gives the number of bounds that were missed.
    ///
    /// # Errors
    ///
    /// If the file can't be written.
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

/// `bench` in the target folder, wherever that is: for results, and for what is made once.
#[must_use]
pub fn folder() -> PathBuf {
    // A bench is `target/PROFILE/deps/NAME`.
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(3).unwrap_or_else(|| Path::new("target")).join("bench")
}
