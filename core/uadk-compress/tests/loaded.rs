//! `Compressor` in separate processes: with the simulated libwd loaded as the real one would be,
//! with an unexpected file instead of it, and with none at all.
//!
//! Has no test harness: each case runs this program in a process with its own environment.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use common::{block, zlib_decompress};
use uadk_compress::{BlockCompressor, Compressor, Error, Format, Offload};

/// Names the case that a child process runs.
const CASE: &str = "UADK_COMPRESS_TEST_CASE";

struct Case {
    name: &'static str,
    /// The directory with the libraries, if any.
    libraries: Option<fn() -> PathBuf>,
    environment: &'static [(&'static str, &'static str)],
    test: fn(),
}

const SCRIPT: &str = "UADK_SIM_SCRIPT";
const OFFLOAD: &str = "UADK_COMPRESS_OFFLOAD";

const CASES: &[Case] = &[
    Case {
        name: "a_device_is_used_automatically",
        libraries: Some(simulator),
        environment: &[],
        test: || {
            let compressor = Compressor::builder().build().expect("a healthy device");
            wait_for_device(&compressor).expect("a healthy device");
            compress(&compressor, 5);
            let stats = compressor.stats();
            assert_eq!((stats.accelerator.blocks(), stats.software.blocks()), (5, 0), "{stats}");
            assert_eq!(stats.uadk.expect("a UADK engine").contexts, 8);
        },
    },
    Case {
        name: "two_compressors_of_different_formats_share_one_initialisation",
        libraries: Some(simulator),
        environment: &[],
        test: || {
            let build =
                |format| Compressor::builder().format(format).build().expect("a healthy device");
            let (zlib, gzip) = (build(Format::Zlib), build(Format::Gzip));
            wait_for_device(&gzip).expect("a healthy device");
            compress(&zlib, 3);
            compress(&gzip, 3);
            drop(zlib);
            compress(&gzip, 3);
            let stats = gzip.stats();
            assert_eq!(stats.accelerator.blocks(), 6, "{stats}");
            assert_eq!(stats.uadk.expect("a UADK engine").initialisations, 1);
        },
    },
    Case {
        name: "the_same_program_runs_where_the_libraries_are_absent",
        libraries: None,
        environment: &[],
        test: || software_because("libwd.so.2"),
    },
    Case {
        name: "libraries_without_a_device_are_not_used",
        libraries: Some(simulator),
        environment: &[(SCRIPT, "machine=no-device")],
        test: || {
            let compressor = Compressor::builder().build().expect("not required");
            let error = wait_for_device(&compressor).unwrap_err();
            assert!(error.to_string().contains("no UACCE device"), "{error}");
            compress(&compressor, 5);
            let stats = compressor.stats();
            assert_eq!(stats.software.blocks(), 5, "{stats}");
            assert!(stats.to_string().contains("no UACCE device"), "{stats}");
        },
    },
    Case {
        name: "a_file_that_is_not_a_library_is_reported_and_not_used",
        libraries: Some(|| fake_libwd("strange", b"\x7fELF, but not really")),
        environment: &[],
        test: || software_because("libwd.so.2"),
    },
    Case {
        name: "another_library_is_reported_and_not_used",
        libraries: Some(|| {
            // This program's C library has none of UADK's functions.
            let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux");
            let libc = maps.lines().find_map(|line| {
                line.find('/').map(|at| &line[at..]).filter(|path| path.contains("/libc.so"))
            });
            let libc = libc.expect("a dynamically linked program");
            let contents = std::fs::read(libc).expect("a readable file");
            fake_libwd("other", &contents)
        }),
        environment: &[],
        test: || software_because("is not a UADK library"),
    },
    Case {
        name: "a_required_device_that_may_not_be_opened_is_an_error_that_says_so",
        libraries: Some(simulator),
        environment: &[(SCRIPT, "machine=no-permission"), (OFFLOAD, "require")],
        test: || {
            let error = Compressor::builder().build().unwrap_err();
            assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
            assert!(error.to_string().contains("write permission"), "{error}");
        },
    },
    Case {
        name: "a_device_that_may_not_be_opened_only_costs_speed",
        libraries: Some(simulator),
        environment: &[(SCRIPT, "machine=no-permission")],
        test: || {
            let compressor = Compressor::builder().build().expect("not required");
            wait_for_device(&compressor).expect_err("the device may not be opened");
            compress(&compressor, 5);
            let stats = compressor.stats();
            assert_eq!(stats.software.blocks(), 5, "{stats}");
            assert_eq!(stats.fallbacks.unavailable, 1, "{stats}");
            assert!(stats.to_string().contains("write permission"), "{stats}");
        },
    },
    Case {
        name: "switched_off_by_the_environment_the_libraries_are_not_loaded",
        libraries: Some(simulator),
        environment: &[(OFFLOAD, "off")],
        test: || {
            software_because("UADK_COMPRESS_OFFLOAD");
            let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux");
            assert!(!maps.contains("libuadk_sim.so"), "the libraries were loaded");
        },
    },
    Case {
        name: "a_program_that_starts_with_off_can_switch_it_on_later",
        libraries: Some(simulator),
        environment: &[],
        test: || {
            let compressor = Compressor::builder().offload(Offload::Off).build().expect("off");
            compress(&compressor, 2);
            assert_eq!(compressor.stats().uadk.expect("a UADK engine").initialisations, 0);
            compressor.set_offload(Offload::Require).expect("a UADK engine");
            compress(&compressor, 2);
            assert_eq!(compressor.stats().accelerator.blocks(), 2, "{}", compressor.stats());
        },
    },
    Case {
        name: "a_format_that_the_device_lacks_goes_to_software",
        libraries: Some(simulator),
        environment: &[(SCRIPT, "machine=no-raw-deflate")],
        test: || {
            let raw = Compressor::builder().format(Format::RawDeflate).build().expect("via zlib");
            wait_for_device(&raw).expect("via zlib");
            compress(&raw, 2);
            assert_eq!(raw.stats().accelerator.compress.blocks, 2, "{}", raw.stats());
            let mut compressed = vec![0; 9000];
            let len = raw.compress(&block(1, 8192), &mut compressed).expect("it fits");
            assert_eq!(raw.decompress(&compressed[..len], &mut [0; 8192]), Ok(8192));
            assert_eq!(raw.stats().fallbacks.unsupported, 1, "{}", raw.stats());
        },
    },
];

