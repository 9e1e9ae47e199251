//! Checks whether the linked RocksDB is the one that the shim was compiled for.

use once_cell::sync::OnceCell;

use crate::{Error, shim};

/// Compares the versions until they agree. After that, a call costs one load. Logs a warning, once,
/// if files of this version are not read by the adapter.
///
/// # Errors
///
/// [`Error::Version`] and [`Error::Layout`].
pub(crate) fn check() -> Result<(), Error> {
    static AGREE: OnceCell<()> = OnceCell::new();
    let agree = || {
        let compiled = shim::header_version();
        compare(compiled, &shim::linked_version(), shim::layout_agrees)?;
        if let Some(warning) = warning(compiled) {
            tracing::warn!("{warning}");
        }
        Ok(())
    };
    AGREE.get_or_try_init(agree).copied()
}

/// Returns a warning for versions that write files of format version 6 by default. RocksDB reads
/// these with its own codecs (`GetDecompressor` in
/// `table/block_based/block_based_table_reader.cc`).
fn warning(version: [u32; 3]) -> Option<String> {
    let [major, minor, patch] = version;
    (version < FORMAT_VERSION_7).then(|| {
        format!(
            "RocksDB {major}.{minor}.{patch} reads files with its own codecs, not the block \
             compressor, unless they are written with format_version 7: set \
             BlockBasedOptions::set_format_version(7)"
        )
    })
}

/// The first version whose default is format version 7 (its `include/rocksdb/table.h`).
const FORMAT_VERSION_7: [u32; 3] = [11, 0, 0];

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
        for part in ["11.8.1", "10.4.2", "10.4 to 11.12"] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn another_layout_is_an_error_too() {
        let error = compare([11, 8, 1], "11.8.1", || false).unwrap_err();
        assert!(matches!(error, Error::Layout { .. }), "{error}");
        assert!(error.to_string().contains("10.4 to 11.12"), "{error}");
    }

    #[test]
    fn versions_before_11_0_warn_that_reads_need_format_version_7() {
        for version in [[10, 4, 2], [10, 9, 1], [10, 10, 1]] {
            let warning = warning(version).expect("reads go through RocksDB's own codecs");
            let name = version.map(|n| n.to_string()).join(".");
            assert!(warning.contains(&name) && warning.contains("format_version"), "{warning}");
        }
        for version in [[11, 0, 0], [11, 0, 4], [11, 8, 1], [11, 12, 0]] {
            assert_eq!(warning(version), None);
        }
    }
}
