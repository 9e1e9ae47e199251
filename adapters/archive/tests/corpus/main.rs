//! Odd archives, one oddity each: they must be extracted as by GNU tar or bsdtar, or differ in a
//! documented, safer way.

mod found;
mod kit;
mod report;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use kit::cases::{self, Case};
use kit::judge::{self, Evidence};
use kit::mutate;
use kit::ours::{self, Outcome};
use kit::peers::{self, BSD, GNU};
use kit::tree;
use report::Report;

/// Returns a time just before now. Earlier times are those of archives.
fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(now.expect("after 1970").as_secs()).expect("it fits into an i64") - 2
}

#[test]
fn archives_are_extracted_as_by_a_peer_or_more_safely() {
    let mut report = extract_and_compare(&cases::all(), true);
    report.add_explained(&extract_and_compare(&found::cases(), false));
    report.check_rules();
}

#[test]
fn mutated_archives_are_extracted_as_by_a_peer_or_more_safely() {
    extract_and_compare(&mutated(), false);
}

/// Returns a sample of the mutated archives of `make fuzz-archives`.
fn mutated() -> Vec<Case> {
    let cases = cases::all();
    let archive = |n| Case { name: format!("mutated/{n}"), tar: mutate::archive(&cases, 1, n) };
    (0..1000).map(archive).collect()
}

fn extract_and_compare(cases: &[Case], are_sound: bool) -> Report {
    let scratch = peers::scratch().expect("a scratch directory");
    let (folder, now) = (scratch.path(), now());
    let names: Vec<_> = (0..cases.len()).map(|n| n.to_string()).collect();
    fs::create_dir(folder.join("in")).expect("enough space");
    for (case, name) in cases.iter().zip(&names) {
        fs::write(folder.join("in").join(name), &case.tar).expect("enough space");
    }
    let (gnu, bsd) = (GNU.start(folder, &names), BSD.start(folder, &names));
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let outcomes: Vec<_> =
        cases.iter().zip(&names).map(|(case, name)| extract(case, folder, name)).collect();
    let (gnu, bsd) = (gnu.wait(), bsd.wait());

    let mut report = Report::default();
    for ((case, name), outcome) in cases.iter().zip(&names).zip(outcomes) {
        let read = |folder: &Path| tree::read(folder, now).expect("a readable directory");
        let ours = read(&inner(&folder.join("ours").join(name)));
        let (gnu_tree, bsd_tree) = (read(&gnu.folder(name)), read(&bsd.folder(name)));
        let evidence = Evidence::new(&case.tar, are_sound, outcome, gnu.log(name), bsd.log(name));
        let differences = judge::differences(&ours, &gnu_tree, &bsd_tree, &evidence);
        report.add(case, &evidence, &differences);
        for peer in ["gnu", "bsd", "ours"] {
            tree::clear(&folder.join(peer).join(name)).expect("our own files");
        }
    }
    report.finish(cases.len());
    report
}

/// Returns a directory so deep that files that escape from it by some `..` are found.
fn inner(outer: &Path) -> std::path::PathBuf {
    outer.join("up/up/here")
}

fn extract(case: &Case, folder: &Path, name: &str) -> Outcome {
    let outer = folder.join("ours").join(name);
    let inner = inner(&outer);
    fs::create_dir_all(&inner).expect("enough space");
    let gz = ours::gzip(&case.tar);
    let outcome = catch_unwind(AssertUnwindSafe(|| ours::extract(&gz, &inner)));
    let outcome = outcome.unwrap_or_else(|_| panic!("{}: panicked", case.name));
    for (folder, only) in
        [(&outer, "up"), (&outer.join("up"), "up"), (&outer.join("up/up"), "here")]
    {
        let names: Vec<_> = fs::read_dir(folder)
            .expect("our directory")
            .map(|entry| entry.expect("our directory").file_name())
            .collect();
        assert_eq!(names, [only], "{}: written outside", case.name);
    }
    for outside in ["/uadk-corpus", "/dev/shm/uadk-corpus-odd"] {
        assert!(!Path::new(outside).exists(), "{}: {outside} was written", case.name);
    }
    outcome
}

#[test]
fn archives_read_the_same_in_order_and_by_index() {
    let mut wrong = Vec::new();
    for case in cases::all().into_iter().chain(mutated()) {
        let gz = ours::gzip(&case.tar);
        match catch_unwind(AssertUnwindSafe(|| ours::check_reading(&gz))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => wrong.push(format!("{}: {error}", case.name)),
            Err(_) => wrong.push(format!("{}: panicked", case.name)),
        }
    }
    assert!(wrong.is_empty(), "{} archives:\n{}", wrong.len(), wrong.join("\n"));
}
