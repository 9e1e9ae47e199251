//! All ways in which threads may interleave, tried by loom:
//! `RUSTFLAGS='--cfg loom' cargo test -p uadk-compress --lib --release interleavings`.

use std::time::Duration;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use loom::thread;

use super::{Device, Lifecycle, SharedSlot};
use crate::Error;

/// A device that knows when it may be used, and counts what it has given out.
#[derive(Clone, Debug)]
struct Checked(Arc<State>);

#[derive(Debug)]
struct State {
    /// Which initialisation it is in; 0 when it is uninitialised.
    generation: AtomicU64,
    /// Sessions that are not freed.
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
    /// In the library this would be a segmentation fault.
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
    lifecycle.snapshot(|_| ()).expect("nobody else is here").0.sessions
}

fn allocate(lifecycle: &Shared) -> Option<(SharedSlot<Session>, Box<Session>)> {
    lifecycle.allocate((), Duration::ZERO, Duration::ZERO).ok()
}

/// A thread of blocks: it takes its session, or a new one, uses and returns it, and ends.
fn work(lifecycle: &Shared, blocks: usize) {
    let mut slot: Option<SharedSlot<Session>> = None;
    for _ in 0..blocks {
        let kept = slot.take().and_then(|slot| slot.take().map(|session| (slot, session)));
        let Some((own, session)) = kept.or_else(|| allocate(lifecycle)) else { continue };
        session.use_it();
        lifecycle.put_back(&own, session);
        slot = Some(own);
    }
    if let Some(session) = slot.and_then(|slot| slot.take()) {
        lifecycle.free(*session);
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
            lifecycle.free(*session);
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
        lifecycle.shut();
        let _ = lifecycle.start(Duration::ZERO, Duration::ZERO);
        lifecycle.shut();
        worker.join().unwrap();
        lifecycle.shut();
        assert_eq!((device.alive(), device.generation()), (0, 0));
    });
}

#[test]
fn interleavings_of_threads_that_take_each_others_idle_sessions() {
    model(|device, lifecycle| {
        // Two sessions are allowed, and there are three threads.
        let workers = [(); 2].map(|()| {
            let lifecycle = Arc::clone(&lifecycle);
            thread::spawn(move || work(&lifecycle, 1))
        });
        work(&lifecycle, 1);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        assert_eq!((device.alive(), sessions(&lifecycle)), (0, 0));
        lifecycle.shut();
        assert_eq!(device.generation(), 0);
    });
}

#[test]
fn interleavings_of_two_who_report_the_same_fault() {
    model(|device, lifecycle| {
        let Some((slot, session)) = allocate(&lifecycle) else { return };
        let generation = session.generation;
        lifecycle.put_back(&slot, session);
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
        lifecycle.shut();
        assert_eq!(device.generation(), 0);
    });
}
