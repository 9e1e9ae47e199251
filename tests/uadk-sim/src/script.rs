//! Scripts: controls in text form, for the shared library.

use std::fmt::{Display, Formatter};
use std::str::FromStr;
use std::sync::Once;
use std::sync::atomic::Ordering;
use std::time::Duration;

use uadk_sys::abi::WD_HW_EACCESS;

use crate::faults::{Fault, Rate};
use crate::lz::Lie;
use crate::machine::{Algorithm, Machine};
use crate::state::{SETTINGS, STATE};
use crate::sync::lock;
use crate::timing::{self, Timing};
use crate::{faults, fork, init, late, memo, requests};

/// The environment variable with a script that runs when the library is first used.
pub const SCRIPT_VARIABLE: &str = "UADK_SIM_SCRIPT";

/// The default number of polls until the late write of a lost request.
const LATE_POLLS: u32 = 100;

static ENVIRONMENT: Once = Once::new();

/// An invalid word in a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    word: String,
    expected: &'static str,
}

impl Display for ScriptError {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "uadk-sim: invalid word {:?} in script: expected {}", self.word, self.expected)
    }
}

impl std::error::Error for ScriptError {}

/// Runs the environment's script on the first call.
#[inline]
pub(crate) fn read_environment() {
    ENVIRONMENT.call_once(|| {
        fork::register();
        let Ok(script) = std::env::var(SCRIPT_VARIABLE) else { return };
        if let Err(error) = run(&script) {
            use std::io::Write;
            // Not `eprintln`: test harnesses capture it, and an abort loses the output.
            let _ = writeln!(std::io::stderr(), "{error} ({SCRIPT_VARIABLE})");
            std::process::abort();
        }
    });
}

/// Ignores the environment's script, for programs that use the controls directly.
pub(crate) fn ignore_environment() {
    ENVIRONMENT.call_once(|| {});
}

/// Runs a script, word by word.
pub(crate) fn run(script: &str) -> Result<(), ScriptError> {
    script.split(';').map(str::trim).filter(|word| !word.is_empty()).try_for_each(run_word)
}

fn run_word(word: &str) -> Result<(), ScriptError> {
    let (name, value) = match word.split_once('=') {
        Some((name, value)) => (name.trim(), value.trim()),
        None => (word, ""),
    };
    let invalid = |expected| ScriptError { word: word.to_owned(), expected };
    run_machine(name, value)
        .or_else(|| run_event(name, value))
        .or_else(|| run_rate(name, value))
        .unwrap_or(Err("a known word"))
        .map_err(invalid)
}

/// `None` if the name is not in this group of words; an error names the expected value.
type Outcome = Option<Result<(), &'static str>>;

