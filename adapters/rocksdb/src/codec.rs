//! Blocks as RocksDB stores them: a size prefix and the compressor's output.
//!
//! All decisions are made here, and none in the C++ shim: what is stored uncompressed, how much a
//! damaged block may claim, and whether the data or the compressor is at fault.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use uadk_compress::{BlockCompressor, Checked, Dictionary, Error, Level, Settings};

use crate::incidents::{CORRUPT_BLOCKS, FAILED_READS, STORED_AFTER_FAILURE};
use crate::schema::{LZ4, LZ4_HC, ZSTD};
use crate::{BlockCompressors, Schema, size_prefix};

/// RocksDB's `CompressionOptions::kDefaultCompressionLevel`.
const DEFAULT_LEVEL: i32 = 32_767;
/// zlib's `Z_DEFAULT_COMPRESSION`, which many configurations use.
const ZLIB_DEFAULT_LEVEL: i32 = -1;
/// libzstd's `ZSTD_CLEVEL_DEFAULT`, its level 0.
const ZSTD_DEFAULT: Level = Level::nearest(3);
/// liblz4's `LZ4HC_CLEVEL_DEFAULT`, its levels below 1.
const LZ4_HC_DEFAULT: Level = Level::nearest(9);
/// The lowest level of LZ4 HC.
const LZ4_HC_LOWEST: i32 = 3;

/// The largest uncompressed size that a block may claim if its format sets no limit.
const MAX_BLOCK_WITHOUT_LIMIT: usize = 64 << 20;

/// The answer to RocksDB about a block. The numbers are those of `Answer` in shim/codec.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Answer {
    Done = 0,
    /// Tried, but the block doesn't get small enough: RocksDB stores it uncompressed.
    Rejected = 1,
    /// Not tried, or failed: RocksDB stores the block uncompressed.
    Bypassed = 2,
    /// The data is damaged.
    Corrupt = 3,
    /// The compressor failed; the data may be intact.
    Failed = 4,
}

/// The compressors of a column family, by RocksDB's compression types.
#[derive(Clone, Debug)]
pub(crate) struct Codecs {
    /// The type that RocksDB's options get: that of a single compressor.
    pub(crate) preferred: Option<u8>,
    pub(crate) by_type: Vec<Codec>,
}

/// A compressor as RocksDB sees it: for the blocks of one compression type.
#[derive(Clone, Debug)]
pub(crate) struct Codec {
    pub(crate) compression_type: u8,
    compressor: Checked<Arc<dyn BlockCompressor>>,
    /// The schema's settings, for every level.
    settings: Settings,
}

impl Codecs {
    /// Creates the codecs for all types that `compressors` handle under `schema`.
    pub(crate) fn new(compressors: &BlockCompressors, schema: &Schema) -> Self {
        let types = |format| schema.compression_types(format);
        let by_type = compressors.iter().flat_map(|compressor| {
            let codec = |compression_type| Codec::new(compressor, schema, compression_type);
            types(compressor.format()).into_iter().map(codec)
        });
        let mut all = compressors.iter().map(|compressor| types(compressor.format()));
        let preferred = all.next().filter(|_| all.next().is_none());
        let preferred = preferred.and_then(|types| types.first().copied());
        Self { preferred, by_type: by_type.collect() }
    }
}

impl Codec {
    /// Creates a codec. If possible, `compressor` gets the settings that the type asks for.
    fn new(compressor: &Arc<dyn BlockCompressor>, schema: &Schema, compression_type: u8) -> Self {
        let window = schema.window(compression_type);
        let settings = window.map(|window| Settings::new().with_window(window)).unwrap_or_default();
        let codec = Self {
            compression_type,
            compressor: Checked::new(Arc::clone(compressor)),
            settings: settings.clone(),
        };
        let first = if *schema == Schema::Stock && compression_type == LZ4_HC {
            settings.with_level(LZ4_HC_DEFAULT)
        } else {
            settings
        };
        codec.reconfigured(&first).unwrap_or(codec)
    }

    fn reconfigured(&self, settings: &Settings) -> Option<Self> {
        let compressor = Checked::new(self.compressor.reconfigured(settings)?);
        Some(Self { compressor, ..self.clone() })
    }

