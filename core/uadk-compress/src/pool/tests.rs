use std::collections::HashSet;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread::{Builder, ThreadId};
use std::time::Duration;

use super::spawn::{self, Handle, Spawn};
use super::{Panicked, Pool, worker};

/// Runs a test on another thread, and panics if it hangs.
fn with_timeout<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let (ended, result) = channel();
    let thread = std::thread::spawn(move || ended.send(test()));
    match result.recv_timeout(Duration::from_secs(60)) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => panic!("the test hangs"),
        Err(RecvTimeoutError::Disconnected) => resume_unwind(thread.join().unwrap_err()),
    }
}

fn drain<J>(pool: &mut Pool<'_, J>) -> Vec<Result<J, Panicked>> {
    std::iter::from_fn(|| pool.take()).collect()
}

/// Submits all `jobs`, and takes them all.
fn run<'scope, J: Send + 'scope>(
    pool: &mut Pool<'scope, J>,
    jobs: impl IntoIterator<Item = J>,
) -> Vec<J> {
    let mut done = Vec::new();
    for mut job in jobs {
        while let Err(refused) = pool.submit(job) {
            done.extend(pool.take());
            job = refused;
        }
    }
    done.extend(drain(pool));
    done.into_iter().collect::<Result<_, _>>().expect("no panic")
}

fn square((): &mut (), n: &mut u64) {
    *n *= *n;
}

/// Starts up to `limit` threads, then fails.
fn spawn_at_most(limit: usize) -> Spawn<'static> {
    let spawn = spawn::unscoped("limited");
    let started = AtomicUsize::new(0);
    Box::new(move |task| match started.fetch_add(1, Relaxed) {
        n if n < limit => spawn(task),
        _ => Err(io::ErrorKind::WouldBlock.into()),
    })
}

/// Each job waits for the next one, so that they finish in reverse order.
#[test]
fn jobs_return_in_the_order_of_submission_whatever_order_they_finish_in() {
    type Job = (usize, Option<Receiver<()>>, Option<Sender<()>>);
    with_timeout(|| {
        let work = |(): &mut (), (_, after, before): &mut Job| {
            if let Some(after) = after {
                after.recv().expect("the next job finishes first");
            }
            if let Some(before) = before {
                before.send(()).expect("the previous job is waiting");
            }
        };
        let mut pool = Pool::new("reversed", 4, || (), work);
        let mut before = None;
        let jobs: Vec<Job> = (0..4)
            .map(|number| {
                let (done, after) = channel();
                (number, (number < 3).then_some(after), before.replace(done))
            })
            .collect();
        let done = run(&mut pool, jobs);
        assert!(done.iter().map(|job| job.0).eq(0..4));
    });
}

#[test]
fn many_jobs_return_in_order_with_any_number_of_threads() {
    for threads in [0, 1, 2, 3, 8] {
        let done =
            with_timeout(move || run(&mut Pool::new("many", threads, || (), square), 0..5000));
        assert!(done.into_iter().eq((0..5000).map(|n| n * n)), "{threads}");
    }
}

#[test]
fn the_requested_number_of_threads_does_the_work() {
    for threads in 2..6 {
        let used: HashSet<ThreadId> = with_timeout(move || {
            let together = Barrier::new(threads);
            let work = move |(): &mut (), thread: &mut Option<ThreadId>| {
                together.wait();
                *thread = Some(std::thread::current().id());
            };
            let mut pool = Pool::new("together", threads, || (), work);
            run(&mut pool, vec![None; threads]).into_iter().flatten().collect()
        });
        assert_eq!(used.len(), threads);
        assert!(!used.contains(&std::thread::current().id()));
    }
}

#[test]
fn zero_and_one_mean_the_callers_thread() {
    let here = std::thread::current().id();
    for threads in [0, 1] {
        let work = |(): &mut (), thread: &mut Option<ThreadId>| {
            *thread = Some(std::thread::current().id());
        };
        let mut pool = Pool::new("none", threads, || (), work);
        assert_eq!(pool.capacity(), 1);
        assert_eq!(run(&mut pool, vec![None; 5]), [Some(here); 5]);
        assert!(pool.workers.is_empty());
    }
}

