//! Initialising the library.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::HERE;
use uadk_sim::{Machine, Simulator};
use uadk_sys::Release;
use uadk_sys::abi::{EEXIST, EINVAL, ENODEV, ENOMEM, ETIMEDOUT, TASK_HW};

/// Returns whether the driver of an algorithm is available; `None` if it is not registered.
fn available(algorithm: &str) -> Option<bool> {
    let (_, node) = HERE.drivers().into_iter().find(|(name, _)| name == algorithm)?;
    // SAFETY: a node of the library's list.
    Some(unsafe { (*node).available })
}

fn enable(algorithm: &str) {
    let drivers = HERE.drivers();
    let (_, node) = drivers.iter().find(|(name, _)| name == algorithm).expect("registered");
    // SAFETY: a node of the library's list.
    let driver = unsafe { (**node).drv };
    // SAFETY: the node's driver.
    unsafe { (HERE.0.wd_enable_drv)(driver) };
}

/// Returns the free contexts of each device that offers an algorithm.
fn devices(algorithm: &std::ffi::CStr) -> Vec<i32> {
    let mut free = Vec::new();
    // SAFETY: a NUL-terminated name.
    let list = unsafe { (HERE.0.wd_get_accel_list)(algorithm.as_ptr()) };
    let mut node = list;
    while !node.is_null() {
        // SAFETY: a node of the list.
        let fields = unsafe { *node };
        // SAFETY: as above.
        free.push(unsafe { (HERE.0.wd_get_avail_ctx)(fields.dev) });
        node = fields.next;
    }
    // SAFETY: as above, and not freed yet.
    unsafe { (HERE.0.wd_free_list_accels)(list) };
    free
}

#[test]
fn one_initialisation_serves_the_process() {
    let sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.init(), 0);
    assert_eq!(HERE.init(), EEXIST);
    HERE.uninit();
    HERE.uninit();
    assert_eq!(HERE.init(), 0);
    HERE.uninit();
    let counts = sim.counts();
    assert_eq!((counts.inits, counts.uninits), (2, 2));
}

#[test]
fn another_users_initialisation_has_three_contexts_per_direction() {
    let sim = Simulator::acquire(Machine::default());
    assert_eq!(sim.initialise_as_other(), 0);
    assert_eq!(HERE.init(), EEXIST);
    let asynchronous = |context: &u32| HERE.poll(*context, 1).0 != EINVAL;
    assert_eq!((0..10).filter(asynchronous).collect::<Vec<_>>(), [1, 2, 4, 5]);
    sim.uninitialise_as_other();
    assert_eq!(HERE.init(), 0);
}

#[test]
fn without_a_device_there_is_no_driver() {
    let sim = Simulator::acquire(Machine::without_device());
    assert_eq!(HERE.init(), EINVAL);
    assert!(HERE.drivers().is_empty());
    assert!(devices(c"zlib").is_empty());
    drop(sim);
}

#[test]
fn an_algorithm_that_the_device_lacks_is_refused() {
    let _sim = Simulator::acquire(Machine::without_raw_deflate());
    assert_eq!(HERE.init_with("deflate", [(1, 1), (1, 1)]), EINVAL);
    assert_eq!(HERE.init_with("lzma", [(1, 1), (1, 1)]), EINVAL);
    assert_eq!(HERE.init(), 0);
    assert_eq!(devices(c"zlib"), [64 - 8]);
    assert!(devices(c"deflate").is_empty());
    let names = HERE.drivers().into_iter().map(|(name, _)| name);
    assert_eq!(names.collect::<Vec<_>>(), ["zlib", "gzip"]);
}

#[test]
fn drivers_are_listed_from_the_first_initialisation_on() {
    let _sim = Simulator::acquire(Machine::default());
    assert!(HERE.drivers().is_empty());
    assert_eq!(HERE.init(), 0);
    let names = HERE.drivers().into_iter().map(|(name, _)| name);
    assert_eq!(names.collect::<Vec<_>>(), ["zlib", "gzip", "deflate"]);
    // SAFETY: the list is the library's.
    let head = unsafe { (HERE.0.wd_get_alg_head)() };
    // SAFETY: as above.
    let head = unsafe { *head };
    assert!(head.drv.is_null() && head.alg_name[0] == 0);
}

#[test]
fn a_lack_of_contexts_disables_the_driver_until_it_is_enabled() {
    let sim = Simulator::acquire(Machine::default());
    sim.take_all_queues();
    assert_eq!(HERE.init(), ENODEV);
    assert_eq!(available("zlib"), Some(false));
    assert_eq!(available("gzip"), Some(true));
    assert_eq!(devices(c"zlib"), [0]);
    sim.release_queues();
    assert_eq!(HERE.init(), EINVAL);
    enable("zlib");
    assert_eq!(available("zlib"), Some(true));
    assert_eq!(HERE.init(), 0);
}

