//! Sequences that don't describe the block are errors, never wrong frames.

mod support;

use block_zstd::{
    CodedSequence, CodedSequences, Encoder, Error, MAX_BLOCK_LEN, Sequence, max_compressed_len,
};
use proptest::prelude::*;
use rand::Rng;
use support::parser::Parser;
use support::{coded, data, libzstd, seeded};

/// Compresses; if that succeeds, the frame must be right. Returns whether it did. The same
/// sequences as zstd stores them must have the same result, if they can be stored so.
fn try_to(encoder: &mut Encoder, src: &[u8], sequences: &[Sequence]) -> bool {
    let is_sound = check(src, |frame| encoder.compress(src, sequences, frame));
    if let Some(list) = coded::code(sequences) {
        assert_eq!(try_coded(encoder, src, &list), is_sound, "{sequences:?}");
    }
    is_sound
}

/// As [`try_to`].
fn try_coded(encoder: &mut Encoder, src: &[u8], list: &[CodedSequence]) -> bool {
    check(src, |frame| encoder.compress_coded(src, coded::of(list, src), frame))
}

fn check(src: &[u8], compress: impl FnOnce(&mut [u8]) -> Result<usize, Error>) -> bool {
    let mut frame = vec![0; max_compressed_len(src.len())];
    match compress(&mut frame) {
        Ok(len) => {
            assert!(libzstd::decode(&frame[..len], src.len()) == src);
            true
        }
        Err(error) => {
            assert_eq!(error, Error::InvalidSequences);
            false
        }
    }
}

fn random_number(rng: &mut impl Rng) -> u32 {
    let bits = rng.random_range(0..33);
    (rng.random::<u64>() & ((1 << bits) - 1)) as u32
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn changed_sequences_make_no_wrong_frame(seed in any::<u64>(), len in 0..40_000_usize) {
        let mut rng = seeded(seed);
        let mut encoder = Encoder::new();
        let src = data::any(&mut rng, len);
        let right = Parser::new().parse(&src);
        for _ in 0..10 {
            let mut sequences = right.clone();
            for _ in 0..rng.random_range(1..4) {
                if sequences.is_empty() {
                    sequences.push(Sequence::default());
                }
                let at = rng.random_range(0..sequences.len());
                let sequence = &mut sequences[at];
                match rng.random_range(0..9) {
                    0 => sequence.literals = random_number(&mut rng),
                    1 => sequence.match_len = random_number(&mut rng),
                    2 => sequence.offset = random_number(&mut rng),
                    3 => sequence.literals = sequence.literals.wrapping_add(1),
                    4 => sequence.match_len = sequence.match_len.wrapping_add(1),
                    5 => sequence.offset = sequence.offset.wrapping_add(1),
                    6 => sequences.swap_remove(at).match_len = 0,
                    7 => sequences.truncate(at),
                    _ => sequences.insert(at, right.get(at / 2).copied().unwrap_or_default()),
                }
            }
            try_to(&mut encoder, &src, &sequences);
        }
        prop_assert!(try_to(&mut encoder, &src, &right));
    }

    #[test]
    fn random_sequences_make_no_wrong_frame(
        seed in any::<u64>(),
        len in 0..3000_usize,
        numbers in proptest::collection::vec((0_u32..20, 0_u32..20, 0_u32..20), 0..50),
    ) {
        let src = data::any(&mut seeded(seed), len);
        let sequences: Vec<_> = numbers
            .into_iter()
            .map(|(literals, match_len, offset)| Sequence { literals, match_len, offset })
            .collect();
        try_to(&mut Encoder::new(), &src, &sequences);
    }

    #[test]
    fn random_repeat_codes_make_no_wrong_frame(
        seed in any::<u64>(),
        numbers in proptest::collection::vec((0_u32..8, 0_u32..4, 3_u32..12), 1..100),
    ) {
        // Bytes for which any small offset is right.
        let src = vec![seed as u8; 3000];
        let mut src = [&b"ab"[..], &src].concat();
        src.extend(data::any(&mut seeded(seed), 100));
        let list: Vec<_> = numbers
            .into_iter()
            .enumerate()
            .map(|(i, (number, literals, match_len))| {
                let literals = if i == 0 { literals + 12 } else { literals };
                coded::coded(number, literals, match_len).expect("small numbers")
            })
            .collect();
        let mut encoder = Encoder::new();
        for len in 0..=list.len() {
            try_coded(&mut encoder, &src, &list[..len]);
        }
    }
}

