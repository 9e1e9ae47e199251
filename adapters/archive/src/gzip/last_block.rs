//! Finds the last block of a complete deflate stream (RFC 1951), so that another stream can follow.
//!
//! A bit in the header of the last block ends the stream, and only decoding finds that header. As
//! no data is produced here, the tables can be simple: each entry says how many bits to skip,
//! including extra bits, and which table comes next. Several literals, or literals and a length,
//! share an entry if their codes fit. Only long codes and the end of a block need a branch.

use std::ops::Range;

/// Bits that index a table; longer codes have subtables.
const ROOT_BITS: u32 = 11;
const ROOT_LEN: usize = 1 << ROOT_BITS;
/// Bits that index a subtable.
const SUB_BITS: u32 = MAX_CODE_BITS as u32 - ROOT_BITS;
const SUB_LEN: usize = 1 << SUB_BITS;
/// The longest code.
const MAX_CODE_BITS: usize = 15;
/// Offsets of the literal/length table and of the distance table.
const LITERAL_TABLE: usize = 0;
const DISTANCE_TABLE: usize = ROOT_LEN;
/// Length of both tables with their subtables, of which there is at most one per two codes. No
/// index exceeds it: an entry has 16 bits for the offset of a table.
const TABLE_LEN: usize = (1 << 16) + ROOT_LEN;
/// Bytes that must be readable after a stream.
pub(super) const SLACK: usize = 8;

/// The end-of-block symbol, and the sizes of the alphabets.
const END_OF_BLOCK: usize = 256;
const LITERALS: usize = 288;
const DISTANCES: usize = 32;

/// A table entry: bits to skip (bits 0 to 7), flags of special cases (8 to 11), and the offset of
/// the next table (16 to 31).
type Entry = u32;
/// The block ends.
const ENDS: Entry = 1 << 8;
/// No such code exists.
const INVALID: Entry = 1 << 9;
/// The code is longer, and the next table is a subtable.
const LONG: Entry = 1 << 10;
const SPECIAL: Entry = ENDS | INVALID | LONG;
const fn go_to(table: usize) -> Entry {
    (table as u32) << 16
}

