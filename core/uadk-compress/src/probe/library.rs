//! `libwd`, and the driver that it loads.

use std::path::{Path, PathBuf};

use uadk_sys::Libwd;

use super::item::{Item, State};
use super::system::{Library, System};

const LIBWD: &str = "libwd.so.2";
const DRIVER: &str = "libhisi_zip.so";
/// Lists the drivers that `libwd` may load, if the file exists (UADK's `uadk.cnf`).
const DRIVER_LIST: &str = "uadk.cnf";

/// Directories to search for libraries in a file tree.
const LIBRARY_DIRS: [&str; 6] = [
    "/usr/lib64",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib",
    "/usr/local/lib",
    "/usr/local/lib64",
    "/usr/local/lib/aarch64-linux-gnu",
];

/// How to install UADK. Its `INSTALL` has the detailed steps.
const INSTALL: &str = "install the distribution's package (openEuler: `sudo dnf install libwd`), \
    or build it: `git clone https://github.com/Linaro/uadk; cd uadk; ./autogen.sh; ./conf.sh; \
    make; sudo make install; sudo ldconfig` (needs libnuma's headers); if it is installed \
    elsewhere, set UADK_COMPRESS_LIB_DIR to the directory with libwd.so.2";

/// Returns the items for `libwd` and its driver.
pub(super) fn items(system: &System) -> Vec<Item> {
    match &system.library {
        Library::Found { path, version } => {
            let mut items = vec![found(system, path.as_deref(), version)];
            // Without a path, the library is linked into the program.
            items.extend(path.as_deref().and_then(Path::parent).map(|dir| driver(system, dir)));
            items
        }
        Library::Missing { reason } => {
            vec![Item::new("libwd", State::Missing, reason).remedy(system.on_kunpeng(INSTALL))]
        }
        Library::Unusable { reason } => vec![Item::broken("libwd", reason).remedy(
            "`ldd` on the file shows missing libraries (libnuma is in the package numactl-libs or \
             libnuma1); otherwise remove it and install UADK 2.5 or newer",
        )],
    }
}

fn found(system: &System, path: Option<&Path>, version: &str) -> Item {
    const TOPIC: &str = "libwd";
    let Some(path) = path else { return Item::ok(TOPIC, format!("UADK {version}")) };
    let dir = path.parent().unwrap_or(Path::new("/"));
    let detail = format!("UADK {version}, {}", path.display());
    if dir.starts_with("/usr/local") && !is_known_to_loader(system, dir) {
        return Item::new(TOPIC, State::Warning, format!("{detail}, not in the loader's cache"))
            .remedy(format!(
                "`echo {0} | sudo tee /etc/ld.so.conf.d/uadk.conf; sudo ldconfig`, so that other \
                 programs (QEMU, uadk_tool) find it too; compilers find it with \
                 `PKG_CONFIG_PATH={0}/pkgconfig pkg-config --libs libwd`",
                dir.display()
            ));
    }
    Item::ok(TOPIC, detail)
}

/// Returns whether the loader's cache, which has the full path of each library, lists `libwd` in
/// `dir`.
fn is_known_to_loader(system: &System, dir: &Path) -> bool {
    let path = dir.join(LIBWD).into_os_string().into_encoded_bytes();
    let cache = std::fs::read(system.path("/etc/ld.so.cache")).unwrap_or_default();
    cache.windows(path.len()).any(|window| window == path)
}

/// Checks the driver in `<directory of libwd>/uadk`, the only directory that `libwd` searches.
fn driver(system: &System, libwd_dir: &Path) -> Item {
    const TOPIC: &str = "driver";
    let dir = libwd_dir.join("uadk");
    let file = dir.join(DRIVER);
    if !system.exists(&file) {
        let detail = format!("{} is missing, and libwd looks nowhere else", file.display());
        return Item::new(TOPIC, State::Missing, detail).remedy(format!(
            "install all of UADK (`sudo make install` installs its drivers in {})",
            dir.display()
        ));
    }
    let list = dir.join(DRIVER_LIST);
    let Some(entries) = system.text(&list) else {
        return Item::ok(TOPIC, file.display().to_string());
    };
    if entries.lines().map(str::trim).any(|entry| entry == DRIVER) {
        return Item::ok(TOPIC, format!("{}, listed in {DRIVER_LIST}", file.display()));
    }
    let detail = format!("{} does not list {DRIVER}, so libwd does not load it", list.display());
    Item::new(TOPIC, State::Missing, detail)
        .remedy(format!("`echo {DRIVER} | sudo tee -a {}`", list.display()))
}

impl Library {
    /// Loads the library permanently. `system` is the running machine.
    pub(super) fn load(system: &System) -> Self {
        match Libwd::load() {
            Ok(libwd) => Self::Found {
                path: libwd.path().map(Path::to_owned),
                version: libwd.version().to_string(),
            },
            Err(error) => {
                let elsewhere = system.find_library();
                Self::from_error(&error, |name| loadable(system, name), elsewhere)
            }
        }
    }

