//! Real migrations: two unmodified QEMUs with our proxy between them.

mod proxy;
mod qemu;
mod qmp;
mod recorder;
mod relay;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use tempfile::TempDir;
use uadk_compress::{Compressor, Format, UadkConfig};
use uadk_compress_pages::GuestRam;
use uadk_compress_pages::multifd::{Method, Received, Receiver, Settings, ZstdMode};

use proxy::{Proxy, socket};
use qemu::{Guest, guest_memory};

/// Starts two guests. The second has different memory from the first until the migration.
fn guests(folder: &TempDir, source_method: &str, destination_method: &str) -> (Guest, Guest) {
    let ram = guest_memory();
    let mut source = Guest::start(folder.path(), "source", &ram);
    let mut destination = Guest::start(folder.path(), "destination", &vec![0; ram.len()]);
    source.multifd(source_method);
    destination.multifd(destination_method);
    destination.incoming(&socket(folder.path(), "in"));
    (source, destination)
}

/// Migrates in at least two rounds, in between which pages change, become zero, or stop being zero.
/// Then both guests' memory must be the same.
fn migrate_in_rounds(source: &mut Guest, destination: &mut Guest, uri: &str) {
    source.qmp.parameters(json!({ "max-bandwidth": 1 << 20, "downtime-limit": 1 }));
    source.migrate(uri);
    // Wait until the first pages have been sent, and the last ones not yet.
    source.qmp.migration(|state| state["ram"]["transferred"].as_u64() > Some(1 << 20));
    let mut qtest = source.qtest();
    for number in 0..32 {
        // Pages of all kinds change, become zero, or stop being zero.
        let byte = if number % 16 < 8 { 0 } else { number as u8 };
        qtest.fill(number * 4096, 4096, byte);
    }
    qtest.fill(40 << 20, 1 << 20, 0x5a);
    drop(qtest);
    source.qmp.parameters(json!({ "max-bandwidth": 1_u64 << 33, "downtime-limit": 2000 }));
    let state = source.qmp.outcome();
    assert_eq!(state["status"], "completed", "{state}");
    let rounds = state["ram"]["dirty-sync-count"].as_u64().expect("a count");
    assert!(rounds >= 2, "{state}");
    let state = destination.qmp.outcome();
    assert_eq!(state["status"], "completed", "{state}");
    assert!(source.memory() == destination.memory(), "the guests' memory differs");
}

fn through_one_proxy(from: &str, to: &str) {
    let folder = TempDir::new().expect("a directory");
    let (mut source, mut destination) = guests(&folder, from, to);
    let proxy = Proxy::start("tcp:127.0.0.1:0", &socket(folder.path(), "in"), from, to);
    let address = proxy.address.clone();
    migrate_in_rounds(&mut source, &mut destination, &address);
    let ended = proxy.wait();
    assert!(ended.success, "{}", ended.errors);
    assert!(ended.output.starts_with("2 channels, "), "{}", ended.output);
}

#[test]
fn a_stock_destination_inflates_the_pages_that_we_deflate() {
    through_one_proxy("none", "zlib");
}

#[test]
fn a_stock_source_deflates_pages_that_we_inflate() {
    through_one_proxy("zlib", "none");
}

#[test]
fn a_stock_destination_reads_our_zstd() {
    through_one_proxy("none", "zstd");
}

/// Migrates from a stock source to a stock destination of zstd, with each page as a frame. Returns
/// the number of pages with data.
fn migrate_in_frames(settings: Settings) -> u64 {
    let folder = TempDir::new().expect("a directory");
    let (mut source, mut destination) = guests(&folder, "none", "zstd");
    let [out, input] = ["out", "in"].map(|name| folder.path().join(name));
    let pages = relay::relay(out, input, Settings::new(Method::None), settings);
    migrate_in_rounds(&mut source, &mut destination, &socket(folder.path(), "out"));
    pages.load(Ordering::Relaxed)
}

