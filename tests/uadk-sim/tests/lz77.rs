//! LZ77: results, refusals and versions.

mod common;

use common::lz::{self, Parsed, kinds, parsed, run, window};
use common::{HERE, Job, Lib, Setup, data, job_request, request, setup};
use uadk_sim::{Fault, Machine, Simulator};
use uadk_sys::abi::{
    EAGAIN, EINVAL, FREQUENCIES_LEN, LITERALS_RESERVE, MAX_LZ77_ONLY_INPUT, MAX_LZ77_ZSTD_INPUT,
    SEQUENCE_LEN, WD_COMP_L8, WD_COMP_L9, WD_DEFLATE, WD_DIR_COMPRESS, WD_DIR_DECOMPRESS,
    WD_IN_EPARA, WD_LZ4, WD_LZ77_ONLY, WD_LZ77_ZSTD, WD_ZLIB, lz77_capacity,
    min_lz77_only_capacity, min_lz77_zstd_capacity, uacce_dev, wd_comp_req,
};

const BOTH: [u32; 2] = [WD_LZ77_ZSTD, WD_LZ77_ONLY];

fn ready() -> Simulator {
    let sim = Simulator::acquire(Machine::lz77());
    assert_eq!(HERE.init_with("zlib", [(1, 1), (1, 1)]), 0);
    sim
}

/// Compresses on the only asynchronous context.
fn result(session: usize, alg_type: u32, src: &[u8]) -> (Parsed, Box<Job>) {
    let mut job = lz::job(src);
    run(session, 1, &mut job);
    assert_eq!(job.answer().unwrap().status, 0);
    (parsed(alg_type, &job).expect("valid sequences"), job)
}

fn session(alg_type: u32) -> usize {
    HERE.session(alg_type, WD_DIR_COMPRESS)
}

#[test]
fn sequences_rebuild_the_data_at_each_level_and_window() {
    let _sim = ready();
    for alg_type in BOTH {
        for (comp_lv, win_sz) in [(WD_COMP_L8, 0), (WD_COMP_L8, 3), (WD_COMP_L9, 1), (9, 4)] {
            let given = Setup { comp_lv, win_sz, ..setup(alg_type, WD_DIR_COMPRESS) };
            let session = HERE.session_with(given);
            for (name, src) in kinds() {
                let (parsed, _) = result(session, alg_type, &src);
                let rebuilt = parsed.rebuilt(src.len(), window(win_sz)).expect(name);
                assert!(rebuilt == src, "{name}, {given:?}");
            }
        }
    }
}

#[test]
fn the_shortest_inputs_are_rebuilt() {
    let _sim = ready();
    for alg_type in BOTH {
        let session = session(alg_type);
        for len in 1..100 {
            for src in [vec![7; len], data(len), lz::random(len)] {
                let (parsed, _) = result(session, alg_type, &src);
                assert_eq!(parsed.rebuilt(len, 32 << 10), Ok(src));
            }
        }
    }
}

#[test]
fn the_figures_point_into_the_output() {
    let _sim = ready();
    for alg_type in BOTH {
        for (name, src) in kinds() {
            let (_, job) = result(session(alg_type), alg_type, &src);
            let dst = job.dst.as_ptr().addr();
            let sequences = dst + src.len() + LITERALS_RESERVE;
            assert_eq!(job.data.literals_start.addr(), dst);
            assert_eq!(job.data.sequences_start.addr(), sequences);
            if alg_type == WD_LZ77_ZSTD {
                let freq = sequences + SEQUENCE_LEN * job.data.seq_num as usize + 8;
                assert_eq!(job.data.freq.addr(), freq);
                assert!(freq + FREQUENCIES_LEN <= dst + job.dst.len(), "{name}");
                assert!(job.dst[freq - dst..][..FREQUENCIES_LEN].iter().all(|byte| *byte != 0));
            } else {
                assert!(job.data.freq.is_null());
                assert_eq!(job.data.lit_length_overflow_cnt, 0);
            }
        }
    }
}