#[test]
fn asking_for_too_many_contexts_takes_none() {
    let _sim = Simulator::acquire(Machine { contexts: 8, ..Machine::default() });
    assert_eq!(HERE.init_with("zlib", [(2, 2), (2, 3)]), ENODEV);
    enable("zlib");
    assert_eq!(HERE.init(), 0);
    assert_eq!(devices(c"zlib"), [0]);
    HERE.uninit();
    assert_eq!(devices(c"zlib"), [8]);
}

#[test]
fn an_isolated_device_is_not_listed_and_disables_the_driver() {
    let sim = Simulator::acquire(Machine::isolated());
    assert!(devices(c"zlib").is_empty());
    assert_eq!(HERE.init(), ENODEV);
    sim.isolate(false);
    assert_eq!(HERE.init(), EINVAL);
    enable("zlib");
    assert_eq!(HERE.init(), 0);
}

#[test]
fn without_permission_the_device_is_listed_and_can_not_be_opened() {
    let sim = Simulator::acquire(Machine::without_permission());
    assert_eq!(devices(c"zlib"), [64]);
    assert_eq!(HERE.init(), ENOMEM);
    assert_eq!(HERE.init(), ENOMEM);
    sim.permit(true);
    assert_eq!(HERE.init(), 0);
}

#[test]
fn a_node_that_stays_busy_is_a_timeout() {
    let _sim = Simulator::acquire(Machine { busy_node: true, ..Machine::default() });
    assert_eq!(HERE.init(), ETIMEDOUT);
}

#[test]
fn a_node_that_is_busy_for_a_while_can_be_opened_afterwards() {
    let sim = Simulator::acquire(Machine::default());
    sim.busy_node(true);
    assert_eq!(HERE.init(), ETIMEDOUT);
    sim.busy_node(false);
    assert_eq!(HERE.init(), 0);
}

/// Sets a clock that only advances when the simulator sleeps on it. Returns its milliseconds.
fn sleeping_clock(sim: &Simulator) -> Arc<AtomicU64> {
    let millis = Arc::new(AtomicU64::new(0));
    let (clock, sleeper) = (Arc::clone(&millis), Arc::clone(&millis));
    sim.set_clock(Arc::new(move || Duration::from_millis(clock.load(Ordering::Relaxed))));
    sim.set_sleeper(Arc::new(move |time| {
        sleeper.fetch_add(time.as_millis() as u64, Ordering::Relaxed);
    }));
    millis
}

#[test]
fn opening_takes_its_time_whether_it_succeeds_or_not() {
    let open_delay = Duration::from_secs(20);
    for (busy_node, code) in [(false, 0), (true, ETIMEDOUT)] {
        let machine = Machine { busy_node, open_delay, ..Machine::default() };
        let sim = Simulator::acquire(machine);
        let slept = sleeping_clock(&sim);
        assert_eq!(HERE.init(), code);
        assert_eq!(slept.load(Ordering::Relaxed), 20_000);
    }
}

