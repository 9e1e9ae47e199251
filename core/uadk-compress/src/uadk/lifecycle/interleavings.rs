//! Tests that try all interleavings of threads with loom:
//! `RUSTFLAGS='--cfg loom' cargo test -p uadk-compress --lib --release interleavings`.

use std::time::Duration;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use loom::thread;

use super::{Device, Lifecycle, SharedSlot, StopIsDue};
use crate::Error;

/// A device that checks when it is called, and counts its sessions.
#[derive(Clone, Debug)]
struct Checked(Arc<State>);

#[derive(Debug)]
struct State {
    /// The number of the current initialisation; 0 while uninitialised.
    generation: AtomicU64,
    /// Sessions that have not been freed.
    alive: AtomicUsize,
}

#[derive(Debug)]
struct Session {
    generation: u64,
    device: Checked,
}

impl Checked {
    fn new() -> Self {
        let state = State { generation: AtomicU64::new(0), alive: AtomicUsize::new(0) };
        Self(Arc::new(state))
    }
    fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::SeqCst)
    }
    fn alive(&self) -> usize {
        self.0.alive.load(Ordering::SeqCst)
    }
}

impl Session {
    /// Fails where the library would cause a segmentation fault.
    fn use_it(&self) {
        assert_eq!(self.device.generation(), self.generation, "used after uninitialisation");
    }
}

impl Device for Checked {
    type Key = ();
    type Session = Session;

    fn initialise(&mut self, generation: u64) -> Result<(), Error> {
        assert_eq!(self.generation(), 0, "initialised twice");
        assert_eq!(self.alive(), 0, "initialised while sessions are alive");
        self.0.generation.store(generation, Ordering::SeqCst);
        Ok(())
    }
    fn uninitialise(&mut self) {
        assert_ne!(self.generation(), 0, "uninitialised twice");
        assert_eq!(self.alive(), 0, "uninitialised while sessions are alive");
        self.0.generation.store(0, Ordering::SeqCst);
    }
    fn allocate(&mut self, (): ()) -> Result<Session, Error> {
        let generation = self.generation();
        assert_ne!(generation, 0, "allocated while uninitialised");
        self.0.alive.fetch_add(1, Ordering::SeqCst);
        Ok(Session { generation, device: self.clone() })
    }
    fn free(&mut self, session: Session) {
        session.use_it();
        self.0.alive.fetch_sub(1, Ordering::SeqCst);
    }
    fn abandon(&mut self, session: Session) {
        self.free(session);
    }
}

type Shared = Arc<Lifecycle<Checked>>;

fn model(test: impl Fn(Checked, Shared) + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(move || {
        let device = Checked::new();
        let lifecycle = Arc::new(Lifecycle::new(device.clone(), 2));
        test(device, lifecycle);
    });
}

fn sessions(lifecycle: &Shared) -> usize {
    lifecycle.snapshot(|_| ()).0.sessions
}

fn no_time() -> Duration {
    Duration::ZERO
}

/// Initialises the device unless another thread is doing so, as the background thread does.
fn start(lifecycle: &Shared) -> Result<(), Error> {
    match lifecycle.begin(Duration::ZERO)? {
        Some(change) => {
            let stop = lifecycle.initialise(change, no_time, Duration::ZERO)?;
            stop_if(lifecycle, stop);
        }
        None => {}
    }
    Ok(())
}

fn stop_if(lifecycle: &Shared, StopIsDue(due): StopIsDue) {
    if due {
        lifecycle.stop();
    }
}

fn leave(lifecycle: &Shared) {
    stop_if(lifecycle, lifecycle.leave());
}

fn allocate(lifecycle: &Shared) -> Option<(SharedSlot<Session>, Box<Session>)> {
    start(lifecycle).ok()?;
    lifecycle.allocate((), no_time, Duration::ZERO).ok()
}

fn free(lifecycle: &Shared, session: Box<Session>) {
    stop_if(lifecycle, lifecycle.free(*session));
}

/// Runs a thread that processes `blocks` blocks. For each one it takes its session, or a new one,
/// uses it and returns it.
fn work(lifecycle: &Shared, blocks: usize) {
    let mut slot: Option<SharedSlot<Session>> = None;
    for _ in 0..blocks {
        let kept = slot.take().and_then(|slot| slot.take().map(|session| (slot, session)));
        let Some((own, session)) = kept.or_else(|| allocate(lifecycle)) else { continue };
        session.use_it();
        stop_if(lifecycle, lifecycle.put_back(&own, session, Duration::ZERO));
        slot = Some(own);
    }
    if let Some(session) = slot.and_then(|slot| slot.take()) {
        free(lifecycle, session);
    }
}

