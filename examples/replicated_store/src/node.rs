//! A node of the cluster: openraft, its database and its server.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use openraft::Config;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::network::Network;
use crate::server::serve;
use crate::store::{Codec, Database, LogStore, StateMachine};
use crate::types::{NodeId, Raft, Result};

/// How long openraft's tasks may take to end.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A node that runs.
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) address: String,
    pub(crate) raft: Raft,
    pub(crate) database: Arc<Database>,
    folder: PathBuf,
    server: JoinHandle<()>,
    closed: oneshot::Receiver<Infallible>,
}

/// A node that doesn't run, and what it needs to start again.
#[derive(Clone, Debug)]
pub(crate) struct Stopped {
    pub(crate) id: NodeId,
    /// Port 0 for any.
    pub(crate) address: String,
    /// Where the database is.
    pub(crate) folder: PathBuf,
}

impl Stopped {
    /// Starts the node with a codec.
    pub(crate) async fn start(self, codec: &Codec) -> Result<Node> {
        let listener = TcpListener::bind(&self.address).await?;
        let address = listener.local_addr()?.to_string();
        let (database, closed) = Database::open(&self.database(), codec)?;
        let log = LogStore(Arc::clone(&database));
        let state_machine =
            StateMachine::new(Arc::clone(&database), self.folder.join("snapshot.sst"))?;
        let raft = Raft::new(self.id, Arc::new(config()?), Network, log, state_machine).await?;
        let server = tokio::spawn(serve(listener, raft.clone()));
        let Self { id, folder, .. } = self;
        Ok(Node { id, address, raft, database, folder, server, closed })
    }

    /// Returns the path of the database.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("db")
    }
}

impl Node {
    /// Ends the node and waits until its database is closed. Nothing is flushed, and other nodes
    /// are told nothing: what isn't in table files is in the WAL alone.
    pub(crate) async fn kill(self) -> Result<Stopped> {
        let Self { id, address, raft, database, folder, server, closed } = self;
        server.abort();
        raft.shutdown().await?;
        // openraft's tasks end one after another; the last one closes the database, which drops
        // the other end.
        drop((raft, database));
        let Err(_closed) = timeout(TIMEOUT, closed).await?;
        Ok(Stopped { id, address, folder })
    }

    /// Ends the node in order: its records are in table files then.
    pub(crate) async fn stop(self) -> Result<Stopped> {
        self.database.flush()?;
        self.kill().await
    }
}

/// Long timeouts, since the nodes share a machine that may be busy; and a log that keeps nothing
/// that a snapshot has, so that a node that was away needs the snapshot.
fn config() -> Result<Config> {
    let config = Config {
        cluster_name: "replicated-store".to_owned(),
        heartbeat_interval: 300,
        election_timeout_min: 3000,
        election_timeout_max: 6000,
        install_snapshot_timeout: 30_000,
        max_in_snapshot_log_to_keep: 0,
        ..Config::default()
    };
    Ok(config.validate()?)
}
