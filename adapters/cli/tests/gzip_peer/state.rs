//! The results of a command line.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, SystemTime};

use flate2::read::MultiGzDecoder;

/// The output of a command line, and the files that it left.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) output: Output,
    pub(crate) state: BTreeMap<String, Node>,
}

/// A file, directory or link.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Node {
    mode: u32,
    owner: (u32, u32),
    links: u64,
    /// `None` if it is from this run.
    modified: Option<(i64, i64)>,
    /// Decompressed if it is gzip.
    contents: Vec<u8>,
}

/// Returns everything below a directory.
pub(crate) fn state(folder: &Path) -> BTreeMap<String, Node> {
    let mut state = BTreeMap::new();
    walk(folder, folder, &mut state);
    state
}

fn walk(root: &Path, folder: &Path, state: &mut BTreeMap<String, Node>) {
    for entry in fs::read_dir(folder).expect("a directory") {
        let path = entry.expect("an entry").path();
        let metadata = fs::symlink_metadata(&path).expect("it exists");
        let contents = if metadata.is_file() {
            plain(&fs::read(&path).expect("it exists"))
        } else if metadata.is_symlink() {
            fs::read_link(&path).expect("it exists").into_os_string().into_encoded_bytes()
        } else {
            Vec::new()
        };
        let yesterday = SystemTime::now() - Duration::from_secs(24 * 60 * 60);
        let old = metadata.modified().expect("a time") < yesterday;
        let left = Node {
            mode: metadata.mode(),
            owner: (metadata.uid(), metadata.gid()),
            links: if metadata.is_file() { metadata.nlink() } else { 0 },
            modified: old.then(|| (metadata.mtime(), metadata.mtime_nsec())),
            contents,
        };
        let name = path.strip_prefix(root).expect("below the root").display().to_string();
        state.insert(name, left);
        if metadata.is_dir() {
            walk(root, &path, state);
        }
    }
}

/// Decompresses the bytes if they are gzip.
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

impl Outcome {
    pub(crate) fn differences(&self, other: &Self) -> String {
        let mut text = String::new();
        let (a, b) = (&self.output, &other.output);
        if a.status != b.status {
            writeln!(text, "  status {} is {}", a.status, b.status).expect("writes to a String");
        }
        for (what, a, b) in [
            ("stdout", plain(&a.stdout), plain(&b.stdout)),
            ("stderr", a.stderr.clone(), b.stderr.clone()),
        ] {
            let (a, b) = (comparable(&a), comparable(&b));
            if a != b {
                let short = |text: &str| text.chars().take(300).collect::<String>();
                writeln!(text, "  {what} {:?}\n      is {:?}", short(&a), short(&b))
                    .expect("writes to a String");
            }
        }
        let names = self.state.keys().chain(other.state.keys());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names.dedup();
        for name in names {
            let show = |left: Option<&Node>| {
                left.map(|left| {
                    let Node { mode, owner, links, modified, contents } = left;
                    let len = contents.len();
                    format!(
                        "mode {mode:o}, owner {owner:?}, {links} links, {modified:?}, {len} bytes"
                    )
                })
            };
            let (a, b) = (self.state.get(name), other.state.get(name));
            if a != b {
                writeln!(text, "  {name}: {:?} is {:?}", show(a), show(b))
                    .expect("writes to a String");
            }
        }
        text
    }
}

/// Returns text without the parts that depend on the compression ratio.
fn comparable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let words = text.split_inclusive([' ', '\t', '\n']).map(|word| {
        let number = word.trim_end();
        let percent = number.strip_suffix('%').is_some_and(|n| n.parse::<f64>().is_ok());
        if percent { word.replace(number, "N%") } else { word.to_owned() }
    });
    let text: String = words.collect();
    // The column of the percentage is as wide as its contents.
    let mut squeezed = text.clone();
    while squeezed.contains("  N%") {
        squeezed = squeezed.replace("  N%", " N%");
    }
    // The reason why the data is invalid is in our words.
    let lines = squeezed.lines().map(|line| match line.find("invalid compressed data--") {
        Some(at) => &line[..at + "invalid compressed data--".len()],
        None => line,
    });
    let mut lines: Vec<_> = lines.collect();
    // gzip reports both a wrong checksum and a wrong length.
    lines.dedup_by(|a, b| a.ends_with("data--") && a == b);
    lines.join("\n")
}
