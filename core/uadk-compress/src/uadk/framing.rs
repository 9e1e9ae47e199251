//! How blocks of each format are passed to the device.
//!
//! For deflate, zlib and gzip, the device writes fixed headers (`78 9c`, and gzip's 10 bytes
//! without a name). When it decompresses, it skips as many bytes without checking them, so the
//! engine has to check them.

use std::sync::atomic::{AtomicU8, Ordering};

use uadk_sys::abi;

use crate::checksum::ends_with_checksum;
use crate::direction::Direction;
use crate::{Error, Format};

const ZLIB_HEADER: usize = 2;
const ZLIB_TRAILER: usize = 4;
const GZIP_HEADER: usize = 10;
const GZIP_TRAILER: usize = 8;
/// Bytes of the shortest stream: an empty block of fixed codes takes 10 bits. Shorter lengths
/// underflow in UADK up to 2.9.
const SHORTEST: usize = 2;
/// Extra bytes after the output, so that the device does not run out of space at its last byte.
pub(super) const OUTPUT_SLACK: usize = 64;

/// The algorithms that all devices offer, not counting devices that offer none of them. LZ77 and
/// LZ4 count only where the device's queues and the library support them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent")]
pub(super) struct Offered {
    pub(super) deflate: bool,
    pub(super) zlib: bool,
    pub(super) gzip: bool,
    pub(super) lz77_zstd: bool,
    pub(super) lz77_only: bool,
    pub(super) lz4: bool,
}

/// [`Offered`] as found by the last initialisation, readable without a lock.
#[derive(Debug, Default)]
pub(super) struct Formats(AtomicU8);

/// How blocks of one format and direction are passed to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Framing {
    /// UADK's `alg_type`.
    pub(super) alg_type: u32,
    pub(super) output: Output,
}

/// What the device produces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Deflate, zlib or gzip.
    Deflate {
        /// The format that the device works in.
        device_format: Format,
        /// Whether the device produces zlib where raw deflate is wanted.
        unwrap_zlib: bool,
    },
    /// An LZ4 block.
    Lz4,
    /// Sequences, which this crate encodes in the format: zstd or LZ4.
    Sequences(Format),
}

impl Formats {
    const KNOWN: u8 = 1 << 7;

    /// Returns what the devices offer; `None` until they have been listed successfully.
    pub(super) fn get(&self) -> Option<Offered> {
        let bits = self.0.load(Ordering::Relaxed);
        let has = |bit: u8| bits & 1 << bit != 0;
        (bits & Self::KNOWN != 0).then_some(Offered {
            deflate: has(0),
            zlib: has(1),
            gzip: has(2),
            lz77_zstd: has(3),
            lz77_only: has(4),
            lz4: has(5),
        })
    }

    pub(super) fn set(&self, offered: Offered) {
        let Offered { deflate, zlib, gzip, lz77_zstd, lz77_only, lz4 } = offered;
        let flags = [deflate, zlib, gzip, lz77_zstd, lz77_only, lz4];
        let bits = flags.into_iter().rev().fold(0, |bits, flag| bits << 1 | u8::from(flag));
        self.0.store(bits | Self::KNOWN, Ordering::Relaxed);
    }
}

impl Framing {
    /// Returns how blocks are passed to devices that offer these algorithms.
    ///
    /// A device without raw deflate produces zlib instead, which only adds a header and a trailer.
    /// Decompressing raw deflate as zlib would need the trailer, which is unknown. No device
    /// decompresses zstd or LZ4.
    pub(super) fn new(
        format: Format,
        direction: Direction,
        offered: Offered,
    ) -> Result<Self, Error> {
        let deflate = |alg_type, device_format, unwrap_zlib| Self {
            alg_type,
            output: Output::Deflate { device_format, unwrap_zlib },
        };
        let sequences = |alg_type| Self { alg_type, output: Output::Sequences(format) };
        let compress = direction == Direction::Compress;
        Ok(match format {
            Format::RawDeflate if offered.deflate => deflate(abi::WD_DEFLATE, format, false),
            Format::RawDeflate if offered.zlib && compress => {
                deflate(abi::WD_ZLIB, Format::Zlib, true)
            }
            Format::Zlib if offered.zlib => deflate(abi::WD_ZLIB, format, false),
            Format::Gzip if offered.gzip => deflate(abi::WD_GZIP, format, false),
            Format::Lz4 if compress && offered.lz4 => {
                Self { alg_type: abi::WD_LZ4, output: Output::Lz4 }
            }
            Format::Lz4 if compress && offered.lz77_only => sequences(abi::WD_LZ77_ONLY),
            Format::Zstd | Format::Lz4 if compress && offered.lz77_zstd => {
                sequences(abi::WD_LZ77_ZSTD)
            }
            _ => return Err(unsupported(format, direction)),
        })
    }

