//! `gzip`, `gunzip` and `bgzip`: what their peers don't do, and how clap parses the command line.

mod common;

use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::feed;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_uadk-compress");

fn run(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    feed(Command::new(PROGRAM).args(arguments).current_dir(folder), input)
}

fn peer(folder: &Path, program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let output = feed(Command::new(program).args(arguments).current_dir(folder), input);
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    output.stdout
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn numbers(count: u32) -> Vec<u8> {
    (0..count).flat_map(|i| i.wrapping_mul(i).to_string().into_bytes()).collect()
}

#[test]
fn filters_work_both_ways_with_gzip_at_the_other_end() {
    let folder = TempDir::new().expect("a directory");
    let data = b"line after line\n".repeat(100_000);
    for arguments in [
        &["gzip"][..],
        &["gzip", "-1"],
        &["gzip", "--level", "12"],
        &["gzip", "--level=fastest"],
        &["gzip", "-c9", "--threads", "1"],
        &["gzip", "-p2", "-"],
        &["gzip", "--bgzf"],
        &["bgzip", "-l", "0"],
    ] {
        let output = run(folder.path(), arguments, &data);
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        assert!(peer(folder.path(), "gzip", &["-dc"], &output.stdout) == data, "{arguments:?}");
        for back in ["gunzip", "zcat"] {
            assert!(run(folder.path(), &[back], &output.stdout).stdout == data);
        }
        assert!(run(folder.path(), &["gzip", "-t"], &output.stdout).status.success());
    }
}

#[test]
fn a_damaged_file_stays_and_the_next_ones_are_processed() {
    let folder = TempDir::new().expect("a directory");
    let at = folder.path();
    let mut file = run(at, &["gzip"], &numbers(50_000)).stdout;
    fs::write(at.join("good.gz"), &file).expect("a file");
    let middle = file.len() / 2;
    fs::write(at.join("cut.gz"), &file[..middle]).expect("a file");
    file[middle] ^= 1;
    fs::write(at.join("x.gz"), file).expect("a file");
    let output = run(at, &["gunzip", "x.gz", "cut.gz", "good.gz"], b"");
    let errors = said(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors.contains("gzip: x.gz: invalid compressed data") && errors.contains("byte"));
    assert!(errors.contains("gzip: cut.gz: unexpected end of file"), "{errors}");
    assert!(at.join("x.gz").exists() && !at.join("x").exists());
    assert!(at.join("cut.gz").exists() && !at.join("cut").exists());
    assert!(at.join("good").exists() && !at.join("good.gz").exists());
    assert_eq!(fs::read_dir(at).expect("a directory").count(), 3, "no other files are left");
}

#[test]
fn special_files_are_not_replaced() {
    let folder = TempDir::new().expect("a directory");
    let at = folder.path();
    fs::write(at.join("t"), "text").expect("a file");
    let made = Command::new("mkfifo")
        .arg(at.join("t.gz"))
        .status()
        .expect("this test needs mkfifo: install coreutils");
    assert!(made.success());
    for (arguments, status) in [(&["gzip", "t"][..], 2), (&["gzip", "-f", "t"], 1)] {
        let output = run(at, arguments, b"");
        assert_eq!(output.status.code(), Some(status), "{output:?}");
        assert!(fs::symlink_metadata(at.join("t.gz")).expect("it exists").file_type().is_fifo());
        assert_eq!(fs::read(at.join("t")).expect("it exists"), b"text");
    }
}

#[test]
fn a_signal_leaves_the_source_and_nothing_else() {
    let folder = TempDir::new().expect("a directory");
    let at = folder.path();
    // Large enough not to be finished before the signal arrives.
    let file = fs::File::create(at.join("large")).expect("a file");
    file.set_len(64 << 30).expect("a sparse file");
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        // The tests themselves may run in the background, or under nohup.
        let mut child = Command::new("env")
            .args(["--default-signal=HUP,INT", PROGRAM, "gzip", "large"])
            .current_dir(at)
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        while fs::read_dir(at).expect("a directory").count() == 1 {
            std::thread::yield_now();
        }
        let names =
            fs::read_dir(at).expect("a directory").map(|entry| entry.expect("an entry").path());
        let secret = names.filter(|path| !path.ends_with("large"));
        for path in secret {
            let mode = fs::metadata(path).expect("it exists").permissions().mode();
            assert_eq!(mode & 0o7777, 0o600);
        }
        kill_process(Pid::from_child(&child), signal).expect("it is running");
        let status = child.wait().expect("it exits");
        assert!(status.signal().is_some(), "{signal:?}: {status}");
        assert_eq!(fs::read_dir(at).expect("a directory").count(), 1, "{signal:?}");
    }
    // With the signal ignored, as by nohup, it continues.
    let script = "trap '' HUP; exec \"$0\" gzip small";
    fs::write(at.join("small"), "data").expect("a file");
    let status = Command::new("sh").args(["-c", script, PROGRAM]).current_dir(at).status();
    assert!(status.expect("it runs").success() && at.join("small.gz").exists());
}

