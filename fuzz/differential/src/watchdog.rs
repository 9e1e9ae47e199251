//! Ends the run, with the archive written down, if one takes too long.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Peers have less.
const PATIENCE: Duration = Duration::from_secs(60);

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
                std::thread::sleep(PATIENCE / 10);
                let current = watched.lock().unwrap_or_else(PoisonError::into_inner);
                if current.since.elapsed() > PATIENCE {
                    let path = report.join(format!("hang-{}.tar", current.number));
                    let _ = std::fs::write(&path, &current.tar);
                    eprintln!("case {} hangs: {}", current.number, path.display());
                    std::process::exit(1);
                }
            }
        });
        Self(current)
    }

    /// An archive's turn begins.
    pub(crate) fn begin(&self, number: u64, tar: &[u8]) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Current { number, tar: tar.to_vec(), since: Instant::now() };
    }
}
