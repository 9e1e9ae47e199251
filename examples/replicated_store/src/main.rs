//! A replicated store adopts our compressor node by node, while a client writes to it.
//!
//! Three nodes of `openraft` on loopback TCP keep their log and their state machine in RocksDB. The
//! state machine's column family begins with RocksDB's own zstd. Then one node after another gets
//! our compressor: by a restart with one more line of options, or at run time by an option string.
//! Snapshots, which are table files, go between nodes with and without us in both directions, and
//! one node is killed and comes back. In the end all nodes hold what the client was told.
//!
//! None of the code is for this library, except the options in `store/options.rs`.
//!
//! `cargo run -p replicated-store`

#![expect(clippy::result_large_err, reason = "openraft's traits require its large errors")]

mod client;
mod cluster;
mod network;
mod node;
mod scenario;
mod server;
mod store;
mod types;

use types::Result;

#[tokio::main]
async fn main() -> Result<()> {
    scenario::run().await
}

#[cfg(test)]
mod tests {
    /// The scenario checks its own outcome.
    #[tokio::test(flavor = "multi_thread")]
    async fn nodes_adopt_us_one_by_one_and_stay_equal() {
        super::scenario::run().await.expect("all nodes are equal");
    }
}
