//! The UADK engine on the simulated libwd: whatever the device does, callers get the right bytes
//! and the counters report what happened. The clock is manual.

mod absence;
#[path = "../common/mod.rs"]
mod common;
mod contexts;
mod data;
mod deadlines;
mod fork;
mod initialisation;
mod lies;
mod lz77;
mod rig;
mod sessions;
