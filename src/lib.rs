//! Runs the Rust blocks of README.md and docs/ as doctests. The package also holds the examples and
//! benches, which use all crates.

#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/accelerator.md")]
    struct Accelerator;
    #[doc = include_str!("../docs/archives.md")]
    struct Archives;
    #[doc = include_str!("../docs/rocksdb.md")]
    struct Rocksdb;
}
