//! All connections of one migration: if one fails, all fail.

use std::io;
use std::net::Shutdown;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver as Queue, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use parking_lot::Mutex;
use uadk_compress_pages::multifd::Settings;

use super::address::{Address, Connection, Listener};
use super::channel::{Failure, Kind, identify, relay_main, relay_multifd};
use super::counters::Counters;
use crate::error::Error;

/// The base interval for polling connections and updating the progress line.
const TICK: Duration = Duration::from_millis(200);

/// The settings and state of one migration.
#[derive(Debug)]
pub(crate) struct Migration {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    from: Settings,
    to: Settings,
    destination: Address,
    counters: Arc<Counters>,
    open: Mutex<Open>,
}

/// The connections to close if one fails.
#[derive(Debug, Default)]
struct Open {
    connections: Vec<Connection>,
    failed: bool,
}

/// What a connection's thread reports.
enum Report {
    /// The connection was identified; it counts from now on.
    Identified(Kind),
    /// The connection ended. `None` if it was never identified.
    Ended(Option<Kind>, Result<(), Failure>),
}

/// Accepts connections in a thread for as long as the process lives.
pub(crate) fn accept_in_background(listener: Listener) -> Queue<io::Result<Connection>> {
    let (sender, queue) = channel();
    let connections = sender.clone();
    let accept = move || {
        loop {
            let accepted = listener.accept();
            let is_fatal = accepted.as_ref().is_err_and(|error| !is_transient(error));
            if connections.send(accepted).is_err() || is_fatal {
                break;
            }
        }
    };
    if let Err(error) = thread::Builder::new().spawn(accept) {
        // Can't fail: the receiver still exists.
        let _ = sender.send(Err(error));
    }
    queue
}

/// Returns whether the next attempt to accept a connection may succeed.
fn is_transient(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

impl Migration {
    pub(crate) fn new(from: Settings, to: Settings, destination: Address) -> Self {
        let counters = Arc::new(Counters::new());
        let open = Mutex::default();
        Self { shared: Arc::new(Shared { from, to, destination, counters, open }) }
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// Relays connections until the main channel and all others have ended.
    pub(crate) fn run(&self, accepted: &Queue<io::Result<Connection>>) -> Result<(), Error> {
        let (reports, queue) = channel();
        let progress = ProgressBar::new_spinner().with_style(
            ProgressStyle::with_template("{spinner} {wide_msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        let (mut live, mut had_main) = (0_usize, false);
        let mut failure = None;
        loop {
            while let Ok(connection) = accepted.try_recv() {
                match connection {
                    Ok(connection) => self.serve(connection, reports.clone()),
                    Err(error) if is_transient(&error) => {}
                    Err(error) => return Err(Error::Accept(error)),
                }
            }
            match queue.recv_timeout(if live == 0 { TICK / 20 } else { TICK / 4 }) {
                Ok(Report::Identified(kind)) => {
                    live += 1;
                    had_main |= kind == Kind::Main;
                }
                Ok(Report::Ended(kind, outcome)) => {
                    live -= usize::from(kind.is_some());
                    if let Err(error) = outcome {
                        self.shared.close_all();
                        // The first failure caused the others.
                        failure.get_or_insert(error);
                    }
                }
                Err(RecvTimeoutError::Timeout) if live > 0 => {
                    progress.set_message(self.counters().summary().line());
                    progress.tick();
                }
                Err(_) => {}
            }
            if live == 0 && (had_main || failure.is_some()) {
                progress.finish_and_clear();
                return match failure {
                    None => Ok(()),
                    Some(failure) => {
                        let hint = failure.hint();
                        Err(Error::Migration { source: failure.into(), hint })
                    }
                };
            }
        }
    }

    /// Handles one connection in its own thread.
    fn serve(&self, mut source: Connection, reports: Sender<Report>) {
        let shared = Arc::clone(&self.shared);
        let unstarted = reports.clone();
        let serve = move || {
            // The migration may be over, and the receiver gone.
            let report = |report| drop(reports.send(report));
            let kind = match identify(&mut source) {
                None => return,
                Some(Ok(kind)) => kind,
                Some(Err(failure)) => return report(Report::Ended(None, Err(failure))),
            };
            report(Report::Identified(kind));
            let outcome = catch_panic(|| shared.relay(kind, source));
            report(Report::Ended(Some(kind), outcome));
        };
        if let Err(error) = thread::Builder::new().spawn(serve) {
            drop(unstarted.send(Report::Ended(None, Err(Failure::Thread(error)))));
        }
    }
}

/// Turns a panic into an error, so that the migration does not wait for a report that never comes.
fn catch_panic(relay: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    catch_unwind(AssertUnwindSafe(relay)).unwrap_or(Err(Failure::Panicked))
}

impl Shared {
    fn relay(&self, kind: Kind, source: Connection) -> Result<(), Failure> {
        let destination = self.destination.connect().map_err(|error| {
            source.shutdown(Shutdown::Both);
            Failure::Connect { address: self.destination.clone(), source: error }
        })?;
        self.register(&source, &destination)?;
        match kind {
            Kind::Main => relay_main(source, destination, &self.counters),
            Kind::Multifd => {
                let settings = (&self.from, &self.to);
                relay_multifd(source, destination, settings, &self.counters)
            }
        }
    }

    /// Registers both ends, to close them if another connection fails.
    fn register(&self, source: &Connection, destination: &Connection) -> Result<(), Failure> {
        let both = [source.try_clone(), destination.try_clone()];
        let mut open = self.open.lock();
        if open.failed {
            return Err(Failure::Aborted);
        }
        for connection in both {
            open.connections.push(connection.map_err(Failure::Clone)?);
        }
        Ok(())
    }

    fn close_all(&self) {
        let mut open = self.open.lock();
        open.failed = true;
        for connection in open.connections.drain(..) {
            connection.shutdown(Shutdown::Both);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_while_relaying_a_connection_is_reported_as_its_end() {
        assert!(matches!(catch_panic(|| panic!("by the test")), Err(Failure::Panicked)));
    }
}