fn run_machine(name: &str, value: &str) -> Outcome {
    Some(match name {
        "machine" => match value {
            "full" => Ok(Machine::default()),
            "no-raw-deflate" => Ok(Machine::without_raw_deflate()),
            "no-device" => Ok(Machine::without_device()),
            "no-permission" => Ok(Machine::without_permission()),
            "isolated" => Ok(Machine::isolated()),
            "lz77" => Ok(Machine::lz77()),
            "lz77-zstd" => Ok(Machine::lz77_zstd()),
            _ => Err("full, no-raw-deflate, no-device, no-permission, isolated, lz77 or lz77-zstd"),
        }
        .map(|machine| lock(&STATE).set_machine(machine)),
        "nodes" => numbers(value)
            .map(|numa_nodes| change_machine(|machine| machine.numa_nodes = numa_nodes)),
        "algorithms" => algorithms(value)
            .map(|algorithms| change_machine(|machine| machine.algorithms = algorithms)),
        "queue-version" => {
            number(value).map(|version| change_machine(|machine| machine.queue_version = version))
        }
        "contexts" => number(value).map(|contexts| lock(&STATE).machine.contexts = contexts),
        "device" => one_of(value, ["present", "absent"], "present or absent").map(|present| {
            lock(&STATE).machine.present = present;
            if !present {
                requests::reset_device();
            }
        }),
        "node" => one_of(value, ["free", "busy"], "free or busy")
            .map(|free| lock(&STATE).machine.busy_node = !free),
        "open-delay" => number(value)
            .map(|millis| lock(&STATE).machine.open_delay = Duration::from_millis(millis)),
        "available" if value == "actual" => {
            lock(&STATE).claimed_contexts = None;
            Ok(())
        }
        "available" => number(value).map(|claimed| lock(&STATE).claimed_contexts = Some(claimed)),
        "raw-deflate-crash" => {
            yes(value).map(|crash| SETTINGS.raw_deflate_crash.store(crash, Ordering::Relaxed))
        }
        "permission" => yes(value).map(|permission| lock(&STATE).machine.permission = permission),
        "isolated" => yes(value).map(|isolated| lock(&STATE).machine.isolated = isolated),
        "queues" => one_of(value, ["taken", "free"], "taken or free")
            .map(|taken| lock(&STATE).queues_taken = taken),
        "queue" => {
            number(value).map(|limit: usize| SETTINGS.queue_limit.store(limit, Ordering::Relaxed))
        }
        "room" => {
            yes(value).map(|demand| SETTINGS.demands_capacity.store(demand, Ordering::Relaxed))
        }
        "timing" => one_of(value, ["published", "instant"], "published or instant").map(|model| {
            timing::set(if model { Timing::Published } else { Timing::Instant });
        }),
        "memoise" if value.is_empty() => {
            memo::set(true);
            Ok(())
        }
        "memoise" => yes(value).map(memo::set),
        _ => return None,
    })
}

/// Replaces the machine with a changed one.
fn change_machine(change: impl FnOnce(&mut Machine)) {
    let mut state = lock(&STATE);
    let mut machine = state.machine.clone();
    change(&mut machine);
    state.set_machine(machine);
}

fn run_event(name: &str, value: &str) -> Outcome {
    Some(match name {
        "fail-context" => number(value).map(requests::fail_context),
        "reset-device" if value.is_empty() => {
            requests::reset_device();
            Ok(())
        }
        "write-late" if value.is_empty() => {
            late::write_all();
            Ok(())
        }
        "no-faults" if value.is_empty() => {
            faults::clear();
            Ok(())
        }
        "other" => one_of(value, ["init", "uninit"], "init or uninit").and_then(|init| {
            if !init {
                init::uninit_as_other();
            } else if init::init_as_other() != 0 {
                return Err("a library that can be initialised");
            }
            Ok(())
        }),
        "seed" => number(value).map(|seed| faults::change_rates(|rates| rates.seed = seed)),
        _ => return None,
    })
}

/// Sets a rate of faults: `A/B`, with a parameter `:N` for some kinds, or 0 for none.
fn run_rate(name: &str, value: &str) -> Outcome {
    const PLAIN: &str = "a rate such as 1/50, or 0";
    const WITH_NUMBER: &str = "a rate and a number such as 1/50:5, or 0";
    let (rate, parameter) = match value.split_once(':') {
        Some((rate, parameter)) => (rate, Some(parameter)),
        None => (value, None),
    };
    let none = || parameter.is_none().then_some(()).ok_or(PLAIN);
    let unsigned = || parameter.and_then(|text| text.trim().parse::<u32>().ok()).ok_or(WITH_NUMBER);
    let signed = || parameter.and_then(|text| text.trim().parse::<i32>().ok()).ok_or(WITH_NUMBER);
    let micros = || unsigned().map(|micros| Duration::from_micros(micros.into()));
    let off = value == "0";
    let dead = -(WD_HW_EACCESS.cast_signed());
    let (kind, fault) = match name {
        "busy" => (0, none().map(|()| Fault::Busy)),
        "context" => (1, none().map(|()| Fault::Context(dead))),
        "reset" => (2, none().map(|()| Fault::Reset)),
        "lost" => {
            let polls = if parameter.is_some() { unsigned() } else { Ok(LATE_POLLS) };
            (
                3,
                polls.map(|polls| {
                    late::set_after_polls(polls);
                    Fault::Lost { write_late: true }
                }),
            )
        }
        "flip" => (4, none().map(|()| Fault::FlipBit)),
        "late" => (5, unsigned().map(|polls| Fault::Late { polls })),
        "delay" => (6, micros().map(Fault::Delay)),
        "status" => (7, unsigned().map(Fault::Status)),
        "return" => (8, signed().map(Fault::Return)),
        "short" => (9, unsigned().map(Fault::ShortBy)),
        "claims" => (10, unsigned().map(Fault::Claims)),
        "consumed" => (11, unsigned().map(Fault::Consumed)),
        "consumed-short" => (12, unsigned().map(Fault::ConsumedShort)),
        "empty" => (13, none().map(|()| Fault::Empty)),
        "truncated" => (14, unsigned().map(Fault::Truncated)),
        "no-trailer" => (15, none().map(|()| Fault::NoTrailer)),
        "keeps" => (16, signed().map(Fault::ReturnButKeep)),
        "submit-delay" => (17, micros().map(Fault::SlowSubmit)),
        _ => {
            let (kind, lie) = lie(name, none, unsigned, signed)?;
            (kind, lie.map(Fault::Lie))
        }
    };
    if off {
        faults::change_rates(|rates| rates.rates[kind] = None);
        return Some(Ok(()));
    }
    Some(fault.and_then(|fault| {
        let rate = parse_rate(rate).ok_or(PLAIN)?;
        faults::change_rates(|rates| rates.rates[kind] = Some((rate, fault)));
        Ok(())
    }))
}