#[test]
fn a_signal_leaves_the_source_or_the_result_but_not_both() {
    let folder = TempDir::new().expect("a directory");
    let at = folder.path();
    for _ in 0..40 {
        fs::write(at.join("x"), numbers(1000)).expect("a file");
        let mut child = Command::new(PROGRAM)
            .args(["gzip", "x"])
            .current_dir(at)
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        while !at.join("x.gz").exists() {
            std::hint::spin_loop();
        }
        let pid = rustix::process::Pid::from_child(&child);
        let killed = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        child.wait().expect("it exits");
        assert!(killed.is_ok() && !at.join("x").exists(), "both exist");
        fs::remove_file(at.join("x.gz")).expect("it exists");
    }
}

#[test]
fn the_old_format_of_compress_is_refused_by_its_name() {
    let folder = TempDir::new().expect("a directory");
    let at = folder.path();
    fs::write(at.join("x.Z"), b"\x1f\x9d\x90aaaaaaaaaaaa").expect("a file");
    fs::write(at.join("x.zip.gz"), b"PK\x03\x04aaaaaaaaaaaa").expect("a file");
    // They are not treated as uncompressed data either.
    for arguments in [&["gunzip", "x.Z", "x.zip"][..], &["zcat", "-f", "x.Z", "x.zip.gz"]] {
        let output = run(at, arguments, b"");
        assert_eq!(output.status.code(), Some(1));
        let errors = said(&output);
        assert!(errors.contains("x.Z: compress's format (LZW) -- not supported"), "{errors}");
        assert!(errors.contains("x.zip.gz: a zip archive -- not supported"), "{errors}");
        assert!(output.stdout.is_empty());
    }
    assert_eq!(fs::read_dir(at).expect("a directory").count(), 2);
}

#[test]
fn data_behind_blocks_is_ignored_or_passed_through() {
    let folder = TempDir::new().expect("a directory");
    let at = folder.path();
    let data = numbers(100_000);
    let blocks = run(at, &["gzip", "--bgzf"], &data).stdout;
    let junk = [&blocks[..], b"junk behind it"].concat();
    fs::write(at.join("junk.gz"), &junk).expect("a file");
    fs::write(at.join("zeros.gz"), [&blocks[..], &[0; 1000]].concat()).expect("a file");
    let warning = "decompression OK, trailing garbage ignored";
    for (arguments, input) in [(&["gunzip", "-k", "junk.gz"][..], &b""[..]), (&["gunzip"], &junk)] {
        let output = run(at, arguments, input);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(said(&output).contains(warning), "{output:?}");
        assert!(input.is_empty() || output.stdout == data);
    }
    assert!(fs::read(at.join("junk")).expect("it exists") == data);
    let both = [&data[..], b"junk behind it"].concat();
    assert!(run(at, &["gzip", "-dcf", "junk.gz"], b"").stdout == both);
    assert!(run(at, &["gzip", "-dcf"], &junk).stdout == both);
    let output = run(at, &["gunzip", "zeros.gz"], b"");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    // Without its end marker, which gzip does not know.
    let output = run(at, &["gunzip"], &blocks[..blocks.len() - 28]);
    assert!(output.status.success() && output.stdout == data, "{:?}", said(&output));
}

