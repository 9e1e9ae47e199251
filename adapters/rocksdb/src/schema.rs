//! The kinds of files that a compressor can write.

use uadk_compress::{BlockCompressor, Format, Window};

use crate::Error;

/// RocksDB's `kZlibCompression`.
const ZLIB: u8 = 2;
/// RocksDB's `kFirstCustomCompression` and `kLastCustomCompression`.
const CUSTOM: std::ops::RangeInclusive<u8> = 0x80..=0xfe;

/// The kind of files that a compressor writes: RocksDB's own, or files of a custom format.
///
/// ```
/// use rocksdb::{DB, Options};
/// use uadk_compress::{Compressor, Format};
/// use uadk_compress_rocksdb::{OptionsExt, Schema};
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path();
/// let gzip = Compressor::builder().format(Format::Gzip).build()?;
/// let mut options = Options::default();
/// options.create_if_missing(true);
/// options.set_block_compressor(gzip, Schema::custom("MyGzip"))?;
///
/// let db = DB::open(&options, path)?;
/// db.put(b"key", b"value ".repeat(1000))?;
/// db.flush()?;
/// assert_eq!(db.get(b"key")?, Some(b"value ".repeat(1000)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Schema {
    /// RocksDB's own zlib schema: the files have the format that RocksDB itself writes, so anything
    /// that reads RocksDB's files reads these too. Existing zlib files of format version 7 are read
    /// faster. Needs a compressor of [`Format::RawDeflate`].
    ///
    /// The compressor is asked for the window that RocksDB's readers have, 16 KiB.
    ///
    /// The compressor handles blocks of the type zlib. All others, and blocks with a dictionary,
    /// are left to RocksDB. The name in OPTIONS files and option strings is `UadkZlib`.
    #[default]
    Stock,
    /// Files that can only be read with the compressor: for codecs that RocksDB doesn't have.
    ///
    /// Needs format version 7, RocksDB's default. To read the files, open the column family with a
    /// compressor of the same name, or [`register`](crate::register) one. The compressor handles
    /// blocks of `compression_type`; blocks of RocksDB's own types (for example in
    /// `compression_per_level`) are left to RocksDB. Blocks over 64 MiB are stored uncompressed if
    /// the compressor has no
    /// [`max_decompressed_len`](uadk_compress::BlockCompressor::max_decompressed_len).
    #[non_exhaustive]
    Custom {
        /// Written to each file, so that readers find the compressor: choose one name per format
        /// and keep it. It has 1 to 64 ASCII letters, digits and underscores.
        name: String,
        /// One of RocksDB's custom types, 0x80 to 0xfe. Option strings name it like this:
        /// `compression_per_level=kNoCompression:kCustomCompression80`.
        compression_type: u8,
    },
}

impl Schema {
    /// Creates a [`Schema::Custom`] with the first of RocksDB's custom types, 0x80.
    pub fn custom(name: impl Into<String>) -> Self {
        Self::custom_with_type(name, *CUSTOM.start())
    }

    /// Creates a [`Schema::Custom`] with one of RocksDB's custom types, 0x80 to 0xfe.
    pub fn custom_with_type(name: impl Into<String>, compression_type: u8) -> Self {
        Self::Custom { name: name.into(), compression_type }
    }

    /// Returns the name in OPTIONS files, option strings and the registry.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Stock => "UadkZlib",
            Self::Custom { name, .. } => name,
        }
    }

    /// Returns the number of the compression type that the compressor handles.
    pub(crate) fn compression_type(&self) -> u8 {
        match self {
            Self::Stock => ZLIB,
            Self::Custom { compression_type, .. } => *compression_type,
        }
    }

    /// Returns the window that the compressor is asked for.
    pub(crate) fn window(&self) -> Option<Window> {
        match self {
            // Zlib_DecompressBlock in RocksDB's util/compression.cc uses -14 as zlib's windowBits.
            Self::Stock => Some(Window::Kib16),
            Self::Custom { .. } => None,
        }
    }

    /// Returns an error unless `compressor` can write this schema's files.
    pub(crate) fn check(&self, compressor: &dyn BlockCompressor) -> Result<(), Error> {
        match self {
            Self::Stock => match compressor.format() {
                Format::RawDeflate => Ok(()),
                format => Err(Error::Format { format }),
            },
            Self::Custom { name, compression_type } => {
                let legal = (1..=64).contains(&name.len())
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                    && !["Builtin", "Uadk", "nullptr"].iter().any(|taken| name.starts_with(taken));
                if !legal {
                    return Err(Error::Name { name: name.clone() });
                }
                if !CUSTOM.contains(compression_type) {
                    return Err(Error::CompressionType { compression_type: *compression_type });
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uadk_compress::{Level, SoftwareCompressor};

    use super::*;

    fn check(schema: &Schema, format: Format) -> Result<(), Error> {
        schema
            .check(&SoftwareCompressor::new(format, Level::BALANCED).expect("supports the format"))
    }

    #[test]
    fn stock_accepts_only_raw_deflate() {
        assert!(check(&Schema::Stock, Format::RawDeflate).is_ok());
        let error = check(&Schema::Stock, Format::Gzip).unwrap_err();
        assert!(error.to_string().contains("gzip"), "{error}");
    }

    #[test]
    fn custom_accepts_only_valid_names_and_types() {
        assert!(check(&Schema::custom("My_Codec2"), Format::Zlib).is_ok());
        let long = "x".repeat(65);
        for name in ["", "a b", "a;b", "ä", "BuiltinV2", "UadkZlib", "nullptr", &long] {
            let error = check(&Schema::custom(name), Format::Zlib).unwrap_err();
            assert!(matches!(error, Error::Name { .. }), "{name:?}: {error}");
        }
        for compression_type in [0, 2, 0x7f, 0xff] {
            let schema = Schema::Custom { name: "Mine".into(), compression_type };
            let error = check(&schema, Format::Zlib).unwrap_err();
            assert!(matches!(error, Error::CompressionType { .. }), "{error}");
        }
    }
}
