//! The trailing checksums of zlib and gzip.

use crate::Format;

/// Returns whether `compressed` ends with the checksum of `data`; `None` if its format has none.
pub(crate) fn ends_with_checksum(format: Format, compressed: &[u8], data: &[u8]) -> Option<bool> {
    match format {
        // RFC 1950: Adler-32, most significant byte first.
        Format::Zlib => Some(compressed.ends_with(&libdeflater::adler32(data).to_be_bytes())),
        // RFC 1952: CRC-32 and the length, least significant byte first.
        Format::Gzip => {
            let len = (data.len() as u32).to_le_bytes();
            let Some(rest) = compressed.strip_suffix(&len) else { return Some(false) };
            Some(rest.ends_with(&libdeflater::crc32(data).to_le_bytes()))
        }
        // A zstd frame may have one, which its decoder checks.
        Format::RawDeflate | Format::Zstd | Format::Lz4 | Format::Custom(_) => None,
    }
}