#[test]
fn a_failure_before_the_node_is_opened_takes_no_time() {
    let open_delay = Duration::from_secs(20);
    for machine in [Machine::isolated(), Machine::without_device(), Machine::without_permission()] {
        let sim = Simulator::acquire(Machine { open_delay, ..machine });
        let slept = sleeping_clock(&sim);
        assert_ne!(HERE.init(), 0);
        sim.take_all_queues();
        assert_ne!(HERE.init(), 0);
        assert_eq!(slept.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn an_open_without_a_sleeper_really_takes_long() {
    let sim = Simulator::acquire(Machine::default());
    sim.slow_open(Duration::from_millis(30));
    let began = Instant::now();
    assert_eq!(HERE.init(), 0);
    assert!(began.elapsed() >= Duration::from_millis(30));
}

#[test]
fn a_held_initialisation_blocks_nothing_else_and_continues_when_released() {
    let sim = Simulator::acquire(Machine::default());
    let hold = sim.hold_open();
    let initialising = std::thread::spawn(|| HERE.init());
    hold.wait_until_reached();
    assert_eq!((sim.counts().initialising, sim.counts().inits), (1, 0));
    assert_eq!(devices(c"zlib"), [64]);
    assert_eq!(HERE.drivers().len(), 3);
    assert_eq!(HERE.poll(2, 1).0, EINVAL, "no contexts yet");
    assert!(!initialising.is_finished());
    drop(hold);
    assert_eq!(initialising.join().unwrap(), 0);
    assert_eq!((sim.counts().initialising, sim.counts().inits), (0, 1));
    HERE.uninit();
}

#[test]
fn a_second_initialisation_waits_for_the_first() {
    let sim = Simulator::acquire(Machine::default());
    let hold = sim.hold_open();
    let first = std::thread::spawn(|| HERE.init());
    hold.wait_until_reached();
    let second = std::thread::spawn(|| HERE.init());
    drop(hold);
    assert_eq!(first.join().unwrap(), 0);
    assert_eq!(second.join().unwrap(), EEXIST);
}

#[test]
fn a_second_initialisation_times_out() {
    let sim = Simulator::acquire(Machine::default());
    let hold = sim.hold_open();
    let first = std::thread::spawn(|| HERE.init());
    hold.wait_until_reached();
    assert_eq!(HERE.init(), ETIMEDOUT);
    drop(hold);
    assert_eq!(first.join().unwrap(), 0);
}

#[test]
fn a_held_initialisation_ends_with_its_simulator() {
    let sim = Simulator::acquire(Machine::default());
    let hold = sim.hold_open();
    let initialising = std::thread::spawn(|| HERE.init());
    hold.wait_until_reached();
    drop(sim);
    assert_eq!(initialising.join().unwrap(), ETIMEDOUT);
    let sim = Simulator::acquire(Machine::default());
    let newer = sim.hold_open();
    drop(hold);
    let initialising = std::thread::spawn(|| HERE.init());
    newer.wait_until_reached();
    drop(newer);
    assert_eq!(initialising.join().unwrap(), 0);
}

#[test]
fn a_held_initialisation_sees_changes_made_meanwhile() {
    let sim = Simulator::acquire(Machine::default());
    let hold = sim.hold_open();
    let initialising = std::thread::spawn(|| HERE.init());
    hold.wait_until_reached();
    sim.unplug();
    drop(hold);
    assert_eq!(initialising.join().unwrap(), ENODEV);
}

#[test]
fn a_device_that_appears_before_the_first_initialisation_is_used() {
    let sim = Simulator::acquire(Machine::without_device());
    assert!(devices(c"zlib").is_empty());
    assert!(HERE.drivers().is_empty());
    sim.plug_in();
    assert_eq!(devices(c"zlib"), [64]);
    sim.unplug();
    assert!(devices(c"zlib").is_empty());
    sim.plug_in();
    assert_eq!(HERE.init(), 0);
    HERE.compressed(HERE.compressor(), b"abc");
}

#[test]
fn an_initialisation_without_a_device_leaves_no_driver_for_one_that_appears() {
    let sim = Simulator::acquire(Machine::without_device());
    assert_eq!(HERE.init(), EINVAL);
    sim.plug_in();
    assert_eq!(devices(c"zlib"), [64]);
    assert!(HERE.drivers().is_empty(), "drivers only register when they are loaded");
    assert_eq!(HERE.init(), EINVAL);
}

#[test]
fn the_reported_free_contexts_can_be_wrong() {
    let sim = Simulator::acquire(Machine::default());
    sim.claim_contexts(Some(7));
    assert_eq!(devices(c"zlib"), [7]);
    assert_eq!(HERE.init(), 0, "enough contexts are free");
    HERE.uninit();
    sim.take_all_queues();
    assert_eq!(devices(c"zlib"), [7]);
    assert_eq!(HERE.init(), ETIMEDOUT, "the node stays busy");
    assert_eq!(available("zlib"), Some(true));
    sim.claim_contexts(Some(0));
    sim.release_queues();
    assert_eq!(HERE.init(), ENODEV);
    sim.claim_contexts(None);
    enable("zlib");
    assert_eq!(devices(c"zlib"), [64]);
    assert_eq!(HERE.init(), 0);
}

#[test]
fn a_test_can_choose_the_version() {
    for (number, release) in [
        ("2.5", Release::From2_5),
        ("2.8", Release::From2_5),
        ("2.9.1", Release::From2_5),
        ("2.10", Release::From2_10),
        ("2.10.1", Release::From2_10),
        ("2.11", Release::After2_10),
    ] {
        let libwd = uadk_sim::libwd_of(number);
        assert_eq!(libwd.version().release, release, "{number}");
        assert_eq!(libwd.version().to_string(), number);
    }
}

#[test]
#[should_panic(expected = "is not a version")]
fn a_version_that_uadk_does_not_have_is_refused() {
    let _ = uadk_sim::libwd_of("2.4");
}

#[test]
fn a_device_that_vanishes_takes_its_contexts_with_it() {
    let sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.init(), 0);
    sim.unplug();
    assert_eq!(HERE.poll(2, 1), (-62, 0));
    HERE.uninit();
    assert_eq!(HERE.init(), ENODEV);
    enable("zlib");
    assert_eq!(HERE.init(), EINVAL);
    sim.plug_in();
    enable("zlib");
    assert_eq!(HERE.init(), 0);
}

#[test]
fn invalid_parameters_are_refused() {
    let _sim = Simulator::acquire(Machine::default());
    assert_eq!(HERE.init_with("zlib", [(0, 0), (0, 0)]), EINVAL);
    let zlib = c"zlib".as_ptr().cast_mut();
    let null = std::ptr::null_mut();
    for (algorithm, scheduler, task) in [(null, 0, TASK_HW), (zlib, 9, TASK_HW), (zlib, 0, 7)] {
        // SAFETY: what is not null is valid.
        let code =
            unsafe { (HERE.0.wd_comp_init2_)(algorithm, scheduler, task, std::ptr::null_mut()) };
        assert_eq!(code, EINVAL);
    }
    // The driver's default: one context each.
    // SAFETY: as above.
    assert_eq!(unsafe { (HERE.0.wd_comp_init2_)(zlib, 0, TASK_HW, std::ptr::null_mut()) }, 0);
    assert_eq!(HERE.poll(1, 1).0, -11);
    assert_eq!(HERE.poll(3, 1).0, -11);
}
