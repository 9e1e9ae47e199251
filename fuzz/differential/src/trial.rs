//! Extracts an archive with our code and with the peers, and compares the results.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::kit::judge::{self, Difference, Evidence};
use crate::kit::ours;
use crate::kit::{rules, tree};
use crate::libarchive::Libarchive;

/// Scratch directories for extraction, reused for every archive.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
    libarchive: Libarchive,
    started: i64,
    /// A rule that is ignored.
    without: Option<String>,
}

/// A fault in how we handle an archive.
#[derive(Debug)]
pub(crate) struct Finding {
    /// The same for all findings with one cause.
    pub(crate) signature: String,
    pub(crate) text: String,
}

/// The result for an archive.
#[derive(Debug)]
pub(crate) enum Verdict {
    Alike,
    /// Different, but explained by these rules.
    Explained(Vec<&'static str>),
    Wrong(Finding),
}

impl Bench {
    pub(crate) fn new(libarchive: Libarchive, without: Option<String>) -> io::Result<Self> {
        let folder = crate::kit::peers::scratch()?;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let started = now.map_or(0, |now| now.as_secs().cast_signed()) - 2;
        for name in ["ours/up/here", "gnu", "bsd"] {
            fs::create_dir_all(folder.path().join(name))?;
        }
        Ok(Self { folder, libarchive, started, without })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Extracts with libarchive alone, and returns the resulting tree.
    pub(crate) fn libarchive_alone(&mut self, tar: &[u8]) -> io::Result<tree::Tree> {
        let bsd = self.path("bsd");
        tree::clear(&bsd)?;
        self.libarchive.extract(tar, &bsd)?;
        tree::read(&bsd, self.started)
    }

    pub(crate) fn judge(&mut self, tar: &[u8]) -> io::Result<Verdict> {
        let gz = ours::gzip(tar);
        if let Some(finding) = check_reading(&gz) {
            return Ok(Verdict::Wrong(finding));
        }
        let (ours, gnu, bsd) = (self.path("ours/up/here"), self.path("gnu"), self.path("bsd"));
        for folder in [&ours, &gnu, &bsd] {
            tree::clear(folder)?;
        }
        let Ok(outcome) = catch_unwind(AssertUnwindSafe(|| ours::extract(&gz, &ours))) else {
            return Ok(Verdict::Wrong(Finding::new("panic", "panicked while extracting")));
        };
        if let Some(found) = self.outside()? {
            return Ok(Verdict::Wrong(Finding::new("outside", &format!("wrote {found:?}"))));
        }
        let bsd_messages = self.libarchive.extract(tar, &bsd)?;
        self.open_folders()?;
        let (ours, bsd) = (tree::read(&ours, self.started)?, tree::read(&bsd, self.started)?);
        let mut evidence = Evidence::new(tar, false, outcome, String::new(), bsd_messages);
        if judge::differences(&ours, &bsd, &bsd, &evidence).is_empty() {
            return Ok(Verdict::Alike);
        }
        // Where libarchive differs, GNU tar may agree.
        evidence.gnu = self.gnu_tar(tar, &gnu)?;
        let gnu = tree::read(&gnu, self.started)?;
        let differences = judge::differences(&ours, &gnu, &bsd, &evidence);
        Ok(verdict(&differences, &evidence, self.without.as_deref()))
    }

    /// Extracts with GNU tar. This process is already unprivileged, so tar needs no wrapper.
    fn gnu_tar(&self, tar: &[u8], folder: &Path) -> io::Result<String> {
        let archive = self.path("archive.tar");
        fs::write(&archive, tar)?;
        let output = Command::new("tar")
            .args(["-x", "-f", "-", "-C"])
            .arg(folder)
            .env("LC_ALL", "C.UTF-8")
            .env_remove("TAR_OPTIONS")
            .stdin(File::open(archive)?)
            .stdout(Stdio::null())
            .output()?;
        let messages = String::from_utf8_lossy(&output.stderr).replace('\n', " | ");
        let status = output.status.code().map_or("none".to_owned(), |code| code.to_string());
        Ok(format!("{messages}status {status}"))
    }

    /// Resets the modes of the directories. libarchive sets modes through hard links to symbolic
    /// links, even of directories above its own.
    fn open_folders(&self) -> io::Result<()> {
        for name in ["", "bsd", "gnu", "ours", "ours/up"] {
            fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755))?;
        }
        Ok(())
    }

    /// Returns a file that was written outside the target directories.
    fn outside(&self) -> io::Result<Option<std::ffi::OsString>> {
        let allowed = |name: &std::ffi::OsStr| {
            ["ours", "up", "here", "gnu", "bsd", "archive.tar"].iter().any(|known| name == *known)
        };
        for folder in ["", "ours", "ours/up"] {
            for entry in fs::read_dir(self.path(folder))? {
                let name = entry?.file_name();
                if !allowed(&name) {
                    return Ok(Some(name));
                }
            }
        }
        Ok(None)
    }
}

/// Checks that listing, verifying and reading by index agree.
fn check_reading(gz: &[u8]) -> Option<Finding> {
    match catch_unwind(AssertUnwindSafe(|| ours::check_reading(gz))) {
        Ok(Ok(())) => None,
        Ok(Err(error)) => {
            let kind: String = error.chars().take_while(|c| !c.is_ascii_digit()).take(30).collect();
            Some(Finding::new(&format!("reading: {kind}"), &error))
        }
        Err(_) => Some(Finding::new("panic", "panicked while reading")),
    }
}

fn verdict(differences: &[Difference], evidence: &Evidence, without: Option<&str>) -> Verdict {
    let mut explained = Vec::new();
    let mut unexplained = Vec::new();
    for difference in differences {
        match rules::explain(difference, evidence, without) {
            Some(rule) => explained.push(rule.name),
            None => unexplained.push(difference),
        }
    }
    let Some(first) = unexplained.first() else {
        return if explained.is_empty() { Verdict::Alike } else { Verdict::Explained(explained) };
    };
    let complaints = evidence.ours.complaints.join(" | ");
    let mut text = String::new();
    for difference in &unexplained {
        text += &format!("{difference}\n");
    }
    text += &format!("GNU: {}\nlibarchive: {}\nours: {complaints}\n", evidence.gnu, evidence.bsd);
    Verdict::Wrong(Finding { signature: signature(first, evidence), text })
}

/// Combines the aspect, the kinds of entries, and our last complaint without digits.
fn signature(difference: &Difference, evidence: &Evidence) -> String {
    let kind = |node: &Option<tree::Node>| node.as_ref().map_or("-", |node| node.kind.name());
    let last = evidence.ours.complaints.last().map_or("", String::as_str);
    let what = last.rsplit(": ").next().unwrap_or(last);
    let what: String = what.chars().filter(|c| !c.is_ascii_digit()).take(40).collect();
    let (ours, gnu, bsd) = (kind(&difference.ours), kind(&difference.gnu), kind(&difference.bsd));
    format!("{:?}, ours {ours}, GNU {gnu}, libarchive {bsd}: {what}", difference.aspect)
}

impl Finding {
    fn new(signature: &str, text: &str) -> Self {
        Self { signature: signature.to_owned(), text: format!("{text}\n") }
    }
}
