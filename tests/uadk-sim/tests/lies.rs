//! Wrong results of LZ77 and LZ4, and the faults that all algorithms have.

mod common;

use common::lz::{self, Parsed, parsed, run};
use common::{HERE, Job, Setup, setup};
use uadk_sim::{Fault, Lie, Machine, Simulator};
use uadk_sys::abi::{WD_DIR_COMPRESS, WD_IN_EPARA, WD_LZ4, WD_LZ77_ONLY, WD_LZ77_ZSTD};

const BOTH: [u32; 2] = [WD_LZ77_ZSTD, WD_LZ77_ONLY];
/// A window of 8 KiB.
const WINDOW: (u32, usize) = (1, 8 << 10);

fn ready() -> Simulator {
    let sim = Simulator::acquire(Machine::lz77());
    assert_eq!(HERE.init_with("zlib", [(1, 1), (1, 1)]), 0);
    sim
}

fn session(alg_type: u32) -> usize {
    HERE.session_with(Setup { win_sz: WINDOW.0, ..setup(alg_type, WD_DIR_COMPRESS) })
}

/// Completes a request with a fault, which reports success.
fn hit(sim: &Simulator, alg_type: u32, fault: Fault, src: &[u8]) -> Box<Job> {
    let session = session(alg_type);
    let mut job = lz::job(src);
    sim.fault(fault, 1);
    run(session, 1, &mut job);
    HERE.free(session);
    assert_eq!(job.answer().unwrap().status, 0, "{fault:?}");
    job
}

/// Rebuilds the input as a careful caller does.
fn rebuilt(alg_type: u32, job: &Job) -> Result<Vec<u8>, &'static str> {
    parsed(alg_type, job)?.rebuilt(job.src.len(), WINDOW.1)
}

/// Returns what a careful caller notices.
fn noticed(alg_type: u32, job: &Job) -> Option<&'static str> {
    match rebuilt(alg_type, job) {
        Err(reason) => Some(reason),
        Ok(rebuilt) => (rebuilt != job.src).then_some("other data"),
    }
}

#[test]
fn wrong_counts() {
    let sim = ready();
    let src = lz::lines(20_000);
    for alg_type in BOTH {
        for (lie, expected) in [
            (Lie::Literals(1), "wrong length"),
            (Lie::Literals(-1), "wrong length"),
            (Lie::Literals(i32::MAX), "too many literals"),
            (Lie::Literals(i32::MIN), "too many literals"),
            (Lie::Sequences(-1), "wrong length"),
            (Lie::Sequences(i32::MAX), "too many sequences"),
            (Lie::Sequences(i32::MIN), "too many sequences"),
        ] {
            let job = hit(&sim, alg_type, Fault::Lie(lie), &src);
            assert_eq!(noticed(alg_type, &job), Some(expected), "{lie:?}");
        }
        let job = hit(&sim, alg_type, Fault::Lie(Lie::Sequences(1)), &src);
        assert!(noticed(alg_type, &job).is_some());
    }
}

#[test]
fn counts_can_wrap() {
    let sim = ready();
    let src = lz::lines(20_000);
    let count = hit(&sim, WD_LZ77_ONLY, Fault::Lie(Lie::Literals(0)), &src).data.lit_num;
    let lie = Lie::Literals(-1 - count.cast_signed());
    assert_eq!(hit(&sim, WD_LZ77_ONLY, Fault::Lie(lie), &src).data.lit_num, u32::MAX);
}

#[test]
fn wrong_overflows() {
    let sim = ready();
    let src = lz::lines(20_000);
    for (lie, expected) in [
        (Lie::OverflowCount(2), "more than one overflow"),
        (Lie::OverflowCount(u32::MAX), "more than one overflow"),
        (Lie::OverflowPosition(1 << 23), "overflow of no sequence"),
        (Lie::OverflowPosition(u32::MAX), "overflow of no sequence"),
        (Lie::OverflowPosition(0), "not enough literals"),
    ] {
        let job = hit(&sim, WD_LZ77_ZSTD, Fault::Lie(lie), &src);
        assert_eq!(noticed(WD_LZ77_ZSTD, &job), Some(expected), "{lie:?}");
        let job = hit(&sim, WD_LZ77_ONLY, Fault::Lie(lie), &src);
        assert_eq!((noticed(WD_LZ77_ONLY, &job), job.data.lit_length_overflow_cnt), (None, 0));
    }
}

