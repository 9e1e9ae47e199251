//! Messages over TCP: each is a length and JSON, and each request has one answer.

use std::io;
use std::time::Duration;

use openraft::BasicNode;
use openraft::error::{InstallSnapshotError, RPCError, RemoteError, Unreachable};
use openraft::network::{Backoff, RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse,
    VoteRequest, VoteResponse,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::types::{NodeId, Put, RaftError, TypeConfig};

/// The longest message that is accepted.
const MAX_MESSAGE: u32 = 64 << 20;
/// Between two attempts to reach a node that is down.
const BACKOFF: Duration = Duration::from_millis(50);

/// What a node is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    Append(AppendEntriesRequest<TypeConfig>),
    Vote(VoteRequest<NodeId>),
    Snapshot(InstallSnapshotRequest<TypeConfig>),
    /// From the client. `unreachable` is a leader that it was sent to, but could not reach.
    Put {
        put: Put,
        unreachable: Option<NodeId>,
    },
}

/// The answer to [`Request::Put`]. Those to the others are openraft's results.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum PutAnswer {
    /// The records are on a majority of the nodes.
    Written,
    /// Ask this node.
    Leader(NodeId),
    /// No leader was elected in time.
    NoLeader,
}

/// Sends a message.
pub(crate) async fn send(stream: &mut TcpStream, message: &impl Serialize) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    let len = u32::try_from(bytes.len()).ok().filter(|len| *len <= MAX_MESSAGE);
    stream.write_u32(len.ok_or(io::ErrorKind::InvalidInput)?).await?;
    stream.write_all(&bytes).await
}

/// Receives a message.
pub(crate) async fn receive<T: DeserializeOwned>(stream: &mut TcpStream) -> io::Result<T> {
    let len = stream.read_u32().await?;
    if len > MAX_MESSAGE {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; len as usize];
    stream.read_exact(&mut bytes).await?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// A connection to a node, made when it is needed, and again after a failure.
#[derive(Debug)]
pub(crate) struct Connection {
    target: NodeId,
    address: String,
    stream: Option<TcpStream>,
}

impl Connection {
    pub(crate) const fn new(target: NodeId, address: String) -> Self {
        Self { target, address, stream: None }
    }

    /// Sends a request and returns the answer.
    pub(crate) async fn ask<A: DeserializeOwned>(&mut self, request: &Request) -> io::Result<A> {
        // Only a connection without an open answer is kept: this may be cancelled at any await.
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => TcpStream::connect(&self.address).await?,
        };
        send(&mut stream, request).await?;
        let answer = receive(&mut stream).await?;
        self.stream = Some(stream);
        Ok(answer)
    }

    async fn call<A: DeserializeOwned, E: std::error::Error + DeserializeOwned>(
        &mut self,
        request: &Request,
    ) -> Result<A, RPCError<NodeId, BasicNode, E>> {
        let answer: Result<A, E> = self
            .ask(request)
            .await
            .map_err(|error| RPCError::Unreachable(Unreachable::new(&error)))?;
        answer.map_err(|error| RPCError::RemoteError(RemoteError::new(self.target, error)))
    }
}

/// Makes connections to other nodes.
#[derive(Debug)]
pub(crate) struct Network;

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = Connection;

    async fn new_client(&mut self, target: NodeId, node: &BasicNode) -> Connection {
        Connection::new(target, node.addr.clone())
    }
}

impl RaftNetwork<TypeConfig> for Connection {
    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        _option: RPCOption,
    ) -> Result<AppendEntriesResponse<NodeId>, RPCError<NodeId, BasicNode, RaftError>> {
        self.call(&Request::Append(request)).await
    }

    async fn install_snapshot(
        &mut self,
        request: InstallSnapshotRequest<TypeConfig>,
        _option: RPCOption,
    ) -> Result<
        InstallSnapshotResponse<NodeId>,
        RPCError<NodeId, BasicNode, RaftError<InstallSnapshotError>>,
    > {
        self.call(&Request::Snapshot(request)).await
    }

    async fn vote(
        &mut self,
        request: VoteRequest<NodeId>,
        _option: RPCOption,
    ) -> Result<VoteResponse<NodeId>, RPCError<NodeId, BasicNode, RaftError>> {
        self.call(&Request::Vote(request)).await
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(std::iter::repeat(BACKOFF))
    }
}
