//! The ABI of UADK's `libwd` and `libwd_comp`, loaded at run time.
//!
//! UADK is the user-space framework for `HiSilicon` Kunpeng accelerators. One binary runs with and
//! without it: [`Libwd::load`] finds the libraries at run time and, if one is missing or unusable,
//! returns an [`Error`] that lists the paths tried.
//!
//! This crate has structs, constants and functions, but no policy. Callers must obey the rules
//! documented on the fields of [`Functions`].
//!
//! | supported | detected by |
//! |---|---|
//! | 2.5 to 2.9 | `wd_alg_driver_register` |
//! | 2.10 | `wd_find_ctx` |
//! | newer | `wd_get_alg_type` |
//!
//! The soname (`libwd.so.2`) is the same for all of them, although 2.10 enlarged two structs that
//! callers allocate. So pass [`WithSlack`], which is large enough for all known versions and has
//! zeroed padding at the end.
//!
//! # Crate features
//!
//! | feature | default | effect |
//! |---|---|---|
//! | `link` | no | links libwd through pkg-config at build time and adds `Libwd::linked` |
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod abi;
mod alg_list;
mod device;
mod error;
mod functions;
mod load;
pub mod secure;
mod version;

pub use abi::WithSlack;
pub use error::{Error, Tried};
pub use functions::Functions;
pub use load::{LIB_DIR_VARIABLE, Libwd};
pub use version::{Release, Version};

/// Runs the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
