//! Archives against the tools commonly used for them, on 500 MB of this machine's files with two
//! threads: CPU time of the whole pipe, and wall time. Then a stream of 10 GB, for which memory is
//! measured.
//!
//! `make bench BENCH=archive`. The tree is created once, below the target directory, and kept. It
//! is a copy of `/usr/share`, followed by other directories until it is large enough. Peers: GNU
//! tar, pigz and bgzip, and crabz if it is installed (`cargo install crabz`).
//!
//! Each segment starts without history, whereas pigz continues with it. libdeflate makes up for
//! that; the row "compression ratio" shows the net effect.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use uadk_compress_bench_support::report::Report;

const TREE_BYTES: u64 = 500 << 20;
/// Larger files are skipped: they are often already compressed, so that archiving doesn't shrink
/// them.
const MAX_FILE: u64 = 16 << 20;
const STREAM_BYTES: u64 = 10 << 30;
const THREADS: usize = 2;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let bench = Bench::new()?;
    let mut report = Report::new("archive");
    bench.create(&mut report)?;
    bench.decompress(&mut report)?;
    bench.list(&mut report)?;
    bench.one_file(&mut report)?;
    bench.stream(&mut report)?;
    let missed = report.finish()?;
    std::process::exit(i32::from(missed > 0));
}

struct Bench {
    /// Our program.
    program: PathBuf,
    /// Holds the tree and its archives.
    folder: PathBuf,
}

/// The cost of a shell command.
#[derive(Clone, Copy)]
struct Cost {
    cpu: Duration,
    wall: Duration,
}

impl Cost {
    const fn sides(self, peer: Self) -> [(f64, f64); 2] {
        [
            (self.cpu.as_secs_f64(), peer.cpu.as_secs_f64()),
            (self.wall.as_secs_f64(), peer.wall.as_secs_f64()),
        ]
    }
}

impl Bench {
    fn new() -> Result<Self> {
        let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        let target = std::path::absolute(PathBuf::from(target))?;
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--release", "-p", "uadk-compress-cli"])
            .status()?;
        if !built.success() {
            return Err("failed to build uadk-compress-cli".into());
        }
        let folder = target.join("bench/archive");
        let bench = Self { program: target.join("release/uadk-compress"), folder };
        bench.make_tree()?;
        Ok(bench)
    }

    fn make_tree(&self) -> Result<()> {
        let tree = self.folder.join("tree");
        let done = self.folder.join("tree.done");
        if !done.exists() {
            fs::create_dir_all(&tree)?;
            let mut left = TREE_BYTES;
            for root in ["/usr/share", "/usr/include", "/usr/lib", "/opt", "/home", "/root"] {
                copy(Path::new(root), &tree, &mut left)?;
            }
            if left > TREE_BYTES / 5 {
                return Err("this machine has less than 400 MB of files".into());
            }
            // Writing the tree isn't measured.
            self.sh("sync")?;
            fs::write(done, b"")?;
        }
        // Reads the files into the page cache, for both sides.
        self.sh("tar cf - tree | cat >/dev/null")?;
        Ok(())
    }

    /// Runs a shell command in the directory; `$u` is our program.
    fn sh(&self, line: &str) -> Result<Cost> {
        let (cpu, wall) = (children_cpu()?, Instant::now());
        let status = Command::new("sh")
            .args(["-ec", line])
            .current_dir(&self.folder)
            .env("u", &self.program)
            .env("PATH", path_with_cargo_bin()?)
            .stderr(Stdio::null())
            .status()?;
        if !status.success() {
            return Err(format!("{line}: {status} (run `make setup` to install the peers)").into());
        }
        Ok(Cost { cpu: children_cpu()?.saturating_sub(cpu), wall: wall.elapsed() })
    }

    /// Runs both sides twice, alternately, and returns the cheaper run of each.
    fn duel(&self, ours: &str, peer: &str) -> Result<(Cost, Cost)> {
        let mut best = None;
        for _ in 0..2 {
            let (ours, peer) = (self.sh(ours)?, self.sh(peer)?);
            best = Some(match best {
                None => (ours, peer),
                Some((o, p)) => (cheaper(o, ours), cheaper(p, peer)),
            });
        }
        best.ok_or_else(|| "no runs".into())
    }