    /// Returns the longest block that the device compresses, in bytes.
    pub(super) const fn max_input(&self) -> usize {
        match self.alg_type {
            abi::WD_LZ77_ZSTD => abi::MAX_LZ77_ZSTD_INPUT,
            abi::WD_LZ77_ONLY => abi::MAX_LZ77_ONLY_INPUT,
            _ => abi::MAX_INPUT,
        }
    }

    /// Returns the capacity that the device needs for the output of a block of `len` bytes.
    pub(super) const fn capacity(&self, len: usize) -> usize {
        match self.output {
            // The driver demands an eighth more than the input, not counting headers.
            Output::Deflate { .. } => len + len / 8 + OUTPUT_SLACK,
            Output::Lz4 => len + len / 255 + 16 + OUTPUT_SLACK,
            Output::Sequences(_) => abi::lz77_capacity(len),
        }
    }

    /// Extracts the compressed block from `output`, which the device produced from `src`. Returns
    /// `None` if `output` can't be a whole block: it is too short, or its header or trailer is
    /// wrong. (The trailer's checksum proves that the stream is whole; raw deflate has none.)
    pub(super) fn unwrap<'a>(&self, src: &[u8], output: &'a [u8]) -> Option<&'a [u8]> {
        let (format, unwrap_zlib) = match self.output {
            Output::Deflate { device_format, unwrap_zlib } => (device_format, unwrap_zlib),
            Output::Lz4 => (Format::Lz4, false),
            Output::Sequences(_) => return None,
        };
        let whole = output.len() >= format.min_compressed_len(src.len())
            && self.check_header(output).is_ok()
            && ends_with_checksum(format, output, src) != Some(false);
        if !whole {
            return None;
        }
        if unwrap_zlib {
            output.get(ZLIB_HEADER..output.len() - ZLIB_TRAILER)
        } else {
            Some(output)
        }
    }

    /// Returns whether the checksum of a decompressed block matches the output; always `true` for
    /// raw deflate, which has none. The driver does not report a mismatch (seen up to UADK 2.10).
    pub(super) fn check_trailer(&self, block: &[u8], consumed: usize, output: &[u8]) -> bool {
        let Output::Deflate { device_format: format @ (Format::Zlib | Format::Gzip), .. } =
            self.output
        else {
            return true;
        };
        // Whether the trailer counts as consumed depends on the driver; other bytes may follow it.
        let trailer = if format == Format::Gzip { GZIP_TRAILER } else { ZLIB_TRAILER };
        let with = consumed.saturating_add(trailer);
        [block, block.get(..consumed).unwrap_or_default(), block.get(..with).unwrap_or_default()]
            .into_iter()
            .any(|block| ends_with_checksum(format, block, output) == Some(true))
    }

    /// Checks whether the device may decompress this block: its header must be of the kind that the
    /// device skips.
    pub(super) fn check_header(&self, block: &[u8]) -> Result<(), Error> {
        match self.alg_type {
            abi::WD_ZLIB => check_zlib(block),
            abi::WD_GZIP => check_gzip(block),
            _ => Ok(()),
        }
    }
}