#[test]
fn jobs_submitted_here_start_no_thread_and_are_taken_in_order() {
    with_timeout(|| {
        let (release, released) = channel::<()>();
        let released = parking_lot::Mutex::new(released);
        let work = move |(): &mut (), (held, thread): &mut (bool, Option<ThreadId>)| {
            if *held {
                released.lock().recv().expect("sent below");
            }
            *thread = Some(std::thread::current().id());
        };
        let mut pool = Pool::new("here", 2, || (), work);
        let here = Some(std::thread::current().id());
        pool.submit_here((false, None)).expect("not full");
        assert!(pool.workers.is_empty());
        assert_eq!(pool.try_take(), Some(Ok((false, here))));

        pool.submit((true, None)).expect("not full");
        pool.submit_here((false, None)).expect("not full");
        assert_eq!(pool.try_take(), None);
        // The done job between them must not be mistaken for a waiting one.
        pool.submit((true, None)).expect("not full");
        (0..2).for_each(|_| release.send(()).expect("two jobs are waiting"));
        let threads: Vec<_> =
            drain(&mut pool).into_iter().map(|done| done.expect("no panic").1).collect();
        assert_eq!(
            threads.iter().map(|thread| *thread == here).collect::<Vec<_>>(),
            [false, true, false]
        );
    });
}

#[test]
fn a_worker_starts_only_when_none_is_idle() {
    with_timeout(|| {
        let mut pool = Pool::new("idle", 8, || (), square);
        assert_eq!(run(&mut pool, [3]), [9]);
        while !pool.shared.has_idle() {
            std::thread::yield_now();
        }
        pool.submit(4).expect("not full");
        assert_eq!(pool.workers.len(), 1);
    });
}

#[test]
fn a_full_pool_refuses_jobs() {
    with_timeout(|| {
        for threads in [1, 2, 3] {
            let mut pool = Pool::new("full", threads, || (), square);
            assert_eq!(pool.capacity(), if threads == 1 { 1 } else { 2 * threads });
            for n in 0..pool.capacity() {
                assert!(!pool.is_full());
                pool.submit(n as u64).expect("not full");
                assert_eq!(pool.len(), n + 1);
            }
            assert!(pool.is_full());
            assert_eq!(pool.submit(77), Err(77));
            assert_eq!(pool.submit_here(77), Err(77));
            pool.take().expect("a job").expect("no panic");
            assert!(!pool.is_full());
            drain(&mut pool);
            assert!(pool.is_empty() && pool.take().is_none() && pool.try_take().is_none());
        }
        let most = Pool::new("most", usize::MAX, || (), square);
        assert_eq!(most.capacity(), 2048);
    });
}

#[test]
fn a_panic_in_the_work_affects_only_its_job() {
    for threads in [1, 3] {
        let done = with_timeout(move || {
            let work = |state: &mut u32, job: &mut u32| {
                *state += 1;
                assert_ne!(*job % 5, 2, "job {job}");
                assert_ne!(*job, 8, "");
                if *job == 9 {
                    std::panic::panic_any(9);
                }
            };
            let mut pool = Pool::new("panics", threads, || 0, work);
            let mut done = Vec::new();
            for job in 0..20 {
                if pool.is_full() {
                    done.extend(pool.take());
                }
                pool.submit(job).expect("not full");
            }
            done.extend(drain(&mut pool));
            done
        });
        assert_eq!(done.len(), 20);
        for (number, done) in (0..).zip(done) {
            match done {
                Ok(job) => assert!(job == number && job % 5 != 2 && job != 8 && job != 9),
                Err(panicked) if number == 9 => assert_eq!(panicked.message(), "no message"),
                Err(_) if number == 8 => {}
                Err(panicked) => {
                    assert!(panicked.message().contains(&format!("job {number}")), "{panicked:?}");
                    assert!(panicked.to_string().starts_with("a job panicked: "), "{panicked}");
                    assert_eq!(io::Error::from(panicked.clone()).to_string(), panicked.to_string());
                }
            }
        }
    }
}

