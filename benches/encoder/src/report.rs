//! The results: a table for people, a JSON file for machines.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// One comparison.
struct Row {
    case: String,
    metric: String,
    ours: f64,
    peer: f64,
    peer_name: String,
    /// `>=` and a number, or empty.
    bound: String,
}

impl Row {
    fn ratio(&self) -> f64 {
        self.ours / self.peer
    }

    fn met(&self) -> Option<bool> {
        let number: f64 = self.bound.strip_prefix(">=")?.parse().ok()?;
        Some(self.ratio() >= number)
    }
}

/// All of them.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

impl Report {
    pub(crate) fn add(
        &mut self,
        case: &str,
        metric: &str,
        (ours, peer): (f64, f64),
        peer_name: &str,
        bound: &str,
    ) {
        self.rows.push(Row {
            case: case.to_owned(),
            metric: metric.to_owned(),
            ours,
            peer,
            peer_name: peer_name.to_owned(),
            bound: bound.to_owned(),
        });
    }

    pub(crate) fn print(&self) {
        for row in &self.rows {
            let bound = match row.met() {
                Some(true) => format!("{} met", row.bound),
                Some(false) => format!("{} MISSED", row.bound),
                None => String::new(),
            };
            println!(
                "{:<18} {:<16} {:<13} {:>8.3} {:>8.3} {:>7.3}  {bound}",
                row.case,
                row.metric,
                row.peer_name,
                row.ours,
                row.peer,
                row.ratio()
            );
        }
    }

    pub(crate) fn missed(&self) -> usize {
        self.rows.iter().filter(|row| row.met() == Some(false)).count()
    }

    pub(crate) fn write(&self, path: &Path) -> std::io::Result<()> {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "case": row.case,
                    "metric": row.metric,
                    "ours": row.ours,
                    "peer": row.peer,
                    "peer_name": row.peer_name,
                    "ratio": row.ratio(),
                    "bound": if row.bound.is_empty() { Value::Null } else { json!(row.bound) },
                })
            })
            .collect();
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir)?;
        }
        fs::write(path, serde_json::to_string_pretty(&rows)?)
    }
}
