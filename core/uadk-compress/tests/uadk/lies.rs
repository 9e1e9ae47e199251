//! Devices that lie: impossible completions, and requests that are refused but completed anyway.

use std::time::Duration;

use uadk_compress::clock::Clock;
use uadk_compress::offload::Verify;
use uadk_compress::{Block, BlockCompressor, Error, Format, Policy, UadkConfig};
use uadk_sim::{Direction, Fault, Machine, Simulator};

use crate::common::{FORMATS, block, zlib_compress, zlib_decompress};
use crate::rig::{LEN, MS, Rig, assert_adds_up};

fn rig_for(format: Format) -> Rig {
    Rig::with(Machine::default(), format, &UadkConfig::default(), Policy::default())
}

#[test]
fn impossible_completions_of_compression_are_faults_and_lose_nothing() {
    let any = [
        Fault::Consumed(0),
        Fault::Consumed(99),
        Fault::Consumed(u32::MAX),
        Fault::ConsumedShort(1),
        Fault::Empty,
    ];
    // Raw deflate has no trailer: only `verify` notices that its end is missing.
    let framed = [Fault::Truncated(1), Fault::NoTrailer, Fault::ShortBy(4), Fault::ShortBy(1)];
    for format in FORMATS {
        let framed = framed.iter().filter(|_| format != Format::RawDeflate);
        for &fault in any.iter().chain(framed) {
            let rig = rig_for(format);
            rig.compress(0);
            rig.sim.fault(fault, 1);
            rig.compress(1);
            let stats = rig.stats();
            assert_eq!(stats.fallbacks.device_error, 1, "{format} {fault:?}: {stats}");
            assert_eq!(stats.breaker.opened, 1, "{format} {fault:?}: {stats}");
            rig.clock.advance(100 * MS);
            rig.compress(2);
            rig.sim.fault(fault, 7);
            rig.compress_batch(64);
            let stats = rig.stats();
            assert_eq!(stats.fallbacks.device_error, 2, "{format} {fault:?}: {stats}");
            assert_adds_up(&stats, 67);
        }
    }
}

#[test]
fn a_raw_stream_without_its_end_is_found_by_verify() {
    for fault in [Fault::NoTrailer, Fault::Truncated(5), Fault::FlipBit] {
        let policy = Policy::default().with_verify(Verify::Compressed);
        let rig = Rig::with(Machine::default(), Format::RawDeflate, &UadkConfig::default(), policy);
        rig.compress(0);
        rig.sim.fault(fault, 1);
        rig.compress(1);
        assert_eq!(rig.stats().fallbacks.wrong_output, 1, "{fault:?}: {}", rig.stats());
    }
}

/// Creates a rig for raw deflate on this version of the library.
fn raw_deflate(version: &str, config: &UadkConfig, policy: Policy) -> Rig {
    let sim = Simulator::acquire(Machine::default());
    Rig::on_libwd(sim, &uadk_sim::libwd_of(version), Format::RawDeflate, config, policy)
}

#[test]
fn raw_deflate_is_decompressed_in_software_from_uadk_2_9_on_unless_allowed() {
    let allowed = UadkConfig::default().with_raw_deflate_decompression(true);
    for (version, config, on_device) in [
        ("2.8", UadkConfig::default(), true),
        ("2.9.1", UadkConfig::default(), false),
        ("2.10", UadkConfig::default(), false),
        ("2.10", allowed, true),
    ] {
        let rig = raw_deflate(version, &config, Policy::default());
        rig.compress(1);
        rig.decompress(2);
        rig.decompress_batch(3);
        let stats = rig.stats();
        let decompressed = stats.accelerator.decompress.blocks;
        assert_eq!(decompressed, if on_device { 4 } else { 0 }, "{version}: {stats}");
        assert_eq!(stats.accelerator.compress.blocks, 1, "{version}: {stats}");
        assert_eq!(rig.uadk.stats().raw_deflate_decompression, on_device, "{version}");
    }
}

#[test]
fn truncated_raw_deflate_does_not_crash_uadk_2_9() {
    let rig = raw_deflate("2.9.1", &UadkConfig::default(), Policy::default());
    rig.sim.set_raw_deflate_crash(true);
    let stream = zlib_compress(Format::RawDeflate, 6, &block(1, LEN)).expect("writes to memory");
    for len in [stream.len() / 2, stream.len() - 1] {
        let result = rig.engines.decompress(&stream[..len], &mut [0; LEN]);
        assert!(matches!(result, Err(Error::Corrupt | Error::OutputFull)), "{result:?}");
    }
    assert_eq!(rig.stats().breaker.opened, 0, "{}", rig.stats());
}

