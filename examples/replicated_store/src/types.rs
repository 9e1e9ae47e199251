//! The types that nodes and client share.

use std::collections::BTreeMap;

use openraft::BasicNode;
use serde::{Deserialize, Serialize};

pub(crate) type NodeId = u64;

openraft::declare_raft_types!(
    /// openraft's types, with its defaults for those that are not named.
    pub(crate) TypeConfig:
        D = Put,
        R = (),
        SnapshotData = std::io::Cursor<Vec<u8>>,
);

pub(crate) type Raft = openraft::Raft<TypeConfig>;
pub(crate) type Entry = openraft::Entry<TypeConfig>;
pub(crate) type LogId = openraft::LogId<NodeId>;
pub(crate) type Vote = openraft::Vote<NodeId>;
pub(crate) type Membership = openraft::StoredMembership<NodeId, BasicNode>;
pub(crate) type Snapshot = openraft::Snapshot<TypeConfig>;
pub(crate) type SnapshotMeta = openraft::SnapshotMeta<NodeId, BasicNode>;
pub(crate) type StorageError = openraft::StorageError<NodeId>;
pub(crate) type RaftError<E = openraft::error::Infallible> = openraft::error::RaftError<NodeId, E>;

pub(crate) type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// Records that are written together: an entry of the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Put {
    pub(crate) records: Records,
}

/// Keys and values, as the state machine holds them.
pub(crate) type Records = BTreeMap<String, String>;
