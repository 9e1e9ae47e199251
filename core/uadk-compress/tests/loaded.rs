//! `Compressor` in programs of their own: with the stand-in for libwd loaded as the real one would be,
//! with something strange in its place, and with nothing at all.
//!
//! Without the test harness: each case is a process of this program's own, with its own environment.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use common::{block, zlib_decompress};
use uadk_compress::{BlockCompressor, Compressor, Error, Format, Offload};

/// Says which case a child is.
const CASE: &str = "UADK_COMPRESS_TEST_CASE";

struct Case {
    name: &'static str,
    /// The folder with the libraries, if any.
    libraries: Option<fn() -> PathBuf>,
    environment: &'static [(&'static str, &'static str)],
    test: fn(),
}

const SCRIPT: &str = "UADK_SIM_SCRIPT";
const OFFLOAD: &str = "UADK_COMPRESS_OFFLOAD";

const CASES: &[Case] = &[
    Case {
        name: "where_there_is_a_device_it_is_used_by_itself",
        libraries: Some(stand_in),
        environment: &[],
        test: || {
            let compressor = Compressor::builder().build().expect("a sound device");
            wait_for_device(&compressor).expect("a sound device");
            compress(&compressor, 5);
            let stats = compressor.stats();
            assert_eq!((stats.accelerator.blocks(), stats.software.blocks()), (5, 0), "{stats}");
            assert_eq!(stats.uadk.expect("there is one").contexts, 8);
        },
    },
    Case {
        name: "two_compressors_of_different_formats_share_one_initialisation",
        libraries: Some(stand_in),
        environment: &[],
        test: || {
            let build = |format| Compressor::builder().format(format).build().expect("sound");
            let (zlib, gzip) = (build(Format::Zlib), build(Format::Gzip));
            wait_for_device(&gzip).expect("a sound device");
            compress(&zlib, 3);
            compress(&gzip, 3);
            drop(zlib);
            compress(&gzip, 3);
            let stats = gzip.stats();
            assert_eq!(stats.accelerator.blocks(), 6, "{stats}");
            assert_eq!(stats.uadk.expect("there is one").initialisations, 1);
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
        libraries: Some(stand_in),
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
        name: "a_file_that_is_no_library_is_described_and_not_used",
        libraries: Some(|| folder("strange", b"\x7fELF, but not really")),
        environment: &[],
        test: || software_because("libwd.so.2"),
    },
    Case {
        name: "a_library_of_something_else_is_described_and_not_used",
        libraries: Some(|| {
            // The program itself's C library has none of UADK's functions.
            let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux");
            let libc = maps.lines().find_map(|line| {
                line.find('/').map(|at| &line[at..]).filter(|path| path.contains("/libc.so"))
            });
            let contents = std::fs::read(libc.expect("a dynamic program")).expect("readable");
            folder("other", &contents)
        }),
        environment: &[],
        test: || software_because("has no function"),
    },
    Case {
        name: "what_is_required_and_may_not_be_opened_is_an_error_that_says_so",
        libraries: Some(stand_in),
        environment: &[(SCRIPT, "machine=no-permission"), (OFFLOAD, "require")],
        test: || {
            let error = Compressor::builder().build().unwrap_err();
            assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
            assert!(error.to_string().contains("write permission"), "{error}");
        },
    },
    Case {
        name: "what_may_not_be_opened_costs_speed_alone",
        libraries: Some(stand_in),
        environment: &[(SCRIPT, "machine=no-permission")],
        test: || {
            let compressor = Compressor::builder().build().expect("not required");
            wait_for_device(&compressor).expect_err("it may not be opened");
            compress(&compressor, 5);
            let stats = compressor.stats();
            assert_eq!(stats.software.blocks(), 5, "{stats}");
            assert_eq!(stats.fallbacks.unavailable, 1, "{stats}");
            assert!(stats.to_string().contains("write permission"), "{stats}");
        },
    },
    Case {
        name: "an_operator_who_says_off_has_the_libraries_left_alone",
        libraries: Some(stand_in),
        environment: &[(OFFLOAD, "off")],
        test: || {
            software_because("UADK_COMPRESS_OFFLOAD");
            let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux");
            assert!(!maps.contains("libuadk_sim.so"), "they were loaded");
        },
    },
    Case {
        name: "a_program_that_says_off_can_switch_it_on_later",
        libraries: Some(stand_in),
        environment: &[],
        test: || {
            let compressor = Compressor::builder().offload(Offload::Off).build().expect("off");
            compress(&compressor, 2);
            assert_eq!(compressor.stats().uadk.expect("there is one").initialisations, 0);
            compressor.set_offload(Offload::Require).expect("there is one");
            compress(&compressor, 2);
            assert_eq!(compressor.stats().accelerator.blocks(), 2, "{}", compressor.stats());
        },
    },
    Case {
        name: "a_format_that_the_device_lacks_is_done_in_software",
        libraries: Some(stand_in),
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
        "\ntest result: {}. {passed} passed; {failed} failed; 0 ignored; 0 measured; {} filtered out\n",
        if failed == 0 { "ok" } else { "FAILED" },
        CASES.len() - passed - failed,
    );
    ExitCode::from(u8::from(failed > 0))
}

/// Runs a case in a process of its own; whether it passed.
fn run(case: &Case) -> bool {
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    child.env_remove(SCRIPT).env_remove(OFFLOAD).env_remove("UADK_COMPRESS_LIB_DIR");
    if let Some(libraries) = case.libraries {
        child.env("UADK_COMPRESS_LIB_DIR", libraries());
    }
    child.env(CASE, case.name).envs(case.environment.iter().copied());
    child.status().is_ok_and(|status| status.success())
}

fn stand_in() -> PathBuf {
    uadk_sim::library_dir().expect("built with this test")
}

/// A folder with a file in the place of libwd.
fn folder(name: &str, contents: &[u8]) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&dir).expect("a folder");
    std::fs::write(dir.join("libwd.so.2"), contents).expect("a file");
    dir
}

/// Waits until the device has been initialised, which happens in the background.
fn wait_for_device(compressor: &Compressor) -> Result<(), Error> {
    compressor.set_offload(Offload::Require)?;
    compressor.set_offload(Offload::Auto)
}

/// Compresses blocks and has zlib check them.
fn compress(compressor: &Compressor, blocks: u64) {
    for seed in 0..blocks {
        let data = block(seed, 8192);
        let mut compressed = vec![0; compressor.max_compressed_len(data.len())];
        let len = compressor.compress(&data, &mut compressed).expect("the bound holds");
        let restored = zlib_decompress(compressor.format(), &compressed[..len]);
        assert!(restored.expect("valid") == data);
    }
}

/// Software does every block, and the counters say why.
fn software_because(reason: &str) {
    let compressor = Compressor::builder().build().expect("not required");
    compress(&compressor, 5);
    let stats = compressor.stats();
    assert_eq!(stats.software.blocks(), 5, "{stats}");
    assert_eq!(stats.fallbacks.no_accelerator, 5, "{stats}");
    assert!(stats.uadk.is_none(), "{stats}");
    let why = stats.unavailable.as_deref().expect("there is none");
    assert!(why.contains(reason), "{why}");
}
