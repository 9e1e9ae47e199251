//! The crate's main calls work on threads with small stacks. Unoptimised builds use most stack:
//! `make test` runs this test in one. (libdeflate and zlib are C and use less.)

mod common;

use std::io::Write;

use common::{ALL_FORMATS, FORMATS, block, compress};
use uadk_compress::fault::FaultInjector;
use uadk_compress::offload::Verify;
use uadk_compress::pool::Pool;
use uadk_compress::{
    Block, BlockCompressor, Compressor, Level, OffloadCompressor, Policy, SegmentWriter, Settings,
    SoftwareCompressor, UadkConfig, Window,
};

/// 16 KiB for the calls, and as much for the thread itself, its unwinding and the tests.
const STACK: usize = 32 << 10;

/// Runs `call` on a thread with a small stack. An overflow aborts the process.
fn on_small_stack<T: Send>(call: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, call);
        thread.expect("a thread starts").join().expect("the call does not panic")
    })
}

fn round_trip(codec: &dyn BlockCompressor, data: &[u8]) {
    let compressed = on_small_stack(|| compress(codec, data));
    let mut restored = vec![0; data.len()];
    let len = on_small_stack(|| codec.decompress(&compressed, &mut restored));
    assert_eq!(len, Ok(data.len()));
    let mut output = vec![0; codec.max_compressed_len(data.len())];
    on_small_stack(|| {
        let mut batch = [Block::new(data, &mut output)];
        codec.compress_batch(&mut batch);
        assert!(batch[0].output().is_ok());
        let mut batch = [Block::exact(&compressed, &mut restored)];
        codec.decompress_batch(&mut batch);
        assert!(batch[0].output().is_ok());
    });
    assert!(restored == data);
}

#[test]
fn blocks_in_software_at_every_level() {
    let data = block(1, 65_536);
    for level in (-1..=Level::BEST.get()).filter_map(Level::new) {
        for format in ALL_FORMATS {
            let codec = on_small_stack(|| SoftwareCompressor::new(format, level));
            round_trip(&codec.expect("a supported format"), &data);
        }
    }
}

#[test]
fn compressors_are_built_used_reconfigured_and_dropped() {
    let sim = uadk_sim::Simulator::acquire(uadk_sim::Machine::lz77());
    let libwd = uadk_sim::libwd();
    for format in ALL_FORMATS {
        let compressor = on_small_stack(|| {
            let config = UadkConfig::default().with_background(false);
            Compressor::builder().format(format).uadk(config).build_on(&libwd)
        });
        let compressor = compressor.expect("a healthy device");
        round_trip(&compressor, &block(1, 65_536));
        let settings = Settings::new().with_level(Level::BEST).with_window(Window::Kib4);
        let other = on_small_stack(|| compressor.reconfigured(&settings));
        round_trip(&other.expect("both settings are supported"), &block(2, 65_536));
        let text = on_small_stack(|| {
            let stats = compressor.stats();
            format!("{stats}{}", stats.prometheus("blocks"))
        });
        assert!(text.contains("UADK"), "{text}");
        on_small_stack(move || drop(compressor));
    }
    drop(sim);
}

#[test]
fn verified_engines_and_injected_faults() {
    let software = SoftwareCompressor::new(FORMATS[1], Level::FAST).expect("a supported format");
    let policy = Policy::default().with_verify(Verify::Both);
    let engines = on_small_stack(|| {
        OffloadCompressor::new(FaultInjector::new(software.clone(), |_| None), software, policy)
    });
    round_trip(&engines.expect("one format"), &block(1, 65_536));
}

#[test]
fn segments_and_pools() {
    let data = block(1, 1 << 20);
    let gzip = on_small_stack(|| {
        let mut writer = SegmentWriter::new(Vec::new(), FORMATS[2], Level::FAST, 0)?;
        writer.write_all(&data)?;
        writer.finish()
    });
    let gzip = gzip.expect("writes to memory");
    assert!(common::zlib_decompress(FORMATS[2], &gzip).expect("valid data") == data);
    let sum = on_small_stack(|| {
        let mut pool = Pool::new("numbers", 2, || (), |(): &mut (), number: &mut u64| *number += 1);
        let mut sum = 0;
        for number in 0..100 {
            while pool.is_full() {
                sum += pool.take().expect("it is full").expect("no panic");
            }
            pool.submit(number).expect("not full");
        }
        while let Some(done) = pool.take() {
            sum += done.expect("no panic");
        }
        sum
    });
    assert_eq!(sum, (1..=100).sum());
}
