//! Special blocks and wrong results.

use uadk_compress::offload::Verify;
use uadk_compress::{BlockCompressor, Error, Format, Policy, Settings, UadkConfig, Window};
use uadk_sim::{Fault, Machine};

use crate::common::{
    block, block_with_far_matches, compress, zlib_compress, zlib_decodes_with_window,
    zlib_decompress,
};
use crate::rig::{LEN, MS, Rig, assert_adds_up};

fn with_policy(policy: Policy) -> Rig {
    Rig::with(Machine::default(), Format::Zlib, &UadkConfig::default(), policy)
}

fn round_trip(rig: &Rig, len: usize) {
    let data = block(1, len);
    let mut compressed = vec![0; rig.engines.max_compressed_len(len)];
    let written = rig.engines.compress(&data, &mut compressed).expect("the bound holds");
    assert!(zlib_decompress(Format::Zlib, &compressed[..written]).expect("valid data") == data);
    let mut restored = vec![0; len];
    assert_eq!(rig.engines.decompress(&compressed[..written], &mut restored), Ok(len));
    assert!(restored == data);
}

#[test]
fn empty_blocks_one_byte_and_more_than_8_mib() {
    // The policy lets every block go to the device.
    let rig = with_policy(Policy::default().with_min_block(0).with_max_block(usize::MAX));
    round_trip(&rig, 0);
    let stats = rig.stats();
    assert_eq!(stats.fallbacks.unsupported, 1, "{stats}");
    round_trip(&rig, 1);
    assert_eq!(rig.stats().accelerator.compress.blocks, 1, "{}", rig.stats());
    // The device takes at most 8 MiB, and decompressing needs some slack within that.
    round_trip(&rig, 8 << 20);
    assert_eq!(rig.stats().accelerator.compress.blocks, 2, "{}", rig.stats());
    round_trip(&rig, (8 << 20) + 1);
    let stats = rig.stats();
    assert_eq!(stats.accelerator.compress.blocks, 2, "{stats}");
    assert_eq!(stats.fallbacks.unsupported, 4, "{stats}");
    assert_eq!(stats.breaker.opened, 0, "{stats}");
    assert_adds_up(&stats, 8);
}

#[test]
fn the_default_policy_keeps_special_blocks_from_the_device() {
    let rig = Rig::new();
    round_trip(&rig, 0);
    round_trip(&rig, 1);
    round_trip(&rig, (8 << 20) + 1);
    let stats = rig.stats();
    assert_eq!((stats.fallbacks.too_small, stats.fallbacks.too_large), (4, 1), "{stats}");
}

#[test]
fn wrong_output_is_found_by_verify_and_the_block_is_compressed_again() {
    let rig = with_policy(Policy::default().with_verify(Verify::Compressed));
    rig.compress(0);
    rig.sim.fault(Fault::FlipBit, 1);
    rig.compress(1);
    let stats = rig.stats();
    assert_eq!(stats.fallbacks.wrong_output, 1, "{stats}");
    assert_eq!(stats.breaker.opened, 1);
    rig.clock.advance(100 * MS);
    rig.sim.fault(Fault::FlipBit, 13);
    rig.compress(2);
    rig.compress_batch(64);
    let stats = rig.stats();
    assert_eq!(stats.fallbacks.wrong_output, 2, "{stats}");
    assert_adds_up(&stats, 67);
}

#[test]
fn wrong_decompressed_data_is_found_by_the_checksum() {
    for format in [Format::Zlib, Format::Gzip] {
        let config = UadkConfig::default();
        let rig = Rig::with(Machine::default(), format, &config, Policy::default());
        rig.decompress(0);
        rig.sim.fault(Fault::FlipBit, 1);
        rig.decompress(1);
        let stats = rig.stats();
        assert_eq!(stats.fallbacks.refused, 1, "{stats}");
        assert_eq!(stats.breaker.opened, 1, "the device was wrong: {stats}");
    }
}

#[test]
fn damage_that_the_device_does_not_notice_is_corrupt_but_not_a_fault() {
    let rig = Rig::new();
    let mut damaged = zlib_compress(Format::Zlib, 6, &block(1, LEN)).expect("writes to memory");
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    assert_eq!(rig.engines.decompress(&damaged, &mut [0; LEN]), Err(Error::Corrupt));
    let stats = rig.stats();
    assert_eq!(stats.fallbacks.refused, 1, "{stats}");
    assert_eq!(stats.breaker.opened, 0, "{stats}");
    rig.decompress(2);
    assert_eq!(rig.stats().accelerator.decompress.blocks, 1);
}

#[test]
fn bytes_after_a_block_are_ignored() {
    let rig = Rig::new();
    let mut longer = zlib_compress(Format::Zlib, 6, &block(1, LEN)).expect("writes to memory");
    longer.extend_from_slice(b"of something else");
    let mut restored = [0; LEN];
    assert_eq!(rig.engines.decompress(&longer, &mut restored), Ok(LEN));
    assert!(restored[..] == block(1, LEN));
    assert_eq!(rig.stats().breaker.opened, 0, "{}", rig.stats());
}