#[test]
fn a_run_of_more_than_65535_literals_overflows() {
    let _sim = ready();
    let (_, src) = kinds().into_iter().find(|(name, _)| *name == "overflow").unwrap();
    let (parsed, job) = result(session(WD_LZ77_ZSTD), WD_LZ77_ZSTD, &src);
    assert_eq!(job.data.lit_length_overflow_cnt, 1);
    assert_eq!(job.data.lit_length_overflow_pos, 0);
    assert_eq!(parsed.sequences[0].literals, 70_000);
    let (parsed, _) = result(session(WD_LZ77_ONLY), WD_LZ77_ONLY, &src);
    assert_eq!(parsed.sequences[0].literals, 70_000, "32 bits are enough");
}

#[test]
fn a_match_of_more_than_65538_bytes_is_split() {
    let _sim = ready();
    let zeros = vec![0; 3 << 20];
    let (parsed, _) = result(session(WD_LZ77_ONLY), WD_LZ77_ONLY, &zeros);
    assert_eq!(parsed.sequences.len(), zeros.len().div_ceil(65_538));
    assert!(parsed.rebuilt(zeros.len(), 32 << 10) == Ok(zeros));
}

#[test]
fn repeat_codes_are_used_where_offsets_repeat() {
    let _sim = ready();
    for (name, src) in kinds() {
        let (parsed, _) = result(session(WD_LZ77_ZSTD), WD_LZ77_ZSTD, &src);
        let repeats = parsed.sequences.iter().filter(|sequence| sequence.code <= 3).count();
        let least = if name == "changed" { parsed.sequences.len() * 9 / 10 } else { 0 };
        assert!(repeats >= least, "{name}: {repeats} of {}", parsed.sequences.len());
    }
}

#[test]
fn the_parse_is_about_as_good_as_that_of_lz4() {
    let _sim = ready();
    for (name, src) in kinds() {
        if !["source", "lines", "mixed"].contains(&name) {
            continue;
        }
        let cost = |comp_lv| {
            let given = Setup { comp_lv, ..setup(WD_LZ77_ONLY, WD_DIR_COMPRESS) };
            let (parsed, _) = result(HERE.session_with(given), WD_LZ77_ONLY, &src);
            parsed.literals.len() + 3 * parsed.sequences.len()
        };
        let (fast, thorough) = (cost(WD_COMP_L8), cost(WD_COMP_L9));
        let peer = lz4_flex::block::compress(&src).len();
        assert!(fast < peer, "{name}: {fast} against {peer}");
        assert!(thorough <= fast, "{name}: {thorough} against {fast}");
    }
}

/// Bases and numbers of extra bits of zstd's codes from 16 on (RFC 8878, 3.1.1.3.2.1.1).
const LITERAL_CODES: [(u32, u32); 20] = [
    (16, 1),
    (18, 1),
    (20, 1),
    (22, 1),
    (24, 2),
    (28, 2),
    (32, 3),
    (40, 3),
    (48, 4),
    (64, 6),
    (128, 7),
    (256, 8),
    (512, 9),
    (1024, 10),
    (2048, 11),
    (4096, 12),
    (8192, 13),
    (16384, 14),
    (32768, 15),
    (65536, 16),
];
/// The same for lengths of matches, from 32 on.
const MATCH_CODES: [(u32, u32); 21] = [
    (35, 1),
    (37, 1),
    (39, 1),
    (41, 1),
    (43, 2),
    (47, 2),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 5),
    (131, 7),
    (259, 8),
    (515, 9),
    (1027, 10),
    (2051, 11),
    (4099, 12),
    (8195, 13),
    (16387, 14),
    (32771, 15),
    (65539, 16),
];

/// Returns a code, its extra bits and their number.
fn coded(value: u32, first: u8, direct: u32, codes: &[(u32, u32)]) -> (u8, u64, u32) {
    match codes.iter().rposition(|(base, _)| *base <= value) {
        Some(at) => (first + at as u8, u64::from(value - codes[at].0), codes[at].1),
        None => ((value - direct) as u8, 0, 0),
    }
}

