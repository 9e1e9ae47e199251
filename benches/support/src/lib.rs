//! Shared by the benches and the demo: real data, a match finder, CPU time, duels, a database
//! workload, and reports.

pub mod callgrind;
pub mod corpus;
pub mod cpu;
#[cfg(feature = "database")]
pub mod database;
pub mod duel;
pub mod guest;
pub mod kinds;
pub mod lz77;
pub mod report;
