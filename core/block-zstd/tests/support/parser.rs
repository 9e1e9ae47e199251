//! A simple greedy match finder.

use block_zstd::Sequence;

const WINDOW: usize = 32 << 10;
const HASH_BITS: u32 = 15;
const MIN_MATCH: usize = 3;

pub struct Parser {
    /// Last position of each hash, plus 1.
    table: Vec<u32>,
}

impl Parser {
    pub fn new() -> Self {
        Self { table: vec![0; 1 << HASH_BITS] }
    }

    /// Returns the sequences of a block.
    pub fn parse(&mut self, src: &[u8]) -> Vec<Sequence> {
        self.table.fill(0);
        let mut sequences = Vec::new();
        let (mut at, mut anchor) = (0, 0);
        while at + MIN_MATCH <= src.len() {
            let slot = &mut self.table[hash(&src[at..])];
            let candidate = std::mem::replace(slot, at as u32 + 1) as usize;
            let len = match candidate.checked_sub(1) {
                Some(from) if at - from <= WINDOW => common(src, from, at),
                _ => 0,
            };
            if len < MIN_MATCH {
                at += 1;
                continue;
            }
            sequences.push(Sequence {
                literals: (at - anchor) as u32,
                match_len: len as u32,
                offset: (at - (candidate - 1)) as u32,
            });
            // Some of the positions within the match.
            for inside in (at + 1..at + len).step_by(1 + len / 16) {
                if inside + MIN_MATCH <= src.len() {
                    self.table[hash(&src[inside..])] = inside as u32 + 1;
                }
            }
            at += len;
            anchor = at;
        }
        sequences
    }
}

fn hash(bytes: &[u8]) -> usize {
    let three = u32::from(bytes[0]) | u32::from(bytes[1]) << 8 | u32::from(bytes[2]) << 16;
    (three.wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)) as usize
}

fn common(src: &[u8], from: usize, at: usize) -> usize {
    src[from..].iter().zip(&src[at..]).take_while(|(a, b)| a == b).count()
}
