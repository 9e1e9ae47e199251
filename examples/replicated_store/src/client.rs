//! A client that writes all the time, and remembers what it was told is written.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::network::{Connection, PutAnswer, Request};
use crate::types::{NodeId, Put, Records, Result};

/// Records per write.
const BATCH: u64 = 50;
/// Keys; after so many records they are overwritten.
const KEYS: u64 = 3000;
/// How long a write may take, with elections and nodes that are down.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A client that runs in the background.
#[derive(Debug)]
pub(crate) struct Client {
    acknowledged: watch::Receiver<u64>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<Records>>,
}

impl Client {
    /// Starts to write to the nodes at `addresses`.
    pub(crate) fn start(addresses: &BTreeMap<NodeId, String>) -> Self {
        let connections = addresses
            .iter()
            .map(|(id, address)| (*id, Connection::new(*id, address.clone())))
            .collect();
        let (progress, acknowledged) = watch::channel(0);
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(write_all(Writer { connections, ask: 1 }, progress, stopped));
        Self { acknowledged, stop, task }
    }

    /// Waits until `more` writes are acknowledged from now on, and returns how many are in total.
    pub(crate) async fn writes(&self, more: u64) -> Result<u64> {
        let mut acknowledged = self.acknowledged.clone();
        let wanted = *acknowledged.borrow() + more;
        Ok(*acknowledged.wait_for(|count| *count >= wanted).await?)
    }

    /// Ends after the current write, and returns all records that were acknowledged.
    pub(crate) async fn stop(self) -> Result<Records> {
        self.stop.send(true)?;
        self.task.await?
    }
}

async fn write_all(
    mut writer: Writer,
    progress: watch::Sender<u64>,
    stopped: watch::Receiver<bool>,
) -> Result<Records> {
    let mut written = Records::new();
    for number in 0.. {
        if *stopped.borrow() {
            break;
        }
        let records = batch(number);
        timeout(TIMEOUT, writer.write(&records)).await?;
        written.extend(records);
        progress.send_replace(number + 1);
    }
    Ok(written)
}

/// Returns the records of a write: text that repeats words, as values in a database do.
fn batch(number: u64) -> Records {
    let record = |n: u64| {
        let (item, account) = (n % KEYS, n.wrapping_mul(2_654_435_761) % 100_000);
        let text = format!("order {n} of account {account}, item {item}, status shipped; ");
        (format!("item:{item:06}"), text.repeat(4 + (n % 5) as usize))
    };
    (number * BATCH..(number + 1) * BATCH).map(record).collect()
}

/// Writes to whichever node is the leader.
#[derive(Debug)]
struct Writer {
    connections: BTreeMap<NodeId, Connection>,
    /// The node that is asked first.
    ask: NodeId,
}

impl Writer {
    /// Returns once the records are written. Writing them twice, after an answer was lost, changes
    /// nothing.
    async fn write(&mut self, records: &Records) {
        let mut unreachable = None;
        loop {
            let put = Put { records: records.clone() };
            let request = Request::Put { put, unreachable };
            let answer = match self.connections.get_mut(&self.ask) {
                Some(connection) => connection.ask(&request).await,
                None => Err(std::io::ErrorKind::AddrNotAvailable.into()),
            };
            match answer {
                Ok(PutAnswer::Written) => return,
                Ok(PutAnswer::Leader(leader)) => self.ask = leader,
                Ok(PutAnswer::NoLeader) => {
                    unreachable = None;
                    self.ask_next();
                }
                Err(_) => {
                    unreachable = Some(self.ask);
                    self.ask_next();
                }
            }
        }
    }

    fn ask_next(&mut self) {
        let next = self.connections.keys().find(|id| **id > self.ask);
        if let Some(id) = next.or_else(|| self.connections.keys().next()) {
            self.ask = *id;
        }
    }
}