#[test]
fn a_panic_in_new_state_is_an_error_of_the_job_that_needs_the_state() {
    for threads in [1, 2] {
        let (first, second) = with_timeout(move || {
            let made = AtomicUsize::new(0);
            let new_state = move || assert_ne!(made.fetch_add(1, Relaxed), 0, "no memory");
            let mut pool = Pool::new("state", threads, new_state, square);
            pool.submit(2).expect("not full");
            let first = pool.take().expect("a job");
            pool.submit(3).expect("not full");
            (first, pool.take().expect("a job"))
        });
        assert!(first.unwrap_err().message().contains("no memory"));
        assert_eq!(second, Ok(9));
    }
}

/// A second panic must not end a worker: the caller would wait forever for its job.
#[test]
fn destructors_may_panic_after_a_panic() {
    #[derive(Debug)]
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert_ne!(std::thread::current().name(), Some("bombs"), "in a destructor");
        }
    }
    with_timeout(|| {
        let work = |_: &mut Bomb, _: &mut Bomb| std::panic::panic_any(Bomb);
        let mut pool = Pool::new("bombs", 2, || Bomb, work);
        for _ in 0..10 {
            pool.submit(Bomb).expect("not full");
            assert!(pool.take().is_some_and(|done| done.is_err()));
        }
        let mut pool = Pool::new("bombs", 2, || Bomb, |_, _| ());
        pool.submit(1).expect("not full");
        assert_eq!(pool.take(), Some(Ok(1)));
    });
}

/// A job that counts live jobs, and waits to be released.
struct Counted {
    alive: Arc<AtomicUsize>,
    started: Sender<()>,
    release: Arc<Barrier>,
}

impl Counted {
    fn work((): &mut (), job: &mut Self) {
        job.started.send(()).expect("the test is waiting");
        job.release.wait();
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Relaxed);
    }
}

#[test]
fn a_busy_pool_can_be_dropped_even_while_a_panic_unwinds() {
    for unwind in [false, true] {
        let alive = Arc::new(AtomicUsize::new(4));
        let left = Arc::clone(&alive);
        with_timeout(move || {
            let (started, starts) = channel();
            let release = Arc::new(Barrier::new(3));
            let mut pool = Pool::new("busy", 2, || (), Counted::work);
            for _ in 0..4 {
                let (alive, started) = (Arc::clone(&left), started.clone());
                let job = Counted { alive, started, release: Arc::clone(&release) };
                assert!(pool.submit(job).is_ok());
            }
            (0..2).for_each(|_| starts.recv().expect("two jobs start"));
            // Releases the jobs once the pool is closed, while it is being dropped.
            let shared = Arc::clone(&pool.shared);
            let releasing = std::thread::spawn(move || {
                while !shared.is_closed() {
                    std::thread::yield_now();
                }
                release.wait();
            });
            let dropped = catch_unwind(AssertUnwindSafe(move || {
                let _pool = pool;
                assert!(!unwind, "unwinds");
            }));
            assert_eq!(dropped.is_err(), unwind);
            releasing.join().expect("no panic");
            // The two waiting jobs did not start.
            assert!(starts.try_recv().is_err());
        });
        assert_eq!(alive.load(Relaxed), 0);
    }
}

#[test]
fn an_idle_pool_and_one_with_untaken_jobs_can_be_dropped() {
    with_timeout(|| {
        drop(Pool::new("unused", 4, || (), square));
        let mut pool = Pool::new("idle", 4, || (), square);
        run(&mut pool, 0..10);
        drop(pool);
        let mut pool = Pool::new("left", 4, || (), square);
        (0..5).for_each(|n| pool.submit(n).expect("not full"));
    });
}

#[test]
fn the_pool_works_without_threads_that_cannot_be_started() {
    for limit in [0, 1, 2, 7] {
        let (done, capacity, workers) = with_timeout(move || {
            let all = Arc::new(Barrier::new(limit + 1));
            let held = Arc::clone(&all);
            let work = move |(): &mut (), (n, hold): &mut (u64, bool)| {
                if *hold {
                    held.wait();
                }
                *n *= *n;
            };
            let work = worker::work(|| (), work);
            let mut pool = Pool::with_spawn(8, spawn_at_most(limit), work);
            // One job for each thread that can be started, and one more.
            (0..limit).for_each(|n| pool.submit((n as u64, true)).expect("not full"));
            pool.submit((limit as u64, false)).expect("not full");
            let capacity = pool.capacity();
            all.wait();
            let done = run(&mut pool, (limit as u64 + 1..500).map(|n| (n, false)));
            (done, capacity, pool.workers.len())
        });
        assert!(done.into_iter().map(|job| job.0).eq((0..500).map(|n| n * n)), "{limit}");
        assert_eq!((workers, capacity), (limit, [1, 2 * limit][usize::from(limit > 0)]));
    }
}

