//! Which names a pattern means, as GNU tar has it.

pub(super) mod exclude;
pub(super) mod glob;
mod set;
pub(super) mod tags;
pub(super) mod wanted;