    fn create(&self, report: &mut Report) -> Result<()> {
        let ours = format!("\"$u\" tar create --threads {THREADS} -f ours.tar.gz tree");
        let blocks = format!("\"$u\" tar create --bgzf --threads {THREADS} -f blocks.tar.gz tree");
        let peers = [
            (&ours, "ours", "pigz -6", "tar cf - tree | pigz -6 -p 2", ["<=0.40", ">=1.0"]),
            (&blocks, "blocks", "bgzip -@2", "tar cf - tree | bgzip -@ 2", ["<=0.75", ""]),
            (
                &blocks,
                "blocks",
                "crabz bgzf",
                "tar cf - tree | crabz -f bgzf -l 6 -p 2",
                ["<=1.0", ""],
            ),
        ];
        for (line, file, name, peer, [cpu_bound, ratio_bound]) in peers {
            if name.starts_with("crabz") && self.sh("crabz --version >/dev/null").is_err() {
                println!("skipping crabz: not installed (run `cargo install crabz`)");
                continue;
            }
            let (us, them) = self.duel(line, &format!("{peer} > peer.gz"))?;
            let [cpu, wall] = us.sides(them);
            let case = if file == "blocks" { "create --bgzf" } else { "create" };
            report.add(case, "CPU s", cpu, name, Some(cpu_bound));
            report.add(case, "wall s", wall, name, None);
            let size = |file: &str| -> Result<f64> {
                Ok(fs::metadata(self.folder.join(file))?.len() as f64)
            };
            let tar = self.tar_len()? as f64;
            let ratios = (tar / size(&format!("{file}.tar.gz"))?, tar / size("peer.gz")?);
            let bound = Some(ratio_bound).filter(|bound| !bound.is_empty());
            report.add(case, "compression ratio", ratios, name, bound);
        }
        Ok(())
    }

    fn decompress(&self, report: &mut Report) -> Result<()> {
        for (case, file, name, peer, bounds) in [
            ("decompress", "ours", "pigz -d", "pigz -dc", [Some("<=0.33"), Some("<=0.30")]),
            ("decompress --bgzf", "blocks", "pigz -d", "pigz -dc", [Some("<=0.5"), None]),
            (
                "decompress --bgzf",
                "blocks",
                "bgzip -d -@2",
                "bgzip -dc -@ 2",
                [Some("<=1.05"), None],
            ),
        ] {
            let ours = format!("\"$u\" gunzip --threads {THREADS} -c {file}.tar.gz > /dev/null");
            let (us, them) = self.duel(&ours, &format!("{peer} {file}.tar.gz > /dev/null"))?;
            let [cpu, wall] = us.sides(them);
            report.add(case, "CPU s", cpu, name, bounds[0]);
            report.add(case, "wall s", wall, name, bounds[1]);
        }
        Ok(())
    }

    fn list(&self, report: &mut Report) -> Result<()> {
        const TIMES: u32 = 20;
        let json = Command::new(&self.program)
            .args(["tar", "verify", "--json", "-f", "ours.tar.gz"])
            .current_dir(&self.folder)
            .output()?;
        let json = String::from_utf8_lossy(&json.stdout).into_owned();
        let entries = json.split("\"entries\":").nth(1).and_then(|rest| rest.split(',').next());
        let case = format!("list {} entries", entries.unwrap_or("?"));
        let loops =
            format!("for i in $(seq {TIMES}); do \"$u\" tar list -f ours.tar.gz > list; done");
        let (us, them) = self.duel(&loops, "tar tzf ours.tar.gz > list.tar")?;
        if fs::read(self.folder.join("list"))?.len() < 1000 {
            return Err("the list is empty".into());
        }
        let once = Cost { cpu: us.cpu / TIMES, wall: us.wall / TIMES };
        let [cpu, wall] = once.sides(them);
        report.add(case.clone(), "CPU s", cpu, "tar tzf", Some("<=0.01"));
        report.add(case, "wall s", wall, "tar tzf", Some("<=0.01"));
        Ok(())
    }

    /// Extracts one small file from the middle of the archive.
    fn one_file(&self, report: &mut Report) -> Result<()> {
        const TIMES: u32 = 20;
        let list = fs::read_to_string(self.folder.join("list"))?;
        let names: Vec<&str> = list.lines().filter(|name| !name.ends_with('/')).collect();
        let plain = |name: &&&str| {
            let small = fs::metadata(self.folder.join(name))
                .is_ok_and(|file| file.is_file() && (1..10_000).contains(&file.len()));
            small
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
        };
        let name =
            names[names.len() / 2..].iter().find(plain).ok_or("no small file in the tree")?;
        fs::create_dir_all(self.folder.join("out"))?;
        let ours = format!(
            "for i in $(seq {TIMES}); do \"$u\" tar extract -f ours.tar.gz -C out {name}; done; \
             cmp out/{name} {name}"
        );
        let (us, them) = self.duel(&ours, &format!("tar xzf ours.tar.gz -C out {name}"))?;
        let once = Cost { cpu: us.cpu / TIMES, wall: us.wall / TIMES };
        let [cpu, wall] = once.sides(them);
        report.add("one small file", "CPU s", cpu, "tar xzf", Some("<=0.01"));
        report.add("one small file", "wall s", wall, "tar xzf", Some("<=0.01"));
        Ok(())
    }

