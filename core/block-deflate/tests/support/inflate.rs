//! A simple bit-by-bit inflater that reports the largest distance.

pub struct Seen {
    pub bytes: Vec<u8>,
    pub max_distance: usize,
    /// Whether the final block was seen.
    pub ended: bool,
    /// Bytes read.
    pub len: usize,
}

struct Reader<'a> {
    bytes: &'a [u8],
    bit: usize,
}

impl Reader<'_> {
    fn bits(&mut self, n: u32) -> usize {
        let mut value = 0;
        for i in 0..n {
            let bit = self.bytes[self.bit / 8] >> (self.bit % 8) & 1;
            value |= usize::from(bit) << i;
            self.bit += 1;
        }
        value
    }
}

/// The symbols of each code length, in order.
struct Code(Vec<Vec<usize>>);

impl Code {
    fn new(lengths: &[usize]) -> Self {
        let mut by_length = vec![Vec::new(); 16];
        let mut space = 1_i64 << 15;
        for (symbol, &len) in lengths.iter().enumerate() {
            if len > 0 {
                by_length[len].push(symbol);
                space -= 1 << (15 - len);
            }
        }
        assert_eq!(space, 0, "incomplete or oversubscribed code");
        Self(by_length)
    }

    fn read(&self, reader: &mut Reader<'_>) -> usize {
        let (mut code, mut first) = (0, 0);
        for symbols in &self.0[1..] {
            code = code << 1 | reader.bits(1);
            first <<= 1;
            if code - first < symbols.len() {
                return symbols[code - first];
            }
            first += symbols.len();
        }
        panic!("invalid code");
    }
}

/// Decodes raw deflate data up to its final block, or to the end of `stream`.
pub fn inflate(stream: &[u8]) -> Seen {
    let mut reader = Reader { bytes: stream, bit: 0 };
    let mut seen = Seen { bytes: Vec::new(), max_distance: 0, ended: false, len: 0 };
    while !seen.ended && reader.bit.div_ceil(8) < stream.len() {
        seen.ended = reader.bits(1) == 1;
        match reader.bits(2) {
            0 => {
                reader.bit = reader.bit.next_multiple_of(8);
                let len = reader.bits(16);
                assert_eq!(reader.bits(16), len ^ 0xffff);
                for _ in 0..len {
                    let byte = reader.bits(8) as u8;
                    seen.bytes.push(byte);
                }
            }
            1 => {
                let lengths: Vec<usize> = (0..288)
                    .map(|s| match s {
                        0..144 | 280.. => 8,
                        144..256 => 9,
                        _ => 7,
                    })
                    .collect();
                block(&mut reader, &Code::new(&lengths), &Code::new(&[5; 32]), &mut seen);
            }
            2 => {
                let (literals, distances) = codes(&mut reader);
                block(&mut reader, &literals, &distances, &mut seen);
            }
            _ => panic!("invalid block type"),
        }
    }
    seen.len = reader.bit.div_ceil(8);
    seen
}

fn codes(reader: &mut Reader<'_>) -> (Code, Code) {
    let literals = reader.bits(5) + 257;
    let distances = reader.bits(5) + 1;
    let written = reader.bits(4) + 4;
    let mut lengths = [0; 19];
    for &symbol in &[16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15][..written] {
        lengths[symbol] = reader.bits(3);
    }
    let code = Code::new(&lengths);
    let mut lengths = Vec::new();
    while lengths.len() < literals + distances {
        let (value, times) = match code.read(reader) {
            16 => (*lengths.last().expect("a length to repeat"), 3 + reader.bits(2)),
            17 => (0, 3 + reader.bits(3)),
            18 => (0, 11 + reader.bits(7)),
            len => (len, 1),
        };
        lengths.extend(std::iter::repeat_n(value, times));
    }
    assert_eq!(lengths.len(), literals + distances);
    (Code::new(&lengths[..literals]), Code::new(&lengths[literals..]))
}

fn block(reader: &mut Reader<'_>, literals: &Code, distances: &Code, seen: &mut Seen) {
    loop {
        match literals.read(reader) {
            256 => return,
            literal @ 0..256 => seen.bytes.push(literal as u8),
            symbol => {
                let s = symbol - 257;
                let len = match s {
                    28 => 258,
                    0..8 => 3 + s,
                    _ => {
                        let extra = s / 4 - 1;
                        3 + ((4 + s % 4) << extra) + reader.bits(extra as u32)
                    }
                };
                let s = distances.read(reader);
                let distance = if s < 4 {
                    1 + s
                } else {
                    let extra = s / 2 - 1;
                    1 + ((2 + s % 2) << extra) + reader.bits(extra as u32)
                };
                seen.max_distance = seen.max_distance.max(distance);
                let from =
                    seen.bytes.len().checked_sub(distance).expect("a distance within the data");
                for i in 0..len {
                    seen.bytes.push(seen.bytes[from + i]);
                }
            }
        }
    }
}