#[test]
fn wrong_lengths() {
    let sim = ready();
    let src = lz::lines(20_000);
    for alg_type in BOTH {
        for (lie, expected) in [
            (Lie::MatchLength(1), "wrong length"),
            (Lie::MatchLength(60_000), "too long"),
            (Lie::LiteralLength(60_000), "not enough literals"),
        ] {
            let job = hit(&sim, alg_type, Fault::Lie(lie), &src);
            let seen = noticed(alg_type, &job);
            assert!([Some(expected), Some("too long")].contains(&seen), "{lie:?}: {seen:?}");
        }
        for lie in [Lie::LiteralLength(1), Lie::MatchLength(-1)] {
            let job = hit(&sim, alg_type, Fault::Lie(lie), &src);
            assert!(noticed(alg_type, &job).is_some(), "{lie:?}");
        }
    }
}

#[test]
fn wrong_offsets() {
    let sim = ready();
    let src = lz::lines(20_000);
    for alg_type in BOTH {
        for (lie, expected) in [
            (Lie::BeforeStart, "before the start"),
            (Lie::BeyondWindow, "beyond the window"),
            (Lie::WrongMatch, "other data"),
        ] {
            let job = hit(&sim, alg_type, Fault::Lie(lie), &src);
            let seen = noticed(alg_type, &job);
            // In zstd's codes, later repeat codes mean the wrong offset too.
            let also = matches!(seen, Some("other data" | "before the start"));
            let is_repeated = alg_type == WD_LZ77_ZSTD && also;
            assert!(seen == Some(expected) || is_repeated, "{lie:?}: {seen:?}");
        }
    }
    for (lie, code) in [(Lie::ZeroOffset, 0), (Lie::ZeroRepeat, 3)] {
        let job = hit(&sim, WD_LZ77_ZSTD, Fault::Lie(lie), &src);
        let seen = noticed(WD_LZ77_ZSTD, &job);
        assert!(matches!(seen, Some("code 0" | "offset 0")), "{lie:?}: {seen:?}");
        let first = job.dst[src.len() + 16..][..4].try_into().unwrap();
        assert!(lie != Lie::ZeroRepeat || u32::from_le_bytes(first) == code);
    }
    let job = hit(&sim, WD_LZ77_ONLY, Fault::Lie(Lie::ZeroOffset), &src);
    assert!(matches!(noticed(WD_LZ77_ONLY, &job), Some("before the start" | "beyond the window")));
}

#[test]
fn a_match_beyond_the_window_can_have_the_right_bytes() {
    let sim = ready();
    // The same block again and again, with another byte in between.
    let src: Vec<u8> = (0..30).flat_map(|i| [lz::random(500), vec![i]].concat()).collect();
    let job = hit(&sim, WD_LZ77_ONLY, Fault::Lie(Lie::BeyondWindow), &src);
    let parsed = parsed(WD_LZ77_ONLY, &job).unwrap();
    assert_eq!(parsed.rebuilt(src.len(), WINDOW.1).err(), Some("beyond the window"));
    assert!(parsed.rebuilt(src.len(), 32 << 10) == Ok(src));
}

#[test]
fn data_without_matches_has_few_lies() {
    let sim = ready();
    let src = lz::unique(1000);
    for alg_type in BOTH {
        for lie in [
            Lie::LiteralLength(1),
            Lie::MatchLength(1),
            Lie::ZeroOffset,
            Lie::ZeroRepeat,
            Lie::BeforeStart,
            Lie::BeyondWindow,
            Lie::WrongMatch,
            Lie::NoEndRules,
        ] {
            let job = hit(&sim, alg_type, Fault::Lie(lie), &src);
            assert_eq!(noticed(alg_type, &job), None, "{lie:?}");
        }
    }
}