#[test]
fn interleavings_of_work_and_a_fault_of_the_device() {
    model(|device, lifecycle| {
        let worker = {
            let lifecycle = Arc::clone(&lifecycle);
            thread::spawn(move || work(&lifecycle, 2))
        };
        if let Some((_, session)) = allocate(&lifecycle) {
            let generation = session.generation;
            session.use_it();
            free(&lifecycle, session);
            lifecycle.fail(generation, Error::TimedOut, Duration::ZERO);
        }
        work(&lifecycle, 1);
        worker.join().unwrap();
        assert_eq!((device.alive(), sessions(&lifecycle)), (0, 0));
    });
}

#[test]
fn interleavings_of_work_and_the_end_of_the_last_user() {
    model(|device, lifecycle| {
        let worker = {
            let lifecycle = Arc::clone(&lifecycle);
            thread::spawn(move || work(&lifecycle, 2))
        };
        leave(&lifecycle);
        let _ = start(&lifecycle);
        leave(&lifecycle);
        worker.join().unwrap();
        leave(&lifecycle);
        assert_eq!((device.alive(), device.generation()), (0, 0));
    });
}

#[test]
fn interleavings_of_threads_that_evict_each_others_idle_sessions() {
    model(|device, lifecycle| {
        // Two sessions are allowed, and there are three threads.
        let workers = [(); 2].map(|()| {
            let lifecycle = Arc::clone(&lifecycle);
            thread::spawn(move || work(&lifecycle, 1))
        });
        work(&lifecycle, 1);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        assert_eq!((device.alive(), sessions(&lifecycle)), (0, 0));
        leave(&lifecycle);
        assert_eq!(device.generation(), 0);
    });
}

#[test]
fn interleavings_of_two_threads_that_report_the_same_fault() {
    model(|device, lifecycle| {
        let Some((slot, session)) = allocate(&lifecycle) else { return };
        let generation = session.generation;
        stop_if(&lifecycle, lifecycle.put_back(&slot, session, Duration::ZERO));
        let other = {
            let lifecycle = Arc::clone(&lifecycle);
            thread::spawn(move || {
                lifecycle.fail(generation, Error::TimedOut, Duration::ZERO);
                work(&lifecycle, 1);
            })
        };
        lifecycle.fail(generation, Error::TimedOut, Duration::ZERO);
        work(&lifecycle, 1);
        other.join().unwrap();
        assert_eq!((device.alive(), sessions(&lifecycle)), (0, 0));
        leave(&lifecycle);
        assert_eq!(device.generation(), 0);
    });
}

#[test]
fn interleavings_of_a_start_in_the_background_with_work_and_the_end_of_the_last_user() {
    model(|device, lifecycle| {
        let Ok(Some(change)) = lifecycle.begin(Duration::ZERO) else {
            panic!("no other thread starts it")
        };
        let starter = {
            let lifecycle = Arc::clone(&lifecycle);
            thread::spawn(move || {
                let stop = lifecycle.initialise(change, no_time, Duration::ZERO);
                stop_if(&lifecycle, stop.expect("it succeeds"));
            })
        };
        // Nothing waits: the worker gets a session, or an error saying that the device is starting.
        work(&lifecycle, 1);
        leave(&lifecycle);
        starter.join().unwrap();
        assert_eq!((device.alive(), device.generation()), (0, 0));
    });
}

#[test]
fn interleavings_of_a_start_in_the_background_and_a_thread_that_waits_for_it() {
    model(|_, lifecycle| {
        let Ok(Some(change)) = lifecycle.begin(Duration::ZERO) else {
            panic!("no other thread starts it")
        };
        let starter = {
            let lifecycle = Arc::clone(&lifecycle);
            thread::spawn(move || {
                let stop = lifecycle.initialise(change, no_time, Duration::ZERO);
                stop_if(&lifecycle, stop.expect("it succeeds"));
            })
        };
        assert!(lifecycle.wait_for_change(Duration::MAX));
        let (_, session) = allocate(&lifecycle).expect("it is initialised");
        free(&lifecycle, session);
        starter.join().unwrap();
        leave(&lifecycle);
    });
}

#[test]
fn interleavings_of_work_and_the_eviction_of_idle_sessions() {
    model(|device, lifecycle| {
        let worker = {
            let lifecycle = Arc::clone(&lifecycle);
            thread::spawn(move || work(&lifecycle, 2))
        };
        stop_if(&lifecycle, lifecycle.evict_idle(Duration::MAX));
        worker.join().unwrap();
        assert_eq!((device.alive(), sessions(&lifecycle)), (0, 0));
        leave(&lifecycle);
        assert_eq!(device.generation(), 0);
    });
}
