//! The nodes together.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use openraft::BasicNode;
use tokio::time::timeout;

use crate::node::{Node, Stopped};
use crate::store::Codec;
use crate::types::{LogId, NodeId, Result};

/// How long the cluster may take for anything, on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The nodes that run.
pub(crate) struct Cluster {
    nodes: BTreeMap<NodeId, Node>,
}

impl Cluster {
    /// Starts nodes 1 to `count` in `folder`, as one cluster.
    pub(crate) async fn start(folder: &Path, count: NodeId, codec: &Codec) -> Result<Self> {
        let mut nodes = BTreeMap::new();
        for id in 1..=count {
            let folder = folder.join(format!("node-{id}"));
            std::fs::create_dir(&folder)?;
            let node = Stopped { id, address: "127.0.0.1:0".to_owned(), folder };
            nodes.insert(id, node.start(codec).await?);
        }
        let members: BTreeMap<_, _> =
            nodes.values().map(|node| (node.id, BasicNode::new(&node.address))).collect();
        let cluster = Self { nodes };
        cluster.node(1)?.raft.initialize(members).await?;
        cluster.leader().await?;
        Ok(cluster)
    }

    pub(crate) fn node(&self, id: NodeId) -> Result<&Node> {
        self.nodes.get(&id).ok_or_else(|| format!("node {id} is not running").into())
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    pub(crate) fn addresses(&self) -> BTreeMap<NodeId, String> {
        self.nodes.values().map(|node| (node.id, node.address.clone())).collect()
    }

    /// Takes a node out, to end it.
    pub(crate) fn take(&mut self, id: NodeId) -> Result<Node> {
        self.nodes.remove(&id).ok_or_else(|| format!("node {id} is not running").into())
    }

    pub(crate) fn add(&mut self, node: Node) {
        self.nodes.insert(node.id, node);
    }

    /// Waits until a node that runs is the leader, by the word of a majority, and returns it.
    pub(crate) async fn leader(&self) -> Result<&Node> {
        timeout(TIMEOUT, async {
            // A node that was away may still take itself for the leader, or another one.
            for witness in self.nodes.values().cycle() {
                let running: Vec<NodeId> = self.nodes.keys().copied().collect();
                let runs = move |id: NodeId| running.contains(&id);
                let wait = witness.raft.wait(Some(TIMEOUT));
                let metrics =
                    wait.metrics(move |m| m.current_leader.is_some_and(&runs), "a leader");
                if let Some(id) = metrics.await?.current_leader {
                    let node = self.node(id)?;
                    if node.raft.ensure_linearizable().await.is_ok() {
                        return Ok(node);
                    }
                }
            }
            Err("no node is running".into())
        })
        .await?
    }

    /// Has all nodes make snapshots that contain all of now, and delete their logs up to there:
    /// whichever leads, a node that is away will need a snapshot. Returns where the leader's log
    /// ends now.
    pub(crate) async fn compact_logs(&self) -> Result<u64> {
        let last = self.last_index().await?;
        for node in self.nodes.values() {
            let wait = || node.raft.wait(Some(TIMEOUT));
            wait().applied_index_at_least(Some(last), "all of now").await?;
            node.raft.trigger().snapshot().await?;
            let contains = move |end: Option<LogId>| end.is_some_and(|end| end.index >= last);
            wait().metrics(move |m| contains(m.snapshot), "a snapshot").await?;
            wait().metrics(move |m| contains(m.purged), "the log is deleted").await?;
        }
        Ok(last)
    }

    /// Waits until a node has applied what the leader has now.
    pub(crate) async fn caught_up(&self, id: NodeId) -> Result<()> {
        let last = self.last_index().await?;
        let wait = self.node(id)?.raft.wait(Some(TIMEOUT));
        wait.applied_index_at_least(Some(last), "catch up").await?;
        Ok(())
    }

    async fn last_index(&self) -> Result<u64> {
        let leader = self.leader().await?;
        let last = leader.raft.metrics().borrow().last_log_index;
        Ok(last.unwrap_or_default())
    }
}
