//! Finds the last block of a complete deflate stream (RFC 1951), so that another stream can follow it.
//!
//! Compressors end a stream by a bit in the header of its last block, and where that is only decoding
//! tells. Nothing is produced here, so tables can be simple: each entry says how many bits to skip,
//! extra bits included, and which table comes next. Several literals, or literals and a length, share
//! an entry where their codes fit, and no step but the end of a block needs a branch.

use std::ops::Range;

/// Bits that index the table of literals and lengths.
const LITERAL_BITS: u32 = 11;
/// Bits that index the table of distances.
const DISTANCE_BITS: u32 = 9;
/// The longest code.
const MAX_CODE_BITS: usize = 15;
/// Both tables and all their subtables: no more than 2048 + 144 * 16 + 512 + 16 * 64 entries.
const TABLE_LEN: usize = 1 << 13;
/// Bytes that must be readable behind a stream.
pub(super) const SLACK: usize = 8;

/// Symbols of the alphabets in a block's header.
const END_OF_BLOCK: usize = 256;
const LITERALS: usize = 288;
const DISTANCES: usize = 32;

/// An entry: bits to skip (bits 0 to 7), bits that index the next table (8 to 11), whether the block
/// ends or the code does not exist (12, 13), and where the next table begins (16 to 31).
type Entry = u32;
const ENDS: Entry = 1 << 12;
const INVALID: Entry = 1 << 13;
const fn go_to(table: usize, bits: u32) -> Entry {
    (table as u32) << 16 | bits << 8
}

