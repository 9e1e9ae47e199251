//! What the benches and the demo share: real data, CPU time, a database's life, and reports.

pub mod callgrind;
pub mod corpus;
pub mod cpu;
#[cfg(feature = "database")]
pub mod database;
pub mod guest;
pub mod report;
