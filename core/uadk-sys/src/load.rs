//! Finds and loads the libraries.

use std::ffi::c_void;
use std::path::{Path, PathBuf};

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW, Symbol};

use crate::{Error, Functions, Release, Tried, Version, secure};

/// The environment variable with the directory that [`Libwd::load`] searches first, except in
/// secure execution.
pub const LIB_DIR_VARIABLE: &str = "UADK_COMPRESS_LIB_DIR";

/// Where UADK's own build installs; not every system's loader searches it.
const LOCAL: &str = "/usr/local/lib";

const LIBWD: &str = "libwd.so.2";
const LIBWD_COMP: &str = "libwd_comp.so.2";

/// The loaded libraries. They are never unloaded, since drivers and fork handlers would remain.
///
/// ```
/// use uadk_sys::Libwd;
///
/// let status = match Libwd::load() {
///     Ok(libwd) => format!("UADK {}, {:?}", libwd.version(), libwd.path()),
///     Err(error) => format!("no UADK: {error} ({})", error.remedy()),
/// };
/// assert!(status.contains("UADK"));
/// ```
#[derive(Clone, Debug)]
pub struct Libwd {
    functions: Functions,
    version: Version,
    path: Option<PathBuf>,
}

impl Libwd {
    /// Loads `libwd`, whose symbols drivers must see, and then `libwd_comp`.
    ///
    /// Searches the directory in `UADK_COMPRESS_LIB_DIR`, then the loader's search path, then
    /// `/usr/local/lib`. In [secure execution](secure::is_secure_execution), such as a set-user-ID
    /// program, the variable is ignored: it would let the caller choose the code that runs with the
    /// program's rights. A second call returns the same libraries.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NotLoaded`] if they aren't found or can't be loaded, [`Error::NotUadk`] or
    /// [`Error::TooOld`] if they can't be used.
    pub fn load() -> Result<Self, Error> {
        Self::load_from(secure::var_os(LIB_DIR_VARIABLE).map(PathBuf::from).as_deref())
    }

    /// Like [`load`](Self::load), with `first` instead of the environment variable.
    ///
    /// # Errors
    ///
    /// The same as [`load`](Self::load).
    pub fn load_from(first: Option<&Path>) -> Result<Self, Error> {
        let first = first.filter(|dir| !dir.as_os_str().is_empty());
        let libwd = open(LIBWD, [first, None], RTLD_NOW | RTLD_GLOBAL)?;
        let some_function = address(&libwd, "wd_get_accel_list").ok_or_else(|| {
            let library =
                first.map_or(LIBWD.to_owned(), |dir| dir.join(LIBWD).display().to_string());
            Error::NotUadk { library, symbol: "wd_get_accel_list" }
        })?;
        let path = mapped_file(some_function);
        let shown = |name: &str| path.as_ref().map_or(name.to_owned(), |p| p.display().to_string());
        // The directory of libwd comes first, so that both are from the same build.
        let same_dir = path.as_deref().and_then(Path::parent);
        let libwd_comp = open(LIBWD_COMP, [same_dir, first], RTLD_NOW)?;

        // SAFETY: the functions are looked up by name in libraries that are never unloaded
        // (`open` leaks them). Their names imply UADK's signatures.
        let functions = unsafe {
            Functions::find(|library, symbol| {
                let (library, name) = match library {
                    "libwd" => (&libwd, shown(LIBWD)),
                    _ => (&libwd_comp, LIBWD_COMP.to_owned()),
                };
                address(library, symbol).ok_or(Error::NotUadk { library: name, symbol })
            })
        }?;
        let release = Release::probe(|symbol| address(&libwd, symbol).is_some())
            .ok_or_else(|| Error::TooOld { library: shown(LIBWD) })?;
        let version = Version::new(release, path.as_deref().unwrap_or(Path::new(LIBWD)));
        Ok(Self { functions, version, path })
    }

    /// Creates a library from caller-provided functions, such as a simulator in the same program.
    ///
    /// # Safety
    ///
    /// The functions must behave like UADK's.
    #[must_use]
    pub const unsafe fn from_functions(functions: Functions, version: Version) -> Self {
        Self { functions, version, path: None }
    }

    /// Returns the libraries that the program was linked with, without searching.
    ///
    /// # Errors
    ///
    /// Returns [`Error::NotLinked`] if pkg-config didn't find UADK when this crate was built.
    #[cfg(feature = "link")]
    #[cfg_attr(docsrs, doc(cfg(feature = "link")))]
    pub fn linked() -> Result<Self, Error> {
        #[cfg(not(uadk_linked))]
        return Err(Error::NotLinked);
        #[cfg(uadk_linked)]
        {
            let functions = Functions::linked();
            let path = mapped_file(functions.wd_get_accel_list as *mut c_void);
            // pkg-config required at least 2.5; the exact release is known only at run time.
            let this = Library::this();
            let release = Release::probe(|symbol| address(&this, symbol).is_some());
            let file = path.as_deref().unwrap_or(Path::new(LIBWD));
            let version = Version::new(release.unwrap_or(Release::From2_5), file);
            Ok(Self { functions, version, path })
        }
    }