/// Returns the error for blocks that no device processes. It may come with every block, so it does
/// not allocate.
pub(super) const fn unsupported(format: Format, direction: Direction) -> Error {
    macro_rules! by_format {
        ($verb:literal) => {
            match format {
                Format::RawDeflate => concat!("no device ", $verb, " deflate"),
                Format::Zlib => concat!("no device ", $verb, " zlib"),
                Format::Gzip => concat!("no device ", $verb, " gzip"),
                Format::Zstd => concat!("no device ", $verb, " zstd"),
                Format::Lz4 => concat!("no device ", $verb, " lz4"),
                Format::Custom(_) => concat!("no device ", $verb, " other formats"),
            }
        };
    }
    Error::Unsupported(std::borrow::Cow::Borrowed(match direction {
        Direction::Compress => by_format!("compresses"),
        Direction::Decompress => by_format!("decompresses"),
    }))
}

/// Checks a zlib header: RFC 1950, section 2.2.
fn check_zlib(block: &[u8]) -> Result<(), Error> {
    if block.len() < ZLIB_HEADER + SHORTEST + ZLIB_TRAILER {
        return Err(Error::Corrupt);
    }
    let (cmf, flg) = (block[0], block[1]);
    let deflate = cmf & 0x0f == 8 && cmf >> 4 <= 7;
    if !deflate || u16::from_be_bytes([cmf, flg]) % 31 != 0 {
        return Err(Error::Corrupt);
    }
    if flg & 0x20 != 0 {
        return Err(Error::Unsupported("zlib with a preset dictionary".into()));
    }
    Ok(())
}

/// Checks a gzip header: RFC 1952, section 2.3.
fn check_gzip(block: &[u8]) -> Result<(), Error> {
    if block.len() < GZIP_HEADER + SHORTEST + GZIP_TRAILER || block[..3] != [0x1f, 0x8b, 8] {
        return Err(Error::Corrupt);
    }
    if block[3] != 0 {
        return Err(Error::Unsupported("gzip with a name or other fields in its header".into()));
    }
    Ok(())
}

/// Returns a tiny block of UADK's `alg_type` to try a session with: `a`, or its compressed form.
pub(super) const fn sample(alg_type: u32, direction: Direction) -> &'static [u8] {
    match (direction, alg_type) {
        (Direction::Compress, _) => SAMPLE,
        (Direction::Decompress, abi::WD_ZLIB) => &[0x78, 0x9c, 0x4b, 0x04, 0, 0, 0x62, 0, 0x62],
        (Direction::Decompress, abi::WD_GZIP) => {
            &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0x04, 0, 0x43, 0xbe, 0xb7, 0xe8, 1, 0, 0, 0]
        }
        (Direction::Decompress, _) => &[0x4b, 0x04, 0],
    }
}