#[test]
fn lists_add_up_all_blocks() {
    let folder = TempDir::new().expect("a directory");
    let at = folder.path();
    let data = numbers(100_000);
    let file = run(at, &["gzip", "--bgzf"], &data).stdout;
    fs::write(at.join("blocks.gz"), &file).expect("a file");
    let whole = peer(at, "gzip", &["-c"], &data);
    fs::write(at.join("whole.gz"), &whole).expect("a file");
    fs::write(at.join("both.gz"), [&file[..], &whole].concat()).expect("a file");
    let crc = |file: &[u8]| {
        u32::from_le_bytes(*file[..file.len() - 4].last_chunk().expect("long enough"))
    };
    for (name, len, sum) in [
        ("blocks", data.len(), Some(crc(&whole))),
        ("whole", data.len(), Some(crc(&whole))),
        ("both", 2 * data.len(), None),
    ] {
        let output = run(at, &["gzip", "-lv", name], b"");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let words: Vec<_> = text.lines().last().expect("a line").split_whitespace().collect();
        let compressed = fs::metadata(at.join(format!("{name}.gz"))).expect("it exists").len();
        assert_eq!(words[5..7], [compressed.to_string(), len.to_string()], "{text}");
        assert_eq!(words[8], name);
        if let Some(sum) = sum {
            assert_eq!(words[1], format!("{sum:08x}"), "{text}");
        }
        // The same from a pipe.
        let bytes = fs::read(at.join(format!("{name}.gz"))).expect("it exists");
        let piped = run(at, &["gzip", "-lq"], &bytes);
        let piped = String::from_utf8_lossy(&piped.stdout).into_owned();
        assert_eq!(piped.split_whitespace().take(2).collect::<Vec<_>>(), words[5..7], "{piped}");
    }
    let totals = run(at, &["gzip", "-l", "blocks", "whole"], b"").stdout;
    let totals = String::from_utf8_lossy(&totals).into_owned();
    assert!(totals.contains(&format!(" {} ", 2 * data.len())) && totals.contains("(totals)"));
}

