//! What a child process tells its parent: one line each, on its standard output.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use crate::error::Result;

/// A line of a child's output. A pipe keeps what the child wrote before it was killed, and takes a
/// line as a whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// The database is open and right. Says of each operation in flight whether it was done.
    Opened { done: Vec<bool> },
    /// A thread has done its operation with this number, and will begin the next.
    Acknowledged { thread: u32, number: u32 },
    /// The database has this table file, which any RocksDB can read.
    Table { path: String },
    /// Blocks that the accelerator and software have processed so far.
    Blocks { accelerator: u64, software: u64 },
}

impl Report {
    /// Writes the line.
    pub(crate) fn send(&self) -> Result<()> {
        // One write, so that a child that dies leaves no half of it.
        let line = format!("{self}\n");
        let mut output = io::stdout().lock();
        output.write_all(line.as_bytes())?;
        Ok(output.flush()?)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened { done } => {
                write!(f, "opened")?;
                done.iter().try_for_each(|done| write!(f, " {done}"))
            }
            Self::Acknowledged { thread, number } => write!(f, "acknowledged {thread} {number}"),
            Self::Table { path } => write!(f, "table {path}"),
            Self::Blocks { accelerator, software } => write!(f, "blocks {accelerator} {software}"),
        }
    }
}

impl FromStr for Report {
    type Err = Box<dyn std::error::Error + Send + Sync>;

    fn from_str(line: &str) -> Result<Self> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let two = || rest.split_once(' ').ok_or_else(|| format!("not two numbers: {line}"));
        match word {
            "opened" => {
                let done = rest
                    .split_whitespace()
                    .map(str::parse)
                    .collect::<std::result::Result<_, _>>()?;
                Ok(Self::Opened { done })
            }
            "acknowledged" => {
                let (thread, number) = two()?;
                Ok(Self::Acknowledged { thread: thread.parse()?, number: number.parse()? })
            }
            "table" => Ok(Self::Table { path: rest.to_owned() }),
            "blocks" => {
                let (accelerator, software) = two()?;
                Ok(Self::Blocks { accelerator: accelerator.parse()?, software: software.parse()? })
            }
            _ => Err(format!("not a report of a child: {line:?}").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_as_it_was_written() {
        for report in [
            Report::Opened { done: vec![] },
            Report::Opened { done: vec![true, false] },
            Report::Acknowledged { thread: 3, number: 70 },
            Report::Table { path: "/a b/000012.sst".to_owned() },
            Report::Blocks { accelerator: 1, software: 2 },
        ] {
            assert_eq!(report.to_string().parse::<Report>().expect("a report"), report);
        }
    }

    #[test]
    fn other_lines_are_errors() {
        for line in ["", "acknowledged 1", "acknowledged 1 ", "opened yes", "Opened"] {
            assert!(line.parse::<Report>().is_err(), "{line}");
        }
    }
}