#[test]
fn each_rule_of_coded_sequences_is_checked() {
    let mut encoder = Encoder::new();
    let src = b"abcdabcdabcdabcdabcd0123456789";
    let mut sound = |sequences: &[(u32, u32, u32)], literals| {
        let list: Vec<_> = sequences
            .iter()
            .map(|&(number, literals, len)| coded::coded(number, literals, len).expect("fit"))
            .collect();
        let coded = CodedSequences { list: &list, literals };
        check(src, |frame| encoder.compress_coded(src, coded, frame))
    };
    // The offset 4 as a new one, and as the second at the start.
    assert!(sound(&[(7, 4, 16)], 14));
    assert!(sound(&[(2, 4, 16)], 14));
    for literals in [0, 13, 15, usize::MAX] {
        assert!(!sound(&[(7, 4, 16)], literals), "{literals}");
    }
    // No code, another repeat code, other and impossible offsets.
    for number in [0, 1, 3, 4, 6, 8, 100, 1 << 23, u32::MAX] {
        assert!(!sound(&[(number, 4, 16)], 14), "{number}");
    }
    // Without literals the codes mean the second, the third, and the first less 1.
    assert!(sound(&[(7, 4, 8), (1, 4, 4)], 18));
    assert!(!sound(&[(7, 4, 8), (1, 0, 8)], 14));
    assert!(!sound(&[(7, 4, 8), (0, 0, 8)], 14));
    assert!(!sound(&[(7, 4, 8), (3, 0, 8)], 14));
    assert!(sound(&[(8 + 3, 8, 4), (7, 0, 4), (1, 0, 4)], 18));
}

#[test]
fn each_rule_is_checked() {
    let mut encoder = Encoder::new();
    let src = b"abcdabcdabcdabcdabcd0123456789";
    let right = Sequence { literals: 4, match_len: 16, offset: 4 };
    assert!(try_to(&mut encoder, src, &[right]));
    for wrong in [
        Sequence { match_len: 2, ..right },
        Sequence { match_len: 0, ..right },
        Sequence { offset: 0, ..right },
        // Before the start.
        Sequence { offset: 5, ..right },
        Sequence { offset: u32::MAX, ..right },
        // Bytes that differ: from the start, only the last.
        Sequence { offset: 3, ..right },
        Sequence { match_len: 17, ..right },
        // Longer than the block, and than any number.
        Sequence { match_len: 27, ..right },
        Sequence { match_len: u32::MAX, ..right },
        Sequence { literals: u32::MAX, ..right },
        Sequence { literals: u32::MAX - 2, match_len: 6, offset: 4 },
    ] {
        assert!(!try_to(&mut encoder, src, &[wrong]), "{wrong:?}");
        assert!(!try_to(&mut encoder, src, &[wrong, right]), "{wrong:?}");
    }
    assert!(!try_to(&mut encoder, src, &[right; 2]));
    assert!(!try_to(&mut encoder, src, &[Sequence::default(); 11]));
    assert!(!try_to(&mut encoder, b"", &[right]));
    assert!(!try_to(&mut encoder, b"ab", &[Sequence { literals: 1, match_len: 3, offset: 1 }]));
}

#[test]
fn every_differing_byte_of_a_match_is_found() {
    for len in (3..40).chain([100, 1000]) {
        for offset in [1, 2, 7, 8, 20, 100] {
            let mut rng = seeded(len as u64);
            let mut src: Vec<u8> = (0..100).map(|_| rng.random()).collect();
            for _ in 0..len {
                src.push(src[src.len() - offset]);
            }
            for padding in [0, 5, 50] {
                src.resize(100 + len + padding, 1);
                let sequence =
                    Sequence { literals: 100, match_len: len as u32, offset: offset as u32 };
                let mut encoder = Encoder::new();
                assert!(try_to(&mut encoder, &src, &[sequence]));
                for at in 100..100 + len {
                    src[at] ^= 4;
                    assert!(!try_to(&mut encoder, &src, &[sequence]), "{len} {offset} {at}");
                    src[at] ^= 4;
                }
            }
        }
    }
}

#[test]
fn longer_blocks_than_the_format_allows_are_errors() {
    let src = vec![0; MAX_BLOCK_LEN + 1];
    let mut frame = vec![0; max_compressed_len(src.len())];
    assert_eq!(Encoder::new().compress(&src, &[], &mut frame), Err(Error::TooLong));
    assert_eq!(Encoder::new().block(&src, &[], true, &mut frame), Err(Error::TooLong));
}

#[test]
fn buffers_that_are_too_small_by_any_number_are_errors() {
    let mut rng = seeded(2);
    let mut encoder = Encoder::new();
    for src in [data::text(&mut rng, 3000), vec![1; 200], (0..100).collect()] {
        let sequences = Parser::new().parse(&src);
        let frame = support::compress(&mut encoder, &src, &sequences);
        for len in 0..frame.len() {
            let mut dst = vec![0xa5; len];
            let result = encoder.compress(&src, &sequences, &mut dst);
            assert_eq!(result, Err(Error::DoesNotFit { needed: frame.len() }));
            assert!(dst.iter().all(|&byte| byte == 0xa5));
        }
    }
}
