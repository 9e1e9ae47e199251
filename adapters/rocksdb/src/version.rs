//! Whether the linked RocksDB is the one that the shim was compiled for.

use std::sync::OnceLock;

use crate::{Error, shim};

/// Compares once per process; costs a load after that.
///
/// # Errors
///
/// [`Error::Version`] and [`Error::Layout`].
pub(crate) fn check() -> Result<(), Error> {
    static AGREES: OnceLock<Agreement> = OnceLock::new();
    AGREES
        .get_or_init(|| {
            compare(shim::header_version(), &shim::linked_version(), shim::layout_agrees)
        })
        .to_result()
}

/// What the comparison found.
#[derive(Debug)]
struct Agreement {
    compiled: String,
    linked: String,
    found: Found,
}

#[derive(Debug)]
enum Found {
    Same,
    OtherVersion,
    OtherLayout,
}

/// `layout_agrees` is asked only if the versions are the same: otherwise to look would be to read
/// memory that may not be there.
fn compare(compiled: [u32; 3], linked: &str, layout_agrees: impl FnOnce() -> bool) -> Agreement {
    let compiled = compiled.map(|n| n.to_string()).join(".");
    let found = if compiled != linked {
        Found::OtherVersion
    } else if layout_agrees() {
        Found::Same
    } else {
        Found::OtherLayout
    };
    Agreement { compiled, linked: linked.to_owned(), found }
}

impl Agreement {
    fn to_result(&self) -> Result<(), Error> {
        let (compiled, linked) = (self.compiled.clone(), self.linked.clone());
        match self.found {
            Found::Same => Ok(()),
            Found::OtherVersion => Err(Error::Version { compiled, linked }),
            Found::OtherLayout => Err(Error::Layout { compiled, linked }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linked_rocksdb_is_the_one_we_were_compiled_for() {
        check().expect("librocksdb-sys brings headers and library of one version");
    }

    #[test]
    fn another_version_is_an_error_that_names_both_and_never_looks_at_the_layout() {
        let untouchable = || unreachable!("to look at the layout of another version is a crash");
        let error = compare([11, 8, 1], "10.4.2", untouchable).to_result().unwrap_err();
        let message = error.to_string();
        assert!(message.contains("11.8.1") && message.contains("10.4.2"), "{message}");
    }

    #[test]
    fn another_layout_is_an_error_too() {
        let error = compare([11, 8, 1], "11.8.1", || false).to_result().unwrap_err();
        assert!(matches!(error, Error::Layout { .. }), "{error}");
    }
}