#[test]
fn indexes_and_parts_are_the_same_as_with_bgzip() {
    let folder = TempDir::new().expect("a directory");
    let at = folder.path();
    let data = numbers(200_000);
    fs::write(at.join("x"), &data).expect("a file");
    fs::write(at.join("empty"), "").expect("a file");
    for name in ["x", "empty"] {
        let gz = format!("{name}.gz");
        let gzi = format!("{name}.gz.gzi");
        for arguments in [&["bgzip", "-k", "-i"][..], &["gzip", "--bgzf", "-ki"]] {
            let output = run(at, &[arguments, &[name]].concat(), b"");
            assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
            let ours = fs::read(at.join(&gzi)).expect("an index");
            assert_eq!(fs::metadata(at.join(&gzi)).expect("it exists").mode() & 0o7133, 0);
            // bgzip's index of the same file. For a file without data, bgzip counts -1 blocks.
            peer(at, "bgzip", &["-r", "-I", "peer.gzi", &gz], b"");
            let theirs = fs::read(at.join("peer.gzi")).expect("it exists");
            assert!(theirs == ours || (name == "empty" && ours == [0; 8]), "{name}");
            fs::remove_file(at.join(&gzi)).expect("it exists");
            assert!(run(at, &["bgzip", "-r", &gz], b"").status.success());
            assert!(fs::read(at.join(&gzi)).expect("an index") == ours);
            fs::remove_file(at.join(&gz)).expect("it exists");
            fs::remove_file(at.join(&gzi)).expect("it exists");
        }
    }
    assert!(run(at, &["bgzip", "-ki", "-I", "named.gzi", "x"], b"").status.success());
    let to_stdout = run(at, &["bgzip", "-c", "-i", "-I", "stdout.gzi", "x"], b"");
    assert!(to_stdout.stdout == fs::read(at.join("x.gz")).expect("it exists"));
    let index = fs::read(at.join("named.gzi")).expect("it exists");
    assert!(index == fs::read(at.join("stdout.gzi")).expect("it exists"));
    // With -c, it is next to the file that was not created, as with bgzip.
    assert!(run(at, &["bgzip", "-c", "-i", "x"], b"").stdout == to_stdout.stdout);
    assert!(index == fs::read(at.join("x.gz.gzi")).expect("an index"));
    for arguments in [&["-c", "-i"][..], &["-r"]] {
        let output = run(at, &[&["bgzip"], arguments].concat(), &to_stdout.stdout);
        assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()), "{arguments:?}");
    }
    let from_stdin = |program: &str| {
        let file = fs::File::open(at.join("x.gz")).expect("it exists");
        let mut command = Command::new(program);
        if program == PROGRAM {
            command.arg("bgzip");
        }
        command.args(["-r", "-I", "stdin.gzi"]).current_dir(at).stdin(file);
        assert!(command.status().expect("it runs").success());
        let index = fs::read(at.join("stdin.gzi")).expect("an index");
        fs::remove_file(at.join("stdin.gzi")).expect("it exists");
        index
    };
    assert!(from_stdin(PROGRAM) == index && from_stdin("bgzip") == index);

    fs::write(at.join("x.gz.gzi"), index).expect("a file");
    for (offset, size) in [(0, 10), (5, 70_000), (65_280, 1), (300_000, 500_000), (700_000, 100)] {
        let (b, s) = (offset.to_string(), size.to_string());
        let part = &data[offset.min(data.len())..(offset + size).min(data.len())];
        let ours = run(at, &["bgzip", "-b", &b, "-s", &s, "x.gz"], b"");
        assert!(ours.stdout == part, "{offset} {size}: {ours:?}");
        assert!(peer(at, "bgzip", &["-b", &b, "-s", &s, "x.gz"], b"") == part);
        let named = run(at, &["gzip", "--bgzf", "-b", &b, "-s", &s, "x.gz"], b"");
        assert!(named.stdout == part);
        let file = fs::read(at.join("x.gz")).expect("it exists");
        assert!(run(at, &["bgzip", "-b", &b, "-s", &s], &file).stdout == part, "a pipe");
    }
    let whole = peer(at, "gzip", &["-c"], &data);
    fs::write(at.join("whole.gz"), whole).expect("a file");
    let refused = run(at, &["bgzip", "-r", "whole.gz"], b"");
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("whole.gz: not block gzip"), "{refused:?}");
    let refused = run(at, &["gzip", "-i", "x"], b"");
    assert!(said(&refused).contains("require --bgzf"), "{refused:?}");
}

#[test]
fn statuses_are_the_same_as_with_bgzip() {
    let programs = TempDir::new().expect("a directory");
    symlink(PROGRAM, programs.path().join("bgzip")).expect("a link");
    let ours = format!("{}:/usr/bin:/bin", programs.path().display());
    let outcome = |path: &str, script: &str| {
        let folder = TempDir::new().expect("a directory");
        let at = folder.path();
        fs::write(at.join("plain"), numbers(20_000)).expect("a file");
        for name in ["x.gz", "only.gz", "blocks"] {
            fs::write(at.join(name), peer(at, "bgzip", &["-c", "plain"], b"")).expect("a file");
        }
        fs::write(at.join("x"), "x").expect("a file");
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(at).env("PATH", path);
        let output = command.stdin(Stdio::null()).output().expect("it runs");
        let names = fs::read_dir(at).expect("a directory").map(|entry| entry.expect("an entry"));
        let mut names: Vec<_> = names.map(|entry| entry.file_name()).collect();
        names.sort();
        (output.status.code(), output.stdout.is_empty(), names)
    };
    for script in [
        "bgzip plain",
        "bgzip -k plain",
        "bgzip -d only.gz",
        "bgzip -d only",
        "bgzip -t only",
        "bgzip x",
        "bgzip -d x.gz",
        "bgzip -fd x.gz",
        "bgzip -d plain",
        "bgzip -d blocks",
        "bgzip -dc blocks",
        "bgzip -k nope",
        "bgzip -i -c plain",
        "bgzip -i < plain",
        "bgzip -r blocks",
        "bgzip -r < blocks",
        "bgzip -r -I y < blocks",
        "bgzip -i -I y plain",
    ] {
        assert_eq!(outcome(&ours, script), outcome("/usr/bin:/bin", script), "{script}");
    }
}

