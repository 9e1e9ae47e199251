//! The server side of a node: passes requests to openraft.

use std::io;
use std::time::Duration;

use openraft::error::ClientWriteError;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::network::{PutAnswer, Request, receive, send};
use crate::types::{NodeId, Put, Raft, RaftError};

/// How long a client is kept waiting for an election.
const ELECTION: Duration = Duration::from_secs(10);

/// Answers requests until it is aborted, which closes all connections.
pub(crate) async fn serve(listener: TcpListener, raft: Raft) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                connections.spawn(answer_all(stream, raft.clone()));
            }
            // Frees what a closed connection leaves behind.
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Answers requests until the other side closes the connection, which is not an error.
async fn answer_all(mut stream: TcpStream, raft: Raft) -> io::Result<()> {
    loop {
        match receive(&mut stream).await? {
            Request::Append(request) => {
                send(&mut stream, &raft.append_entries(request).await).await?;
            }
            Request::Vote(request) => send(&mut stream, &raft.vote(request).await).await?,
            Request::Snapshot(request) => {
                send(&mut stream, &raft.install_snapshot(request).await).await?;
            }
            Request::Put { put, unreachable } => {
                send(&mut stream, &write(&raft, put, unreachable).await).await?;
            }
        }
    }
}

async fn write(raft: &Raft, put: Put, unreachable: Option<NodeId>) -> PutAnswer {
    match raft.client_write(put).await {
        Ok(_) => PutAnswer::Written,
        Err(RaftError::APIError(ClientWriteError::ForwardToLeader(_))) => {
            let elected = |leader: Option<NodeId>| leader.is_some() && leader != unreachable;
            let wait = raft.wait(Some(ELECTION));
            let metrics = wait.metrics(move |m| elected(m.current_leader), "a leader").await;
            let leader = metrics.ok().and_then(|metrics| metrics.current_leader);
            leader.map_or(PutAnswer::NoLeader, PutAnswer::Leader)
        }
        // It is shutting down.
        Err(_) => PutAnswer::NoLeader,
    }
}