    /// Returns the codec at a level of RocksDB's `CompressionOptions`, and with a checksum in each
    /// block if the type has such a setting.
    pub(crate) fn with_options(&self, level: i32, checksum: bool) -> Self {
        let mut settings = self.settings.clone();
        settings.level = self.level(level);
        if checksum && self.compression_type == ZSTD {
            settings = settings.with_checksum(true);
        }
        if settings == self.settings {
            return self.clone();
        }
        self.reconfigured(&settings).unwrap_or_else(|| self.clone())
    }

    /// Returns the compressor's level for one of RocksDB's; `None` for the compressor's own.
    fn level(&self, level: i32) -> Option<Level> {
        match (self.compression_type, level) {
            (_, DEFAULT_LEVEL) => None,
            (ZSTD, 0) => Some(ZSTD_DEFAULT),
            (ZSTD, level) => Some(Level::nearest(level)),
            // RocksDB's LZ4 has accelerations alone (LZ4AccelerationFromLevel).
            (LZ4, level) => (level < 0).then(|| Level::nearest(level)),
            (LZ4_HC, ..1) => Some(LZ4_HC_DEFAULT),
            (LZ4_HC, level) => Some(Level::nearest(level.max(LZ4_HC_LOWEST))),
            (_, ZLIB_DEFAULT_LEVEL) => None,
            (_, level) => Some(Level::nearest(level.max(0))),
        }
    }

    /// Returns the codec with a dictionary, digested; `None` if its format has none.
    pub(crate) fn with_dictionary(&self, dictionary: &[u8]) -> Option<Self> {
        let settings = self.settings.clone().with_dictionary(Dictionary::new(dictionary));
        catch_unwind(AssertUnwindSafe(|| self.reconfigured(&settings))).ok().flatten()
    }

    /// Compresses a block. The second value is the number of bytes written if the answer is
    /// [`Answer::Done`].
    pub(crate) fn compress(&self, src: &[u8], dst: &mut [u8]) -> (Answer, usize) {
        let Some(prefix_len) =
            u32::try_from(src.len()).ok().and_then(|size| size_prefix::write(size, dst))
        else {
            return (Answer::Bypassed, 0);
        };
        let payload = &mut dst[prefix_len..];
        match catch_unwind(AssertUnwindSafe(|| self.compressor.compress(src, payload))) {
            // Readers would reject a block that claims more, and its data would be lost.
            Ok(Ok(written)) if src.len() > self.max_uncompressed_len(written) => {
                (Answer::Bypassed, 0)
            }
            Ok(Ok(written)) => (Answer::Done, prefix_len + written),
            Ok(Err(Error::OutputFull)) => (Answer::Rejected, 0),
            Ok(Err(error)) => {
                STORED_AFTER_FAILURE.count(&error);
                (Answer::Bypassed, 0)
            }
            Err(_) => {
                STORED_AFTER_FAILURE.count(&"the compressor panicked");
                (Answer::Bypassed, 0)
            }
        }
    }

    /// Returns the length of a block's size prefix and the size it claims; `None` if that size is
    /// impossible.
    pub(crate) fn uncompressed_size(&self, src: &[u8]) -> Option<(usize, u32)> {
        let claimed = size_prefix::read(src).filter(|&(prefix_len, size)| {
            size as usize <= self.max_uncompressed_len(src.len() - prefix_len)
        });
        if claimed.is_none() {
            CORRUPT_BLOCKS.count(&format_args!(
                "a block of {} bytes that begins with {:02x?} claims an impossible size",
                src.len(),
                &src[..src.len().min(8)],
            ));
        }
        claimed
    }

    /// Decompresses a block, without its size prefix. It must fill `dst` exactly.
    pub(crate) fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Answer {
        match catch_unwind(AssertUnwindSafe(|| self.compressor.decompress_exact(src, dst))) {
            Ok(Ok(())) => Answer::Done,
            Ok(Err(error)) if is_damage(&error) => {
                CORRUPT_BLOCKS.count(&format_args!(
                    "a block of {} bytes does not decompress to {} bytes",
                    src.len(),
                    dst.len()
                ));
                Answer::Corrupt
            }
            Ok(Err(error)) => {
                FAILED_READS.count(&error);
                Answer::Failed
            }
            Err(_) => {
                FAILED_READS.count(&"the compressor panicked");
                Answer::Failed
            }
        }
    }

    fn max_uncompressed_len(&self, compressed_len: usize) -> usize {
        // User code, so it may panic too.
        catch_unwind(AssertUnwindSafe(|| self.compressor.max_decompressed_len(compressed_len)))
            .ok()
            .flatten()
            .unwrap_or(MAX_BLOCK_WITHOUT_LIMIT)
    }
}

