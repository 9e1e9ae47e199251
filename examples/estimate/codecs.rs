//! The codecs, levels and engines to compare.

use std::sync::Arc;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use uadk_compress::{
    BlockCompressor, Compressor, Error, Format, Level, SoftwareCompressor, Window,
};

/// RocksDB's `window_bits` of -14.
const WINDOW_BITS: u8 = 14;

/// One way to compress blocks.
#[derive(Debug)]
pub(crate) struct Case {
    /// RocksDB's name of the format.
    pub(crate) format: &'static str,
    /// An accelerator has none.
    pub(crate) level: Option<i32>,
    pub(crate) engine: String,
    /// `None` stores blocks uncompressed.
    pub(crate) codec: Option<Arc<dyn BlockCompressor>>,
}

impl Case {
    /// Returns the name for messages.
    pub(crate) fn name(&self) -> String {
        let level = self.level.map(|level| format!(" {level}")).unwrap_or_default();
        format!("{}{level} by {}", self.format, self.engine)
    }
}

/// All cases, and why there is none with an accelerator.
#[derive(Debug)]
pub(crate) struct Codecs {
    pub(crate) cases: Vec<Case>,
    pub(crate) accelerator_missing: Option<String>,
}

/// Lists the cases. `accelerator` builds a compressor on the device, or says why it can't.
///
/// # Errors
///
/// Fails if the software engine lacks a format.
pub(crate) fn all(
    accelerator: impl Fn(Format) -> Result<Compressor, Error>,
) -> Result<Codecs, Error> {
    let mut cases = vec![Case { format: "none", level: None, engine: "-".to_owned(), codec: None }];
    for level in [1_u8, 6] {
        let codec: Arc<dyn BlockCompressor> = Arc::new(Zlib(Compression::new(level.into())));
        let engine = "RocksDB's zlib".to_owned();
        cases.push(Case { format: "zlib", level: Some(level.into()), engine, codec: Some(codec) });
    }
    for (format, level) in [
        (Format::RawDeflate, 1),
        (Format::RawDeflate, 6),
        (Format::Zstd, 1),
        (Format::Zstd, 3),
        (Format::Lz4, 1),
    ] {
        let codec = SoftwareCompressor::new(format, Level::nearest(level))?;
        // RocksDB's readers have a window of this size.
        let codec = codec.with_window_limit(Window::Kib16);
        let engine = match format {
            Format::RawDeflate => format!("ours, {}", codec.encoder()),
            // RocksDB calls the same library.
            _ => format!("ours and RocksDB's, {}", codec.encoder()),
        };
        let codec: Arc<dyn BlockCompressor> = Arc::new(codec);
        let format = rocksdb_name(format);
        cases.push(Case { format, level: Some(level), engine, codec: Some(codec) });
    }
    let mut accelerator_missing = None;
    for format in [Format::RawDeflate, Format::Zstd, Format::Lz4] {
        match accelerator(format) {
            Ok(codec) => cases.push(Case {
                format: rocksdb_name(format),
                level: None,
                engine: "ours, accelerator".to_owned(),
                codec: Some(Arc::new(codec)),
            }),
            Err(error) => accelerator_missing = Some(error.to_string()),
        }
    }
    Ok(Codecs { cases, accelerator_missing })
}

const fn rocksdb_name(format: Format) -> &'static str {
    match format {
        Format::RawDeflate => "zlib",
        format => format.name(),
    }
}

/// zlib as RocksDB calls it: raw deflate, with a state that is created and freed for each block
/// (`BuiltinZlibCompressorV2` in `util/compression.cc`).
#[derive(Debug)]
struct Zlib(Compression);

impl BlockCompressor for Zlib {
    fn format(&self) -> Format {
        Format::RawDeflate
    }

    /// The bound of zlib's `deflateBound` for any setting.
    fn max_compressed_len(&self, len: usize) -> usize {
        len + len.div_ceil(8) + len.div_ceil(64) + 5
    }

    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        let mut stream = Compress::new_with_window_bits(self.0, false, WINDOW_BITS);
        match stream.compress(src, dst, FlushCompress::Finish) {
            Ok(Status::StreamEnd) => Ok(stream.total_out() as usize),
            _ => Err(Error::OutputFull),
        }
    }

    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        let mut stream = Decompress::new_with_window_bits(false, WINDOW_BITS);
        match stream.decompress(src, dst, FlushDecompress::Finish) {
            Ok(Status::StreamEnd) => Ok(stream.total_out() as usize),
            Ok(_) => Err(Error::OutputFull),
            Err(_) => Err(Error::Corrupt),
        }
    }
}

#[cfg(test)]
mod tests {
    use uadk_compress::conformance;

    use super::*;

    #[test]
    fn zlib_is_a_proper_block_compressor() {
        for level in [1, 6] {
            conformance::all(&Zlib(Compression::new(level)));
        }
    }
}