#[test]
fn a_stock_destination_reads_pages_that_are_zstd_frames() {
    let pages = migrate_in_frames(Settings::new(Method::Zstd).zstd(ZstdMode::Frames));
    assert!(pages > 8000, "{pages}");
}

#[test]
fn a_stock_destination_reads_zstd_frames_from_an_accelerator() {
    let _sim = uadk_sim::Simulator::acquire(uadk_sim::Machine::lz77());
    let config = UadkConfig::default().with_background(false);
    let builder = Compressor::builder().format(Format::Zstd).uadk(config);
    let codec = builder.build_on(&uadk_sim::libwd_of("2.10")).expect("there is a device");
    let settings = Settings::new(Method::Zstd).zstd(ZstdMode::Frames);
    let pages = migrate_in_frames(settings.codec(Arc::new(codec.clone())));
    let stats = codec.stats();
    let blocks = stats.accelerator.compress.blocks;
    assert!(blocks > 100 && blocks <= pages, "{pages} pages, {stats}");
}

#[test]
fn a_stock_destination_reads_a_proxys_frames_from_an_accelerator() {
    let folder = TempDir::new().expect("a directory");
    let (mut source, mut destination) = guests(&folder, "none", "zstd");
    let [listen, connect] = ["out", "in"].map(|name| socket(folder.path(), name));
    let proxy = Proxy::start_with(&listen, &connect, "none", "zstd", |command| {
        let stand_in = uadk_sim::library_dir().expect("the simulator is built");
        command.arg("--zstd-frames").env("UADK_COMPRESS_LIB_DIR", stand_in);
        command.env("UADK_SIM_SCRIPT", "machine=lz77");
    });
    migrate_in_rounds(&mut source, &mut destination, &listen);
    let ended = proxy.wait();
    assert!(ended.success, "{}", ended.errors);
    let by_accelerator = ended.output.lines().find(|line| line.starts_with("accelerator compress"));
    assert!(by_accelerator.is_some_and(|line| !line.contains(" 0 blocks")), "{}", ended.output);
}

#[test]
fn we_read_a_stock_sources_zstd() {
    through_one_proxy("zstd", "none");
}

/// Migrates: source (none), proxy, `method`, proxy, destination (none).
fn through_two_proxies(method: &str, script: Option<&str>) -> [String; 2] {
    let prepare = |command: &mut Command| {
        if let Some(script) = script {
            let stand_in = uadk_sim::library_dir().expect("the simulator is built");
            command.env("UADK_COMPRESS_LIB_DIR", stand_in).env("UADK_SIM_SCRIPT", script);
        }
    };
    let folder = TempDir::new().expect("a directory");
    let (mut source, mut destination) = guests(&folder, "none", "none");
    let between = socket(folder.path(), "between");
    let (input, output) = (socket(folder.path(), "in"), socket(folder.path(), "out"));
    let second = Proxy::start_with(&between, &input, method, "none", prepare);
    let first = Proxy::start_with(&output, &between, "none", method, prepare);
    let address = first.address.clone();
    migrate_in_rounds(&mut source, &mut destination, &address);
    [first, second].map(|proxy| {
        let ended = proxy.wait();
        assert!(ended.success, "{}", ended.errors);
        ended.output
    })
}

#[test]
fn two_proxies_put_uadk_between_qemus_that_do_not_have_it() {
    through_two_proxies("uadk", None);
}

#[test]
fn two_proxies_put_qpl_between_qemus_that_do_not_have_it() {
    through_two_proxies("qpl", None);
}

#[test]
fn an_accelerator_that_keeps_failing_does_not_fail_the_migration() {
    let script = "seed=5; busy=1/20; lost=1/2000:50; reset=1/3000; status=1/100:67; context=1/900";
    for output in through_two_proxies("uadk", Some(script)) {
        assert!(output.contains("accelerator"), "{output}");
    }
}

