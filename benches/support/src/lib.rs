//! Shared by the benches and the demo: real data, a match finder, CPU time, a database workload,
//! and reports.

pub mod callgrind;
pub mod corpus;
pub mod cpu;
#[cfg(feature = "database")]
pub mod database;
pub mod guest;
pub mod kinds;
pub mod lz77;
pub mod report;