/// Extra bits of length symbols from 257 on.
const LENGTH_EXTRA: [u8; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
/// The order in which lengths of the code for code lengths come.
const LENGTHS_ORDER: [usize; 19] =
    [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Finds last blocks. The tables are reused from stream to stream.
#[derive(Debug)]
pub(super) struct Finder {
    table: Box<[Entry; TABLE_LEN]>,
}

impl Finder {
    pub(super) fn new() -> Self {
        let table = vec![INVALID; TABLE_LEN].into_boxed_slice();
        Self { table: table.try_into().expect("it has this length") }
    }

    /// Returns the bit at which the last block of the stream in `buffer[..len]` begins, and the one
    /// at which it ends. `None` if it is no deflate stream, or is longer or shorter than `len` bytes.
    ///
    /// [`SLACK`] bytes of any value have to follow it in the buffer.
    pub(super) fn find(&mut self, buffer: &[u8], len: usize) -> Option<Range<usize>> {
        debug_assert!(buffer.len() >= len + SLACK);
        let mut bits = Bits::new(buffer);
        loop {
            let start = bits.position();
            let last = bits.take(1)? == 1;
            match bits.take(2)? {
                0 => bits.skip_stored()?,
                1 => {
                    self.use_fixed_codes()?;
                    self.skip_symbols(&mut bits)?;
                }
                2 => {
                    self.read_codes(&mut bits)?;
                    self.skip_symbols(&mut bits)?;
                }
                _ => return None,
            }
            if bits.position() > len * 8 {
                return None;
            }
            if last {
                let end = bits.position();
                return (end.div_ceil(8) == len).then_some(start..end);
            }
        }
    }

    fn skip_symbols(&self, bits: &mut Bits<'_>) -> Option<()> {
        let start = go_to(0, LITERAL_BITS);
        let mut entry = start;
        loop {
            bits.refill();
            // A step skips 28 bits at most: a distance's code and its extra bits.
            for _ in 0..2 {
                let mask = (1_usize << (entry >> 8 & 15)) - 1;
                let index = (entry >> 16) as usize + (bits.buffer as usize & mask);
                entry = self.table[index % TABLE_LEN];
                bits.skip(entry & 0xff);
                if entry & (ENDS | INVALID) != 0 {
                    return (entry & ENDS != 0 && !bits.is_overrun()).then_some(());
                }
            }
            if bits.is_overrun() {
                return None;
            }
        }
    }

    fn use_fixed_codes(&mut self) -> Option<()> {
        let mut lens = [8; LITERALS];
        lens[144..256].fill(9);
        lens[256..280].fill(7);
        self.build(&lens, &[5; DISTANCES])
    }

    /// Reads the codes of a dynamic block.
    fn read_codes(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        let literals = bits.take(5)? as usize + 257;
        let distances = bits.take(5)? as usize + 1;
        let count = bits.take(4)? as usize + 4;
        let mut code_lens = [0_u8; 19];
        for symbol in &LENGTHS_ORDER[..count] {
            code_lens[*symbol] = bits.take(3)? as u8;
        }
        let codes = codes::<19>(&code_lens)?;
        let mut table = [(0_u8, 0_u8); 1 << 7];
        for (symbol, (code, len)) in codes.iter().zip(code_lens).enumerate() {
            if len > 0 {
                let entries = table.iter_mut().skip(usize::from(*code)).step_by(1 << len);
                entries.for_each(|entry| *entry = (symbol as u8, len));
            }
        }
        let mut lens = [0_u8; LITERALS + DISTANCES];
        let total = literals + distances;
        if literals > LITERALS || distances > DISTANCES {
            return None;
        }
        let mut at = 0;
        while at < total {
            bits.refill();
            let (symbol, len) = table[bits.buffer as usize & 127];
            if len == 0 {
                return None;
            }
            bits.skip(u32::from(len));
            let (value, times) = match symbol {
                16 => (*lens.get(at.checked_sub(1)?)?, bits.take(2)? as usize + 3),
                17 => (0, bits.take(3)? as usize + 3),
                18 => (0, bits.take(7)? as usize + 11),
                len => (len, 1),
            };
            lens.get_mut(at..at + times).filter(|_| at + times <= total)?.fill(value);
            at += times;
        }
        let (literal_lens, distance_lens) = lens[..total].split_at(literals);
        self.build(literal_lens, distance_lens)
    }

    /// Makes both tables. `None` if one of the codes is impossible.
    fn build(&mut self, literals: &[u8], distances: &[u8]) -> Option<()> {
        let literal_codes = codes::<LITERALS>(literals)?;
        let distance_codes = codes::<DISTANCES>(distances)?;
        let to_literals = go_to(0, LITERAL_BITS);
        let mut end = (1 << LITERAL_BITS) + (1 << DISTANCE_BITS);
        let to_distances = go_to(1 << LITERAL_BITS, DISTANCE_BITS);
        self.table[..end].fill(INVALID);
        for (symbol, (&len, &code)) in literals.iter().zip(&literal_codes).enumerate() {
            let entry = match symbol {
                0..END_OF_BLOCK => to_literals,
                END_OF_BLOCK => ENDS,
                _ => match LENGTH_EXTRA.get(symbol - END_OF_BLOCK - 1) {
                    Some(extra) => to_distances + Entry::from(*extra),
                    None => INVALID,
                },
            };
            self.insert(0, LITERAL_BITS, &mut end, code, len, entry)?;
        }
        self.pack_literals();
        for (symbol, (&len, &code)) in distances.iter().zip(&distance_codes).enumerate() {
            let extra = (symbol as u32 / 2).saturating_sub(1);
            let entry = if symbol < 30 { to_literals + extra } else { INVALID };
            self.insert(1 << LITERAL_BITS, DISTANCE_BITS, &mut end, code, len, entry)?;
        }
        Some(())
    }

    /// Puts the entry of a code into the table at `base`, or into one of its subtables, which are
    /// allocated at `end`.
    fn insert(
        &mut self,
        base: usize,
        root_bits: u32,
        end: &mut usize,
        code: u16,
        len: u8,
        entry: Entry,
    ) -> Option<()> {
        const SUB_LEN: [usize; 2] = [1 << (15 - LITERAL_BITS), 1 << (15 - DISTANCE_BITS)];
        let (code, bits) = (usize::from(code), u32::from(len));
        if len == 0 {
            return Some(());
        }
        if bits <= root_bits {
            let root = self.table.get_mut(base..base + (1 << root_bits))?;
            let entries = root.iter_mut().skip(code).step_by(1 << len);
            entries.for_each(|slot| *slot = entry + bits);
            return Some(());
        }
        let sub_len = SUB_LEN[usize::from(base > 0)];
        let prefix = base + (code & ((1 << root_bits) - 1));
        if self.table[prefix] & INVALID != 0 {
            self.table.get_mut(*end..*end + sub_len)?.fill(INVALID);
            self.table[prefix] = go_to(*end, 15 - root_bits) + root_bits;
            *end += sub_len;
        }
        let start = (self.table[prefix] >> 16) as usize;
        let sub = self.table.get_mut(start..start + sub_len)?;
        let step = 1 << (bits - root_bits);
        let entries = sub.iter_mut().skip(code >> root_bits).step_by(step);
        entries.for_each(|slot| *slot = entry + bits - root_bits);
        Some(())
    }

    /// Joins literals with what follows them in the same bits.
    fn pack_literals(&mut self) {
        const LEN: usize = 1 << LITERAL_BITS;
        // A literal is what leads back to the same table and has no extra bits.
        let is_literal = |entry: Entry| entry & !0xff == go_to(0, LITERAL_BITS);
        let mut code_bits = [0_u8; LEN];
        let single: [Entry; LEN] = std::array::from_fn(|i| self.table[i]);
        for i in 1..LEN {
            let first = single[i];
            if !is_literal(first) {
                continue;
            }
            let len = first & 0xff;
            code_bits[i] = len as u8;
            let rest = i >> len;
            // What follows, if its codes are all within the bits that are left: several, or one.
            let left = LITERAL_BITS - len;
            let several = (u32::from(code_bits[rest]), self.table[rest]);
            let one = (code_len(single[rest]), single[rest]);
            let next = [several, one]
                .into_iter()
                .find(|(bits, entry)| *bits > 0 && *bits <= left && entry & (ENDS | INVALID) == 0);
            if let Some((bits, entry)) = next {
                self.table[i] = entry + len;
                code_bits[i] += bits as u8;
            }
        }
    }
}

/// Bits of the code of a literal or length; 0 for what can't be joined to a literal.
fn code_len(entry: Entry) -> u32 {
    // Subtables are not joined. Up to five bits of a length are extra bits: counting them as code is on
    // the safe side.
    let is_joined = entry & (ENDS | INVALID) == 0 && entry >> 16 <= 1 << LITERAL_BITS;
    if is_joined { entry & 0xff } else { 0 }
}

/// The codes of symbols with such lengths, bits in the order in which they are read. `None` if more
/// codes are asked for than there are.
fn codes<const N: usize>(lens: &[u8]) -> Option<[u16; N]> {
    let mut counts = [0_u32; MAX_CODE_BITS + 1];
    for len in lens {
        counts[usize::from(*len)] += 1;
    }
    counts[0] = 0;
    let mut next = [0_u32; MAX_CODE_BITS + 2];
    for len in 1..=MAX_CODE_BITS {
        next[len + 1] = (next[len] + counts[len]) << 1;
        if next[len] + counts[len] > 1 << len {
            return None;
        }
    }
    let mut codes = [0; N];
    for (code, len) in codes.iter_mut().zip(lens) {
        if *len > 0 {
            let next = &mut next[usize::from(*len)];
            *code = (*next as u16).reverse_bits() >> (16 - len);
            *next += 1;
        }
    }
    Some(codes)
}

/// Reads bits, the lowest of each byte first. Behind the end it reads what is there, and then zeros.
struct Bits<'a> {
    bytes: &'a [u8],
    /// Bytes that are in the buffer or were.
    at: usize,
    buffer: u64,
    /// Bits of the buffer that are valid.
    count: u32,
}

impl<'a> Bits<'a> {
    const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, buffer: 0, count: 0 }
    }

    /// Has at least 56 bits in the buffer.
    #[inline]
    fn refill(&mut self) {
        if let Some(bytes) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            self.buffer |= u64::from_le_bytes(*bytes) << self.count;
            self.at += (63 - self.count as usize) >> 3;
            self.count |= 0b11_1000;
        } else {
            self.refill_slowly();
        }
    }

    #[cold]
    fn refill_slowly(&mut self) {
        while self.count < 56 {
            let byte = self.bytes.get(self.at).copied().unwrap_or(0);
            self.buffer |= u64::from(byte) << self.count;
            self.at += 1;
            self.count += 8;
        }
    }

    /// Skips bits that are in the buffer.
    #[inline]
    const fn skip(&mut self, bits: u32) {
        self.buffer >>= bits;
        self.count -= bits;
    }

    /// Whether more has been read than there is.
    const fn is_overrun(&self) -> bool {
        self.position() > self.bytes.len() * 8
    }

    fn take(&mut self, bits: u32) -> Option<u64> {
        self.refill();
        let value = self.buffer & ((1 << bits) - 1);
        self.skip(bits);
        (!self.is_overrun()).then_some(value)
    }

    const fn position(&self) -> usize {
        self.at * 8 - self.count as usize
    }

    /// Skips the contents of a stored block.
    fn skip_stored(&mut self) -> Option<()> {
        let at = self.position().div_ceil(8);
        let header = self.bytes.get(at..at + 4)?;
        let len = u16::from_le_bytes([header[0], header[1]]);
        if len != !u16::from_le_bytes([header[2], header[3]]) {
            return None;
        }
        self.at = at + 4 + usize::from(len);
        self.buffer = 0;
        self.count = 0;
        (self.at <= self.bytes.len()).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use libdeflater::{CompressionLvl, Compressor, Decompressor};
    use rand::{Rng, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    use super::*;

    fn deflate(level: i32, data: &[u8]) -> Vec<u8> {
        let mut compressor = Compressor::new(CompressionLvl::new(level).expect("a level"));
        let mut out = vec![0; compressor.deflate_compress_bound(data.len())];
        let len = compressor.deflate_compress(data, &mut out).expect("the bound is enough");
        out.truncate(len);
        out
    }

    fn find(stream: &[u8]) -> Option<Range<usize>> {
        let mut buffer = stream.to_vec();
        buffer.extend([0xa5; SLACK]);
        Finder::new().find(&buffer, stream.len())
    }

    /// Text, noise, runs, and mixtures of them.
    fn samples() -> Vec<Vec<u8>> {
        let mut numbers = Pcg64Mcg::seed_from_u64(7);
        let mut samples = vec![Vec::new(), vec![7], vec![0; 300_000]];
        for i in 0..40_u32 {
            let mut data = Vec::new();
            let len = numbers.random_range(0..200_000);
            while data.len() < len {
                match (numbers.random_range(0..8_u32) + i) % 4 {
                    0 => data
                        .extend((0..numbers.random_range(0..3000)).map(|_| numbers.random::<u8>())),
                    1 => data.extend(vec![b'x'; numbers.random_range(0..600)]),
                    _ => (0..100).for_each(|_| {
                        data.extend(format!("word{} ", numbers.random_range(0..500)).bytes());
                    }),
                }
            }
            samples.push(data);
        }
        samples
    }

    #[test]
    fn a_stream_whose_last_block_is_found_can_be_continued() {
        for data in samples() {
            for level in [0, 1, 2, 6, 9, 12] {
                let stream = deflate(level, &data);
                let block = find(&stream).expect("a whole stream");
                let mut joined = stream.clone();
                assert_eq!(joined[block.start / 8] >> (block.start % 8) & 1, 1);
                joined[block.start / 8] ^= 1 << (block.start % 8);
                let mut end = block.end + 3;
                joined.resize(end.div_ceil(8), 0);
                end = joined.len();
                joined.extend([0, 0, 0xff, 0xff]);
                joined.extend(deflate(6, b"and more"));
                let mut out = vec![0; data.len() + 8];
                let n = Decompressor::new().deflate_decompress(&joined, &mut out);
                assert_eq!(n, Ok(out.len()), "level {level}, {} bytes, end {end}", data.len());
                assert!(out.starts_with(&data) && out.ends_with(b"and more"));
            }
        }
    }

    #[test]
    fn streams_of_another_length_are_refused() {
        let stream = deflate(6, &samples()[5]);
        assert!(find(&stream).is_some());
        for len in 0..stream.len() {
            assert_eq!(find(&stream[..len]), None, "{len}");
        }
        let longer: Vec<u8> = stream.iter().copied().chain([0]).collect();
        assert_eq!(find(&longer), None);
    }

    #[test]
    fn damaged_streams_are_refused_or_end_elsewhere_without_a_panic() {
        let mut numbers = Pcg64Mcg::seed_from_u64(9);
        let streams: Vec<_> = samples().iter().map(|data| deflate(6, data)).collect();
        for _ in 0..3000 {
            let mut stream = streams[numbers.random_range(0..streams.len())].clone();
            for _ in 0..numbers.random_range(1..4) {
                let i = numbers.random_range(0..stream.len());
                stream[i] = numbers.random();
            }
            let _ = find(&stream);
        }
    }

    #[test]
    fn fixed_and_stored_blocks_are_skipped() {
        for stream in [&[3, 0][..], &[1, 0, 0, 0xff, 0xff], &[0, 1, 0, 0xfe, 0xff, 9, 3, 0]] {
            assert!(find(stream).is_some(), "{stream:?}");
        }
        assert_eq!(find(&[7]), None);
        assert_eq!(find(&[1, 1, 0, 0xff, 0xff]), None);
    }
}