/// Completes a request of LZ4 with a lie. Returns the block as read by `lz4_flex`.
fn lz4(sim: &Simulator, lie: Lie, src: &[u8]) -> (Box<Job>, Option<Vec<u8>>) {
    let job = hit(sim, WD_LZ4, Fault::Lie(lie), src);
    let read = lz4_flex::block::decompress(job.output(), src.len()).ok();
    (job, read)
}

#[test]
fn wrong_blocks_of_lz4() {
    let sim = ready();
    let src = lz::lines(20_000);
    for lie in [
        Lie::MatchLength(1),
        Lie::MatchLength(60_000),
        Lie::LiteralLength(1),
        Lie::ZeroOffset,
        Lie::BeforeStart,
        Lie::WrongMatch,
    ] {
        let (_, read) = lz4(&sim, lie, &src);
        assert_ne!(read.as_ref(), Some(&src), "{lie:?}");
    }
    // Long matches: the shortest ones can't get shorter.
    let repeated: Vec<u8> = (0..30).flat_map(|i| [lz::random(500), vec![i]].concat()).collect();
    let (_, read) = lz4(&sim, Lie::MatchLength(-1), &repeated);
    assert_ne!(read.as_ref(), Some(&repeated));
    let (_, read) = lz4(&sim, Lie::WrongMatch, &src);
    assert_eq!(read.map(|read| read.len()), Some(src.len()), "a valid block of other bytes");
    let (job, _) = lz4(&sim, Lie::MatchLength(60_000), &src);
    let long = lz4_flex::block::decompress(job.output(), 100_000).expect("a valid block");
    assert_eq!(long.len(), src.len() + 60_000, "too many bytes");
}

#[test]
fn lz4_blocks_can_end_with_a_match() {
    let sim = ready();
    for (src, ends) in [(vec![7; 1000], true), (lz::unique(1000), false)] {
        let job = hit(&sim, WD_LZ4, Fault::Lie(Lie::NoEndRules), &src);
        let block = job.output();
        // The last token: no literals, or all of them.
        assert_eq!(block.last() == Some(&0), ends);
        let job = hit(&sim, WD_LZ4, Fault::Lie(Lie::Literals(1)), &src);
        let read = lz4_flex::block::decompress(job.output(), 1000).ok();
        assert_eq!(read, Some(src), "not for LZ4");
    }
}

#[test]
fn lies_are_told_of_memoised_results_too() {
    let sim = ready();
    sim.memoise(true);
    let src = lz::lines(20_000);
    let session = session(WD_LZ77_ONLY);
    let mut job = lz::job(&src);
    for fault in [None, None, Some(Fault::Lie(Lie::MatchLength(1))), None] {
        if let Some(fault) = fault {
            sim.fault(fault, 1);
        }
        run(session, 1, &mut job);
        assert_eq!(noticed(WD_LZ77_ONLY, &job).is_some(), fault.is_some());
    }
}

#[test]
fn a_flipped_bit_hits_the_sequences() {
    let sim = ready();
    let src = lz::lines(20_000);
    for alg_type in BOTH {
        let whole = hit(&sim, alg_type, Fault::Consumed(1), &src);
        let flipped = hit(&sim, alg_type, Fault::FlipBit, &src);
        let different: Vec<_> =
            (0..whole.dst.len()).filter(|at| whole.dst[*at] != flipped.dst[*at]).collect();
        assert_eq!(different.len(), 1);
        assert!(different[0] >= src.len() + 16);
        assert!(noticed(alg_type, &flipped).is_some());
        // Or the literals, if there is nothing else.
        let job = hit(&sim, alg_type, Fault::FlipBit, &lz::unique(1000));
        assert_eq!(noticed(alg_type, &job), Some("other data"));
    }
}