#[test]
fn when_the_destination_dies_the_source_lives_and_migrates_elsewhere() {
    let folder = TempDir::new().expect("a directory");
    let (mut source, mut destination) = guests(&folder, "none", "zlib");
    let proxy =
        Proxy::start(&socket(folder.path(), "out"), &socket(folder.path(), "in"), "none", "zlib");
    source.qmp.parameters(json!({ "max-bandwidth": 1 << 20 }));
    source.migrate(&proxy.address);
    source.qmp.migration(|state| state["ram"]["transferred"].as_u64() > Some(1 << 20));
    destination.kill();
    let state = source.qmp.outcome();
    assert_eq!(state["status"], "failed", "{state}");
    assert_eq!(source.status(), "prelaunch");
    let ended = proxy.wait();
    assert!(!ended.success);
    assert!(ended.errors.contains("the guest keeps running on the source"), "{}", ended.errors);

    let mut other = Guest::start(folder.path(), "destination2", &vec![0; qemu::RAM]);
    other.multifd("zlib");
    other.incoming(&socket(folder.path(), "in2"));
    let proxy =
        Proxy::start(&socket(folder.path(), "out"), &socket(folder.path(), "in2"), "none", "zlib");
    let address = proxy.address.clone();
    migrate_in_rounds(&mut source, &mut other, &address);
    assert!(proxy.wait().success);
}

#[test]
fn when_the_far_proxy_dies_the_source_lives() {
    let folder = TempDir::new().expect("a directory");
    let (mut source, _destination) = guests(&folder, "none", "none");
    let between = socket(folder.path(), "between");
    let mut second = Proxy::start(&between, &socket(folder.path(), "in"), "uadk", "none");
    let first = Proxy::start(&socket(folder.path(), "out"), &between, "none", "uadk");
    source.qmp.parameters(json!({ "max-bandwidth": 1 << 20 }));
    source.migrate(&first.address);
    source.qmp.migration(|state| state["ram"]["transferred"].as_u64() > Some(1 << 20));
    second.kill();
    assert_eq!(source.qmp.outcome()["status"], "failed");
    assert_eq!(source.status(), "prelaunch");
    assert!(!first.wait().success);
}

#[test]
fn an_unexpected_method_fails_the_migration_with_both_names() {
    let folder = TempDir::new().expect("a directory");
    let (mut source, _destination) = guests(&folder, "zstd", "none");
    let proxy =
        Proxy::start(&socket(folder.path(), "out"), &socket(folder.path(), "in"), "zlib", "none");
    source.migrate(&proxy.address);
    assert_eq!(source.qmp.outcome()["status"], "failed");
    assert_eq!(source.status(), "prelaunch");
    let ended = proxy.wait();
    assert!(!ended.success);
    for part in ["multifd channel ", "packet ", "method is zstd", "expects zlib"] {
        assert!(ended.errors.contains(part), "{part:?} is not in {}", ended.errors);
    }
}

#[test]
fn a_destination_that_does_not_listen_fails_the_migration() {
    let folder = TempDir::new().expect("a directory");
    let mut source = Guest::start(folder.path(), "source", &vec![1; 8 << 20]);
    source.multifd("none");
    let proxy = Proxy::start(&socket(folder.path(), "out"), "unix:/nowhere/at/all", "none", "zlib");
    source.migrate(&proxy.address);
    assert_eq!(source.qmp.outcome()["status"], "failed");
    assert_eq!(source.status(), "prelaunch");
    assert!(proxy.wait().errors.contains("can't connect to the destination unix:/nowhere/at/all"));
}

