//! Trying the engines.

use uadk_compress::probe::{self, RoundTrip};
use uadk_compress::{
    BlockCompressor, Checked, Error, Format, Level, SoftwareCompressor, UadkStats,
};

use crate::engines;
use crate::error::chain;

/// What became of trying an engine.
#[derive(Debug)]
pub(super) enum Trial {
    Works(RoundTrip),
    /// There is none to try.
    Unavailable(Error),
    /// It was there, and failed.
    Failed(Error),
    /// It was not to be tried.
    Skipped,
}

impl Trial {
    /// Every device serves it, and every engine.
    const FORMAT: Format = Format::Zlib;

    pub(super) fn software() -> Self {
        match SoftwareCompressor::new(Self::FORMAT, Level::default()) {
            Ok(engine) => Self::of(&engine),
            Err(error) => Self::Failed(error),
        }
    }

    /// Also returns what UADK is, if it is there. Waits until the device is initialised.
    pub(super) fn accelerator() -> (Self, Option<UadkStats>) {
        let engine = match engines::accelerator(Self::FORMAT) {
            Ok(engine) => engine,
            Err(error) => return (Self::Unavailable(error), None),
        };
        let trial = match engine.start() {
            Ok(()) => Self::of(&engine),
            Err(error) => Self::Unavailable(error),
        };
        (trial, Some(engine.stats()))
    }

    fn of(engine: &dyn BlockCompressor) -> Self {
        match probe::round_trip(&Checked::new(engine)) {
            Ok(round_trip) => Self::Works(round_trip),
            Err(error @ Error::Unavailable(_)) => Self::Unavailable(error),
            Err(error) => Self::Failed(error),
        }
    }
}

/// An engine's error, told of an engine that got its own blocks to decompress.
pub(super) fn describe(error: &Error) -> String {
    match error {
        Error::Corrupt | Error::WrongLength { .. } => {
            "it gave back other bytes than it got".to_owned()
        }
        error => chain(error),
    }
}
