//! Extracts mutated archives with our code and with libarchive (and GNU tar where those two
//! differ). Prints differences that no rule explains, and saves the smallest archive that shows
//! each.

// The corpus test uses the rest.
#[allow(dead_code)]
#[path = "../../../adapters/archive/tests/corpus/kit/mod.rs"]
mod kit;
mod libarchive;
mod minimise;
mod trial;
mod watchdog;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use kit::cases;
use kit::peers::BSD;
use libarchive::Libarchive;
use trial::{Bench, Verdict};
use watchdog::Watchdog;

#[derive(Debug, Parser)]
#[command(about = "Compares our extraction of mutated archives with libarchive's and GNU tar's")]
struct Arguments {
    /// Number of archives.
    #[arg(long, default_value_t = 100_000)]
    cases: u64,
    /// Seed for the mutations.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of the first archive.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// The program compiled from `extract.c`.
    #[arg(long)]
    libarchive: PathBuf,
    /// Directory for archives with findings.
    #[arg(long)]
    report: PathBuf,
    /// Stop after this many different causes.
    #[arg(long, default_value_t = 40)]
    findings: usize,
    /// Write the numbers of archives with a difference, explained or not, to this file.
    #[arg(long)]
    list: Option<PathBuf>,
    /// Try only the archives whose numbers are in this file, to see the effect of changed rules.
    #[arg(long)]
    only: Option<PathBuf>,
    /// Ignore this rule, to see what it explains.
    #[arg(long)]
    without: Option<String>,
    /// Don't minimise archives with findings.
    #[arg(long)]
    keep_large: bool,
    /// Only compare libarchive with bsdtar, on the corpus.
    #[arg(long)]
    check_libarchive: bool,
    /// Try only these archives (uncompressed).
    replay: Vec<PathBuf>,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = Arguments::parse();
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    if rustix::process::geteuid().is_root() {
        return Err("must not run as root: peers would create device nodes \
                    (use tools/fuzz-archives)"
            .into());
    }
    let libarchive = Libarchive::start(arguments.libarchive.clone())
        .map_err(|error| format!("{}: {error}", arguments.libarchive.display()))?;
    let mut bench = Bench::new(libarchive, arguments.without.clone())?;
    if arguments.check_libarchive {
        return check_libarchive(&mut bench);
    }
    if !arguments.replay.is_empty() {
        for path in &arguments.replay {
            println!("{}: {:#?}", path.display(), bench.judge(&fs::read(path)?)?);
        }
        return Ok(ExitCode::SUCCESS);
    }
    fuzz(&arguments, &mut bench)
}

/// Returns the numbers of the archives to try.
fn numbers(arguments: &Arguments) -> Result<Box<dyn Iterator<Item = u64>>, Box<dyn Error>> {
    let Some(only) = &arguments.only else {
        return Ok(Box::new(arguments.from..arguments.from + arguments.cases));
    };
    let numbers: Vec<u64> =
        fs::read_to_string(only)?.lines().map(str::parse).collect::<Result<_, _>>()?;
    Ok(Box::new(numbers.into_iter()))
}

fn fuzz(arguments: &Arguments, bench: &mut Bench) -> Result<ExitCode, Box<dyn Error>> {
    // Panics are reported as findings.
    std::panic::set_hook(Box::new(|_| {}));
    let corpus = cases::all();
    let watchdog = Watchdog::start(arguments.report.clone());
    let mut explained: BTreeMap<&str, u64> = BTreeMap::new();
    let mut findings: BTreeMap<String, u64> = BTreeMap::new();
    let start = std::time::Instant::now();
    let mut done = 0;
    let mut list = arguments.list.as_ref().map(fs::File::create).transpose()?;
    for n in numbers(arguments)? {
        let tar = kit::mutate::archive(&corpus, arguments.seed, n);
        watchdog.begin(n, &tar);
        let verdict = bench.judge(&tar).map_err(|error| format!("case {n}: {error}"))?;
        done += 1;
        if let (Some(list), false) = (&mut list, matches!(verdict, Verdict::Alike)) {
            writeln!(list, "{n}")?;
        }
        match verdict {
            Verdict::Alike => {}
            Verdict::Explained(rules) => {
                rules.into_iter().for_each(|rule| *explained.entry(rule).or_default() += 1);
            }
            Verdict::Wrong(finding) => {
                let count = findings.entry(finding.signature.clone()).or_default();
                *count += 1;
                if *count == 1 {
                    let small = if arguments.keep_large {
                        tar
                    } else {
                        minimise::minimised(&tar, |candidate| {
                            watchdog.begin(n, candidate);
                            let verdict = bench.judge(candidate);
                            matches!(verdict, Ok(Verdict::Wrong(found))
                                if found.signature == finding.signature)
                        })
                    };
                    let Verdict::Wrong(finding) = bench.judge(&small)? else {
                        return Err(format!("case {n} is not reproducible").into());
                    };
                    let name = format!("seed-{}-case-{n}.tar", arguments.seed);
                    fs::write(arguments.report.join(&name), small)?;
                    let (signature, text) = (finding.signature, finding.text);
                    println!("{name}\n  {signature}\n  {}", text.trim_end().replace('\n', "\n  "));
                }
            }
        }
        if (n + 1) % 10_000 == 0 {
            let each = start.elapsed() / u32::try_from(done).unwrap_or(u32::MAX);
            eprintln!("{} archives, {each:?} each, {} causes", n + 1, findings.len());
        }
        if findings.len() >= arguments.findings {
            println!("stopping: too many causes");
            break;
        }
    }
    println!("{done} archives; documented differences:");
    for rule in &kit::rules::RULES {
        let count = explained.get(rule.name).copied().unwrap_or(0);
        println!("{count:9} {:20} {}", rule.name, rule.reason);
    }
    if findings.is_empty() {
        println!("no undocumented differences");
        return Ok(ExitCode::SUCCESS);
    }
    println!("undocumented differences:");
    for (signature, count) in &findings {
        println!("{count:9} {signature}");
    }
    Ok(ExitCode::FAILURE)
}

/// Checks that `extract.c` behaves like bsdtar.
fn check_libarchive(bench: &mut Bench) -> Result<ExitCode, Box<dyn Error>> {
    let cases = cases::all();
    let scratch = kit::peers::scratch()?;
    let folder = scratch.path();
    fs::create_dir(folder.join("in"))?;
    let names: Vec<_> = (0..cases.len()).map(|n| n.to_string()).collect();
    for (case, name) in cases.iter().zip(&names) {
        fs::write(folder.join("in").join(name), &case.tar)?;
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let bsd = BSD.start(folder, &names).wait();
    let mut wrong = 0;
    for (case, name) in cases.iter().zip(&names) {
        let tree = kit::tree::read(&bsd.folder(name), now.as_secs().cast_signed() - 2)?;
        let here = bench.libarchive_alone(&case.tar)?;
        if here != tree {
            println!("{}: bsdtar {tree:?}\nlibarchive {here:?}\n{}", case.name, bsd.log(name));
            wrong += 1;
        }
    }
    println!("extract.c differs from bsdtar for {wrong} of {} archives", cases.len());
    Ok(ExitCode::from(u8::from(wrong > 0)))
}