#[test]
fn an_index_replaces_nothing_without_force_and_follows_no_link() {
    let folder = TempDir::new().expect("a directory");
    let at = folder.path();
    let begin = || {
        for entry in fs::read_dir(at).expect("a directory") {
            fs::remove_file(entry.expect("an entry").path()).expect("it exists");
        }
        fs::write(at.join("x"), numbers(50_000)).expect("a file");
        fs::set_permissions(at.join("x"), PermissionsExt::from_mode(0o640)).expect("our own file");
        fs::write(at.join("other"), "other").expect("a file");
    };
    let gzi = at.join("x.gz.gzi");
    let make: [(&str, &dyn Fn()); 4] = [
        ("a file", &|| fs::write(&gzi, "old").expect("a file")),
        ("a link", &|| symlink("other", &gzi).expect("a link")),
        ("a link to nothing", &|| symlink("nowhere", &gzi).expect("a link")),
        ("a FIFO", &|| {
            let made = Command::new("mkfifo")
                .arg(&gzi)
                .status()
                .expect("this test needs mkfifo: install coreutils");
            assert!(made.success());
        }),
    ];
    for (what, make) in make {
        for named in [false, true] {
            let name: &[&str] = if named { &["-I", "x.gz.gzi"] } else { &[] };
            begin();
            make();
            let before = fs::symlink_metadata(&gzi).expect("it exists");
            let output = run(at, &[&["bgzip", "-i", "x"], name].concat(), b"");
            assert!(!output.status.success(), "{what}: {output:?}");
            assert!(said(&output).contains("x.gz.gzi already exists"), "{output:?}");
            let after = fs::symlink_metadata(&gzi).expect("it exists");
            assert_eq!((before.ino(), before.len()), (after.ino(), after.len()), "{what}");
            assert!(at.join("x").exists() && !at.join("x.gz").exists(), "{what}");

            let output = run(at, &[&["bgzip", "-f", "-i", "x"], name].concat(), b"");
            assert_eq!(fs::read(at.join("other")).expect("it exists"), b"other", "{what}");
            let forced = fs::symlink_metadata(&gzi).expect("it exists");
            if forced.file_type().is_fifo() {
                assert!(!output.status.success() && at.join("x").exists(), "{output:?}");
            } else {
                assert!(output.status.success() && !at.join("x").exists(), "{output:?}");
                assert!(forced.is_file() && forced.len() > 8, "{what}");
                assert_eq!(forced.mode() & 0o7777, 0o640, "{what}");
            }
            assert!(!at.join("nowhere").exists());
        }
    }
}

