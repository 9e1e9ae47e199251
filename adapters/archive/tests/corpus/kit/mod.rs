//! Code shared by the corpus test and the differential fuzzer: archives, extraction by us and by
//! peers, and the comparison of the results.

pub(crate) mod cases;
pub(crate) mod judge;
pub(crate) mod mutate;
pub(crate) mod odd;
pub(crate) mod ours;
pub(crate) mod peers;
pub(crate) mod rules;
pub(crate) mod tarball;
pub(crate) mod tree;