/// Records the streams between two QEMUs, without our proxy between them. With
/// `UADK_COMPRESS_FIXTURES=DIR` they are kept there. The streams that the tests of
/// `uadk-compress-pages` replay were made this way.
#[test]
fn streams_between_qemus_contain_the_guests_memory() {
    let fixtures = std::env::var_os("UADK_COMPRESS_FIXTURES").map(PathBuf::from);
    let mut ram = guest_memory();
    ram.truncate(1 << 20);
    // Mostly zero pages, so that the fixtures are small.
    ram[1 << 17..7 << 17].fill(0);
    for method in ["none", "zlib", "zstd"] {
        let folder = TempDir::new().expect("a directory");
        // Without firmware and its tables, the streams contain nothing but what we put there.
        let bios = folder.path().join("bios");
        std::fs::write(&bios, vec![0; 1 << 16]).expect("a file");
        let more = ["-machine", "acpi=off", "-bios", bios.to_str().expect("a name in UTF-8")];
        let start = |name: &str, ram: &[u8]| Guest::start_with(folder.path(), name, ram, &more);
        let mut source = start("source", &ram);
        let mut destination = start("destination", &vec![0; ram.len()]);
        source.multifd(method);
        destination.multifd(method);
        destination.incoming(&socket(folder.path(), "in"));
        let recording = recorder::record(folder.path().join("out"), folder.path().join("in"));
        source.qmp.parameters(json!({ "max-bandwidth": 1 << 16, "downtime-limit": 1 }));
        source.migrate(&socket(folder.path(), "out"));
        source.qmp.migration(|state| state["ram"]["transferred"].as_u64() > Some(1 << 12));
        let mut qtest = source.qtest();
        qtest.fill(0, 8 * 4096, 0);
        qtest.fill(9 << 16, 4096, 0x33);
        drop(qtest);
        source.qmp.parameters(json!({ "max-bandwidth": 1_u64 << 33, "downtime-limit": 2000 }));
        let state = source.qmp.outcome();
        assert_eq!(state["status"], "completed", "{state}");
        assert_eq!(destination.qmp.outcome()["status"], "completed");
        assert!(source.memory() == destination.memory());
        let final_ram = source.memory();
        source.kill();
        while recording.lock().len() < 2 {
            std::thread::yield_now();
        }
        let recording = recording.lock();
        assert!(read(&recording, method) == final_ram, "{method}");
        if let Some(fixtures) = &fixtures {
            keep(fixtures, method, &recording, &final_ram).expect("a fixture");
        }
    }
}

/// Reads both channels, each up to its next SYNC in turn, as a destination must. Returns the
/// memory.
fn read(recording: &BTreeMap<u8, Vec<u8>>, method: &str) -> Vec<u8> {
    let memory = |pages: usize| (0..pages * 512).map(|_| AtomicU64::new(0)).collect::<Vec<_>>();
    let [ram, bios, rom] = [256, 64, 32].map(memory);
    let blocks = [("ram0", &ram), ("pc.bios", &bios), ("pc.rom", &rom)]
        .map(|(name, words)| (name, GuestRam::from_words(words)));
    let settings = Settings::new(method.parse().expect("a method"));
    let mut receivers: Vec<_> = recording
        .values()
        .map(|stream| Receiver::new(&stream[..], &settings).expect("a hello"))
        .collect();
    while !receivers.is_empty() {
        receivers.retain_mut(|receiver| {
            loop {
                match receiver.receive_into(&blocks).expect("a complete stream") {
                    Some(Received::Sync) => return true,
                    Some(_) => {}
                    None => return false,
                }
            }
        });
    }
    ram.iter().flat_map(|word| word.load(Ordering::Relaxed).to_ne_bytes()).collect()
}

fn keep(
    folder: &Path,
    method: &str,
    recording: &BTreeMap<u8, Vec<u8>>,
    ram: &[u8],
) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let file = std::fs::File::create(folder.join("ram.gz"))?;
    let mut file = flate2::write::GzEncoder::new(file, flate2::Compression::best());
    file.write_all(ram)?;
    file.try_finish()?;
    for (channel, stream) in recording {
        std::fs::write(folder.join(format!("{method}-{channel}.multifd")), stream)?;
    }
    Ok(())
}