/// The first thread fails to start while jobs done on the caller's thread are not taken yet.
#[test]
fn a_failed_start_keeps_the_jobs_in_the_pool() {
    let mut pool = Pool::with_spawn(4, spawn_at_most(0), worker::work(|| (), square));
    (1..4).for_each(|n| pool.submit_here(n).expect("not full"));
    pool.submit(4).expect("not full");
    assert_eq!((pool.len(), pool.capacity(), pool.submit(5)), (4, 1, Err(5)));
    assert!(drain(&mut pool) == [Ok(1), Ok(4), Ok(9), Ok(16)]);
}

#[test]
fn scoped_work_borrows() {
    for threads in [1, 3] {
        let words = ["one", "two", "three", "four", "five"];
        let seen = AtomicUsize::new(0);
        let (words, seen) = (&words, &seen);
        let lengths = std::thread::scope(|scope| {
            let work = |calls: &mut &AtomicUsize, (word, len): &mut (&str, usize)| {
                assert!(words.contains(word));
                calls.fetch_add(1, Relaxed);
                *len = word.len();
            };
            let mut pool = Pool::scoped(scope, "scoped", threads, || seen, work);
            run(&mut pool, words.iter().map(|word| (*word, 0)))
        });
        assert!(lengths.iter().eq(&words.map(|word| (word, word.len()))));
        assert_eq!(seen.load(Relaxed), words.len());
    }
}

#[test]
fn a_scope_ends_when_its_pool_is_dropped_by_a_panic() {
    let unwound = with_timeout(|| {
        catch_unwind(|| {
            std::thread::scope(|scope| {
                let work = |(): &mut (), _: &mut u32| panic!("the work panics");
                let mut pool = Pool::scoped(scope, "scoped", 2, || (), work);
                (0..3).for_each(|n| pool.submit(n).expect("not full"));
                panic!("the caller panics");
            });
        })
    });
    let message = unwound.unwrap_err();
    assert_eq!(message.downcast_ref(), Some(&"the caller panics"));
}

#[test]
fn a_caller_may_have_a_small_stack() {
    for threads in [1, 2] {
        let caller = Builder::new()
            .stack_size(32 << 10)
            .spawn(move || run(&mut Pool::new("small", threads, || (), square), 0..100).len());
        assert_eq!(caller.expect("a thread").join().expect("no overflow"), 100);
    }
}

#[test]
fn a_job_costs_no_allocation() {
    let (count, counts) = channel();
    let counting = spawn::unscoped("counting");
    let spawn: Spawn<'static> = Box::new(move |task| -> io::Result<Handle<'static>> {
        let count = count.clone();
        counting(Box::new(move || {
            let counted = allocation_counter::measure(task);
            let _ = count.send(counted.count_total);
        }))
    });
    let mut pool = Pool::with_spawn(2, spawn, worker::work(|| (), square));
    let mut jobs = |count: usize| {
        for n in 0..count {
            if pool.is_full() {
                let _ = pool.take();
            }
            pool.submit(n as u64).expect("not full");
        }
        while pool.take().is_some() {}
    };
    jobs(100);
    // A thread's first wait may allocate.
    let caller = allocation_counter::measure(|| jobs(5000)).count_total;
    assert!(caller < 50, "{caller}");
    drop(pool);
    let workers: Vec<u64> = counts.iter().collect();
    assert_eq!(workers.len(), 2);
    assert!(workers.iter().all(|count| *count < 50), "{workers:?}");
}

#[test]
fn a_pool_can_be_shared_and_sent() {
    fn check<T: Send + Sync>() {}
    check::<Pool<'static, Vec<u8>>>();
}