#[test]
fn sequences_can_be_missing_or_everything() {
    let sim = ready();
    let src = lz::lines(20_000);
    for alg_type in BOTH {
        let whole = hit(&sim, alg_type, Fault::ConsumedShort(1), &src);
        assert_eq!(noticed(alg_type, &whole), None);
        assert_eq!(whole.answer().unwrap().consumed as usize, src.len() - 1);
        for (fault, missing) in
            [(Fault::Truncated(20), 3), (Fault::Truncated(8), 1), (Fault::NoTrailer, 1)]
        {
            let job = hit(&sim, alg_type, fault, &src);
            assert_eq!(job.data.seq_num, whole.data.seq_num - missing, "{fault:?}");
            assert_eq!(noticed(alg_type, &job), Some("wrong length"), "{fault:?}");
        }
        let job = hit(&sim, alg_type, Fault::Truncated(u32::MAX), &src);
        assert_eq!((job.data.lit_num, job.data.seq_num), (0, 0));
        let job = hit(&sim, alg_type, Fault::Empty, &src);
        assert_eq!((job.data.lit_num, job.data.seq_num), (0, 0));
        assert!(job.dst.iter().all(|byte| *byte == 0), "nothing is written");
    }
}

#[test]
fn a_wrong_output_length_means_nothing() {
    let sim = ready();
    let src = lz::lines(20_000);
    for alg_type in BOTH {
        for fault in [Fault::Claims(u32::MAX), Fault::ShortBy(1)] {
            let job = hit(&sim, alg_type, fault, &src);
            assert_eq!(noticed(alg_type, &job), None, "{fault:?}");
        }
    }
}

#[test]
fn a_failure_leaves_garbage_in_the_figures() {
    let sim = ready();
    let src = lz::lines(20_000);
    for alg_type in BOTH {
        sim.fault(Fault::Status(WD_IN_EPARA), 1);
        let mut job = lz::job(&src);
        run(session(alg_type), 1, &mut job);
        assert_eq!(job.answer().unwrap().status, WD_IN_EPARA);
        assert_eq!(parsed(alg_type, &job).err(), Some("too many literals"));
        assert!(job.dst.iter().all(|byte| *byte == 0), "nothing is written");
    }
}

#[test]
fn each_word_of_a_script_is_its_own_lie() {
    let sim = ready();
    let src = lz::lines(20_000);
    let mut figures = Vec::new();
    for word in [
        "literals=1/1:5",
        "sequences=1/1:-1",
        "overflow-count=1/1:2",
        "overflow-position=1/1:99",
        "literal-length=1/1:3",
        "match-length=1/1:-2",
        "zero-offset=1/1",
        "zero-repeat=1/1",
        "before-start=1/1",
        "beyond-window=1/1",
        "wrong-match=1/1",
    ] {
        sim.script(&format!("no-faults; {word}")).unwrap();
        let mut job = lz::job(&src);
        run(session(WD_LZ77_ZSTD), 1, &mut job);
        assert!(noticed(WD_LZ77_ZSTD, &job).is_some(), "{word}");
        let data = &job.data;
        let seen = (
            data.lit_num,
            data.seq_num,
            (data.lit_length_overflow_cnt, data.lit_length_overflow_pos),
            job.dst.clone(),
        );
        assert!(!figures.contains(&seen), "{word}");
        figures.push(seen);
    }
    sim.script("no-faults; no-end-rules=1/1").unwrap();
    let mut job = lz::job(&[7; 1000]);
    run(session(WD_LZ4), 1, &mut job);
    assert_eq!(job.output().last(), Some(&0));
}

#[test]
fn a_lie_hits_only_lz77_and_lz4() {
    let sim = ready();
    sim.fault_every(1, Fault::Lie(Lie::ZeroOffset));
    let compressor = HERE.compressor();
    let packed = HERE.compressed(compressor, &lz::lines(1000));
    sim.clear_faults();
    assert_eq!(HERE.compressed(compressor, &lz::lines(1000)), packed);
}

/// The reader of the tests accepts what is right.
#[test]
fn a_reader_that_trusts_nothing_accepts_a_right_result() {
    let sim = ready();
    let src = lz::lines(20_000);
    for alg_type in BOTH {
        let job = hit(&sim, alg_type, Fault::Consumed(src.len() as u32), &src);
        let Parsed { literals, sequences } = parsed(alg_type, &job).unwrap();
        assert!(!literals.is_empty() && !sequences.is_empty());
        assert_eq!(noticed(alg_type, &job), None);
    }
}
