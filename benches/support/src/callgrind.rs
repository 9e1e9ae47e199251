//! Instruction counts from valgrind's callgrind, which are reproducible regardless of other load.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// Instructions of a run, by object and function.
#[derive(Clone, Debug, Default)]
pub struct Instructions(BTreeMap<(String, String), u64>);

/// Runs this program again under callgrind, with `variable` set to `value`.
///
/// # Errors
///
/// Fails if valgrind isn't installed, or if the program fails under it.
pub fn run_self(variable: &str, value: &str) -> io::Result<Instructions> {
    let folder = crate::report::folder();
    std::fs::create_dir_all(&folder)?;
    let out = folder.join(format!("callgrind.{}", std::process::id()));
    let mut option = std::ffi::OsString::from("--callgrind-out-file=");
    option.push(&out);
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--compress-strings=no", "--compress-pos=no"])
        .arg(option)
        .arg(std::env::current_exe()?)
        .env(variable, value)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            let text = format!("failed to run valgrind: {error} (install the package valgrind)");
            io::Error::new(error.kind(), text)
        })?;
    if !run.status.success() {
        let text = String::from_utf8_lossy(&run.stderr);
        return Err(io::Error::other(format!("under valgrind: {}\n{text}", run.status)));
    }
    let profile = std::fs::read_to_string(&out)?;
    std::fs::remove_file(&out)?;
    Ok(Instructions::parse(&profile))
}

impl Instructions {
    /// Reads callgrind's format (valgrind's manual, "Callgrind Format Specification"), written
    /// without compression.
    fn parse(profile: &str) -> Self {
        let mut counts = BTreeMap::new();
        let (mut object, mut function) = (String::new(), String::new());
        let mut lines = profile.lines();
        while let Some(line) = lines.next() {
            if let Some(name) = line.strip_prefix("ob=") {
                name.clone_into(&mut object);
            } else if let Some(name) = line.strip_prefix("fn=") {
                name.clone_into(&mut function);
            } else if line.starts_with("calls=") {
                // The next line is the callee's cost.
                lines.next();
            } else if line.starts_with(|first: char| first.is_ascii_digit())
                && let Some(count) = line.split(' ').nth(1).and_then(|count| count.parse().ok())
            {
                let count: u64 = count;
                *counts.entry((object.clone(), function.clone())).or_insert(0) += count;
            }
        }
        Self(counts)
    }

    /// Returns the sum over the functions that `which` accepts, given the object's file name and
    /// the function's name.
    pub fn sum_where(&self, which: impl Fn(&str, &str) -> bool) -> u64 {
        let name = |path: &str| {
            Path::new(path).file_name().map_or_else(String::new, |n| n.to_string_lossy().into())
        };
        let counted =
            self.0.iter().filter(|((object, function), _)| which(&name(object), function));
        counted.map(|(_, count)| count).sum()
    }

    /// Subtracts the counts of `other` from those of this run.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let rest = |(key, count): (&(String, String), &u64)| {
            let before = other.0.get(key).copied().unwrap_or(0);
            (key.clone(), count.saturating_sub(before))
        };
        Self(self.0.iter().map(rest).filter(|(_, count)| *count > 0).collect())
    }

    /// Returns the functions with the most instructions.
    pub fn top(&self, most: usize) -> impl Iterator<Item = (&str, &str, u64)> {
        let mut all: Vec<_> = self
            .0
            .iter()
            .map(|((object, function), n)| (object.as_str(), function.as_str(), *n))
            .collect();
        all.sort_unstable_by_key(|(.., count)| std::cmp::Reverse(*count));
        all.into_iter().take(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_exclude_the_cost_of_callees() {
        let profile = "events: Ir\n\nob=/a/ours\nfl=x.rs\nfn=f\n1 10\n2 5\ncfn=g\ncalls=3 0\n\
                       2 999\nfn=g\n7 20\nob=/b/libc.so\nfn=memcpy\n0 100\n";
        let counts = Instructions::parse(profile);
        assert_eq!(counts.sum_where(|object, _| object == "ours"), 35);
        assert_eq!(counts.sum_where(|_, function| function == "f"), 15);
        assert_eq!(counts.sum_where(|object, _| object == "libc.so"), 100);
        let twice = Instructions::parse(&profile.replace("1 10", "1 20"));
        assert_eq!(twice.minus(&counts).sum_where(|_, _| true), 10);
        assert_eq!(counts.top(1).next().map(|(_, name, _)| name), Some("memcpy"));
    }
}
