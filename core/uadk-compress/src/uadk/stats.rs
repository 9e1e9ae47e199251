//! The UADK engine's own counters.

use std::fmt::{Display, Formatter};

use crate::Error;

/// A snapshot of what the UADK engine holds and has lost in this process.
///
/// ```
/// use uadk_compress::Compressor;
///
/// let stats = Compressor::builder().build()?.stats();
/// match &stats.uadk {
///     Some(uadk) => println!("{} sessions, {} blocks lost", uadk.sessions, uadk.lost),
///     None => println!("{}", stats.unavailable.as_deref().expect("the reason")),
/// }
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UadkStats {
    /// The version of UADK.
    pub version: String,
    /// Why the device can't be used at present, if it can't. [`Error::Starting`] while it is being
    /// initialised or uninitialised; it has neither contexts nor sessions then.
    pub outage: Option<Error>,
    /// How often the device was initialised.
    pub initialisations: u64,
    /// Contexts for asynchronous requests.
    pub contexts: usize,
    /// How many of these are known to have failed since the initialisation.
    pub failed_contexts: usize,
    /// Sessions of all threads.
    pub sessions: usize,
    /// Blocks whose completion never came, or came too late.
    pub lost: u64,
    /// Bytes of address space kept for lost blocks, since the device may still write there.
    pub quarantined_bytes: usize,
    /// Whether raw deflate may be decompressed on the device: see
    /// [`UadkConfig::raw_deflate_decompression`](crate::UadkConfig::raw_deflate_decompression).
    pub raw_deflate_decompression: bool,
}

impl Display for UadkStats {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { version, lost, quarantined_bytes, .. } = self;
        write!(f, "UADK {version}, ")?;
        if self.outage == Some(Error::Starting) {
            write!(f, "being initialised")?;
        } else {
            write!(
                f,
                "{} contexts ({} failed), {} sessions, initialised {} times",
                self.contexts, self.failed_contexts, self.sessions, self.initialisations,
            )?;
        }
        write!(f, ", {lost} blocks lost, {quarantined_bytes} bytes in quarantine")?;
        match &self.outage {
            None | Some(Error::Starting) => Ok(()),
            Some(reason) => write!(f, "; down: {reason}"),
        }
    }
}
