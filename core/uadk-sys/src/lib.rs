//! The ABI of UADK's `libwd` and `libwd_comp`, loaded at run time.
//!
//! UADK is the user-space framework for `HiSilicon` Kunpeng accelerators. One binary runs with and
//! without it: [`Libwd::load`] finds the libraries when the program runs, and a missing or strange
//! one is an [`Error`] that names the places tried.
//!
//! This crate has structs, constants and functions, and no policy. What is safe to call when is up
//! to the caller; the rules are on the fields of [`Functions`].
//!
//! | supported | told by |
//! |---|---|
//! | 2.5 to 2.9 | `wd_alg_driver_register` |
//! | 2.10 | `wd_find_ctx` |
//! | newer | `wd_get_alg_type` |
//!
//! The soname (`libwd.so.2`) is the same for all of them, although 2.10 enlarged two structs that
//! callers allocate. So pass [`WithSlack`], which is large enough for all known versions and has
//! zeroed room behind.

pub mod abi;
mod alg_list;
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
