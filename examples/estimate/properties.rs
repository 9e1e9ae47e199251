//! The properties of table files, which RocksDB returns as one text.

/// Sums over the table files of a level, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Properties {
    /// The data blocks as stored, compressed.
    pub(crate) data: u64,
    /// Keys, with 8 bytes behind each, and values, before they are laid out in blocks.
    pub(crate) raw: u64,
}

impl Properties {
    /// Reads the text of the property `rocksdb.aggregated-table-properties-at-levelN`:
    /// `# data blocks=1; # entries=2; ...`
    pub(crate) fn parse(text: &str) -> Self {
        let mut properties = Self::default();
        for (name, value) in text.split(';').filter_map(|property| property.split_once('=')) {
            let value = value.trim().parse().unwrap_or_default();
            match name.trim() {
                "data block size" => properties.data = value,
                "raw key size" | "raw value size" => properties.raw += value,
                _ => {}
            }
        }
        properties
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_found_among_other_properties() {
        let text = "# data blocks=2; raw key size=30; raw average key size=3.0; \
                    raw value size=70; data block size=55; filter policy name=N/A; ";
        assert_eq!(Properties::parse(text), Properties { data: 55, raw: 100 });
    }
}
