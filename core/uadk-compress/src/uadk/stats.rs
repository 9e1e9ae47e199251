//! The device's own counters.

use std::fmt::{Display, Formatter};

use crate::Error;

/// A snapshot of what the UADK engine has and has lost, in this process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UadkStats {
    /// Which UADK it is.
    pub version: String,
    /// Why the device can't be used at present, if it can't.
    pub outage: Option<Error>,
    /// How often it was initialised.
    pub initialisations: u64,
    /// Contexts for asynchronous requests.
    pub contexts: usize,
    /// Of these, contexts that are known to have failed since the initialisation.
    pub failed_contexts: usize,
    /// Sessions of all threads.
    pub sessions: usize,
    /// Blocks whose completion never came, or came too late.
    pub lost: u64,
    /// Bytes of address space that are kept for them, since the device may still write there.
    pub quarantined_bytes: usize,
}

impl Display for UadkStats {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "UADK {}, {} contexts ({} failed), {} sessions, initialised {} times, {} blocks lost, {} \
             bytes in quarantine",
            self.version,
            self.contexts,
            self.failed_contexts,
            self.sessions,
            self.initialisations,
            self.lost,
            self.quarantined_bytes,
        )?;
        match &self.outage {
            Some(why) => write!(f, "; down: {why}"),
            None => Ok(()),
        }
    }
}