/// Returns whether the block is at fault: it holds more or less than it claims, or is not a block.
const fn is_damage(error: &Error) -> bool {
    match error {
        Error::WrongLength { reported, capacity } => *reported < *capacity,
        error => matches!(error, Error::Corrupt | Error::OutputFull),
    }
}

#[cfg(test)]
mod tests {
    use uadk_compress::fault::{Fault, FaultInjector};
    use uadk_compress::{Format, SoftwareCompressor};

    use super::*;
    use crate::schema::ZLIB;

    fn software() -> SoftwareCompressor {
        SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED).expect("supports the format")
    }

    fn only(compressor: impl BlockCompressor + 'static, schema: &Schema) -> Codec {
        Codecs::new(&compressor.into(), schema).by_type.swap_remove(0)
    }

    fn codec() -> Codec {
        only(software(), &Schema::Stock)
    }

    fn faulty(fault: &Fault) -> Codec {
        let fault = fault.clone();
        only(FaultInjector::new(software(), move |_| Some(fault.clone())), &Schema::Stock)
    }

    /// Returns a block as it is stored, including its prefix.
    fn stored(src: &[u8]) -> Vec<u8> {
        let mut dst = vec![0; src.len() + 100];
        let (answer, len) = codec().compress(src, &mut dst);
        assert_eq!(answer, Answer::Done);
        dst.truncate(len);
        dst
    }

    #[test]
    fn a_block_round_trips() {
        let block = b"some words, some more words, and some words ".repeat(100);
        let stored = stored(&block);
        let (prefix_len, size) = codec().uncompressed_size(&stored).expect("a valid prefix");
        let mut restored = vec![0; size as usize];
        assert_eq!(codec().decompress(&stored[prefix_len..], &mut restored), Answer::Done);
        assert_eq!(restored, block);
    }

    #[test]
    fn a_block_needs_no_allocation() {
        let (codec, block) = (codec(), b"block block block and page ".repeat(600));
        let (mut stored, mut restored) = (vec![0; block.len()], vec![0; block.len()]);
        let mut round = || {
            let (answer, len) = codec.compress(&block, &mut stored);
            assert_eq!(answer, Answer::Done);
            assert_eq!(codec.compress(&block, &mut stored[len..len + 9]).0, Answer::Rejected);
            let (prefix_len, _) = codec.uncompressed_size(&stored[..len]).expect("a valid prefix");
            let answer = codec.decompress(&stored[prefix_len..len], &mut restored);
            assert_eq!(answer, Answer::Done);
        };
        round();
        let steady = allocation_counter::measure(|| (0..100).for_each(|_| round()));
        assert_eq!(steady.count_total, 0);
    }

    #[test]
    fn too_little_space_is_a_rejection_and_none_for_the_prefix_a_bypass() {
        let block = vec![7; 4000];
        assert_eq!(codec().compress(&block, &mut [0; 5]).0, Answer::Rejected);
        assert_eq!(codec().compress(&block, &mut [0; 1]).0, Answer::Bypassed);
        assert_eq!(codec().compress(&block, &mut []).0, Answer::Bypassed);
    }

    #[test]
    fn a_compressor_that_fails_costs_compression_but_is_never_an_error() {
        for fault in [Fault::Device(-5), Fault::Busy, Fault::Panic, Fault::WrongLength] {
            let before = crate::incidents().stored_after_failure;
            assert_eq!(faulty(&fault).compress(&[7; 4000], &mut [0; 4000]).0, Answer::Bypassed);
            assert!(crate::incidents().stored_after_failure > before, "{fault:?}");
        }
    }

    #[test]
    fn damage_is_corrupt_but_a_compressor_that_fails_is_not() {
        let stored = stored(&[7; 4000]);
        let payload = &stored[2..];
        let mut dst = vec![0; 4000];
        assert_eq!(codec().decompress(&payload[1..], &mut dst), Answer::Corrupt);
        assert_eq!(codec().decompress(payload, &mut dst[..3999]), Answer::Corrupt);
        assert_eq!(codec().decompress(payload, &mut vec![0; 4001]), Answer::Corrupt);
        for fault in
            [Fault::Device(-5), Fault::Busy, Fault::Panic, Fault::Unavailable, Fault::WrongLength]
        {
            assert_eq!(faulty(&fault).decompress(payload, &mut dst), Answer::Failed, "{fault:?}");
        }
    }

    #[test]
    fn no_flipped_bit_or_truncation_is_fatal() {
        let stored = stored(&b"words, more words, and still more words ".repeat(20));
        let read = |damaged: &[u8]| {
            if let Some((prefix_len, size)) = codec().uncompressed_size(damaged) {
                let answer =
                    codec().decompress(&damaged[prefix_len..], &mut vec![0; size as usize]);
                assert!(matches!(answer, Answer::Done | Answer::Corrupt), "{answer:?}");
            }
        };
        for bit in 0..8 * stored.len() {
            let mut damaged = stored.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            read(&damaged);
        }
        for len in 0..stored.len() {
            read(&stored[..len]);
        }
    }

    #[test]
    fn a_block_cannot_claim_more_than_deflate_can_hold() {
        let claim = |size: u32, payload: usize| {
            let mut block = vec![0; 8];
            let prefix_len = size_prefix::write(size, &mut block).expect("enough space");
            block.truncate(prefix_len);
            block.resize(prefix_len + payload, 0);
            codec().uncompressed_size(&block).map(|(_, size)| size)
        };
        assert_eq!(claim(1032 * 100, 100), Some(1032 * 100));
        assert_eq!(claim(1032 * 100 + 1, 100), None);
        assert_eq!(claim(u32::MAX, 100), None);
        assert_eq!(claim(1, 0), None);
        assert_eq!(claim(0, 0), Some(0));
        assert_eq!(codec().uncompressed_size(&[]), None);
    }

    #[test]
    fn the_stock_schema_asks_for_a_window_of_16_kib() {
        // The data repeats after 20,000 bytes.
        let src: Vec<_> = (0..40_000_u32).map(|i| ((i % 20_000).pow(2) % 65_521) as u8).collect();
        let len = |schema: &Schema, level| {
            let codec = only(software(), schema).with_options(level, false);
            codec.compress(&src, &mut vec![0; 50_000]).1
        };
        let custom = Schema::custom("Mine");
        for level in [0, 1] {
            let (stock, custom) = (len(&Schema::Stock, level), len(&custom, level));
            assert!(stock > 38_000 && custom < 22_000, "{stock} {custom}");
        }
        assert_eq!(len(&Schema::Stock, 6), len(&custom, 6), "libdeflate has no window setting");
    }

    #[test]
    fn levels_of_rocksdb_are_passed_to_the_compressor() {
        let len = |level| {
            let words = ["block", "page", "column", "family", "level", "index", "key"];
            let src: Vec<_> = (0..4000_usize).flat_map(|i| words[i * i % 53 % 7].bytes()).collect();
            codec().with_options(level, false).compress(&src, &mut vec![0; 30_000]).1
        };
        assert!(len(1) > len(9), "{} {}", len(1), len(9));
        assert_eq!(len(DEFAULT_LEVEL), len(6), "the compressor's own level");
        assert_eq!(len(ZLIB_DEFAULT_LEVEL), len(6));
        assert_eq!(len(-100), len(0));
        assert_eq!(len(100), len(12));
    }

    #[test]
    fn levels_mean_what_they_mean_to_rocksdb() {
        let codecs = Codecs::new(&BlockCompressors::all().expect("software"), &Schema::Stock);
        assert_eq!(codecs.preferred, None);
        let level = |compression_type, level| {
            let mut codecs = codecs.by_type.iter();
            let codec = codecs.find(|codec| codec.compression_type == compression_type);
            codec.expect("all types").level(level).map(Level::get)
        };
        for compression_type in [ZLIB, ZSTD, LZ4, LZ4_HC] {
            assert_eq!(level(compression_type, DEFAULT_LEVEL), None);
        }
        assert_eq!([-1, 0, 6].map(|n| level(ZLIB, n)), [None, Some(0), Some(6)]);
        assert_eq!([-5, 0, 19].map(|n| level(ZSTD, n)), [Some(-5), Some(3), Some(19)]);
        assert_eq!([-5, 0, 1].map(|n| level(LZ4, n)), [Some(-5), None, None]);
        assert_eq!([-5, 0, 1, 12].map(|n| level(LZ4_HC, n)), [Some(9), Some(9), Some(3), Some(12)]);
    }
}
