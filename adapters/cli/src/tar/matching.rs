//! Matches names against patterns, as in GNU tar.

pub(super) mod exclude;
pub(super) mod glob;
mod set;
pub(super) mod tags;
pub(super) mod wanted;