/// Extra bits of length symbols from 257 on.
const LENGTH_EXTRA: [u8; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
/// The order of the lengths of the code for code lengths.
const LENGTHS_ORDER: [usize; 19] =
    [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Finds last blocks. Its tables are reused from stream to stream.
#[derive(Debug)]
pub(super) struct Finder {
    table: Box<[Entry; TABLE_LEN]>,
    /// The literals' table before literals are joined; kept here because it is too large for the
    /// stack.
    single: Box<[Entry]>,
}

impl Finder {
    pub(super) fn new() -> Self {
        // Most of it is never touched.
        let table = vec![0; TABLE_LEN].into_boxed_slice();
        let single = vec![0; ROOT_LEN].into_boxed_slice();
        Self { table: table.try_into().expect("a table of TABLE_LEN entries"), single }
    }

    /// Returns the range, in bits, of the last block of the stream in `buffer[..len]`. `None` if
    /// those bytes are not a deflate stream, or if the stream is not `len` bytes long.
    ///
    /// [`SLACK`] bytes of any value must follow the stream in the buffer.
    pub(super) fn find(&mut self, buffer: &[u8], len: usize) -> Option<Range<usize>> {
        let mut walk = Walk::new(self, buffer, len);
        walk.next_block();
        walk.finish()
    }

    /// Like [`find`](Self::find), for two streams at once: their steps overlap, so both take little
    /// longer than one alone.
    pub(super) fn find_both(
        finders: [&mut Self; 2],
        streams: [(&[u8], usize); 2],
    ) -> [Option<Range<usize>>; 2] {
        let [first, second] = finders;
        let mut a = Walk::new(first, streams[0].0, streams[0].1);
        let mut b = Walk::new(second, streams[1].0, streams[1].1);
        a.next_block();
        b.next_block();
        while a.is_in_symbols() && b.is_in_symbols() {
            a.bits.refill();
            b.bits.refill();
            // A step skips at most 24 bits: a distance's code and its extra bits.
            for _ in 0..2 {
                let (entry_a, entry_b) = (a.step(), b.step());
                if (entry_a | entry_b) & SPECIAL != 0 {
                    a.handle(entry_a);
                    b.handle(entry_b);
                    break;
                }
            }
            a.check();
            b.check();
        }
        [a.finish(), b.finish()]
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

    /// Builds both tables. Returns `None` if one of the codes is impossible.
    fn build(&mut self, literals: &[u8], distances: &[u8]) -> Option<()> {
        let literal_codes = codes::<LITERALS>(literals)?;
        let distance_codes = codes::<DISTANCES>(distances)?;
        let (to_literals, to_distances) = (go_to(LITERAL_TABLE), go_to(DISTANCE_TABLE));
        let mut end = 2 * ROOT_LEN;
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
            self.insert(LITERAL_TABLE, &mut end, code, len, entry)?;
        }
        self.pack_literals();
        for (symbol, (&len, &code)) in distances.iter().zip(&distance_codes).enumerate() {
            let extra = (symbol as u32 / 2).saturating_sub(1);
            let entry = if symbol < 30 { to_literals + extra } else { INVALID };
            self.insert(DISTANCE_TABLE, &mut end, code, len, entry)?;
        }
        Some(())
    }

    /// Inserts the entry of a code into a table, or into one of its subtables, which are allocated
    /// at `end`.
    fn insert(
        &mut self,
        table: usize,
        end: &mut usize,
        code: u16,
        len: u8,
        entry: Entry,
    ) -> Option<()> {
        let (code, bits) = (usize::from(code), u32::from(len));
        if len == 0 {
            return Some(());
        }
        if bits <= ROOT_BITS {
            let root = self.table.get_mut(table..table + ROOT_LEN)?;
            let entries = root.iter_mut().skip(code).step_by(1 << len);
            entries.for_each(|slot| *slot = entry + bits);
            return Some(());
        }
        let prefix = table + (code & (ROOT_LEN - 1));
        if self.table[prefix] & LONG == 0 {
            self.table.get_mut(*end..*end + SUB_LEN)?.fill(INVALID);
            self.table[prefix] = (go_to(*end) | LONG) + ROOT_BITS;
            *end += SUB_LEN;
        }
        let start = (self.table[prefix] >> 16) as usize;
        let sub = self.table.get_mut(start..start + SUB_LEN)?;
        let entries = sub.iter_mut().skip(code >> ROOT_BITS).step_by(1 << (bits - ROOT_BITS));
        entries.for_each(|slot| *slot = entry + bits - ROOT_BITS);
        Some(())
    }

    /// Joins literals with the symbols that follow them in the same bits.
    fn pack_literals(&mut self) {
        // Literals lead back to the same table; lengths lead to the other one.
        let is_literal = |entry: Entry| entry & !0xff == go_to(LITERAL_TABLE);
        // Bits of an entry that are codes. Up to five bits of a length are extra bits; counting
        // them is on the safe side.
        let code_bits = |entry: Entry| if entry & SPECIAL == 0 { entry & 0xff } else { u32::MAX };
        let Self { table, single } = self;
        single.copy_from_slice(&table[..ROOT_LEN]);
        for (i, &first) in single.iter().enumerate().skip(1) {
            if !is_literal(first) {
                continue;
            }
            let len = first & 0xff;
            // The entry that follows, if it fits in the remaining bits: several codes, or one.
            let rest = i >> len;
            let candidates = [table[rest], single[rest]];
            let next = candidates.into_iter().find(|next| code_bits(*next) <= ROOT_BITS - len);
            if let Some(next) = next {
                table[i] = next + len;
            }
        }
    }
}

/// A traversal of the blocks of a stream.
struct Walk<'a> {
    finder: &'a mut Finder,
    bits: Bits<'a>,
    len: usize,
    /// Bit at which the block begins, and whether it is marked as the last one.
    start: usize,
    is_last: bool,
    state: State,
    /// The table of the next step.
    table: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// In a block with codes.
    Symbols,
    /// After the last block.
    Ended,
    /// The stream is invalid.
    Invalid,
}

impl<'a> Walk<'a> {
    fn new(finder: &'a mut Finder, buffer: &'a [u8], len: usize) -> Self {
        debug_assert!(buffer.len() >= len + SLACK);
        let (bits, state) = (Bits::new(buffer), State::Invalid);
        Self { finder, bits, len, start: 0, is_last: false, state, table: LITERAL_TABLE }
    }

    fn is_in_symbols(&self) -> bool {
        self.state == State::Symbols
    }

    /// Advances to the symbols of the next block that has any.
    fn next_block(&mut self) {
        self.state = self.read_headers().unwrap_or(State::Invalid);
        self.table = LITERAL_TABLE;
    }

    fn read_headers(&mut self) -> Option<State> {
        loop {
            self.start = self.bits.position();
            self.is_last = self.bits.take(1)? == 1;
            match self.bits.take(2)? {
                0 => self.bits.skip_stored()?,
                1 => {
                    self.finder.use_fixed_codes()?;
                    return Some(State::Symbols);
                }
                2 => {
                    self.finder.read_codes(&mut self.bits)?;
                    return Some(State::Symbols);
                }
                _ => return None,
            }
            if self.bits.position() > self.len * 8 {
                return None;
            }
            if self.is_last {
                return Some(State::Ended);
            }
        }
    }

    /// Looks up the next entry, skips its bits, and returns it.
    #[inline]
    fn step(&mut self) -> Entry {
        let index = self.table + (self.bits.buffer as usize & (ROOT_LEN - 1));
        let entry = self.finder.table[index];
        self.bits.skip(entry & 0xff);
        self.table = (entry >> 16) as usize;
        entry
    }

    /// Handles the special cases of an entry.
    fn handle(&mut self, mut entry: Entry) {
        if entry & LONG != 0 {
            self.bits.refill();
            let index = self.table + (self.bits.buffer as usize & (SUB_LEN - 1));
            entry = self.finder.table[index];
            self.bits.skip(entry & 0xff);
            self.table = (entry >> 16) as usize;
        }
        if self.bits.position() > self.len * 8 || entry & INVALID != 0 {
            self.state = State::Invalid;
        } else if entry & ENDS != 0 {
            if self.is_last {
                self.state = State::Ended;
            } else {
                self.next_block();
            }
        }
    }

    /// Ends the traversal if it read past the end.
    fn check(&mut self) {
        if self.bits.is_overrun() {
            self.state = State::Invalid;
        }
    }

    /// Walks to the end, and returns the range of the last block.
    fn finish(mut self) -> Option<Range<usize>> {
        while self.is_in_symbols() {
            self.bits.refill();
            for _ in 0..2 {
                let entry = self.step();
                if entry & SPECIAL != 0 {
                    self.handle(entry);
                    break;
                }
            }
            self.check();
        }
        let end = self.bits.position();
        let is_whole = self.state == State::Ended && end.div_ceil(8) == self.len;
        is_whole.then_some(self.start..end)
    }
}

/// Returns the codes of symbols with these lengths, bits in reading order. `None` if the lengths
/// are oversubscribed.
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

/// Reads bits, the lowest of each byte first. After the stream it reads the slack, then zeros.
struct Bits<'a> {
    bytes: &'a [u8],
    /// Bytes that have been loaded into the buffer.
    at: usize,
    buffer: u64,
    /// Bits of the buffer that are valid.
    count: u32,
}

impl<'a> Bits<'a> {
    const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, buffer: 0, count: 0 }
    }

    /// Fills the buffer to at least 56 bits.
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

    /// Returns whether the reader is past the end of the bytes.
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
        let alone = Finder::new().find(&buffer, stream.len());
        // In a pair, the result is the same on either side.
        let other = (&[3, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], 2);
        let (mut first, mut second) = (Finder::new(), Finder::new());
        for (streams, i) in
            [([(&buffer[..], stream.len()), other], 0), ([other, (&buffer, stream.len())], 1)]
        {
            let both = Finder::find_both([&mut first, &mut second], streams);
            assert_eq!(both[i], alone);
            assert_eq!(both[1 - i], Some(0..10));
        }
        let twice = [(&buffer[..], stream.len()); 2];
        assert_eq!(
            Finder::find_both([&mut first, &mut second], twice),
            [alone.clone(), alone.clone()]
        );
        alone
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