const SAMPLE: &[u8] = b"a";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlockCompressor, Level, SoftwareCompressor};

    const NONE: Offered = Offered {
        deflate: false,
        zlib: false,
        gzip: false,
        lz77_zstd: false,
        lz77_only: false,
        lz4: false,
    };
    const KUNPENG_920: Offered = Offered { zlib: true, gzip: true, ..NONE };
    const ALL: Offered = Offered {
        deflate: true,
        zlib: true,
        gzip: true,
        lz77_zstd: true,
        lz77_only: true,
        lz4: true,
    };

    #[test]
    fn the_samples_decompress_to_the_sample_data() {
        for format in [Format::RawDeflate, Format::Zlib, Format::Gzip] {
            let framing =
                Framing::new(format, Direction::Decompress, ALL).expect("an offered format");
            let sample = sample(framing.alg_type, Direction::Decompress);
            framing.check_header(sample).expect("a plain header");
            let mut out = [0; 1];
            let software =
                SoftwareCompressor::new(format, Level::FAST).expect("a supported format");
            assert_eq!(software.decompress(sample, &mut out), Ok(1), "{format}");
            assert_eq!(out, SAMPLE, "{format}");
        }
    }

    #[test]
    fn raw_deflate_is_unwrapped_from_zlib_if_the_device_lacks_it() {
        let framing =
            Framing::new(Format::RawDeflate, Direction::Compress, KUNPENG_920).expect("via zlib");
        assert_eq!(framing.alg_type, abi::WD_ZLIB);
        let zlib = sample(abi::WD_ZLIB, Direction::Decompress);
        let raw = sample(abi::WD_DEFLATE, Direction::Decompress);
        assert_eq!(framing.unwrap(SAMPLE, zlib), Some(raw));
        let refused = Framing::new(Format::RawDeflate, Direction::Decompress, KUNPENG_920);
        assert!(matches!(refused, Err(Error::Unsupported(_))));
    }

    #[test]
    fn lz4_comes_from_the_best_algorithm_that_is_offered() {
        let algorithm = |format, offered| {
            Framing::new(format, Direction::Compress, offered).map(|framing| framing.alg_type)
        };
        let older = Offered { lz4: false, ..ALL };
        let oldest = Offered { lz77_only: false, ..older };
        assert_eq!(algorithm(Format::Lz4, ALL), Ok(abi::WD_LZ4));
        assert_eq!(algorithm(Format::Lz4, older), Ok(abi::WD_LZ77_ONLY));
        assert_eq!(algorithm(Format::Lz4, oldest), Ok(abi::WD_LZ77_ZSTD));
        assert_eq!(algorithm(Format::Zstd, oldest), Ok(abi::WD_LZ77_ZSTD));
        for format in [Format::Zstd, Format::Lz4] {
            assert!(algorithm(format, KUNPENG_920).is_err(), "{format}");
            assert!(Framing::new(format, Direction::Decompress, ALL).is_err(), "{format}");
        }
    }

    #[test]
    fn output_that_is_not_a_whole_stream_of_the_source_is_rejected() {
        for format in [Format::Zlib, Format::Gzip] {
            let framing =
                Framing::new(format, Direction::Compress, ALL).expect("an offered format");
            let whole = sample(framing.alg_type, Direction::Decompress);
            assert_eq!(framing.unwrap(SAMPLE, whole), Some(whole));
            for len in 0..whole.len() {
                assert_eq!(framing.unwrap(SAMPLE, &whole[..len]), None, "{format}, {len}");
            }
            assert_eq!(framing.unwrap(b"b", whole), None, "{format}: another source");
            let mut damaged = whole.to_vec();
            damaged[0] ^= 1;
            assert_eq!(framing.unwrap(SAMPLE, &damaged), None, "{format}: another header");
        }
        let raw =
            Framing::new(Format::RawDeflate, Direction::Compress, ALL).expect("an offered format");
        assert_eq!(raw.unwrap(SAMPLE, &[]), None);
        assert_eq!(raw.unwrap(&[0; 10_000], &[1; 9]), None, "more than deflate can hold");
        assert_eq!(raw.unwrap(&[0; 10_000], &[1; 10]), Some(&[1; 10][..]));
    }

    #[test]
    fn offered_formats_are_known_once_the_devices_have_been_listed() {
        let formats = Formats::default();
        assert_eq!(formats.get(), None);
        let lz4 = Offered { lz4: true, ..NONE };
        for offered in [ALL, KUNPENG_920, NONE, lz4] {
            formats.set(offered);
            assert_eq!(formats.get(), Some(offered));
        }
    }

    #[test]
    fn headers_that_the_device_would_skip_wrongly_are_rejected() {
        let zlib =
            Framing::new(Format::Zlib, Direction::Decompress, ALL).expect("an offered format");
        assert_eq!(zlib.check_header(&[0x78, 0x01, 3, 0, 0, 0, 0, 1]), Ok(()));
        assert_eq!(zlib.check_header(&[0x78, 0x01, 3, 0, 0, 0, 1]), Err(Error::Corrupt));
        assert_eq!(zlib.check_header(&[0x78]), Err(Error::Corrupt));
        assert_eq!(zlib.check_header(&[0x78, 0x02, 3, 0, 0, 0, 0, 1]), Err(Error::Corrupt));
        let dictionary = zlib.check_header(&[0x78, 0xbb, 0, 0, 0, 1, 3, 0, 0, 0, 0, 1]);
        assert!(matches!(dictionary, Err(Error::Unsupported(_))));

        let gzip =
            Framing::new(Format::Gzip, Direction::Decompress, ALL).expect("an offered format");
        let mut named = sample(abi::WD_GZIP, Direction::Decompress).to_vec();
        named[3] = 8;
        assert!(matches!(gzip.check_header(&named), Err(Error::Unsupported(_))));
        assert_eq!(gzip.check_header(b"not gzip at all"), Err(Error::Corrupt));
    }
}
