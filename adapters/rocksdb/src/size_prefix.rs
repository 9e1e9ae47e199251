//! The uncompressed size in front of a block: a little-endian base-128 varint, as RocksDB writes it
//! for all its codecs but Snappy (util/coding.h, `EncodeVarint32`).

/// The length of the longest prefix.
const MAX_LEN: usize = 5;

/// Writes `size` to the beginning of `dst` and returns the length of the prefix; `None` if it does
/// not fit.
pub(crate) fn write(mut size: u32, dst: &mut [u8]) -> Option<usize> {
    for (i, byte) in dst.iter_mut().enumerate() {
        if size < 0x80 {
            *byte = size as u8;
            return Some(i + 1);
        }
        *byte = size as u8 | 0x80;
        size >>= 7;
    }
    None
}

/// Returns the length of the prefix and the size in it; `None` if the prefix is truncated or the
/// size has more than 32 bits.
pub(crate) fn read(src: &[u8]) -> Option<(usize, u32)> {
    let mut size = 0_u64;
    for (i, &byte) in src.iter().take(MAX_LEN).enumerate() {
        size |= u64::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            return Some((i + 1, u32::try_from(size).ok()?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_sizes_are_read() {
        for shift in 0..32 {
            for size in [(1_u32 << shift) - 1, 1 << shift, u32::MAX >> shift] {
                let mut bytes = [0xff; 8];
                let len = write(size, &mut bytes).expect("enough space");
                assert_eq!(read(&bytes), Some((len, size)));
                assert_eq!(read(&bytes[..len - 1]), None, "truncated");
                assert_eq!(write(size, &mut bytes[..len - 1]), None, "too short");
            }
        }
    }

    #[test]
    fn the_bytes_are_those_of_rocksdb() {
        let mut bytes = [0; 3];
        assert_eq!(write(16_357, &mut bytes), Some(2));
        assert_eq!(bytes[..2], [0xe5, 0x7f]);
    }

    #[test]
    fn more_than_32_bits_are_refused() {
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Some((5, u32::MAX)));
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0x1f]), None);
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0x01]), None);
        assert_eq!(read(&[]), None);
    }
}
