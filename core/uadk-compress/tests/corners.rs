//! Corner cases of the accelerator path: libraries slower or stranger than the simulator, and
//! unusual callers.

#![allow(unsafe_code, reason = "replaces library functions, and forks")]

mod common;
#[path = "uadk/rig.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod rig;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rig::{LEN, MS, Rig};
use uadk_compress::clock::{Clock, ManualClock};
use uadk_compress::fault::{Fault as EngineFault, FaultInjector};
use uadk_compress::offload::Verify;
use uadk_compress::pool::Pool;
use uadk_compress::{
    BlockCompressor, Compressor, Error, Format, Level, Libwd, Offload, OffloadCompressor, Policy,
    SoftwareCompressor, UadkCompressor, UadkConfig,
};
use uadk_sim::{Fault, Machine, Simulator};
use uadk_sys::Functions;
use uadk_sys::abi::{handle_t, wd_comp_req};

/// Returns the simulator's library with some functions replaced.
fn with_functions(change: impl FnOnce(&mut Functions)) -> Libwd {
    let libwd = uadk_sim::libwd();
    let mut functions = *libwd.functions();
    change(&mut functions);
    // SAFETY: they call the simulator's functions, which behave like UADK's.
    unsafe { Libwd::from_functions(functions, libwd.version().clone()) }
}

static HOLD_UNINIT: AtomicBool = AtomicBool::new(false);
static IN_UNINIT: AtomicBool = AtomicBool::new(false);

unsafe extern "C" fn held_uninit() {
    while HOLD_UNINIT.load(Ordering::SeqCst) {
        IN_UNINIT.store(true, Ordering::SeqCst);
        std::thread::sleep(MS);
    }
    IN_UNINIT.store(false, Ordering::SeqCst);
    // SAFETY: forwards the call unchanged.
    unsafe { (uadk_sim::FUNCTIONS.wd_comp_uninit2)() }
}

#[test]
fn require_right_after_the_last_compressor_was_dropped_gets_the_device() {
    let sim = Simulator::acquire(Machine::default());
    let libwd = with_functions(|f| f.wd_comp_uninit2 = held_uninit);
    let build = {
        let libwd = libwd.clone();
        move || {
            Compressor::builder().format(Format::Zlib).offload(Offload::Require).build_on(&libwd)
        }
    };
    let first = build().expect("a healthy device");
    HOLD_UNINIT.store(true, Ordering::SeqCst);
    drop(first);
    while !IN_UNINIT.load(Ordering::SeqCst) {
        std::thread::sleep(MS);
    }
    let second = std::thread::spawn(build);
    std::thread::sleep(50 * MS);
    HOLD_UNINIT.store(false, Ordering::SeqCst);
    let second = second.join().expect("no panic");
    let error = second.as_ref().err().cloned();
    drop(second);
    std::thread::sleep(100 * MS);
    drop(sim);
    assert_eq!(error, None);
}

static CLOCK: Mutex<Option<ManualClock>> = Mutex::new(None);
static CODE: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" fn slow_and_failing(handle: handle_t, req: *mut wd_comp_req) -> i32 {
    let code = CODE.load(Ordering::SeqCst).cast_signed();
    if code == 0 {
        // SAFETY: forwards the call unchanged.
        return unsafe { (uadk_sim::FUNCTIONS.wd_do_comp_async)(handle, req) };
    }
    CLOCK.lock().as_ref().expect("a clock").advance(60 * MS);
    code
}

fn slow_rig(policy: Policy) -> Rig {
    let sim = Simulator::acquire(Machine::default());
    let libwd = with_functions(|f| f.wd_do_comp_async = slow_and_failing);
    CODE.store(0, Ordering::SeqCst);
    let rig = Rig::on_libwd(sim, &libwd, Format::Zlib, &UadkConfig::default(), policy);
    *CLOCK.lock() = Some(rig.clock.clone());
    rig
}

#[test]
fn slow_submissions_that_fail_do_not_prolong_a_call() {
    assert_bounded(-62);
}

#[test]
fn slow_submissions_to_a_full_queue_do_not_prolong_a_call() {
    assert_bounded(-16);
}

/// Asserts that a call takes at most its deadline and one submission if each submission fails with
/// `code`.
fn assert_bounded(code: i32) {
    let rig = slow_rig(Policy::default());
    rig.compress(0);
    CODE.store(code.cast_unsigned(), Ordering::SeqCst);
    let begin = rig.clock.now();
    rig.compress(1);
    let took = rig.clock.now().saturating_sub(begin);
    CODE.store(0, Ordering::SeqCst);
    assert!(took <= 160 * MS, "{code}: took {took:?}");
}

