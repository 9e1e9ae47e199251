//! Contexts as sessions see them: mode, direction and device.

use crate::machine::Direction;

/// How a context is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Sync,
    Async,
}

/// What a context is for.
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