/// Writes a block of a zstd frame: one sequence, whose three codes need no entropy coding because
/// they are the only ones.
fn push_block(frame: &mut Vec<u8>, literals: &[u8], sequence: &lz::Sequence) {
    let (literal_code, literal_bits, literal_count) =
        coded(sequence.literals as u32, 16, 0, &LITERAL_CODES);
    let (match_code, match_bits, match_count) = coded(sequence.length as u32, 32, 3, &MATCH_CODES);
    let offset_code = sequence.code.ilog2();
    let offset_bits = u64::from(sequence.code) - (1 << offset_code);
    // The last bits are read first: those of the offset, then of the match, then of the literals.
    let mut bits = 1 << offset_code | offset_bits;
    bits = bits << match_count | match_bits;
    bits = bits << literal_count | literal_bits;
    let len = (bits.ilog2() / 8 + 1) as usize;

    let mut block = (literals.len() as u32 * 16 + 0b1100).to_le_bytes()[..3].to_vec();
    block.extend_from_slice(literals);
    block.extend_from_slice(&[1, 0b0101_0100, literal_code, offset_code as u8, match_code]);
    block.extend_from_slice(&bits.to_le_bytes()[..len]);
    frame.extend_from_slice(&(block.len() as u32 * 8 + 0b100).to_le_bytes()[..3]);
    frame.extend_from_slice(&block);
}

/// Writes a zstd frame with a window of 128 KiB and a block for each sequence, codes as they are.
fn zstd_frame(parsed: &Parsed, len: usize) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x80, 7 << 3];
    frame.extend_from_slice(&(len as u32).to_le_bytes());
    let mut rest = &parsed.literals[..];
    for sequence in &parsed.sequences {
        let (literals, after) = rest.split_at(sequence.literals);
        rest = after;
        push_block(&mut frame, literals, sequence);
    }
    frame.extend_from_slice(&(rest.len() as u32 * 8 + 1).to_le_bytes()[..3]);
    frame.extend_from_slice(rest);
    frame
}

#[test]
fn libzstd_reads_the_sequences_with_their_repeat_codes() {
    let _sim = ready();
    for comp_lv in [WD_COMP_L8, WD_COMP_L9] {
        let given = Setup { comp_lv, ..setup(WD_LZ77_ZSTD, WD_DIR_COMPRESS) };
        let session = HERE.session_with(given);
        for (name, src) in kinds() {
            let (parsed, _) = result(session, WD_LZ77_ZSTD, &src);
            let mut back = vec![0; src.len()];
            let read = zstd_safe::decompress(&mut back[..], &zstd_frame(&parsed, src.len()));
            assert_eq!(read.map_err(zstd_safe::get_error_name), Ok(src.len()), "{name}");
            assert!(back == src, "{name}");
        }
    }
}

#[test]
fn synchronous_calls_work_too() {
    let _sim = ready();
    let src = lz::lines(10_000);
    for alg_type in BOTH {
        let mut job = lz::job(&src);
        let mut given = job_request(&mut job, WD_DIR_COMPRESS);
        given.cb = None;
        let session = session(alg_type);
        assert_eq!(HERE.call_raw(session, &mut given), 0);
        assert_eq!((given.status, given.src_len as usize, given.dst_len), (0, src.len(), 0));
        let parsed = parsed(alg_type, &job).unwrap();
        assert_eq!(parsed.rebuilt(src.len(), 32 << 10).as_ref(), Ok(&src));
        // SAFETY: the request is valid.
        let code = unsafe { (HERE.0.wd_do_comp_strm)(session, &raw mut given) };
        assert_eq!(code, EINVAL, "streams");
    }
}

#[test]
fn the_reported_output_length_is_that_of_an_earlier_request() {
    let _sim = ready();
    let src = lz::lines(10_000);
    let zlib = session(WD_ZLIB);
    let (_, before) = result(session(WD_LZ77_ZSTD), WD_LZ77_ZSTD, &src);
    assert_eq!(before.answer().unwrap().consumed as usize, src.len());
    let mut other = Job::new(&data(500), 1000);
    run(zlib, 1, &mut other);
    let (_, after) = result(session(WD_LZ77_ZSTD), WD_LZ77_ZSTD, &src);
    assert_eq!(after.answer().unwrap().produced, other.answer().unwrap().produced);
}

/// Submits a changed request. Returns its code.
fn submit(session: usize, job: &mut Job, change: impl FnOnce(&mut wd_comp_req)) -> i32 {
    let mut request = job_request(job, WD_DIR_COMPRESS);
    change(&mut request);
    HERE.submit_raw(session, &mut request)
}

