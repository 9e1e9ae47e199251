//! What a command line leaves behind.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, SystemTime};

use flate2::read::MultiGzDecoder;

/// What a command line told, and what it left.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) output: Output,
    pub(crate) state: BTreeMap<String, Left>,
}

/// What is at a name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Left {
    mode: u32,
    owner: (u32, u32),
    links: u64,
    /// Only where it is not of this run.
    modified: Option<(i64, i64)>,
    /// Decompressed where it is gzip.
    contents: Vec<u8>,
}

/// Everything below a folder.
pub(crate) fn state(folder: &Path) -> BTreeMap<String, Left> {
    let mut state = BTreeMap::new();
    walk(folder, folder, &mut state);
    state
}

fn walk(root: &Path, folder: &Path, state: &mut BTreeMap<String, Left>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let metadata = fs::symlink_metadata(&path).expect("there");
        let contents = if metadata.is_file() {
            plain(&fs::read(&path).expect("there"))
        } else if metadata.is_symlink() {
            fs::read_link(&path).expect("there").into_os_string().into_encoded_bytes()
        } else {
            Vec::new()
        };
        let yesterday = SystemTime::now() - Duration::from_secs(24 * 60 * 60);
        let old = metadata.modified().expect("a time") < yesterday;
        let left = Left {
            mode: metadata.mode(),
            owner: (metadata.uid(), metadata.gid()),
            links: if metadata.is_file() { metadata.nlink() } else { 0 },
            modified: old.then(|| (metadata.mtime(), metadata.mtime_nsec())),
            contents,
        };
        let name = path.strip_prefix(root).expect("below it").display().to_string();
        state.insert(name, left);
        if metadata.is_dir() {
            walk(root, &path, state);
        }
    }
}

/// What gzip's bytes hold, if they are gzip.
fn plain(bytes: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        match MultiGzDecoder::new(bytes).read_to_end(&mut data) {
            Ok(_) => return data,
            Err(_) => data.clear(),
        }
    }
    bytes.to_vec()
}

impl Told {
    pub(crate) fn differences(&self, other: &Self) -> String {
        let mut text = String::new();
        let (a, b) = (&self.output, &other.output);
        if a.status != b.status {
            writeln!(text, "  status {} is {}", a.status, b.status).expect("a string");
        }
        for (what, a, b) in [
            ("stdout", plain(&a.stdout), plain(&b.stdout)),
            ("stderr", a.stderr.clone(), b.stderr.clone()),
        ] {
            let (a, b) = (comparable(&a), comparable(&b));
            if a != b {
                let short = |text: &str| text.chars().take(300).collect::<String>();
                writeln!(text, "  {what} {:?}\n      is {:?}", short(&a), short(&b))
                    .expect("a string");
            }
        }
        let names = self.state.keys().chain(other.state.keys());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names.dedup();
        for name in names {
            let show = |left: Option<&Left>| {
                left.map(|left| {
                    let Left { mode, owner, links, modified, contents } = left;
                    let len = contents.len();
                    format!(
                        "mode {mode:o}, owner {owner:?}, {links} links, {modified:?}, {len} bytes"
                    )
                })
            };
            let (a, b) = (self.state.get(name), other.state.get(name));
            if a != b {
                writeln!(text, "  {name}: {:?} is {:?}", show(a), show(b)).expect("a string");
            }
        }
        text
    }
}

/// Text without what depends on how well something was compressed.
fn comparable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let words = text.split_inclusive([' ', '\t', '\n']).map(|word| {
        let number = word.trim_end();
        let percent = number.strip_suffix('%').is_some_and(|n| n.parse::<f64>().is_ok());
        if percent { word.replace(number, "N%") } else { word.to_owned() }
    });
    let text: String = words.collect();
    // The column of the percentage is as wide as it has to be.
    let mut squeezed = text.clone();
    while squeezed.contains("  N%") {
        squeezed = squeezed.replace("  N%", " N%");
    }
    // Why the data is wrong is said in our words.
    let lines = squeezed.lines().map(|line| match line.find("invalid compressed data--") {
        Some(at) => &line[..at + "invalid compressed data--".len()],
        None => line,
    });
    let mut lines: Vec<_> = lines.collect();
    // gzip tells of a wrong checksum and a wrong length.
    lines.dedup_by(|a, b| a.ends_with("data--") && a == b);
    lines.join("\n")
}
