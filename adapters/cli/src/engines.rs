//! The engines that commands try.

use uadk_compress::{Error, Format, UadkCompressor, UadkConfig};

/// The names of the engines in tables and JSON.
pub(crate) const SOFTWARE: &str = "software";
/// See [`SOFTWARE`].
pub(crate) const ACCELERATOR: &str = "accelerator";

/// Creates the bare accelerator, without a policy that would hide its failures. It is initialised
/// by [`UadkCompressor::start`], or in the background from the first block on.
///
/// # Errors
///
/// [`Error::Unavailable`] if UADK is not installed.
pub(crate) fn accelerator(format: Format) -> Result<UadkCompressor, Error> {
    UadkCompressor::new(format, &UadkConfig::default())
}
