//! The accelerator path on a simulated UADK library: healthy, failing and gone.

use std::io::{Cursor, Read};
use std::sync::Arc;

use uadk_compress::clock::SystemClock;
use uadk_compress::offload::Verify;
use uadk_compress::{
    Format, Level, OffloadCompressor, Policy, SoftwareCompressor, UadkCompressor, UadkConfig,
};
use uadk_compress_archive::{ArchiveOptions, GzOptions, Layout};
use uadk_sim::{Machine, Simulator};

use crate::common::{append_sample, noise, read_all, run, sample_files, text, verify};

/// Runs `work` with the simulator controlled by `script`.
fn with_device(script: &str, work: impl FnOnce(&ArchiveOptions, &GzOptions)) {
    let sim = Simulator::acquire(Machine::default());
    sim.script(script).expect("a valid script");
    // The simulator does not have UADK's problem with truncated raw deflate.
    let config = UadkConfig::default().with_background(false).with_raw_deflate_decompression(true);
    let (libwd, clock) = (uadk_sim::libwd(), SystemClock::default());
    let uadk = UadkCompressor::with_libwd(&libwd, Format::RawDeflate, &config, clock);
    let uadk = uadk.expect("a device");
    let software = SoftwareCompressor::new(Format::RawDeflate, Level::BALANCED).expect("software");
    // Without a hold-off, the device is tried again and again, however fast the test is.
    let hold_off = std::time::Duration::ZERO;
    let policy =
        Policy::default().with_hold_off(hold_off, hold_off).with_verify(Verify::Compressed);
    let engine = Arc::new(OffloadCompressor::new(uadk, software, policy).expect("the same format"));
    let gzip =
        GzOptions::new().layout(Layout::Bgzf).threads(3).compressor(Arc::clone(&engine) as _);
    let archive =
        ArchiveOptions::new().layout(Layout::Bgzf).threads(3).compressor(Arc::clone(&engine) as _);
    work(&archive, &gzip);
    let stats = engine.stats();
    let asked = stats.accelerator.blocks() + stats.fallbacks.device_error;
    assert!(asked > 0, "{script}: the device was not used: {stats}");
    // The simulator must outlive its sessions.
    drop((archive, gzip, engine));
    drop(sim);
}

const SCRIPTS: [&str; 7] = [
    "",
    "seed=1; busy=1/3",
    "seed=2; status=1/20:67; return=1/30:-5",
    "seed=3; flip=1/10; short=1/15:1; claims=1/15:99",
    "seed=4; lost=1/60:20; late=1/10:4",
    "seed=5; context=1/40; reset=1/90",
    "seed=7; busy=1/20; late=1/15:4; lost=1/300:100; context=1/200; reset=1/300; status=1/50:67",
];

#[test]
fn streams_are_intact_whatever_the_device_does() {
    let data = [text(3_000_000, 1), noise(300_000, 2), text(1_000_000, 3)].concat();
    for script in SCRIPTS {
        with_device(script, |_, gzip| {
            let file = gzip.compress(&data[..], Vec::new()).expect("writes to memory");
            assert!(run("tabix", "bgzip", &["-dc"], &file) == data, "{script}");
            let mut read = Vec::new();
            gzip.reader(&file[..]).expect("a reader").read_to_end(&mut read).expect("intact");
            assert!(read == data, "{script}");
        });
    }
}

#[test]
fn output_of_the_device_is_joined_into_one_member() {
    let data = [text(3_000_000, 1), noise(300_000, 2), text(1_000_000, 3)].concat();
    for script in SCRIPTS {
        with_device(script, |_, gzip| {
            let gzip = gzip.clone().layout(Layout::OneMember);
            let file = gzip.compress(&data[..], Vec::new()).expect("writes to memory");
            assert!(run("pigz", "pigz", &["-dc"], &file) == data, "{script}");
            let mut read = Vec::new();
            gzip.reader(&file[..]).expect("a reader").read_to_end(&mut read).expect("intact");
            assert!(read == data, "{script}");
        });
    }
}

#[test]
fn archives_are_intact_whatever_the_device_does() {
    for script in SCRIPTS {
        with_device(script, |options, _| {
            let mut archive = options.writer(Vec::new()).expect("an archive");
            append_sample(&mut archive);
            let file = archive.finish().expect("writes to memory");
            verify(&file).unwrap_or_else(|error| panic!("{script}: {error}"));
            assert!(read_all(&file) == sample_files(), "{script}");
            let mut reader = options.reader(Cursor::new(&file)).expect("a reader");
            for (name, contents) in sample_files() {
                let mut read = Vec::new();
                reader.open(&name).expect("it exists").read_to_end(&mut read).expect("intact");
                assert!(read == contents, "{script}: {name}");
            }
            // Interrupted and resumed.
            let torn = file[..file.len() / 2].to_vec();
            let (mut archive, recovered) = options.resume(Cursor::new(torn)).expect("a torn end");
            for (name, contents) in &sample_files()[recovered.entries.len()..] {
                archive.append_bytes(name, contents).expect("writes to memory");
            }
            let file = archive.finish().expect("writes to memory").into_inner();
            assert!(read_all(&file) == sample_files(), "{script}");
        });
    }
}

#[test]
fn damaged_data_is_not_blamed_on_the_device() {
    with_device("seed=6; flip=1/9", |_, gzip| {
        let data = text(2_000_000, 5);
        let mut file = gzip.compress(&data[..], Vec::new()).expect("writes to memory");
        let middle = file.len() / 2;
        file[middle] ^= 4;
        let mut read = Vec::new();
        let error = gzip.reader(&file[..]).expect("a reader").read_to_end(&mut read).unwrap_err();
        assert!(error.to_string().contains("is damaged"), "{error}");
        assert!(data.starts_with(&read) && read.len() > data.len() / 3);
    });
}