#[test]
fn wrong_decompressed_raw_deflate_is_found_by_verifying_both_ways() {
    let decompress = |verify| {
        let policy = Policy::default().with_verify(verify);
        let rig = raw_deflate("2.8", &UadkConfig::default(), policy);
        rig.decompress(0);
        let (data, mut restored) = (block(1, LEN), vec![0; LEN]);
        let stream = zlib_compress(Format::RawDeflate, 6, &data).expect("writes to memory");
        rig.sim.fault(Fault::FlipBit, 1);
        assert_eq!(rig.engines.decompress(&stream, &mut restored), Ok(LEN));
        (restored == data, rig.stats().fallbacks.wrong_output)
    };
    assert_eq!(decompress(Verify::Both), (true, 1));
    assert_eq!(decompress(Verify::Compressed), (false, 0), "only `Both` finds it");
}

#[test]
fn slow_submissions_do_not_prolong_a_call() {
    let submission = 200 * MS;
    let rig = Rig::new();
    rig.compress(0);
    rig.decompress(0);
    let clock = rig.clock.clone();
    rig.sim.set_sleeper(std::sync::Arc::new(move |time| clock.advance(time)));
    rig.sim.set_faults(move |_| Some(Fault::SlowSubmit(submission)));
    for call in 0..4 {
        let begin = rig.clock.now();
        if call % 2 == 0 {
            rig.compress_batch(64);
        } else {
            rig.decompress_batch(64);
        }
        let took = rig.clock.now().saturating_sub(begin);
        assert!(took <= UadkConfig::default().deadline + submission, "call {call} took {took:?}");
        rig.clock.advance(Duration::from_secs(60));
    }
    let stats = rig.stats();
    assert!(stats.fallbacks.busy > 200, "the remaining blocks went to software: {stats}");
    assert_adds_up(&stats, 2 + 4 * 64);
}

#[test]
fn a_refused_request_that_the_device_has_anyway_keeps_its_buffer() {
    for code in [-5, -22, -110] {
        let rig = Rig::new();
        rig.compress_batch(64);
        rig.sim.fault(Fault::ReturnButKeep(code), 10);
        let (source, mut outputs) = (block(1, LEN), vec![vec![0x11; 2 * LEN]; 64]);
        let mut blocks: Vec<_> = outputs.iter_mut().map(|dst| Block::new(&source, dst)).collect();
        rig.engines.compress_batch(&mut blocks);
        let lens: Vec<_> = blocks.iter().map(|block| block.result().expect("done")).collect();
        assert_eq!(rig.lost(), 1, "{code}");
        // It completes in a later poll and writes to a buffer that is no longer used.
        let before = outputs.clone();
        rig.clock.advance(1000 * MS);
        for _ in 0..8 {
            std::thread::scope(|scope| {
                scope.spawn(|| rig.compress(1)).join().expect("no panic");
            });
        }
        assert!(outputs == before, "{code}: a late write reached the caller");
        for (output, len) in outputs.iter().zip(lens) {
            assert!(zlib_decompress(Format::Zlib, &output[..len]).expect("valid data") == source);
        }
        assert_eq!(rig.quarantined(), 0, "{code}: the late completion frees the buffer");
    }
}

#[test]
fn staged_sources_produce_valid_blocks() {
    let config = UadkConfig::default().with_stage_sources(true);
    for format in [Format::Zlib, Format::Gzip] {
        let rig = Rig::with(Machine::default(), format, &config, Policy::default());
        rig.compress(1);
        rig.compress_batch(100);
        rig.decompress(1);
        rig.decompress_batch(100);
        assert_eq!(rig.stats().accelerator.blocks(), 202, "{}", rig.stats());
    }
    // Both the output and the copy count towards the limit.
    let config = config.with_staging(64 << 10);
    let rig = Rig::with(Machine::default(), Format::Zlib, &config, Policy::default());
    rig.compress_batch(100);
    assert_eq!(rig.stats().accelerator.blocks(), 100, "{}", rig.stats());
}

#[test]
fn lies_about_one_direction_do_not_affect_the_other() {
    let rig = rig_for(Format::Gzip);
    rig.sim.set_faults(|request| {
        (request.direction == Direction::Decompress).then_some(Fault::Claims(u32::MAX))
    });
    for seed in 0..50 {
        rig.compress(seed);
        rig.decompress(seed);
        rig.clock.advance(50 * MS);
    }
    let stats = rig.stats();
    assert_eq!(stats.accelerator.decompress.blocks, 0, "{stats}");
    assert!(stats.accelerator.compress.blocks > 0, "{stats}");
    assert_adds_up(&stats, 100);
}
