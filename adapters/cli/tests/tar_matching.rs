//! Random patterns and transformations: they must match the same names as with GNU tar, and change
//! them in the same way.

#[path = "common/peer.rs"]
mod peer;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use peer::{Who, tar};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Creates an archive of empty files with names of a few letters, plain for GNU tar and as gzip for
/// us.
fn fixture() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    let at = folder.path();
    let tree = at.join("tree");
    for first in ["a", "b", "ab", "A", "a.b", "x[y]"] {
        for second in ["a", "b", "aab", "B", "a*", "b-c"] {
            let inner = tree.join(first).join(second);
            fs::create_dir_all(&inner).expect("a directory");
            for third in ["a", "ab.c", "\\", "bb"] {
                fs::write(inner.join(third), "").expect("a file");
            }
        }
    }
    for letters in ["cf", "czf"] {
        let archive = if letters == "cf" { "gnu" } else { "ours" };
        let arguments = [letters, archive, "-C", "tree", "a", "b", "ab", "A", "a.b", "x[y]"];
        assert!(tar(Who::Gnu, at, &arguments).status.success());
    }
    folder
}

fn list(who: Who, at: &Path, options: &[&str]) -> (Option<i32>, String) {
    let archive = if who == Who::Gnu { "gnu" } else { "ours" };
    let output = tar(who, at, &[&["-tf", archive][..], options].concat());
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Counts the cases that list anything, and collects the differences.
#[derive(Default)]
struct Comparison {
    listed: u32,
    differences: Vec<String>,
}

impl Comparison {
    fn add(&mut self, at: &Path, options: &[&str]) {
        let (theirs, ours) = (list(Who::Gnu, at, options), list(Who::Ours, at, options));
        self.compare(options, &ours, &theirs);
    }

    fn compare(
        &mut self,
        options: &[&str],
        ours: &(Option<i32>, String),
        theirs: &(Option<i32>, String),
    ) {
        self.listed += u32::from(theirs.0 == Some(0) && !theirs.1.is_empty());
        if ours != theirs {
            let mut pairs = ours.1.lines().zip(theirs.1.lines());
            let first = pairs.find(|(ours, theirs)| ours != theirs);
            let statuses = (ours.0, theirs.0);
            self.differences.push(format!("{options:?}: {statuses:?} {first:?}"));
        }
    }

    fn finish(self, least: u32) {
        assert!(self.differences.is_empty(), "{}", self.differences.join("\n"));
        assert!(self.listed >= least, "only {} list anything", self.listed);
    }
}

#[test]
fn patterns_match_the_same_names() {
    let folder = fixture();
    let pieces = [
        "a",
        "b",
        "A",
        "/",
        "*",
        "?",
        "[ab]",
        "[!a]",
        "[^b]",
        "[a-c]",
        ".",
        "\\*",
        "\\\\",
        "ab",
        "[",
        "[[:alpha:]]",
        "*/",
        "[]y]",
        "-",
        "[a-]",
    ];
    let modes: [&[&str]; 10] = [
        &[],
        &["--wildcards"],
        &["--no-wildcards"],
        &["--anchored"],
        &["--no-anchored"],
        &["--ignore-case"],
        &["--no-wildcards-match-slash"],
        &["--wildcards", "--no-anchored", "--no-wildcards-match-slash"],
        &["--wildcards", "--ignore-case"],
        &["--no-recursion"],
    ];
    let mut numbers = Pcg64Mcg::seed_from_u64(1);
    let mut comparison = Comparison::default();
    for _ in 0..300 {
        let len = numbers.random_range(1..5);
        let pattern = (0..len).map(|_| *pieces.choose(&mut numbers).expect("not empty"));
        let pattern: String = pattern.collect();
        let mode = modes.choose(&mut numbers).expect("not empty");
        if pattern == "." {
            // As a member name, it means all members for us, whether or not names begin with it.
            continue;
        }
        let exclude = format!("--exclude={pattern}");
        comparison.add(folder.path(), &[mode, &[&*exclude][..]].concat());
        comparison.add(folder.path(), &[mode, &["--", &*pattern][..]].concat());
    }
    comparison.finish(330);
}

/// Returns a random `s` expression with one of these flags.
fn expression(numbers: &mut Pcg64Mcg, flags: &[&str]) -> String {
    let atoms = ["a", "b", ".", "[ab]", "[^a]", "\\(a\\)", "\\(b\\|a\\)", "a\\+", "\\.", "/"];
    let extended = ["a", "b", ".", "[ab]", "[^/]", "(a)", "(b|a)", "a+", "\\.", "(.)b", "a{1,2}"];
    let rest = ["", "", "b*", "a*", "$", ".*", "[^/]*", "a\\?", "x*"];
    let replacements =
        ["", "X", "&&", "<\\1>", "\\U&\\E-x", "\\u&", "\\l&\\Ux&", "a\\&b", "\\n", "\\L\\1\\u\\1"];
    let is_extended = numbers.random_bool(0.3);
    let start = if numbers.random_bool(0.2) { "^" } else { "" };
    let mut pick = |from: &[&'static str]| *from.choose(numbers).expect("not empty");
    let atom = if is_extended { pick(&extended) } else { pick(&atoms) };
    let (behind, replacement) = (pick(&rest), pick(&replacements));
    let flag = flags.choose(numbers).expect("not empty");
    let x = if is_extended { "x" } else { "" };
    format!("s,{start}{atom}{behind},{replacement},{flag}{x}")
}

#[test]
fn expressions_produce_the_same_names() {
    let folder = fixture();
    let mut numbers = Pcg64Mcg::seed_from_u64(2);
    let mut comparison = Comparison::default();
    for _ in 0..300 {
        let expression = expression(&mut numbers, &["", "g", "i", "gi", "r", "R"]);
        let option = format!("--transform={expression}");
        comparison.add(folder.path(), &[&option, "--show-transformed-names"]);
    }
    comparison.finish(150);
}

#[test]
fn numbered_matches_are_replaced_as_by_sed() {
    // GNU tar duplicates the text before the first match in this case.
    let folder = fixture();
    let (_, names) = list(Who::Gnu, folder.path(), &["--quoting-style=literal"]);
    let mut numbers = Pcg64Mcg::seed_from_u64(3);
    let mut comparison = Comparison::default();
    for _ in 0..100 {
        let expression = expression(&mut numbers, &["2", "3", "2i"]);
        // Only tar has the flag x, and a newline in sed's output would be another line.
        if expression.ends_with('x') || expression.contains("\\n") {
            continue;
        }
        fs::write(folder.path().join("names"), &names).expect("a file");
        let input = fs::File::open(folder.path().join("names")).expect("it exists");
        // tar removes the / of directories before, restores it afterwards, and makes no name
        // absolute or empty.
        let script = format!(
            "s,/$,,;t folder;{expression};s,^/*,,;s,^$,.,;b;\
             :folder;{expression};s,^/*,,;s,^$,.,;s,$,/,"
        );
        let output = Command::new("sed")
            .arg(&script)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::from(input))
            .output()
            .expect("sed is missing: install the package sed");
        let theirs = String::from_utf8_lossy(&output.stdout).into_owned();
        let option = format!("--transform={expression}");
        let options = [&*option, "--show-transformed-names", "--quoting-style=literal"];
        let mut ours = list(Who::Ours, folder.path(), &options);
        ours.0 = ours.0.filter(|_| output.status.success());
        let code = output.status.success().then_some(0);
        comparison.compare(&[&script], &ours, &(code, theirs));
    }
    comparison.finish(30);
}

#[test]
fn components_are_stripped_the_same() {
    let folder = fixture();
    let mut comparison = Comparison::default();
    for count in 0..5 {
        let strip = format!("--strip-components={count}");
        comparison.add(folder.path(), &[&strip, "--show-transformed-names"]);
        let options = [&*strip, "--transform=s/a/q\\/r/", "--show-transformed-names"];
        comparison.add(folder.path(), &options);
    }
    comparison.finish(8);
}