#[test]
fn the_driver_refuses_what_it_can_not_do() {
    let _sim = ready();
    for alg_type in BOTH {
        let at_level =
            |comp_lv| HERE.session_with(Setup { comp_lv, ..setup(alg_type, WD_DIR_COMPRESS) });
        let mut job = lz::job(&data(1000));
        for level in [0, 1, 7, 10, 15] {
            assert_eq!(submit(at_level(level), &mut job, |_| {}), EINVAL, "level {level}");
        }
        let session = at_level(WD_COMP_L8);
        let null = std::ptr::null_mut();
        assert_eq!(submit(session, &mut job, |request| request.r#priv = null), EINVAL);
        assert_eq!(submit(session, &mut job, |request| request.src_len = 0), EINVAL);
        let least = match alg_type {
            WD_LZ77_ZSTD => min_lz77_zstd_capacity(1000),
            _ => min_lz77_only_capacity(1000),
        };
        let less = least as u32 - 1;
        assert_eq!(submit(session, &mut job, |request| request.dst_len = less), EINVAL);
        assert!(job.answer().is_none() && job.data.literals_start.is_null());
        for level in [WD_COMP_L8, WD_COMP_L9] {
            assert_eq!(submit(at_level(level), &mut job, |_| {}), 0, "level {level}");
            assert_eq!(HERE.poll(1, 1), (0, 1));
        }
    }
}

#[test]
fn inputs_have_a_greatest_length() {
    let _sim = ready();
    for (alg_type, most) in
        [(WD_LZ77_ZSTD, MAX_LZ77_ZSTD_INPUT), (WD_LZ77_ONLY, MAX_LZ77_ONLY_INPUT)]
    {
        let session = session(alg_type);
        let mut job = Job::new(&vec![0; most + 1], lz77_capacity(most + 1));
        assert_eq!(submit(session, &mut job, |_| {}), EINVAL);
        assert_eq!(submit(session, &mut job, |request| request.src_len -= 1), 0);
        assert_eq!(HERE.poll(1, 1), (0, 1));
        assert_eq!(job.answer().unwrap().status, 0);
    }
}

#[test]
fn sequences_that_do_not_fit_complete_with_status_67() {
    let _sim = ready();
    let src = lz::lines(10_000);
    for alg_type in BOTH {
        let session = session(alg_type);
        let (_, whole) = result(session, alg_type, &src);
        let sequences = whole.data.seq_num as usize * SEQUENCE_LEN;
        let least = match alg_type {
            WD_LZ77_ZSTD => min_lz77_zstd_capacity(src.len()),
            _ => min_lz77_only_capacity(src.len()),
        };
        for (capacity, status) in
            [(least, WD_IN_EPARA), (least + sequences - 1, WD_IN_EPARA), (least + sequences, 0)]
        {
            let mut job = Job::new(&src, capacity);
            job.dst.push(1);
            let set = |request: &mut wd_comp_req| request.dst_len = capacity as u32;
            assert_eq!(submit(session, &mut job, set), 0);
            assert_eq!(HERE.poll(1, 1), (0, 1));
            assert_eq!(job.answer().unwrap().status, status);
            assert_eq!(job.dst.pop(), Some(1));
            if status == 0 {
                let parsed = parsed(alg_type, &job).unwrap();
                assert_eq!(parsed.rebuilt(src.len(), 32 << 10).as_ref(), Ok(&src));
            } else {
                assert!(job.data.lit_num as usize > job.dst.len(), "garbage");
                assert!(parsed(alg_type, &job).is_err());
            }
        }
    }
}

#[test]
fn older_queues_refuse_everything_but_deflate() {
    let _sim = Simulator::acquire(Machine { queue_version: 2, ..Machine::lz77() });
    assert_eq!(HERE.init(), 0);
    for alg_type in [WD_LZ77_ZSTD, WD_LZ77_ONLY, WD_LZ4] {
        let mut job = lz::job(&data(1000));
        assert_eq!(submit(session(alg_type), &mut job, |_| {}), EINVAL);
    }
    assert!(!HERE.compressed(session(WD_DEFLATE), &data(1000)).is_empty());
}

#[test]
fn the_device_answers_with_status_67_if_it_lacks_the_algorithm_or_should_decompress() {
    let status = |machine, alg_type, op_type| {
        let _sim = Simulator::acquire(machine);
        assert_eq!(HERE.init_with("zlib", [(1, 1), (1, 1)]), 0);
        let mut job = lz::job(&data(1000));
        let mut request = job_request(&mut job, op_type);
        let session = HERE.session(alg_type, op_type);
        assert_eq!(HERE.submit_raw(session, &mut request), 0);
        let context = if op_type == WD_DIR_COMPRESS { 1 } else { 3 };
        assert_eq!(HERE.poll(context, 1), (0, 1));
        job.answer().unwrap().status
    };
    for alg_type in BOTH {
        assert_eq!(status(Machine::default(), alg_type, WD_DIR_COMPRESS), WD_IN_EPARA);
        assert_eq!(status(Machine::lz77(), alg_type, WD_DIR_DECOMPRESS), WD_IN_EPARA);
        // Both are one capability, whatever the kernel lists.
        assert_eq!(status(Machine::lz77_zstd(), alg_type, WD_DIR_COMPRESS), 0);
    }
    assert_eq!(status(Machine::lz77_zstd(), WD_LZ4, WD_DIR_COMPRESS), WD_IN_EPARA);
}

/// Returns the queue version of each device that offers an algorithm.
fn queue_versions(algorithm: &std::ffi::CStr) -> Vec<Option<u32>> {
    let mut versions = Vec::new();
    // SAFETY: a NUL-terminated name.
    let list = unsafe { (HERE.0.wd_get_accel_list)(algorithm.as_ptr()) };
    let mut node = list;
    while !node.is_null() {
        // SAFETY: a node of the list.
        let fields = unsafe { *node };
        // SAFETY: a device of the list.
        versions.push(unsafe { uacce_dev::read_queue_version(fields.dev) });
        node = fields.next;
    }
    // SAFETY: as above, and not freed yet.
    unsafe { (HERE.0.wd_free_list_accels)(list) };
    versions
}

#[test]
fn the_devices_list_their_algorithms_and_queue_version() {
    for (machine, versions) in [
        (Machine::default(), [None, None, None]),
        (Machine::lz77_zstd(), [Some(3), None, None]),
        (Machine::lz77(), [Some(3); 3]),
        (Machine { queue_version: 2, ..Machine::lz77() }, [Some(2); 3]),
        (Machine { queue_version: 5, ..Machine::lz77() }, [Some(5); 3]),
    ] {
        let machine = Machine { numa_nodes: vec![0, 1], ..machine };
        let _sim = Simulator::acquire(machine);
        for (algorithm, version) in [c"lz77_zstd", c"lz77_only", c"lz4"].into_iter().zip(versions) {
            let expected = version.map_or(vec![], |version| vec![Some(version); 2]);
            assert_eq!(queue_versions(algorithm), expected);
        }
    }
}

fn lib_of(version: &str) -> Lib {
    Lib(*uadk_sim::libwd_of(version).functions())
}

#[test]
fn lz77_only_and_lz4_exist_from_2_10_on() {
    for (version, newer) in [("2.6", false), ("2.9.1", false), ("2.10", true), ("2.11", true)] {
        let _sim = Simulator::acquire(Machine::lz77());
        let lib = lib_of(version);
        assert_eq!(lib.init_with("lz4", [(1, 1); 2]), if newer { 0 } else { EINVAL });
        lib.uninit();
        assert_eq!(lib.init_with("lz77_zstd", [(1, 1); 2]), 0);
        let names: Vec<_> = lib.drivers().into_iter().map(|(name, _)| name).collect();
        let all = ["zlib", "gzip", "deflate", "lz77_zstd", "lz4", "lz77_only"];
        assert_eq!(names, all[..if newer { 6 } else { 4 }]);
        assert_ne!(lib.session(WD_LZ77_ZSTD, WD_DIR_COMPRESS), 0);
        for alg_type in [WD_LZ4, WD_LZ77_ONLY] {
            assert_eq!(lib.session(alg_type, WD_DIR_COMPRESS) != 0, newer, "{version}");
        }
        assert_eq!(lib.session(6, WD_DIR_COMPRESS), 0);
    }
}

#[test]
fn overflow_and_frequencies_are_wrong_up_to_2_8() {
    let (_, src) = kinds().into_iter().find(|(name, _)| *name == "overflow").unwrap();
    for (version, right) in [("2.5", false), ("2.8", false), ("2.9", true), ("2.10", true)] {
        let _sim = Simulator::acquire(Machine::lz77());
        let lib = lib_of(version);
        assert_eq!(lib.init_with("zlib", [(1, 1); 2]), 0);
        let session = lib.session(WD_LZ77_ZSTD, WD_DIR_COMPRESS);
        let (parsed, job) = {
            let mut job = lz::job(&src);
            run(session, 1, &mut job);
            (parsed(WD_LZ77_ZSTD, &job), job)
        };
        let rebuilt = parsed.and_then(|parsed| parsed.rebuilt(src.len(), 32 << 10));
        assert_eq!(rebuilt.as_ref() == Ok(&src), right, "{version}");
        let last = job.data.sequences_start.addr() + job.data.seq_num as usize * SEQUENCE_LEN;
        assert_eq!(job.data.freq.addr() == last + 8, right, "{version}");
    }
}

#[test]
fn consumed_input_is_reported_from_2_10_on() {
    for (version, reported) in [("2.9", false), ("2.10", true)] {
        let _sim = Simulator::acquire(Machine::lz77());
        let lib = lib_of(version);
        assert_eq!(lib.init_with("zlib", [(1, 1); 2]), 0);
        let src = data(1000);
        let mut other = Job::new(&data(500), 1000);
        run(lib.compressor(), 1, &mut other);
        let mut job = lz::job(&src);
        run(lib.session(WD_LZ77_ZSTD, WD_DIR_COMPRESS), 1, &mut job);
        let answer = job.answer().unwrap();
        assert_eq!((answer.status, answer.consumed), (0, if reported { 1000 } else { 500 }));
    }
}

#[test]
fn a_late_write_also_hits_the_figures() {
    let sim = ready();
    for (alg_type, hit) in [(WD_LZ77_ZSTD, true), (WD_LZ77_ONLY, true), (WD_LZ4, false)] {
        let session = session(alg_type);
        sim.fault(Fault::Lost { write_late: true }, 1);
        let mut job = lz::job(&data(1000));
        assert_eq!(HERE.submit(session, &mut job, WD_DIR_COMPRESS), 0);
        assert_eq!(HERE.poll(1, 1), (EAGAIN, 0));
        assert_eq!((job.data.lit_num, job.data.seq_num), (0, 0));
        assert_eq!(sim.write_late(), 1);
        assert!(job.dst.iter().all(|byte| *byte == 0xa5));
        let figure = if hit { 0xa5a5_a5a5 } else { 0 };
        assert_eq!((job.data.lit_num, job.data.seq_num), (figure, figure));
    }
}

#[test]
fn figures_are_written_when_the_request_completes() {
    let sim = ready();
    let session = session(WD_LZ77_ONLY);
    sim.fault(Fault::Late { polls: 2 }, 1);
    let mut job = lz::job(&lz::lines(1000));
    assert_eq!(HERE.submit(session, &mut job, WD_DIR_COMPRESS), 0);
    assert!(!job.data.literals_start.is_null(), "written at the submission");
    for _ in 0..2 {
        assert_eq!(HERE.poll(1, 1), (EAGAIN, 0));
        assert_eq!((job.data.lit_num, job.data.seq_num), (0, 0));
    }
    assert_eq!(HERE.poll(1, 1), (0, 1));
    assert!(job.data.lit_num > 0 && job.data.seq_num > 0);
}

#[test]
fn a_request_without_priv_is_fine_for_deflate() {
    let _sim = ready();
    let src = data(100);
    let mut dst = [0; 200];
    let mut given = request(&src, &mut dst, WD_DIR_COMPRESS);
    assert!(given.r#priv.is_null());
    assert_eq!(HERE.call_raw(session(WD_ZLIB), &mut given), 0);
}