#[test]
fn names_that_are_not_utf8_are_printed_as_they_are() {
    let folder = TempDir::new().expect("a directory");
    let programs = folder.path();
    for name in ["gzip", "gunzip"] {
        symlink(PROGRAM, programs.join(name)).expect("a link");
    }
    let ours = format!("{}:/usr/bin:/bin", programs.display());
    let outcome = |path: &str, script: &str| {
        let folder = TempDir::new().expect("a directory");
        let mut command = Command::new("bash");
        // Lines are compared behind the last percentage: it is the saving, which differs.
        let script = format!(
            "f=$'a\\377b'; echo text > $f; gzip -k $f; touch -d @1000000000 $f $f.gz; {script}"
        );
        command.args(["-c", &script]).current_dir(folder.path()).env("PATH", path);
        let output = command.stdin(Stdio::null()).output().expect("this test needs bash");
        let bytes = [output.stdout, output.stderr].concat();
        let lines = bytes.split(|byte| *byte == b'\n').map(|line| {
            let at = line.iter().rposition(|byte| *byte == b'%').map_or(0, |at| at + 1);
            line[at..].to_vec()
        });
        assert!(bytes.contains(&0xff), "{script}: {bytes:?}");
        (output.status.code(), lines.collect::<Vec<_>>())
    };
    for script in [
        "gzip -l $f",
        "gzip -lv $f.gz",
        "gzip -tv $f",
        "gzip -v $f",
        "gzip -fv $f",
        "gzip -kfv $f",
        "gzip $f.gz",
        "gzip -d $f",
        "gzip -dv $f.gz",
        "rm $f.gz; gzip -d $f",
        "rm $f.gz $f; gzip -d $f",
        "rm $f; mkdir $f; gzip $f",
        "echo text > $f.gz; gzip -t $f",
        "head -c 15 $f.gz > x$f.gz; gzip -t x$f",
        "echo junk >> $f.gz; gzip -t $f",
        "ln -s $f l$f; gzip l$f",
        "ln $f l$f; gzip l$f",
    ] {
        assert_eq!(outcome(&ours, script), outcome("/usr/bin:/bin", script), "{script}");
    }
}

#[test]
fn programs_are_recognised_by_their_names() {
    let folder = TempDir::new().expect("a directory");
    let at = folder.path();
    let gzip = peer(at, "gzip", &["-c"], b"data");
    for name in ["gunzip", "zcat", "gzcat"] {
        symlink(PROGRAM, at.join(name)).expect("a link");
        let output = feed(&mut Command::new(at.join(name)), &gzip);
        assert_eq!(output.stdout, b"data", "{name}");
    }
    symlink(PROGRAM, at.join("bgzip")).expect("a link");
    let output = feed(Command::new(at.join("bgzip")).arg("-c"), b"data");
    assert_eq!(peer(at, "gzip", &["-dc"], &output.stdout), b"data");
}