/// Returns the number of a kind of lie, and the lie with its parameter.
fn lie(
    name: &str,
    none: impl Fn() -> Result<(), &'static str>,
    unsigned: impl Fn() -> Result<u32, &'static str>,
    signed: impl Fn() -> Result<i32, &'static str>,
) -> Option<(usize, Result<Lie, &'static str>)> {
    let plain = |lie| none().map(|()| lie);
    Some(match name {
        "literals" => (18, signed().map(Lie::Literals)),
        "sequences" => (19, signed().map(Lie::Sequences)),
        "overflow-count" => (20, unsigned().map(Lie::OverflowCount)),
        "overflow-position" => (21, unsigned().map(Lie::OverflowPosition)),
        "literal-length" => (22, signed().map(Lie::LiteralLength)),
        "match-length" => (23, signed().map(Lie::MatchLength)),
        "zero-offset" => (24, plain(Lie::ZeroOffset)),
        "zero-repeat" => (25, plain(Lie::ZeroRepeat)),
        "before-start" => (26, plain(Lie::BeforeStart)),
        "beyond-window" => (27, plain(Lie::BeyondWindow)),
        "wrong-match" => (28, plain(Lie::WrongMatch)),
        "no-end-rules" => (29, plain(Lie::NoEndRules)),
        _ => return None,
    })
}

fn parse_rate(text: &str) -> Option<Rate> {
    let (faults, of) = text.split_once('/')?;
    let (faults, of) = (faults.trim().parse::<u32>().ok()?, of.trim().parse().ok()?);
    (of > 0).then_some(Rate { faults: faults.min(of), of })
}

fn number<T: FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "a number")
}

fn numbers(text: &str) -> Result<Vec<u32>, &'static str> {
    const EXPECTED: &str = "up to eight NUMA nodes such as 0,1";
    let nodes = text.split(',').map(|node| node.trim().parse().ok()).collect::<Option<Vec<_>>>();
    nodes.filter(|nodes| nodes.len() <= timing::MAX_DEVICES).ok_or(EXPECTED)
}

fn algorithms(text: &str) -> Result<Vec<&'static str>, &'static str> {
    let names = text.split(',').map(|name| Algorithm::from_name(name.trim()));
    let names = names.map(|known| known.map(Algorithm::name)).collect::<Option<Vec<_>>>();
    names.ok_or("names of algorithms such as zlib,lz4")
}

fn yes(text: &str) -> Result<bool, &'static str> {
    one_of(text, ["yes", "no"], "yes or no")
}

fn one_of(
    text: &str,
    [first, second]: [&str; 2],
    expected: &'static str,
) -> Result<bool, &'static str> {
    match text {
        _ if text == first => Ok(true),
        _ if text == second => Ok(false),
        _ => Err(expected),
    }
}