    /// Classifies a load error. `file_of` returns the file that the loader would load for a path or
    /// bare name; `elsewhere` is a file in a directory that the loader might not search.
    fn from_error(
        error: &uadk_sys::Error,
        file_of: impl Fn(&str) -> Option<PathBuf>,
        elsewhere: Option<PathBuf>,
    ) -> Self {
        match error {
            uadk_sys::Error::NotLoaded { library: LIBWD, tried }
                if tried.iter().all(|tried| file_of(&tried.path).is_none()) =>
            {
                let paths: Vec<_> = tried.iter().map(|tried| tried.path.as_str()).collect();
                let mut reason = format!("not found ({})", paths.join(", "));
                if let Some(file) = elsewhere {
                    reason += ", but there is ";
                    reason += &file.to_string_lossy();
                    reason += ", where the loader doesn't look";
                }
                Self::Missing { reason }
            }
            // It is present but does not load, or is half an installation, another library, or too
            // old.
            error => Self::Unusable { reason: error.to_string() },
        }
    }
}

/// Finds a library by its path, or by its bare name in the directories that the loader searches.
fn loadable(system: &System, name: &str) -> Option<PathBuf> {
    let path = Path::new(name);
    if path.is_absolute() {
        return system.exists(path).then(|| path.to_owned());
    }
    let is_searched =
        |dir: &Path| !dir.starts_with("/usr/local") || is_known_to_loader(system, dir);
    let dirs = LIBRARY_DIRS.iter().map(Path::new).filter(|dir| is_searched(dir));
    dirs.map(|dir| dir.join(path)).find(|file| system.exists(file))
}

impl System {
    /// Finds `libwd` by its name, in the directories where distributions install it.
    pub(super) fn search_library(&self) -> Library {
        let Some(file) = self.find_library() else {
            return Library::Missing {
                reason: format!("not found in {}", LIBRARY_DIRS.join(", ")),
            };
        };
        let real = self.real_name(&file);
        let version = real.file_name().and_then(|name| name.to_str()?.strip_prefix("libwd.so."));
        let version = version.filter(|number| number.contains('.')).unwrap_or("2").to_owned();
        Library::Found { path: Some(real), version }
    }

    fn find_library(&self) -> Option<PathBuf> {
        LIBRARY_DIRS.iter().map(|dir| Path::new(dir).join(LIBWD)).find(|file| self.exists(file))
    }

    /// Returns the file that a symbolic link within the same directory points to.
    fn real_name(&self, file: &Path) -> PathBuf {
        match std::fs::read_link(self.path(file)) {
            Ok(target) => {
                target.file_name().map_or_else(|| file.to_owned(), |name| file.with_file_name(name))
            }
            Err(_) => file.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use uadk_sys::{Error, Tried};

    use super::*;

    fn from_error(error: &Error, exists: bool) -> Library {
        Library::from_error(error, |name| exists.then(|| name.into()), None)
    }

    fn not_loaded(library: &'static str) -> Error {
        let tried = Tried { path: LIBWD.to_owned(), problem: "invalid ELF header".to_owned() };
        Error::NotLoaded { library, tried: vec![tried] }
    }

    #[test]
    fn an_absent_library_is_missing_and_one_that_will_not_load_is_unusable() {
        let absent = from_error(&not_loaded(LIBWD), false);
        assert_eq!(absent, Library::Missing { reason: "not found (libwd.so.2)".into() });
        for (error, exists) in [
            (not_loaded(LIBWD), true),
            // `libwd.so.2` was loaded before it.
            (not_loaded("libwd_comp.so.2"), false),
            (Error::NotUadk { library: "/x/libwd.so.2".into(), symbol: "wd_poll" }, true),
            (Error::TooOld { library: "/x/libwd.so.2".into() }, true),
        ] {
            let library = from_error(&error, exists);
            assert!(matches!(library, Library::Unusable { .. }), "{error}: {library:?}");
        }
    }

    #[test]
    fn a_library_where_the_loader_does_not_look_is_missing_and_named() {
        let file = Some("/usr/local/lib64/libwd.so.2".into());
        let Library::Missing { reason } = Library::from_error(&not_loaded(LIBWD), |_| None, file)
        else {
            panic!("the library must be missing");
        };
        assert!(
            reason.contains("/usr/local/lib64/libwd.so.2, where the loader doesn't"),
            "{reason}"
        );
    }

    #[test]
    fn a_bare_name_is_searched_in_the_loaders_directories() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let system = System::at(root.path());
        let put = |path: &str, contents: &[u8]| {
            let path = system.path(path);
            std::fs::create_dir_all(path.parent().expect("below the root"))
                .expect("creates the directory");
            std::fs::write(path, contents).expect("writes the file");
        };
        assert_eq!(loadable(&system, LIBWD), None);
        let local = "/usr/local/lib64/libwd.so.2";
        put(local, b"");
        assert_eq!(loadable(&system, LIBWD), None);
        assert_eq!(loadable(&system, local), Some(local.into()));
        put("/etc/ld.so.cache", b"/usr/local/lib64/libwd.so.2\0");
        assert_eq!(loadable(&system, LIBWD), Some(local.into()));
        put("/usr/lib64/libwd.so.2", b"");
        assert_eq!(loadable(&system, LIBWD), Some("/usr/lib64/libwd.so.2".into()));
    }
}