fn main() -> ExitCode {
    if let Ok(name) = std::env::var(CASE) {
        let case = CASES.iter().find(|case| case.name == name).expect("a case of this program");
        (case.test)();
        return ExitCode::SUCCESS;
    }
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let wanted = |case: &&Case| filter.as_ref().is_none_or(|filter| case.name.contains(filter));
    let (mut passed, mut failed) = (0, 0);
    for case in CASES.iter().filter(wanted) {
        let ok = run(case);
        println!("test {} ... {}", case.name, if ok { "ok" } else { "FAILED" });
        *(if ok { &mut passed } else { &mut failed }) += 1;
    }
    println!(
        "\ntest result: {}. {passed} passed; {failed} failed; 0 ignored; 0 measured; \
         {} filtered out\n",
        if failed == 0 { "ok" } else { "FAILED" },
        CASES.len() - passed - failed,
    );
    ExitCode::from(u8::from(failed > 0))
}

/// Runs a case in a separate process. Returns whether it passed.
fn run(case: &Case) -> bool {
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    child.env_remove(SCRIPT).env_remove(OFFLOAD).env_remove("UADK_COMPRESS_LIB_DIR");
    if let Some(libraries) = case.libraries {
        child.env("UADK_COMPRESS_LIB_DIR", libraries());
    }
    child.env(CASE, case.name).envs(case.environment.iter().copied());
    child.status().is_ok_and(|status| status.success())
}

fn simulator() -> PathBuf {
    uadk_sim::library_dir().expect("built with this test")
}

/// Creates a directory where libwd is a file with these contents.
fn fake_libwd(name: &str, contents: &[u8]) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&dir).expect("creates a directory");
    std::fs::write(dir.join("libwd.so.2"), contents).expect("writes a file");
    dir
}

/// Waits until the device has been initialised, which happens in the background.
fn wait_for_device(compressor: &Compressor) -> Result<(), Error> {
    compressor.set_offload(Offload::Require)?;
    compressor.set_offload(Offload::Auto)
}

/// Compresses blocks and checks them with zlib.
fn compress(compressor: &Compressor, blocks: u64) {
    for seed in 0..blocks {
        let data = block(seed, 8192);
        let mut compressed = vec![0; compressor.max_compressed_len(data.len())];
        let len = compressor.compress(&data, &mut compressed).expect("the bound holds");
        let restored = zlib_decompress(compressor.format(), &compressed[..len]);
        assert!(restored.expect("valid data") == data);
    }
}

/// Asserts that software processes every block, and that the counters say why.
fn software_because(expected: &str) {
    let compressor = Compressor::builder().build().expect("not required");
    compress(&compressor, 5);
    let stats = compressor.stats();
    assert_eq!(stats.software.blocks(), 5, "{stats}");
    assert_eq!(stats.fallbacks.no_accelerator, 5, "{stats}");
    assert!(stats.uadk.is_none(), "{stats}");
    let reason = stats.unavailable.as_deref().expect("a reason");
    assert!(reason.contains(expected), "{reason}");
}