#[test]
fn software_decides_about_valid_data_that_the_device_rejects() {
    let rig = Rig::new();
    rig.decompress(0);
    rig.sim.fault(Fault::Status(67), 1);
    rig.decompress(1);
    let stats = rig.stats();
    assert_eq!(stats.fallbacks.refused, 1, "{stats}");
    assert_eq!(stats.breaker.opened, 1, "the device was wrong: {stats}");

    rig.clock.advance(100 * MS);
    rig.compress(2);
    rig.sim.fault(Fault::Status(67), 1);
    rig.compress(3);
    let stats = rig.stats();
    assert_eq!(stats.fallbacks.device_error, 1, "{stats}");
    assert_eq!(stats.breaker.cause, Some(Error::Device { code: 67 }), "{stats}");
    assert_adds_up(&stats, 4);
}

#[test]
fn impossible_lengths_are_faults() {
    for fault in [Fault::Claims(u32::MAX), Fault::Claims(1 << 20), Fault::ShortBy(1)] {
        let rig = with_policy(Policy::default().with_verify(Verify::Compressed));
        rig.compress(0);
        rig.decompress(0);
        rig.sim.fault(fault, 1);
        rig.compress(1);
        assert_eq!(rig.stats().breaker.opened, 1, "{fault:?}: {}", rig.stats());
        rig.clock.advance(100 * MS);
        rig.compress(2);
        rig.sim.fault(fault, 1);
        rig.decompress(3);
        let stats = rig.stats();
        assert_eq!(stats.breaker.opened, 2, "{fault:?}: {stats}");
        assert_adds_up(&stats, 5);
    }
}

#[test]
fn a_destination_that_is_too_small_is_not_a_fault() {
    let rig = Rig::new();
    let data = block(1, LEN);
    assert_eq!(rig.engines.compress(&data, &mut [0; 100]), Err(Error::OutputFull));
    let stats = rig.stats();
    assert_eq!(stats.accelerator.compress.output_full, 1, "{stats}");
    let theirs = zlib_compress(Format::Zlib, 6, &data).expect("writes to memory");
    for capacity in [1100, LEN - 1] {
        let result = rig.engines.decompress(&theirs, &mut vec![0; capacity]);
        assert_eq!(result, Err(Error::OutputFull));
    }
    assert_eq!(rig.stats().breaker.opened, 0, "{}", rig.stats());
}

#[test]
fn headers_that_the_device_would_skip_blindly_go_to_software() {
    let rig =
        Rig::with(Machine::default(), Format::Gzip, &UadkConfig::default(), Policy::default());
    let data = block(1, LEN);
    let mut named =
        flate2::GzBuilder::new().filename("block").write(Vec::new(), flate2::Compression::new(6));
    std::io::Write::write_all(&mut named, &data).expect("writes to memory");
    let named = named.finish().expect("writes to memory");
    let mut restored = vec![0; LEN];
    assert_eq!(rig.engines.decompress(&named, &mut restored), Ok(LEN));
    assert!(restored == data);
    let stats = rig.stats();
    assert_eq!(stats.fallbacks.unsupported, 1, "{stats}");
    assert_eq!(stats.breaker.opened, 0, "{stats}");
}

#[test]
fn directions_can_be_offloaded_separately() {
    for (compress, decompress) in [(true, false), (false, true)] {
        let rig = with_policy(Policy::default().with_directions(compress, decompress));
        rig.compress(1);
        rig.decompress(2);
        rig.compress_batch(10);
        rig.decompress_batch(10);
        let stats = rig.stats();
        let expected = |offloaded| if offloaded { 11 } else { 0 };
        assert_eq!(stats.accelerator.compress.blocks, expected(compress), "{stats}");
        assert_eq!(stats.accelerator.decompress.blocks, expected(decompress), "{stats}");
        assert_eq!(stats.fallbacks.switched_off, 11, "{stats}");
    }
}

#[test]
fn another_window_applies_to_the_device() {
    let data = block_with_far_matches(65_536);
    let config = UadkConfig::default().with_window(Window::Kib24);
    for (config, bits) in [(config, 14), (UadkConfig::default(), 15)] {
        let rig = Rig::with(Machine::default(), Format::Gzip, &config, Policy::default());
        let fits = |engine: &dyn BlockCompressor, bits| {
            zlib_decodes_with_window(bits, Format::Gzip, &compress(engine, &data), &data)
        };
        let window = |window| Settings::new().with_window(window);
        let narrow =
            rig.engines.reconfigured(&window(Window::Kib8)).expect("windows are supported");
        let wide = narrow.reconfigured(&window(Window::Kib32)).expect("windows are supported");
        for engine in [&narrow, &wide] {
            assert!(fits(engine, 13) && !fits(engine, 12));
        }
        assert!(fits(&rig.engines, bits) && !fits(&rig.engines, bits - 1));
        let stats = rig.stats();
        assert_eq!(stats.accelerator.compress.blocks, 6, "{stats}");
        assert_eq!(rig.uadk.stats().sessions, 2, "one per window");
    }
}

#[test]
fn the_library_knows_every_window() {
    for &window in Window::ALL {
        let config = UadkConfig::default().with_window(window);
        let rig = Rig::with(Machine::default(), Format::Zlib, &config, Policy::default());
        rig.compress(1);
        assert_eq!(rig.stats().accelerator.compress.blocks, 1, "{window:?}");
    }
}
