//! What a database's OPTIONS file says about its column families. RocksDB's bindings set these
//! options, but don't return them.

use std::collections::HashMap;
use std::path::Path;
use std::{fs, io};

use crate::block::Layout;

/// The comparator of almost all column families.
pub(crate) const BYTEWISE: &str = "leveldb.BytewiseComparator";

/// A column family's options, as far as they matter here.
#[derive(Clone, Debug)]
pub(crate) struct FamilyOptions {
    pub(crate) comparator: String,
    pub(crate) layout: Layout,
    /// The codecs of new files, in RocksDB's words: "kLZ4Compression, bottommost kZSTD".
    pub(crate) compression: String,
    /// `num_levels`. RocksDB refuses to open a family with fewer than it has.
    pub(crate) levels: Option<i32>,
}

impl Default for FamilyOptions {
    fn default() -> Self {
        Self {
            comparator: BYTEWISE.to_owned(),
            layout: Layout::default(),
            compression: "unknown codec".to_owned(),
            levels: None,
        }
    }
}

/// Reads the newest OPTIONS file of a database. Without one, all column families have defaults.
pub(crate) fn read(database: &Path) -> io::Result<HashMap<String, FamilyOptions>> {
    let mut newest = None;
    for entry in fs::read_dir(database)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("OPTIONS-")?.parse().ok());
        newest = newest.max(number.map(|number: u64| (number, name)));
    }
    let Some((_, name)) = newest else { return Ok(HashMap::new()) };
    Ok(parse(&fs::read_to_string(database.join(name))?))
}

fn parse(text: &str) -> HashMap<String, FamilyOptions> {
    let mut families: HashMap<String, FamilyOptions> = HashMap::new();
    let mut section = Section::Other;
    let mut compression = Compression::default();
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            section = Section::parse(line);
            compression = Compression::default();
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        match &section {
            Section::Family(name) => {
                let family = families.entry(name.clone()).or_default();
                match key {
                    "comparator" => value.clone_into(&mut family.comparator),
                    "num_levels" => family.levels = value.parse().ok(),
                    _ if compression.set(key, value) => {
                        family.compression = compression.to_string();
                    }
                    _ => {}
                }
            }
            Section::Table(name) => {
                families.entry(name.clone()).or_default().layout.set(key, value);
            }
            Section::Other => {}
        }
    }
    families
}

/// A section that the line `[CFOptions "name"]` begins.
enum Section {
    Family(String),
    Table(String),
    Other,
}

impl Section {
    fn parse(line: &str) -> Self {
        let name = || line.split('"').nth(1).unwrap_or_default().to_owned();
        if line.starts_with("[CFOptions ") {
            Self::Family(name())
        } else if line.starts_with("[TableOptions/BlockBasedTable ") {
            Self::Table(name())
        } else {
            Self::Other
        }
    }
}

/// The options that choose a codec.
#[derive(Default)]
struct Compression {
    all: String,
    per_level: String,
    bottommost: String,
}

impl Compression {
    /// Returns whether `key` is one of the options.
    fn set(&mut self, key: &str, value: &str) -> bool {
        let option = match key {
            "compression" => &mut self.all,
            "compression_per_level" => &mut self.per_level,
            "bottommost_compression" => &mut self.bottommost,
            _ => return false,
        };
        value.clone_into(option);
        true
    }
}

impl std::fmt::Display for Compression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // `compression_per_level` overrides `compression`.
        f.write_str(if self.per_level.is_empty() { &self.all } else { &self.per_level })?;
        match self.bottommost.as_str() {
            "" | "kDisableCompressionOption" => Ok(()),
            bottommost => write!(f, ", bottommost {bottommost}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
[Version]
  rocksdb_version=11.8.1
[CFOptions "default"]
  num_levels=9
  compression=kLZ4Compression
  comparator=leveldb.BytewiseComparator
  bottommost_compression=kZSTD
  compression_per_level=
[TableOptions/BlockBasedTable "default"]
  block_size=16384
  block_restart_interval=8
[CFOptions "a \"name"]
  compression=kNoCompression
  bottommost_compression=kDisableCompressionOption
  compression_per_level=kNoCompression:kZlibCompression
  comparator=mine
"#;

    #[test]
    fn families_have_their_own_options() {
        let families = parse(TEXT);
        let default = &families["default"];
        assert_eq!(default.compression, "kLZ4Compression, bottommost kZSTD");
        assert_eq!(default.levels, Some(9));
        assert_eq!((default.layout.block_size, default.layout.restart_interval), (16_384, 8));
        let other = families.values().find(|family| family.comparator == "mine");
        let other = other.expect("the second family");
        assert_eq!(other.compression, "kNoCompression:kZlibCompression");
        assert_eq!(other.layout.block_size, 4096);
    }
}
