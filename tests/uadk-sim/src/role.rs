//! The role of a context: its mode, direction and device.

use crate::machine::Direction;

/// Whether a context processes synchronous or asynchronous requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Sync,
    Async,
}

/// The role of a context.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Role {
    pub(crate) generation: u64,
    pub(crate) mode: Mode,
    pub(crate) direction: Direction,
    /// Index of the device in the machine.
    pub(crate) device: usize,
}

/// A context that a session is pinned to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pin {
    pub(crate) context: u32,
    pub(crate) role: Role,
}
