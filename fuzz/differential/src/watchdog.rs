//! Ends the run if an archive takes too long, and saves the archive.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time limit for one archive. Those of the peers are shorter.
const TIMEOUT: Duration = Duration::from_secs(60);

struct Current {
    number: u64,
    tar: Vec<u8>,
    since: Instant,
}

pub(crate) struct Watchdog(Arc<Mutex<Current>>);

impl Watchdog {
    pub(crate) fn start(report: PathBuf) -> Self {
        let current = Current { number: 0, tar: Vec::new(), since: Instant::now() };
        let current = Arc::new(Mutex::new(current));
        let watched = Arc::clone(&current);
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(TIMEOUT / 10);
                let current = watched.lock().unwrap_or_else(PoisonError::into_inner);
                if current.since.elapsed() > TIMEOUT {
                    let path = report.join(format!("hang-{}.tar", current.number));
                    let _ = std::fs::write(&path, &current.tar);
                    eprintln!("case {} timed out: see {}", current.number, path.display());
                    std::process::exit(1);
                }
            }
        });
        Self(current)
    }

    /// Starts the time limit for an archive.
    pub(crate) fn begin(&self, number: u64, tar: &[u8]) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Current { number, tar: tar.to_vec(), since: Instant::now() };
    }
}