    /// Returns the functions.
    #[must_use]
    pub const fn functions(&self) -> &Functions {
        &self.functions
    }

    /// Returns the version of UADK.
    #[must_use]
    pub const fn version(&self) -> &Version {
        &self.version
    }

    /// Returns the file that `libwd` was loaded from, with symbolic links resolved, if known.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

/// Loads a library permanently: from the directories `first`, by the loader's search, or from
/// `/usr/local/lib`.
fn open(name: &'static str, first: [Option<&Path>; 2], flags: i32) -> Result<Library, Error> {
    let mut tried = Vec::new();
    let first = first.into_iter().flatten().map(|dir| dir.join(name));
    for path in first.chain([name.into(), Path::new(LOCAL).join(name)]) {
        // SAFETY: the constructors of UADK's libraries register drivers and have no preconditions;
        // the file's name implies that it is UADK's.
        match unsafe { Library::open(Some(&path), flags) } {
            Ok(library) => {
                // A second handle that is never closed keeps it loaded.
                // SAFETY: as above, and it is already loaded.
                if let Ok(leaked) = unsafe { Library::open(Some(&path), flags) } {
                    std::mem::forget(leaked);
                }
                return Ok(library);
            }
            Err(error) => {
                // The loader's message is the error's source.
                let problem = std::error::Error::source(&error)
                    .map_or_else(|| error.to_string(), ToString::to_string);
                tried.push(Tried { path: path.display().to_string(), problem });
            }
        }
    }
    Err(Error::NotLoaded { library: name, tried })
}

fn address(library: &Library, symbol: &str) -> Option<*mut c_void> {
    // SAFETY: the address is only taken; the code that calls it knows the signature.
    let symbol = unsafe { library.get::<*mut c_void>(symbol.as_bytes()) };
    symbol.ok().map(Symbol::as_raw_ptr).filter(|address| !address.is_null())
}

/// Returns the file that is mapped at `address`, with symbolic links resolved.
fn mapped_file(address: *mut c_void) -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    file_in_maps(&maps, address.addr())
}

fn file_in_maps(maps: &str, address: usize) -> Option<PathBuf> {
    maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let bound = |text| usize::from_str_radix(text, 16).ok();
        let inside = (bound(start)?..bound(end)?).contains(&address);
        inside.then(|| rest.find('/').map(|at| PathBuf::from(&rest[at..])))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // These names exist on no machine: the one that runs the tests may have UADK.

    #[test]
    fn the_error_for_a_missing_library_lists_all_paths_tried() {
        let error = open("libwd-nowhere.so.2", [Some(Path::new("/nonexistent")), None], RTLD_NOW);
        let text = error.unwrap_err().to_string();
        for part in ["/nonexistent/libwd-no", "/usr/local/lib/libwd-no", "No such file"] {
            assert!(text.contains(part), "{part:?} is not in {text:?}");
        }
    }

    #[test]
    fn the_error_for_a_file_that_is_not_a_library_says_so() {
        let name = "libwd-invalid.so.2";
        let dir = std::env::temp_dir().join(format!("uadk-sys-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("creates a directory");
        std::fs::write(dir.join(name), b"not a library").expect("writes a file");
        let error = open(name, [Some(&dir), None], RTLD_NOW).unwrap_err();
        std::fs::remove_dir_all(&dir).expect("removes the directory");
        assert!(error.to_string().contains("file too short"), "{error}");
    }

    #[cfg(all(feature = "link", not(uadk_linked)))]
    #[test]
    fn linked_fails_in_a_build_without_uadk() {
        assert_eq!(Libwd::linked().unwrap_err(), Error::NotLinked);
    }

    #[cfg(all(feature = "link", uadk_linked))]
    #[test]
    fn linked_finds_the_library_in_a_build_with_uadk() {
        let libwd = Libwd::linked().expect("UADK is linked");
        let path = libwd.path().expect("libwd is mapped").display().to_string();
        assert!(path.contains("wd"), "{path}");
    }

    #[test]
    fn the_mapped_file_is_found_by_an_address_inside() {
        let maps = "7f00-7f10 r-xp 00000000 08:01 42   /usr/lib/libwd.so.2.9.1\n\
                    7f10-7f20 rw-p 00000000 00:00 0 \n";
        assert_eq!(file_in_maps(maps, 0x7f08), Some("/usr/lib/libwd.so.2.9.1".into()));
        assert_eq!(file_in_maps(maps, 0x7f18), None);
        assert_eq!(file_in_maps(maps, 0x8000), None);
    }
}