#[test]
fn the_first_block_of_a_thread_on_a_slow_device_takes_at_most_one_deadline() {
    let rig = Rig::new();
    rig.uadk.start().expect("a healthy device");
    rig.sim.set_faults(|_| Some(Fault::Delay(60 * MS)));
    let begin = rig.clock.now();
    rig.compress(1);
    let took = rig.clock.now().saturating_sub(begin);
    assert!(took <= 101 * MS, "took {took:?}: {}", rig.stats());
}

#[test]
fn more_output_than_the_device_was_offered_is_a_fault() {
    let rig = Rig::with(
        Machine::default(),
        Format::RawDeflate,
        &UadkConfig::default(),
        Policy::default(),
    );
    rig.compress(0);
    // 8192 + 1024 + 64 bytes were offered, in a buffer of 12 KiB.
    rig.sim.fault(Fault::Claims(9500), 1);
    let written = rig.engines.compress(&common::block(1, LEN), &mut vec![0; 16 << 10]);
    assert_eq!(rig.stats().fallbacks.device_error, 1, "{written:?}: {}", rig.stats());
}

#[test]
fn an_offload_compressor_may_be_the_software_of_another() {
    let software = || SoftwareCompressor::new(Format::Zlib, Level::FAST).expect("zlib");
    let policy = Policy::default().with_verify(Verify::Both);
    let inner = OffloadCompressor::new(software(), software(), policy.clone()).expect("zlib");
    let outer = OffloadCompressor::new(software(), inner, policy).expect("zlib");
    rig::compress(&outer, 1);
}

#[test]
fn blocks_that_were_not_submitted_do_not_make_the_device_look_fast() {
    let rig = Rig::new();
    rig.compress(0);
    let clock = rig.clock.clone();
    rig.sim.set_sleeper(Arc::new(move |time| clock.advance(time)));
    rig.sim.set_faults(|_| Some(Fault::SlowSubmit(10 * MS)));
    let begin = rig.clock.now();
    rig.compress_batch(5000);
    let took = rig.clock.now().saturating_sub(begin);
    let stats = rig.stats();
    assert!(stats.delay.compress > 2 * MS && took <= 120 * MS, "took {took:?}: {stats}");
}

#[test]
fn a_context_that_completes_nothing_is_given_up_after_some_timeouts() {
    let rig = Rig::with(
        Machine::default(),
        Format::Zlib,
        &UadkConfig::default(),
        Policy::default().with_max_delay(Duration::MAX),
    );
    rig.compress(0);
    rig.sim
        .set_faults(|request| (request.context == 1).then_some(Fault::Lost { write_late: false }));
    for seed in 0..400 {
        std::thread::scope(|scope| {
            scope.spawn(|| rig.compress(seed)).join().expect("no panic");
        });
    }
    let stats = rig.stats();
    assert!(stats.fallbacks.timed_out < 10, "{stats}");
}

struct PanickingSubscriber;

impl tracing::Subscriber for PanickingSubscriber {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {
        std::panic::resume_unwind(Box::new("subscriber"))
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn a_subscriber_that_panics_does_not_lose_the_device() {
    let rig = Rig::new();
    let _ = tracing::subscriber::with_default(PanickingSubscriber, || {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| rig.uadk.start()))
    });
    assert_ne!(rig.uadk.stats().outage, Some(Error::Starting));
}

#[test]
fn a_pool_can_be_dropped_in_a_forked_child() {
    let mut pool = Pool::new("fork", 2, || (), |(), n: &mut u64| *n += 1);
    pool.submit(1).expect("not full");
    pool.take().expect("one").expect("no panic");
    // SAFETY: the child only drops what it inherited, and exits.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        // SAFETY: only kills the child if it hangs.
        unsafe { libc::alarm(60) };
        let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(pool)));
        // SAFETY: ends the child.
        unsafe { libc::_exit(i32::from(dropped.is_err())) };
    }
    let mut status = 0;
    // SAFETY: a child of this process, and valid memory for its status.
    assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, 0) }, pid);
    drop(pool);
    assert!(libc::WIFEXITED(status), "the child hung");
    assert_eq!(libc::WEXITSTATUS(status), 0, "the child panicked");
}

static FREE: Mutex<Vec<i32>> = Mutex::new(Vec::new());

