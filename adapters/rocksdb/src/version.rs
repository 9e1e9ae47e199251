//! Checks whether the linked RocksDB is the one that the shim was compiled for.

use once_cell::sync::OnceCell;

use crate::{Error, shim};

/// Compares the versions until they agree. After that, a call costs one load.
///
/// # Errors
///
/// [`Error::Version`] and [`Error::Layout`].
pub(crate) fn check() -> Result<(), Error> {
    static AGREE: OnceCell<()> = OnceCell::new();
    let compare = || compare(shim::header_version(), &shim::linked_version(), shim::layout_agrees);
    AGREE.get_or_try_init(compare).copied()
}

/// Calls `layout_agrees` only if the versions are the same: checking the layout of another version
/// could read invalid memory.
fn compare(
    compiled: [u32; 3],
    linked: &str,
    layout_agrees: impl FnOnce() -> bool,
) -> Result<(), Error> {
    let (compiled, linked) = (compiled.map(|n| n.to_string()).join("."), linked.to_owned());
    if compiled != linked {
        Err(Error::Version { compiled, linked })
    } else if layout_agrees() {
        Ok(())
    } else {
        Err(Error::Layout { compiled, linked })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linked_rocksdb_is_the_one_we_were_compiled_for() {
        check().expect("librocksdb-sys has headers and library of one version");
    }

    #[test]
    fn another_version_is_an_error_that_names_both_without_checking_the_layout() {
        let untouchable = || unreachable!("checking the layout of another version could crash");
        let error = compare([11, 8, 1], "10.4.2", untouchable).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("11.8.1") && message.contains("10.4.2"), "{message}");
    }

    #[test]
    fn another_layout_is_an_error_too() {
        let error = compare([11, 8, 1], "11.8.1", || false).unwrap_err();
        assert!(matches!(error, Error::Layout { .. }), "{error}");
    }
}
