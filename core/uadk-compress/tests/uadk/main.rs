//! The UADK engine on the stand-in for libwd: whatever the device does, callers get the right bytes,
//! and the counters tell what happened. Time is the test's own.

mod absence;
#[path = "../common/mod.rs"]
mod common;
mod contexts;
mod data;
mod deadlines;
mod fork;
mod initialisation;
mod lies;
mod rig;
mod sessions;
