//! The machine that is inspected.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A machine: the running one, or a file tree that looks like one.
///
/// The fields may be changed before the inspection, for example to check for another user.
///
/// ```
/// use uadk_compress::probe::{self, Readiness, System};
///
/// // Copies of another machine's files; here there are none.
/// let mut system = System::at("/nonexistent");
/// system.architecture = "aarch64".to_owned();
/// system.kernel_release = "6.6.0".to_owned();
/// let report = probe::inspect(&system);
/// assert_eq!(report.readiness(), Readiness::SoftwareOnly);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct System {
    /// The directory with `proc`, `sys`, `dev`, `boot`, `etc` and `usr`: `/`, or a copy elsewhere.
    pub root: PathBuf,
    /// Whether this is the running machine with the current user. The kernel then decides what the
    /// user may open; otherwise owner, group and mode decide.
    pub live: bool,
    /// The architecture, as printed by `uname -m` ("aarch64").
    pub architecture: String,
    /// The kernel release, as printed by `uname -r` ("5.10.0-216.0.0.115.oe2203sp4.aarch64").
    pub kernel_release: String,
    /// The user of the accelerator.
    pub user: User,
    /// The result of loading `libwd`.
    pub library: Library,
    /// The environment variables that change how the accelerator is used.
    pub variables: BTreeMap<String, String>,
}

/// The user of the accelerator.
///
/// ```
/// use uadk_compress::probe::{System, User};
///
/// // May user 1000 open the device, with group 986 and without root's rights?
/// let mut user = User::default();
/// user.uid = 1000;
/// user.groups = vec![986];
/// let mut system = System::at("/nonexistent");
/// system.user = user;
/// assert!(!system.user.may_override);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// Effective user id.
    pub uid: u32,
    /// Effective group id and supplementary groups.
    pub groups: Vec<u32>,
    /// Whether the user may open any file, whatever its mode (`CAP_DAC_OVERRIDE`, which root has).
    pub may_override: bool,
}

/// The result of loading `libwd`.
///
/// ```
/// use uadk_compress::probe::{Library, System};
///
/// match System::at("/nonexistent").library {
///     Library::Found { path, version } => println!("UADK {version}, {path:?}"),
///     Library::Missing { reason } => assert!(reason.starts_with("not found in /usr/lib64")),
///     Library::Unusable { reason } => println!("unusable: {reason}"),
///     other => println!("{other:?}"),
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Library {
    /// It is loaded or, for a file tree, present.
    Found {
        /// The real file, if known.
        path: Option<PathBuf>,
        /// The version ("2.10.0"), as far as known.
        version: String,
    },
    /// It was not found.
    Missing {
        /// The locations that were searched.
        reason: String,
    },
    /// It is present but unusable.
    Unusable {
        /// The reason.
        reason: String,
    },
}

/// The variables for [`System::variables`], if they are set.
const VARIABLES: [&str; 2] = ["UADK_COMPRESS_OFFLOAD", "WD_COMP_CTX_NUM"];

/// The capability that overrides file permissions: bit 1 of `CapEff` (`linux/capability.h`).
const CAP_DAC_OVERRIDE: u64 = 1 << 1;

impl System {
    /// Returns the running machine with the current user. Loads `libwd`, if present, permanently.
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

    /// Returns the machine in the file tree below `root`. Everything is read from it: architecture
    /// and release from `proc/sys/kernel`, the user from `proc/self/status`; `libwd` is searched
    /// for by name.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        let mut system = Self {
            root: root.into(),
            live: false,
            architecture: std::env::consts::ARCH.to_owned(),
            kernel_release: String::new(),
            user: User::default(),
            library: Library::Missing { reason: String::new() },
            variables: BTreeMap::new(),
        };
        // This file exists since Linux 6.1.
        if let Some(architecture) = system.line("/proc/sys/kernel/arch") {
            system.architecture = architecture;
        }
        system.kernel_release = system.line("/proc/sys/kernel/osrelease").unwrap_or_default();
        system.user = User::from_status(&system.text("/proc/self/status").unwrap_or_default());
        system.library = system.search_library();
        system
    }

    /// Returns the path below the root for the absolute `path`.
    pub(super) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Returns the contents of a text file.
    pub(super) fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        let bytes = fs::read(self.path(path)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Returns the trimmed contents of a file that holds one value.
    pub(super) fn line(&self, path: impl AsRef<Path>) -> Option<String> {
        self.text(path).map(|text| text.trim().to_owned())
    }

    pub(super) fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).exists()
    }

    /// Returns the names in a directory, sorted; empty if it does not exist.
    pub(super) fn names(&self, path: impl AsRef<Path>) -> Vec<String> {
        let entries = fs::read_dir(self.path(path)).into_iter().flatten().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort_by_key(|name| (name.len(), name.clone()));
        names
    }

    /// Returns whether this is aarch64, the only architecture that has the accelerator.
    pub(super) fn is_arm(&self) -> bool {
        self.architecture == "aarch64"
    }

    /// Marks a remedy as applicable only to Kunpeng servers, if this machine can't be one.
    pub(super) fn on_kunpeng(&self, remedy: impl Into<String>) -> String {
        let remedy = remedy.into();
        if self.is_arm() { remedy } else { format!("on a Kunpeng server: {remedy}") }
    }
}

impl User {
    /// Parses `/proc/self/status`.
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