#[test]
fn statistics_name_the_engine_and_why_the_other_was_not_used() {
    let folder = TempDir::new().expect("a directory");
    let data = numbers(100_000);
    let without = |arguments: &[&str], input: &[u8]| {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env("UADK_COMPRESS_LIB_DIR", folder.path());
        feed(&mut command, input)
    };
    let output = without(&["gzip", "--bgzf", "--stats"], &data);
    let text = said(&output);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("blocks in software (no_accelerator: "), "{text}");
    assert!(text.contains("0 by the accelerator (unavailable: "), "{text}");
    // One member is compressed and inflated in software, here in two segments.
    let output = without(&["gzip", "--stats"], &data);
    assert!(said(&output).contains("2 blocks in software"), "{}", said(&output));
    let packed = output.stdout;
    let output = without(&["gunzip", "--stats", "--json"], &packed);
    let stats: Value = serde_json::from_str(&said(&output)).expect("JSON");
    let software = &stats["software"]["decompress"];
    assert_eq!(software["bytes_out"].as_u64(), Some(data.len() as u64), "{stats}");
    // The deflate stream is between header and trailer.
    let stream = packed.len() as u64 - 18;
    let both = [stream, stream - 2];
    assert!(software["bytes_in"].as_u64().is_some_and(|n| both.contains(&n)), "{stats}");
    assert!(software["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{stats}");
    for file in [
        peer(folder.path(), "gzip", &["-c"], &data),
        peer(folder.path(), "gzip", &["-1c"], &vec![0; 9 << 20]),
    ] {
        let output = without(&["gunzip", "--stats", "--json"], &file);
        let stats: Value = serde_json::from_str(&said(&output)).expect("JSON");
        let software = &stats["software"]["decompress"];
        assert_eq!(software["bytes_in"].as_u64(), Some(file.len() as u64 - 18), "{stats}");
        assert!(software["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{stats}");
    }
    // Time that is not measured is not reported as 0.
    for data in [&data[..], b"few"] {
        let output = without(&["gzip", "--stats", "--json"], data);
        let stats: Value = serde_json::from_str(&said(&output)).expect("JSON");
        let software = &stats["software"]["compress"];
        assert_eq!(software["bytes_in"].as_u64(), Some(data.len() as u64), "{stats}");
        assert_ne!(software["seconds"].as_f64(), Some(0.0), "{stats}");
    }
    assert!(without(&["gzip", "-v"], &data).stderr.len() < 20, "only on request");
}

#[test]
fn a_pipe_without_a_reader_ends_the_program_with_sigpipe() {
    let folder = TempDir::new().expect("a directory");
    let mut child = Command::new(PROGRAM)
        .args(["gzip", "-c"])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().expect("piped");
    let noise: Vec<u8> = numbers(1 << 20);
    while stdin.write_all(&noise).is_ok() {}
    assert_eq!(child.wait().expect("it exits").signal(), Some(13));
}

#[test]
fn a_fifo_is_read_to_the_end_of_a_late_and_slow_writer() {
    let folder = TempDir::new().expect("a directory");
    let fifo = folder.path().join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().expect("this test needs mkfifo");
    assert!(made.success());
    let reader = Command::new(PROGRAM)
        .args(["gzip", "-c", "fifo"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // Opening waits for the reader. The data is more than a pipe holds, and compresses to less.
    let mut writer = fs::File::options().write(true).open(&fifo).expect("a FIFO");
    let data = b"a line\n".repeat(50_000);
    let (first, rest) = data.split_at(100_000);
    writer.write_all(first).expect("a reader");
    writer.write_all(rest).expect("a reader");
    drop(writer);
    let output = reader.wait_with_output().expect("it exits");
    assert!(output.status.success());
    let mut read = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(&output.stdout[..]);
    std::io::Read::read_to_end(&mut decoder, &mut read).expect("zlib reads it");
    assert!(read == data);
}

#[test]
fn completions_and_man_pages_are_generated() {
    let folder = TempDir::new().expect("a directory");
    for shell in ["bash", "zsh", "fish"] {
        let script = run(folder.path(), &["completions", shell], b"").stdout;
        let script = String::from_utf8_lossy(&script).into_owned();
        assert!(script.contains("gunzip"), "{shell}");
        assert!(script.contains("synchronous"), "{shell}");
    }
    let page = run(folder.path(), &["man"], b"").stdout;
    assert!(String::from_utf8_lossy(&page).contains(".TH uadk-compress"));
    assert!(run(folder.path(), &["man", "--output", "pages"], b"").status.success());
    assert!(folder.path().join("pages/uadk-compress-tar-create.1").is_file());
    let page = fs::read_to_string(folder.path().join("pages/uadk-compress-gzip.1"));
    assert!(page.expect("a page").contains("bgzf"));
}

#[test]
fn closed_and_full_standard_streams_are_handled_as_by_gzip() {
    let folder = TempDir::new().expect("a directory");
    let at = folder.path();
    fs::write(at.join("f"), "data").expect("a file");
    peer(at, "gzip", &["-k", "f"], b"");
    symlink(PROGRAM, at.join("ours")).expect("a link");
    for work in
        ["-c f >&-", "-dc f.gz >&-", "-l f.gz >&-", "-c <f >&-", "<&-", "-tv f.gz 2>/dev/full"]
    {
        let status = |program: &str| {
            let line = format!("{program} {work}");
            let output = Command::new("bash").args(["-c", &line]).current_dir(at).output();
            output.expect("bash runs").status.code()
        };
        assert_eq!(status("./ours gzip"), status("gzip"), "{work}");
    }
}
