//! Finding and loading the libraries.

use std::ffi::c_void;
use std::path::{Path, PathBuf};

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW, Symbol};

use crate::{Error, Functions, Release, Tried, Version, secure};

/// Names the folder that [`Libwd::load`] searches first, except in secure execution.
pub const LIB_DIR_VARIABLE: &str = "UADK_COMPRESS_LIB_DIR";

/// Where UADK's own build installs to, which loaders don't search everywhere.
const LOCAL: &str = "/usr/local/lib";

const LIBWD: &str = "libwd.so.2";
const LIBWD_COMP: &str = "libwd_comp.so.2";

/// The loaded libraries. They are never unloaded: drivers and fork handlers stay behind anyway.
#[derive(Clone, Debug)]
pub struct Libwd {
    functions: Functions,
    version: Version,
    path: Option<PathBuf>,
}

impl Libwd {
    /// Loads `libwd`, whose symbols drivers must see, and then `libwd_comp`.
    ///
    /// Searches the folder that `UADK_COMPRESS_LIB_DIR` names, then the loader's own path, then
    /// `/usr/local/lib`. In [secure execution](secure::is_secure_execution), such as a set-user-ID
    /// program, the variable is ignored: whoever sets it would choose the code that runs with the
    /// program's rights. A second call returns the same libraries.
    ///
    /// # Errors
    ///
    /// [`Error::NotLoaded`] if they are not there, [`Error::NotUadk`] and [`Error::TooOld`] if what
    /// is there can't be used.
    pub fn load() -> Result<Self, Error> {
        Self::load_from(secure::var_os(LIB_DIR_VARIABLE).map(PathBuf::from).as_deref())
    }

    /// Like [`load`](Self::load), with `first` in place of the environment variable.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
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
        // Its own folder comes first, so that the two are of one build.
        let beside = path.as_deref().and_then(Path::parent);
        let libwd_comp = open(LIBWD_COMP, [beside, first], RTLD_NOW)?;

        // SAFETY: the functions are looked up by their names in libraries that are never unloaded
        // (`open` leaks them). That their signatures are UADK's is what their names promise.
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

    /// A table of functions of the caller's, for stand-ins in the same program.
    ///
    /// # Safety
    ///
    /// The functions must do what UADK's do.
    #[must_use]
    pub const unsafe fn from_functions(functions: Functions, version: Version) -> Self {
        Self { functions, version, path: None }
    }

    /// The libraries that the program was linked with when it was built. Nothing is searched for.
    ///
    /// # Errors
    ///
    /// [`Error::NotLinked`] if pkg-config did not find UADK when this crate was built.
    #[cfg(feature = "link")]
    pub fn linked() -> Result<Self, Error> {
        #[cfg(not(uadk_linked))]
        return Err(Error::NotLinked);
        #[cfg(uadk_linked)]
        {
            let functions = Functions::linked();
            let path = mapped_file(functions.wd_get_accel_list as *mut c_void);
            // pkg-config asked for 2.5 at least; only the running library tells more.
            let this = Library::this();
            let release = Release::probe(|symbol| address(&this, symbol).is_some());
            let file = path.as_deref().unwrap_or(Path::new(LIBWD));
            let version = Version::new(release.unwrap_or(Release::From2_5), file);
            Ok(Self { functions, version, path })
        }
    }

    /// The functions.
    #[must_use]
    pub const fn functions(&self) -> &Functions {
        &self.functions
    }

    /// Which UADK it is.
    #[must_use]
    pub const fn version(&self) -> &Version {
        &self.version
    }

    /// The real file that `libwd` was loaded from, if that can be told.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

/// Loads a library for good: from the folders `first`, by the loader's own search, from
/// `/usr/local/lib`.
fn open(name: &'static str, first: [Option<&Path>; 2], flags: i32) -> Result<Library, Error> {
    let mut tried = Vec::new();
    let folders = first.into_iter().flatten().map(|dir| dir.join(name));
    for place in folders.chain([name.into(), Path::new(LOCAL).join(name)]) {
        // SAFETY: the constructors of UADK's libraries register drivers and need nothing; that the
        // file is UADK's is what its name promises.
        match unsafe { Library::open(Some(&place), flags) } {
            Ok(library) => {
                // A second handle that is never closed keeps it loaded.
                // SAFETY: as above, and it is loaded already.
                if let Ok(forever) = unsafe { Library::open(Some(&place), flags) } {
                    std::mem::forget(forever);
                }
                return Ok(library);
            }
            Err(error) => {
                // The loader's own words are one level down.
                let problem = std::error::Error::source(&error)
                    .map_or_else(|| error.to_string(), ToString::to_string);
                tried.push(Tried { path: place.display().to_string(), problem });
            }
        }
    }
    Err(Error::NotLoaded { library: name, tried })
}

fn address(library: &Library, symbol: &str) -> Option<*mut c_void> {
    // SAFETY: the address is only taken; who calls it knows the signature.
    let symbol = unsafe { library.get::<*mut c_void>(symbol.as_bytes()) };
    symbol.ok().map(Symbol::as_raw_ptr).filter(|address| !address.is_null())
}

/// The file that is mapped at `address`, without symbolic links.
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

    // Names that no machine has, for this one may have UADK.

    #[test]
    fn a_library_that_is_nowhere_is_an_error_that_names_all_places() {
        let error = open("libwd-nowhere.so.2", [Some(Path::new("/nonexistent")), None], RTLD_NOW);
        let text = error.unwrap_err().to_string();
        for part in ["/nonexistent/libwd-no", "/usr/local/lib/libwd-no", "No such file"] {
            assert!(text.contains(part), "{part:?} is not in {text:?}");
        }
    }

    #[test]
    fn a_file_that_is_no_library_is_an_error_that_says_so() {
        let name = "libwd-strange.so.2";
        let dir = std::env::temp_dir().join(format!("uadk-sys-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a folder");
        std::fs::write(dir.join(name), b"not a library").expect("a file");
        let error = open(name, [Some(&dir), None], RTLD_NOW).unwrap_err();
        std::fs::remove_dir_all(&dir).expect("still there");
        assert!(error.to_string().contains("file too short"), "{error}");
    }

    #[cfg(all(feature = "link", not(uadk_linked)))]
    #[test]
    fn a_build_without_uadk_reports_that_nothing_is_linked() {
        assert_eq!(Libwd::linked().unwrap_err(), Error::NotLinked);
    }

    #[cfg(all(feature = "link", uadk_linked))]
    #[test]
    fn a_build_with_uadk_has_its_functions() {
        let libwd = Libwd::linked().expect("linked");
        let path = libwd.path().expect("mapped").display().to_string();
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
