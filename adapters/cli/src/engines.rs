//! The engines that commands try.

use std::sync::Arc;

use uadk_compress::{BlockCompressor, Error, Format, UadkCompressor, UadkConfig};

/// The names of the engines in tables and JSON.
pub(crate) const SOFTWARE: &str = "software";
/// See [`SOFTWARE`].
pub(crate) const ACCELERATOR: &str = "accelerator";

/// The bare accelerator, without a policy that would hide its troubles.
///
/// # Errors
///
/// [`Error::Unavailable`] if this machine has none that can be used now, [`Error::Unsupported`] if
/// it does not do the format.
pub(crate) fn accelerator(format: Format) -> Result<Arc<dyn BlockCompressor>, Error> {
    let engine = UadkCompressor::new(format, &UadkConfig::default())?;
    // It would initialise the device at the first block, and we want to know before.
    engine.start()?;
    Ok(Arc::new(engine))
}
