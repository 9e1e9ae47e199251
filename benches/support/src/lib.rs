//! Shared by the benches and the demo: real data, CPU time, a database workload, and reports.

pub mod callgrind;
pub mod corpus;
pub mod cpu;
#[cfg(feature = "database")]
pub mod database;
pub mod guest;
pub mod report;