    /// Pipes text through `gzip` and `gunzip`, both with two threads.
    fn stream(&self, report: &mut Report) -> Result<()> {
        let mut piece = Vec::new();
        let mut numbers = Pcg64Mcg::seed_from_u64(1);
        while piece.len() < 8 << 20 {
            let number: u32 = numbers.random();
            writeln!(piece, "{} another log line, at {number} and {}", number % 999, number >> 20)?;
        }
        let threads = THREADS.to_string();
        let start = |arguments: &[&str], stdin: Stdio, stdout: Stdio| {
            Command::new(&self.program).args(arguments).stdin(stdin).stdout(stdout).spawn()
        };
        let line = ["gzip", "--threads", &threads, "--level", "fastest"];
        let mut gzip = start(&line, Stdio::piped(), Stdio::piped())?;
        let mut input = gzip.stdin.take().ok_or("no stdin")?;
        let compressed = gzip.stdout.take().ok_or("no stdout")?;
        let line = ["gunzip", "--threads", &threads];
        let mut gunzip = start(&line, compressed.into(), Stdio::piped())?;
        let mut output = gunzip.stdout.take().ok_or("no stdout")?;
        let reader = std::thread::spawn(move || io::copy(&mut output, &mut io::sink()));
        let mut left = STREAM_BYTES;
        let mut peaks = [0_u64; 2];
        while left > 0 {
            let n = piece.len().min(usize::try_from(left)?);
            input.write_all(&piece[..n])?;
            left -= n as u64;
            for (peak, child) in peaks.iter_mut().zip([&gzip, &gunzip]) {
                *peak = (*peak).max(peak_memory(child)?);
            }
        }
        drop(input);
        let restored = reader.join().map_err(|_| "the reader panicked")??;
        if !(gzip.wait()?.success() && gunzip.wait()?.success() && restored == STREAM_BYTES) {
            return Err(format!("restored {restored} of {STREAM_BYTES} bytes").into());
        }
        let bound = (64 + 4 * THREADS) as f64;
        for (case, peak) in ["10 GB through gzip", "10 GB through gunzip"].iter().zip(peaks) {
            let sides = (peak as f64 / 1024.0, bound);
            report.add(*case, "peak memory MiB", sides, "bound", Some("<=1"));
        }
        Ok(())
    }

    fn tar_len(&self) -> Result<u64> {
        let output = Command::new("sh")
            .args(["-c", "gzip -dc ours.tar.gz | wc -c"])
            .current_dir(&self.folder)
            .output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().parse()?)
    }
}

fn cheaper(a: Cost, b: Cost) -> Cost {
    Cost { cpu: a.cpu.min(b.cpu), wall: a.wall.min(b.wall) }
}

/// Copies files, in order of their names, until `left` bytes are copied.
fn copy(from: &Path, to: &Path, left: &mut u64) -> Result<()> {
    let Ok(entries) = fs::read_dir(from) else { return Ok(()) };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        let target = to.join(path.strip_prefix("/")?);
        if *left == 0 {
            return Ok(());
        }
        if metadata.is_dir() && path.file_name() != Some(OsStr::new("target")) {
            copy(&path, to, left)?;
        } else if metadata.is_file() && metadata.len() <= MAX_FILE {
            fs::create_dir_all(target.parent().ok_or("no parent directory")?)?;
            if fs::copy(&path, &target).is_ok() {
                *left = left.saturating_sub(metadata.len());
            }
        }
    }
    Ok(())
}

/// Returns the CPU time (user and system) of all processes that have been waited for, from the
/// fields `cutime` and `cstime`, which are in hundredths of a second on Linux.
fn children_cpu() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().ok_or("no name in /proc/self/stat")?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = fields[13].parse::<u64>()? + fields[14].parse::<u64>()?;
    Ok(Duration::from_millis(10 * ticks))
}

/// Returns the peak memory of a running process in KiB.
fn peak_memory(child: &Child) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)).ok_or("no VmHWM")?;
    Ok(kib.parse()?)
}

/// Returns `PATH` extended by the directory of programs installed with `cargo install`.
fn path_with_cargo_bin() -> Result<std::ffi::OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let dirs = std::env::split_paths(&path).chain([home.join(".cargo/bin")]);
    Ok(std::env::join_paths(dirs)?)
}
