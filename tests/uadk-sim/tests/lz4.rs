//! LZ4: results and refusals.

mod common;

use common::lz::{self, kinds, run};
use common::{HERE, Job, Setup, data, job_request, request, setup};
use uadk_sim::{Machine, Simulator};
use uadk_sys::abi::{
    EINVAL, MAX_INPUT, WD_DIR_COMPRESS, WD_DIR_DECOMPRESS, WD_IN_EPARA, WD_LZ4, handle_t,
};

fn ready() -> (Simulator, handle_t) {
    let sim = Simulator::acquire(Machine::lz77());
    assert_eq!(HERE.init_with("zlib", [(1, 1), (1, 1)]), 0);
    (sim, HERE.session(WD_LZ4, WD_DIR_COMPRESS))
}

fn capacity(len: usize) -> usize {
    lz4_flex::block::get_maximum_output_size(len)
}

#[test]
fn lz4_flex_reads_the_blocks() {
    let (_sim, session) = ready();
    let long = lz::lines(3 << 20);
    let short = (1..100).flat_map(|len| [vec![7; len], data(len)]).map(|data| ("short", data));
    for (name, src) in kinds().into_iter().chain([("long", long)]).chain(short) {
        let mut job = Job::new(&src, capacity(src.len()));
        run(session, 1, &mut job);
        assert_eq!(job.answer().unwrap().consumed as usize, src.len());
        let back = lz4_flex::block::decompress(job.output(), src.len()).expect(name);
        assert!(back == src, "{name}");
    }
}

/// Reads the sequences of a block: literals, length and offset of the match, which the last one
/// does not have.
fn sequences(mut block: &[u8]) -> Vec<(usize, Option<(usize, usize)>)> {
    fn length(block: &mut &[u8], bits: u8) -> usize {
        let mut length = usize::from(bits);
        let mut more = bits == 15;
        while more {
            let (byte, rest) = block.split_first().unwrap();
            *block = rest;
            length += usize::from(*byte);
            more = *byte == 255;
        }
        length
    }
    let mut found = Vec::new();
    while let Some((token, rest)) = block.split_first() {
        block = rest;
        let literals = length(&mut block, token >> 4);
        block = &block[literals..];
        if block.is_empty() {
            found.push((literals, None));
            break;
        }
        let offset = usize::from(u16::from_le_bytes([block[0], block[1]]));
        block = &block[2..];
        let matched = length(&mut block, token & 15) + 4;
        found.push((literals, Some((matched, offset))));
    }
    found
}

#[test]
fn the_end_rules_and_the_window_are_kept() {
    let _sim = ready();
    for win_sz in [0, 4] {
        let session = HERE.session_with(Setup { win_sz, ..setup(WD_LZ4, WD_DIR_COMPRESS) });
        let short = (1..60).map(|len| ("short", vec![7; len]));
        for (name, src) in kinds().into_iter().chain(short) {
            let mut job = Job::new(&src, capacity(src.len()));
            run(session, 1, &mut job);
            let mut at = 0;
            let sequences = sequences(job.output());
            for (literals, found) in &sequences {
                at += literals;
                if let Some((length, offset)) = found {
                    assert!(at + 12 <= src.len(), "{name}: no match begins in the last 12 bytes");
                    assert!(*offset <= lz::window(win_sz), "{name}");
                    at += length;
                }
            }
            assert_eq!(at, src.len());
            let (last, found) = sequences.last().unwrap();
            assert!(found.is_none());
            assert!(*last >= 5 || sequences.len() == 1, "{name}: the last 5 bytes are literals");
        }
    }
}

#[test]
fn repetitive_blocks_shrink() {
    let (_sim, session) = ready();
    for src in [lz::lines(50_000), vec![0; 50_000]] {
        let mut job = Job::new(&src, capacity(src.len()));
        run(session, 1, &mut job);
        let peer = lz4_flex::block::compress(&src).len();
        let len = job.output().len();
        assert!(len <= peer * 21 / 20, "{len} against {peer}");
    }
}

#[test]
fn a_block_that_does_not_fit_completes_with_status_67() {
    let (_sim, session) = ready();
    let src = lz::lines(5000);
    let mut whole = Job::new(&src, capacity(src.len()));
    run(session, 1, &mut whole);
    let len = whole.output().len();
    for (capacity, status) in [(len - 1, WD_IN_EPARA), (len, 0)] {
        let mut job = Job::new(&src, capacity);
        run(session, 1, &mut job);
        assert_eq!(job.answer().unwrap().status, status);
    }
}

#[test]
fn it_compresses_whole_blocks_of_up_to_8_mib_at_any_level() {
    let (_sim, session) = ready();
    let zeros = vec![0; MAX_INPUT + 1];
    for (len, code) in [(0, EINVAL), (1, 0), (MAX_INPUT, 0), (MAX_INPUT + 1, EINVAL)] {
        let mut job = Job::new(&zeros[..len], capacity(len));
        assert_eq!(HERE.submit(session, &mut job, WD_DIR_COMPRESS), code, "{len}");
        if code == 0 {
            assert_eq!(HERE.poll(1, 1), (0, 1));
        }
    }
    let src = data(1000);
    let mut dst = vec![0; capacity(1000)];
    let mut given = request(&src, &mut dst, WD_DIR_COMPRESS);
    assert_eq!(HERE.call_raw(session, &mut { given }), 0);
    // SAFETY: the request is valid.
    assert_eq!(unsafe { (HERE.0.wd_do_comp_strm)(session, &raw mut given) }, EINVAL);
    for comp_lv in [0, 1, 15] {
        let given = Setup { comp_lv, ..setup(WD_LZ4, WD_DIR_COMPRESS) };
        let mut job = Job::new(&src, capacity(1000));
        run(HERE.session_with(given), 1, &mut job);
        assert_eq!(lz4_flex::block::decompress(job.output(), 1000).unwrap(), src);
    }
}

#[test]
fn it_does_not_decompress() {
    let (_sim, session) = ready();
    let mut job = Job::new(&data(1000), 2000);
    let mut request = job_request(&mut job, WD_DIR_DECOMPRESS);
    assert_eq!(HERE.submit_raw(session, &mut request), EINVAL);
    let other = HERE.session(WD_LZ4, WD_DIR_DECOMPRESS);
    assert_eq!(HERE.submit_raw(other, &mut request), EINVAL);
}
