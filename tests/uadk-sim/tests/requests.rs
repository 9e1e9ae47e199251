//! Results of requests, and which requests are refused.

mod common;

use std::io::Read;

use common::{HERE, Job, capacity, data, job_request, request};
use uadk_sim::{Machine, Simulator};
use uadk_sys::abi::{
    EINVAL, WD_DEFLATE, WD_DIR_COMPRESS, WD_DIR_DECOMPRESS, WD_GZIP, WD_IN_EPARA, WD_SGL_BUF,
    WD_ZLIB, wd_comp_req,
};

fn ready() -> Simulator {
    let sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.init(), 0);
    sim
}

/// Decompresses. Returns the status and the output.
fn decompress(alg_type: u32, src: &[u8], capacity: usize) -> (u32, Vec<u8>) {
    let session = HERE.session(alg_type, WD_DIR_DECOMPRESS);
    let mut dst = vec![0; capacity];
    let (code, request) = HERE.call(session, WD_DIR_DECOMPRESS, src, &mut dst);
    HERE.free(session);
    assert_eq!(code, 0);
    dst.truncate(request.dst_len as usize);
    (request.status, dst)
}

#[test]
fn zlib_reads_each_format() {
    let _sim = ready();
    for len in [1, 2, 100, 8192, 300_000] {
        let data = data(len);
        let mut back = Vec::new();
        let zlib = HERE.compressed(HERE.session(WD_ZLIB, WD_DIR_COMPRESS), &data);
        assert_eq!(zlib[..2], [0x78, 0x9c]);
        flate2::read::ZlibDecoder::new(&zlib[..]).read_to_end(&mut back).unwrap();
        assert_eq!(back, data);
        let gzip = HERE.compressed(HERE.session(WD_GZIP, WD_DIR_COMPRESS), &data);
        assert_eq!(gzip[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
        back.clear();
        flate2::read::GzDecoder::new(&gzip[..]).read_to_end(&mut back).unwrap();
        assert_eq!(back, data);
        let raw = HERE.compressed(HERE.session(WD_DEFLATE, WD_DIR_COMPRESS), &data);
        assert_eq!(raw, zlib[2..zlib.len() - 4]);
        for (alg_type, packed) in [(WD_ZLIB, zlib), (WD_GZIP, gzip), (WD_DEFLATE, raw)] {
            assert_eq!(decompress(alg_type, &packed, len).1, data);
        }
    }
}

#[test]
fn the_window_limits_the_distance_of_matches() {
    let _sim = ready();
    // Repeats at a distance of 10,000 are out of reach for a window of 4 KiB.
    let mut block: Vec<u8> =
        (0..10_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    block.extend_from_within(..);
    let session = |win_sz| {
        HERE.session_with(common::Setup { win_sz, ..common::setup(WD_ZLIB, WD_DIR_COMPRESS) })
    };
    let small = HERE.compressed(session(0), &block).len();
    let large = HERE.compressed(session(4), &block).len();
    assert!(large * 3 < small * 2, "{large} and {small}");
}

#[test]
fn status_alternates_between_0_and_stream_end() {
    let _sim = ready();
    let packed = HERE.compressed(HERE.compressor(), &data(100));
    let mut seen = [(); 4].map(|()| decompress(WD_ZLIB, &packed, 100).0);
    seen.sort_unstable();
    assert_eq!(seen, [0, 0, 1, 1]);
}

#[test]
fn corrupt_and_truncated_input_completes_with_status_67() {
    let _sim = ready();
    let packed = HERE.compressed(HERE.compressor(), &data(5000));
    let mut corrupt = packed.clone();
    corrupt[2] = 0xff;
    assert_eq!(decompress(WD_ZLIB, &corrupt, 5000), (WD_IN_EPARA, vec![]));
    assert_eq!(decompress(WD_ZLIB, &packed[..packed.len() / 2], 5000), (WD_IN_EPARA, vec![]));
}

#[test]
fn too_little_output_capacity_completes_with_status_67() {
    let sim = ready();
    let data = data(5000);
    let packed = HERE.compressed(HERE.compressor(), &data);
    assert_eq!(decompress(WD_ZLIB, &packed, 4999).0, WD_IN_EPARA);
    assert_eq!(decompress(WD_ZLIB, &packed, 5000).1, data);

    let compress = |capacity| {
        let mut dst = vec![0; capacity];
        let (code, request) = HERE.call(HERE.compressor(), WD_DIR_COMPRESS, &data, &mut dst);
        assert_eq!(code, 0);
        request.status
    };
    assert_eq!(compress(5624), WD_IN_EPARA);
    assert_eq!(compress(5625), 0);
    sim.demand_room(false);
    assert_eq!(compress(packed.len()), 0);
    assert_eq!(compress(packed.len() - 1), WD_IN_EPARA);
}

#[test]
fn headers_are_skipped_unread_and_trailers_are_not_checked() {
    let _sim = ready();
    let data = data(5000);
    let mut packed = HERE.compressed(HERE.session(WD_GZIP, WD_DIR_COMPRESS), &data);
    let len = packed.len();
    packed[..10].fill(0xff);
    packed[len - 8..].fill(0xff);
    assert_eq!(decompress(WD_GZIP, &packed, 5000).1, data);
    // A name in the header is treated as data.
    let mut named = vec![0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3];
    named.extend_from_slice(b"name\0");
    named.extend_from_slice(&packed[10..]);
    assert_eq!(decompress(WD_GZIP, &named, 5000).0, WD_IN_EPARA);
}

#[test]
fn bytes_after_the_stream_are_not_consumed() {
    let _sim = ready();
    let mut packed = HERE.compressed(HERE.compressor(), &data(5000));
    let len = packed.len();
    packed.extend_from_slice(&[1; 50]);
    let mut dst = vec![0; 5000];
    let (_, request) = HERE.call(HERE.decompressor(), WD_DIR_DECOMPRESS, &packed, &mut dst);
    assert_eq!((request.src_len as usize, request.dst_len), (len, 5000));
}

#[test]
fn a_device_without_raw_deflate_rejects_it() {
    let _sim = Simulator::acquire(Machine::without_raw_deflate());
    assert_eq!(HERE.init(), 0);
    let mut dst = [0; 200];
    let session = HERE.session(WD_DEFLATE, WD_DIR_COMPRESS);
    let (code, request) = HERE.call(session, WD_DIR_COMPRESS, &data(100), &mut dst);
    assert_eq!((code, request.status), (0, WD_IN_EPARA));
}

#[test]
fn input_has_1_byte_to_8_mib() {
    let _sim = ready();
    let session = HERE.compressor();
    let most = 8 << 20;
    let src = vec![0; most + 1];
    let mut dst = vec![0; capacity(most)];
    for (len, code) in [(0, EINVAL), (1, 0), (most, 0), (most + 1, EINVAL)] {
        assert_eq!(HERE.call(session, WD_DIR_COMPRESS, &src[..len], &mut dst).0, code, "{len}");
        let mut job = Job::new(&src[..len], capacity(len));
        assert_eq!(HERE.submit(session, &mut job, WD_DIR_COMPRESS), code, "{len}");
        if code == 0 {
            assert_eq!(HERE.poll(2, 1), (0, 1));
        }
    }
}

#[test]
fn asynchronous_requests_have_a_callback_and_a_parameter_and_synchronous_ones_none() {
    let sim = ready();
    let session = HERE.compressor();
    let mut job = Job::new(&data(100), 200);
    let whole = job_request(&mut job, WD_DIR_COMPRESS);
    assert_eq!(HERE.submit_raw(session, &mut { whole }), 0);
    let mut without = whole;
    without.cb = None;
    assert_eq!(HERE.submit_raw(session, &mut without), EINVAL);
    let mut without = whole;
    without.cb_param = std::ptr::null_mut();
    assert_eq!(HERE.submit_raw(session, &mut without), EINVAL);
    assert_eq!(HERE.call_raw(session, &mut { whole }), EINVAL);
    assert_eq!(HERE.poll(2, 1), (0, 1));
    assert_eq!(sim.counts().submitted, 1);
}

#[test]
fn other_parameters_are_checked() {
    let _sim = ready();
    let session = HERE.compressor();
    let src = data(100);
    let mut dst = [0; 200];
    let mut good = request(&src, &mut dst, WD_DIR_COMPRESS);
    let null = std::ptr::null_mut();
    for bad in [
        wd_comp_req { src: null, ..good },
        wd_comp_req { dst: null, ..good },
        wd_comp_req { dst_len: 0, ..good },
        wd_comp_req { dst_len: 2, ..good },
        wd_comp_req { op_type: 2, ..good },
        wd_comp_req { data_fmt: WD_SGL_BUF, ..good },
        wd_comp_req { op_type: WD_DIR_DECOMPRESS, src_len: 2, ..good },
    ] {
        assert_eq!(HERE.call_raw(session, &mut { bad }), EINVAL, "{bad:?}");
    }
    assert_eq!(HERE.call_raw(0, &mut { good }), EINVAL);
    // SAFETY: null is allowed.
    assert_eq!(unsafe { (HERE.0.wd_do_comp_sync)(session, std::ptr::null_mut()) }, EINVAL);
    assert_eq!(HERE.call_raw(session, &mut { good }), 0);
    // SAFETY: the request is valid.
    assert_eq!(unsafe { (HERE.0.wd_do_comp_strm)(session, &raw mut good) }, 0);
}
