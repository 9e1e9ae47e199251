//! The machine that is inspected.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A machine: the one that runs, or a tree of files that looks like one.
///
/// The fields may be changed before the inspection, to see what another user would meet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct System {
    /// Where `proc`, `sys`, `dev`, `boot`, `etc` and `usr` are: `/`, or a copy elsewhere.
    pub root: PathBuf,
    /// Whether it is the running machine, seen by the running user: the kernel then says what this
    /// user may open. Otherwise it is told by owner, group and mode.
    pub live: bool,
    /// As `uname -m` prints it ("aarch64").
    pub architecture: String,
    /// As `uname -r` prints it ("5.10.0-216.0.0.115.oe2203sp4.aarch64").
    pub kernel_release: String,
    /// Who is to use the accelerator.
    pub user: User,
    /// What became of loading `libwd`.
    pub library: Library,
    /// Those environment variables that change what the accelerator does.
    pub variables: BTreeMap<String, String>,
}

/// Who is to use the accelerator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// Effective user id.
    pub uid: u32,
    /// Effective group id and supplementary groups.
    pub groups: Vec<u32>,
    /// May open anything, whatever its mode (`CAP_DAC_OVERRIDE`; root has it).
    pub may_override: bool,
}

/// What became of loading `libwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Library {
    /// It is loaded, or in a tree of files: it is there.
    Found {
        /// The real file, if that can be told.
        path: Option<PathBuf>,
        /// "2.10.0", or as much as is known.
        version: String,
    },
    /// It is in no place that was looked in.
    Missing {
        /// The places.
        why: String,
    },
    /// It is there but can't be used.
    Unusable {
        /// Why.
        why: String,
    },
}

/// Variables that [`System::variables`] holds if they are set.
const VARIABLES: [&str; 2] = ["UADK_COMPRESS_OFFLOAD", "WD_COMP_CTX_NUM"];

/// The capability that overrides file permissions: bit 1 of `CapEff` (`linux/capability.h`).
const CAP_DAC_OVERRIDE: u64 = 1 << 1;

impl System {
    /// The running machine, as the running user sees it. Loads `libwd`, if there is one, for good.
    #[must_use]
    pub fn host() -> Self {
        let variables = VARIABLES.iter().filter_map(|name| {
            let value = std::env::var_os(name)?.to_string_lossy().into_owned();
            Some(((*name).to_owned(), value))
        });
        let mut system = Self { live: true, variables: variables.collect(), ..Self::at("/") };
        system.library = Library::load(&system);
        system
    }

    /// The tree of files below `root`. Everything is read from it: architecture and release from
    /// `proc/sys/kernel`, the user from `proc/self/status`, and `libwd` is searched by name.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        let mut system = Self {
            root: root.into(),
            live: false,
            architecture: std::env::consts::ARCH.to_owned(),
            kernel_release: String::new(),
            user: User::default(),
            library: Library::Missing { why: String::new() },
            variables: BTreeMap::new(),
        };
        // This file is there from Linux 6.1 on.
        if let Some(architecture) = system.line("/proc/sys/kernel/arch") {
            system.architecture = architecture;
        }
        system.kernel_release = system.line("/proc/sys/kernel/osrelease").unwrap_or_default();
        system.user = User::from_status(&system.text("/proc/self/status").unwrap_or_default());
        system.library = system.search_library();
        system
    }

    /// Where `path`, which begins with `/`, is below the root.
    pub(super) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The contents of a file of text.
    pub(super) fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        let bytes = fs::read(self.path(path)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The contents of a file that holds one value.
    pub(super) fn line(&self, path: impl AsRef<Path>) -> Option<String> {
        self.text(path).map(|text| text.trim().to_owned())
    }

    pub(super) fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).exists()
    }

    /// Names in a folder, sorted; empty if it is not there.
    pub(super) fn names(&self, path: impl AsRef<Path>) -> Vec<String> {
        let entries = fs::read_dir(self.path(path)).into_iter().flatten().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort_by_key(|name| (name.len(), name.clone()));
        names
    }

    /// Whether it is of the only architecture that has the accelerator.
    pub(super) fn is_arm(&self) -> bool {
        self.architecture == "aarch64"
    }

    /// A remedy that helps on servers with the accelerator alone, and says so elsewhere.
    pub(super) fn on_kunpeng(&self, remedy: impl Into<String>) -> String {
        let remedy = remedy.into();
        if self.is_arm() { remedy } else { format!("on a Kunpeng server: {remedy}") }
    }
}

impl User {
    /// Reads `/proc/self/status`.
    fn from_status(status: &str) -> Self {
        let field =
            |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let numbers = |name: &str| -> Vec<u32> {
            field(name).unwrap_or_default().split_whitespace().flat_map(str::parse).collect()
        };
        // Real, effective, saved, file system.
        let effective = |name: &str| numbers(name).get(1).copied();
        let capabilities = field("CapEff").and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
        let mut groups = numbers("Groups");
        groups.extend(effective("Gid"));
        Self {
            uid: effective("Uid").unwrap_or(0),
            groups,
            may_override: capabilities.unwrap_or(0) & CAP_DAC_OVERRIDE != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::User;

    #[test]
    fn effective_ids_and_the_capability_are_read_from_the_status() {
        let status = "Name:\tx\nUid:\t1\t1000\t1\t1\nGid:\t1\t100\t1\t1\nGroups:\t10 20 \n\
                      CapEff:\t0000000000000000\n";
        let user = User::from_status(status);
        assert_eq!(user, User { uid: 1000, groups: vec![10, 20, 100], may_override: false });
        assert!(User::from_status("CapEff:\t000001ffffffffff\n").may_override);
        assert!(!User::from_status("").may_override);
    }
}
