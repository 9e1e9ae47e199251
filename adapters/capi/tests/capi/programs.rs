//! The C and the C++ test program, by two compilers, plainly, under valgrind and under `ASan`.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools::{CLANG, CLANGXX, Compiler, GCC, GXX, Link, built, crate_dir, run, scratch};

/// Faults of the simulated device: every kind that a program could notice.
const FAULTS: &str = "machine=lz77; seed=7; busy=1/30; late=1/15:4; lost=1/1500:50; flip=1/60; \
    status=1/80:67; return=1/90:-5; claims=1/100:99; short=1/110:1; consumed=1/120:99";

fn source(name: &str) -> PathBuf {
    crate_dir().join("tests/c").join(name)
}

/// Runs a program without an accelerator, even if this machine has one: `wrapper` runs it.
fn run_software(program: &Path, wrapper: &[&str]) {
    // A library that is not UADK's.
    let dir = program.with_extension("no-uadk");
    std::fs::create_dir_all(&dir).expect("a new directory");
    std::os::unix::fs::symlink(built("libuadk_compress_capi.so"), dir.join("libwd.so.2"))
        .expect("a new directory");
    passes(command(program, wrapper).arg("software").env("UADK_COMPRESS_LIB_DIR", dir));
}

/// Runs a program on a simulated device that keeps failing.
fn run_device(program: &Path) {
    let libraries = uadk_sim::library_dir().expect("cargo has built the simulator");
    let mut command = command(program, &[]);
    command.env("UADK_COMPRESS_LIB_DIR", libraries).env("UADK_SIM_SCRIPT", FAULTS);
    // The memory of blocks that the device has lost is kept on purpose.
    command.env("ASAN_OPTIONS", "detect_leaks=0");
    passes(command.arg("device"));
}

fn command(program: &Path, wrapper: &[&str]) -> Command {
    let mut command = match wrapper {
        [] => Command::new(program),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
    };
    command.env_remove("UADK_COMPRESS_OFFLOAD").env_remove("UADK_SIM_SCRIPT");
    command
}

fn passes(command: &mut Command) {
    // The only program that may be missing.
    assert_eq!(run("valgrind", command), "passed\n", "{command:?}");
}

/// Compiles a test program. Tests run at the same time, so each has a name of its own.
fn compile(compiler: Compiler, file: &str, name: &str) -> PathBuf {
    compiler.compile(&source(file), name, Link::Shared)
}

#[test]
fn a_c_program_compiled_by_gcc_passes() {
    let program = compile(GCC, "test.c", "plain");
    run_software(&program, &[]);
    run_device(&program);
}

#[test]
fn a_cpp_program_compiled_by_gcc_passes() {
    let program = compile(GXX, "test.cc", "plain");
    run_software(&program, &[]);
    run_device(&program);
}

#[test]
fn a_c_program_compiled_by_clang_passes() {
    run_software(&compile(CLANG, "test.c", "plain"), &[]);
}

#[test]
fn a_cpp_program_compiled_by_clang_passes() {
    run_software(&compile(CLANGXX, "test.cc", "plain"), &[]);
}

#[test]
fn a_c_program_that_links_the_static_library_passes() {
    run_software(&GCC.compile(&source("test.c"), "static", Link::Static), &[]);
}

/// Invalid accesses, uses of uninitialised memory, and leaks are errors. libdeflate keeps pointers
/// into the middle of its allocations alone, so a forked child that exits at once leaves some that
/// are possibly lost.
const VALGRIND: &[&str] = &[
    "valgrind",
    "--quiet",
    "--error-exitcode=9",
    "--leak-check=full",
    "--errors-for-leak-kinds=definite,indirect",
];

#[test]
fn a_c_program_passes_under_valgrind() {
    run_software(&compile(GCC, "test.c", "valgrind"), VALGRIND);
}

#[test]
fn a_cpp_program_passes_under_valgrind() {
    run_software(&compile(GXX, "test.cc", "valgrind"), VALGRIND);
}

#[test]
fn a_c_program_passes_under_asan() {
    let program = GCC.compile(&source("test.c"), "asan", Link::SharedWithAsan);
    run_software(&program, &[]);
    run_device(&program);
}

#[test]
fn a_cpp_program_passes_under_asan() {
    let program = GXX.compile(&source("test.cc"), "asan", Link::SharedWithAsan);
    run_software(&program, &[]);
    run_device(&program);
}

#[test]
fn other_codecs_read_what_c_writes_and_the_other_way_round() {
    let program = compile(GCC, "test.c", "exchange");
    let dir = scratch("exchange-files");
    let block: Vec<u8> = (0..50_000_u32).flat_map(|i| (i / 7).to_le_bytes()).collect();
    let write = |name: &str, bytes: &[u8]| std::fs::write(dir.join(name), bytes).expect("new");
    let read = |name: &str| std::fs::read(dir.join(name)).expect("written by the program");

    write("block", &block);
    let level = flate2::Compression::new(6);
    let deflate = flate2::write::DeflateEncoder::new(Vec::new(), level);
    write("in.deflate", &finish(deflate, &block, flate2::write::DeflateEncoder::finish));
    let zlib = flate2::write::ZlibEncoder::new(Vec::new(), level);
    write("in.zlib", &finish(zlib, &block, flate2::write::ZlibEncoder::finish));
    let gzip = flate2::write::GzEncoder::new(Vec::new(), level);
    write("in.gzip", &finish(gzip, &block, flate2::write::GzEncoder::finish));
    let mut zstd = Vec::with_capacity(zstd_safe::compress_bound(block.len()));
    zstd_safe::compress(&mut zstd, &block, 3).expect("enough space");
    write("in.zstd", &zstd);
    write("in.lz4", &lz4_flex::block::compress(&block));

    passes(command(&program, &[]).arg("exchange").arg(&dir));

    assert_eq!(read_all(flate2::read::DeflateDecoder::new(&read("out.deflate")[..])), block);
    assert_eq!(read_all(flate2::read::ZlibDecoder::new(&read("out.zlib")[..])), block);
    assert_eq!(read_all(flate2::read::GzDecoder::new(&read("out.gzip")[..])), block);
    let mut zstd = Vec::with_capacity(block.len());
    zstd_safe::decompress(&mut zstd, &read("out.zstd")).expect("a frame");
    assert_eq!(zstd, block);
    let lz4 = lz4_flex::block::decompress(&read("out.lz4"), block.len()).expect("a block");
    assert_eq!(lz4, block);
}

fn finish<W: Write>(
    mut encoder: W,
    block: &[u8],
    end: fn(W) -> std::io::Result<Vec<u8>>,
) -> Vec<u8> {
    encoder.write_all(block).expect("memory is writable");
    end(encoder).expect("memory is writable")
}

fn read_all(mut decoder: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    decoder.read_to_end(&mut bytes).expect("sound");
    bytes
}
