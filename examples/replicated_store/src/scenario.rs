//! What happens, step by step, and the checks of the outcome.

use tempfile::TempDir;
use uadk_compress::{Compressor, Format};

use crate::client::Client;
use crate::cluster::Cluster;
use crate::node::Node;
use crate::store::{Codec, Database};
use crate::types::{NodeId, Records, Result};

/// Writes between two steps.
const WRITES: u64 = 20;

/// Runs all of it.
///
/// # Errors
///
/// Fails if anything goes wrong, or if a check does.
pub(crate) async fn run() -> Result<()> {
    let folder = TempDir::new()?;
    let mut cluster = Cluster::start(folder.path(), 3, &Codec::RocksDb).await?;
    println!("three nodes with RocksDB's own zstd; node {} leads", cluster.leader().await?.id);
    let client = Client::start(&cluster.addresses());
    client.writes(WRITES).await?;

    // Followers first, as in any rolling upgrade.
    let leader = cluster.leader().await?.id;
    let followers: Vec<_> =
        cluster.nodes().map(|node| node.id).filter(|id| *id != leader).collect();
    let [first, second] = followers[..] else { return Err("not two followers".into()) };
    restart_with_us(&mut cluster, &client, first).await?;
    switch_at_run_time(&cluster, &client, second).await?;
    kill_and_come_back(&mut cluster, &client, leader).await?;
    adopt_by_restart(&mut cluster, &client, leader).await?;

    let written = client.stop().await?;
    println!("the client ends; {} records are acknowledged", written.len());
    compare(&mut cluster, &written).await
}

/// A follower is stopped, misses so much that it needs a snapshot, and starts with us. The snapshot
/// is from a node without us.
async fn restart_with_us(cluster: &mut Cluster, client: &Client, id: NodeId) -> Result<()> {
    let stopped = cluster.take(id)?.stop().await?;
    println!("\nnode {id} is stopped, to be started with one more line of options");
    miss_a_snapshot(cluster, client).await?;
    cluster.add(stopped.start(&ours()?).await?);
    receive_snapshot(cluster, client, id).await
}

/// A node gets us while it runs.
async fn switch_at_run_time(cluster: &Cluster, client: &Client, id: NodeId) -> Result<()> {
    let database = &cluster.node(id)?.database;
    database.switch_to(&ours()?)?;
    println!("\nnode {id} is switched by an option string, while it runs");
    client.writes(WRITES).await?;
    cluster.caught_up(id).await?;
    database.flush()?;
    print_counters(cluster.node(id)?);
    Ok(())
}

/// The leader, which is still without us, is killed. When it comes back, it needs a snapshot, and
/// all nodes that could send it have us.
async fn kill_and_come_back(cluster: &mut Cluster, client: &Client, id: NodeId) -> Result<()> {
    let stopped = cluster.take(id)?.kill().await?;
    println!("\nnode {id} is killed; node {} leads", cluster.leader().await?.id);
    miss_a_snapshot(cluster, client).await?;
    cluster.add(stopped.start(&Codec::RocksDb).await?);
    println!("node {id} is back, without us");
    receive_snapshot(cluster, client, id).await
}

/// The last node gets us.
async fn adopt_by_restart(cluster: &mut Cluster, client: &Client, id: NodeId) -> Result<()> {
    let stopped = cluster.take(id)?.stop().await?;
    client.writes(WRITES).await?;
    cluster.add(stopped.start(&ours()?).await?);
    println!("\nnode {id} is restarted with us, and so are all");
    client.writes(WRITES).await?;
    cluster.caught_up(id).await
}

/// Lets the client write while a node is away, and deletes the log that it would need.
async fn miss_a_snapshot(cluster: &Cluster, client: &Client) -> Result<()> {
    client.writes(WRITES).await?;
    let end = cluster.compact_logs().await?;
    for node in cluster.nodes() {
        let codec = describe(&node.database.codec());
        println!("node {}, {codec}, has a snapshot instead of its log up to entry {end}", node.id);
    }
    Ok(())
}

/// Waits until a node that was away has caught up, and checks that it took a snapshot to do so.
async fn receive_snapshot(cluster: &Cluster, client: &Client, id: NodeId) -> Result<()> {
    cluster.caught_up(id).await?;
    let node = cluster.node(id)?;
    check(node.database.installed() > 0, "it caught up without a snapshot")?;
    println!("node {id}, {}, has caught up by a snapshot", describe(&node.database.codec()));
    client.writes(WRITES).await?;
    cluster.caught_up(id).await?;
    node.database.flush()?;
    print_counters(node);
    Ok(())
}

/// Compares all nodes with what the client was told: as they run, and as RocksDB alone reads their
/// files.
async fn compare(cluster: &mut Cluster, written: &Records) -> Result<()> {
    println!();
    for id in cluster.addresses().into_keys() {
        cluster.caught_up(id).await?;
        let node = cluster.node(id)?;
        node.database.flush()?;
        check(node.database.records()? == *written, "a node has other records")?;
        print_counters(node);
        let Codec::Ours(compressor) = node.database.codec() else {
            return Err(format!("node {id} is without us").into());
        };
        let done = compressor.stats().together();
        check(done.compress.blocks > 0, "our compressor has written nothing")?;
        check(done.decompress.blocks > 0, "our compressor has read nothing")?;
        check(done.decompress.errors == 0, "our compressor failed to read")?;
    }
    println!("all nodes hold what the client was told");
    for id in cluster.addresses().into_keys() {
        let stopped = cluster.take(id)?.stop().await?;
        let records = Database::records_without_us(&stopped.database())?;
        check(records == *written, "RocksDB alone reads other records")?;
    }
    println!("and RocksDB alone reads the same from their files");
    Ok(())
}

/// Returns a compressor with counters of its own.
fn ours() -> Result<Codec> {
    Ok(Codec::Ours(Compressor::builder().format(Format::Zstd).build()?))
}

fn describe(codec: &Codec) -> &'static str {
    match codec {
        Codec::RocksDb => "without us",
        Codec::Ours(_) => "with us",
    }
}

fn print_counters(node: &Node) {
    let codec = node.database.codec();
    print!("node {} {}", node.id, describe(&codec));
    if let Codec::Ours(compressor) = codec {
        let done = compressor.stats().together();
        print!(
            ": {} blocks compressed, {:.2} of their size; {} decompressed",
            done.compress.blocks,
            done.compress.bytes_out as f64 / done.compress.bytes_in.max(1) as f64,
            done.decompress.blocks
        );
    }
    println!();
}

fn check(holds: bool, otherwise: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}
