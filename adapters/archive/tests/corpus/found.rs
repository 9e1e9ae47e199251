//! Archives found by the differential fuzzer: one for each rule that has no case in the corpus, and
//! some that exposed bugs. They are not mutated, so that the archives of a seed stay the same.
//!
//! `tools/fuzz-archives --without RULE` finds such archives.

use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;

use crate::kit::cases::Case;

pub(crate) fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/differences");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("the fixtures")
        .map(|entry| entry.expect("the fixtures").path())
        .collect();
    paths.sort();
    let case = |path: &std::path::PathBuf| {
        let mut tar = Vec::new();
        let file = fs::File::open(path).expect("a fixture");
        GzDecoder::new(file).read_to_end(&mut tar).expect("a fixture");
        let name = path.file_name().expect("a fixture").to_string_lossy().into_owned();
        Case { name: format!("found/{name}"), tar }
    };
    paths.iter().map(case).collect()
}
