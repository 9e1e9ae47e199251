//! The kinds of files that a compressor can write.

use uadk_compress::{BlockCompressor, Format, Window};

use crate::{BlockCompressors, Error};

/// RocksDB's `kZlibCompression`.
pub(crate) const ZLIB: u8 = 2;
/// RocksDB's `kLZ4Compression`.
pub(crate) const LZ4: u8 = 4;
/// RocksDB's `kLZ4HCCompression`, whose blocks have the same format.
pub(crate) const LZ4_HC: u8 = 5;
/// RocksDB's `kZSTD`.
pub(crate) const ZSTD: u8 = 7;
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
    /// RocksDB's own schema: the files have the format that RocksDB itself writes, so anything that
    /// reads RocksDB's files reads these too. Existing files of format version 7 are read by the
    /// compressor as well.
    ///
    /// | compressor's format | RocksDB's types | dictionaries |
    /// |---|---|---|
    /// | [`Format::RawDeflate`] | zlib | left to RocksDB |
    /// | [`Format::Zstd`] | zstd | raw and trained |
    /// | [`Format::Lz4`] | LZ4, and LZ4HC at level 3 and above | raw |
    ///
    /// All other types are left to RocksDB. A compressor of deflate is asked for the window that
    /// RocksDB's readers have, 16 KiB. The name in OPTIONS files and option strings is `UadkStock`;
    /// `UadkZlib`, the name in version 0.1, is found too.
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
            Self::Stock => "UadkStock",
            Self::Custom { name, .. } => name,
        }
    }

    /// Returns the names by which RocksDB finds the compressors.
    pub(crate) fn names(&self) -> Vec<&str> {
        match self {
            Self::Stock => vec![self.name(), "UadkZlib"],
            Self::Custom { .. } => vec![self.name()],
        }
    }

    /// Returns the numbers of the compression types that a compressor of `format` handles, the
    /// main one first.
    pub(crate) fn compression_types(&self, format: Format) -> Vec<u8> {
        match (self, format) {
            (Self::Custom { compression_type, .. }, _) => vec![*compression_type],
            (Self::Stock, Format::RawDeflate) => vec![ZLIB],
            (Self::Stock, Format::Zstd) => vec![ZSTD],
            (Self::Stock, Format::Lz4) => vec![LZ4, LZ4_HC],
            (Self::Stock, _) => Vec::new(),
        }
    }

    /// Returns the window that the compressor of `compression_type` is asked for.
    pub(crate) fn window(&self, compression_type: u8) -> Option<Window> {
        // Zlib_DecompressBlock in RocksDB's util/compression.cc uses -14 as zlib's windowBits.
        (*self == Self::Stock && compression_type == ZLIB).then_some(Window::Kib16)
    }

    /// Returns an error unless these compressors can write this schema's files.
    pub(crate) fn check(&self, compressors: &BlockCompressors) -> Result<(), Error> {
        let count = compressors.iter().len();
        let most = if *self == Self::Stock { usize::MAX } else { 1 };
        if count == 0 || count > most {
            return Err(Error::Count { count });
        }
        compressors.iter().try_for_each(|compressor| self.check_one(&**compressor))
    }

    fn check_one(&self, compressor: &dyn BlockCompressor) -> Result<(), Error> {
        match self {
            Self::Stock if self.compression_types(compressor.format()).is_empty() => {
                Err(Error::Format { format: compressor.format() })
            }
            Self::Stock => Ok(()),
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
        let compressor = SoftwareCompressor::new(format, Level::BALANCED);
        schema.check(&compressor.expect("supports the format").into())
    }

    #[test]
    fn stock_accepts_only_formats_of_rocksdb() {
        for format in [Format::RawDeflate, Format::Zstd, Format::Lz4] {
            assert!(check(&Schema::Stock, format).is_ok());
        }
        let error = check(&Schema::Stock, Format::Gzip).unwrap_err();
        assert!(error.to_string().contains("gzip"), "{error}");
    }

    #[test]
    fn only_stock_accepts_several_compressors_and_none_is_never_enough() {
        let all = BlockCompressors::all().expect("software is always there");
        assert!(Schema::Stock.check(&all).is_ok());
        assert!(matches!(Schema::custom("Mine").check(&all), Err(Error::Count { count: 3 })));
        let none = BlockCompressors::new();
        assert!(matches!(Schema::Stock.check(&none), Err(Error::Count { count: 0 })));
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