unsafe extern "C" fn rotating_avail_ctx(_: *mut std::ffi::c_void) -> i32 {
    let mut free = FREE.lock();
    let first = free.remove(0);
    free.push(first);
    first
}

#[test]
fn no_more_contexts_are_asked_for_than_the_fullest_node_has_free() {
    // The first node has 32 contexts free per direction, the second 2.
    *FREE.lock() = vec![64, 4];
    let sim = Simulator::acquire(Machine { numa_nodes: vec![0, 1], ..Machine::default() });
    let libwd = with_functions(|f| {
        f.wd_get_avail_ctx = rotating_avail_ctx;
        f.wd_comp_init2_ = recording_init;
    });
    let config = UadkConfig::default().with_background(false);
    let clock = ManualClock::default();
    let uadk = UadkCompressor::with_libwd(&libwd, Format::Zlib, &config, clock)
        .expect("UADK is installed");
    let _ = uadk.start();
    let asked = ASKED.load(Ordering::SeqCst);
    drop(uadk);
    drop(sim);
    assert!(asked <= 2, "asked for {asked} on a node with 2 free for each direction");
}

static ASKED: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" fn recording_init(
    algorithm: *mut std::ffi::c_char,
    sched: u32,
    task: i32,
    params: *mut uadk_sys::abi::wd_ctx_params,
) -> i32 {
    // SAFETY: the caller passes valid parameters.
    let ctx_set_num = unsafe { (*params).ctx_set_num };
    // SAFETY: as above.
    let nums = unsafe { ctx_set_num.read() };
    ASKED.store(nums.async_ctx_num, Ordering::SeqCst);
    // SAFETY: forwards the call unchanged.
    unsafe { (uadk_sim::FUNCTIONS.wd_comp_init2_)(algorithm, sched, task, params) }
}

#[test]
fn blocks_before_a_software_panic_are_counted() {
    let engine = SoftwareCompressor::new(Format::Zlib, Level::FAST).expect("zlib");
    let device =
        FaultInjector::new(engine.clone(), |n| (n == 5).then_some(EngineFault::Device(-5)));
    let software = FaultInjector::new(engine, |_| Some(EngineFault::Panic));
    let both = OffloadCompressor::new(device, software, Policy::default()).expect("zlib");
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        rig::compress_batch(&both, 10);
    }));
    assert!(caught.is_err());
    assert!(both.stats().accelerator.blocks() >= 5, "{}", both.stats());
}

#[test]
fn trailing_bytes_are_not_a_fault_if_the_driver_does_not_count_the_trailer() {
    for format in [Format::Zlib, Format::Gzip] {
        let rig = Rig::with(Machine::default(), format, &UadkConfig::default(), Policy::default());
        rig.decompress(0);
        let data = common::block(1, LEN);
        let mut stream = common::zlib_compress(format, 6, &data).expect("writes to memory");
        let trailer = if format == Format::Zlib { 4 } else { 8 };
        stream.extend_from_slice(&[0xee; 16]);
        rig.sim.fault(Fault::ConsumedShort(trailer), 1);
        assert_eq!(rig.engines.decompress(&stream, &mut vec![0; LEN]), Ok(LEN));
        assert_eq!(rig.stats().breaker.opened, 0, "{format}: {}", rig.stats());
    }
}

#[test]
fn a_device_is_not_uninitialised_while_it_works_on_blocks_left_by_a_panic() {
    let Rig { engines, uadk, clock, sim, .. } = Rig::new();
    rig::compress(&engines, 0);
    sim.full_queue(8);
    sim.set_faults(|_| Some(Fault::Late { polls: 40 }));
    let software = SoftwareCompressor::new(Format::Zlib, Level::FAST).expect("zlib");
    let software = FaultInjector::new(software, |n| (n == 0).then_some(EngineFault::Panic));
    let both =
        OffloadCompressor::with_clock(uadk.clone(), software, Policy::default(), clock.clone());
    rig::compress_batch(both.as_ref().expect("zlib"), 20);
    drop((both, engines, uadk));
    assert_eq!(sim.counts().uninits, 1);
}

#[test]
fn a_device_is_not_uninitialised_while_it_works_on_a_block_past_its_deadline() {
    let Rig { engines, uadk, clock: _clock, sim, .. } = Rig::new();
    rig::compress(&engines, 0);
    sim.fault(Fault::Delay(150 * MS), 1);
    rig::compress(&engines, 1);
    drop((engines, uadk));
    assert_eq!(sim.counts().uninits, 1);
}
