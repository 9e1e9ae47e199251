//! Tests the engines.

use uadk_compress::probe::{self, RoundTrip};
use uadk_compress::{
    BlockCompressor, Checked, Error, Format, Level, SoftwareCompressor, UadkStats,
};

use crate::engines;
use crate::error::chain;

/// The result of testing an engine.
#[derive(Debug)]
pub(super) enum Trial {
    Works(RoundTrip),
    /// There is no such engine.
    Unavailable(Error),
    /// The engine failed.
    Failed(Error),
    /// The engine was not tested.
    Skipped,
}

impl Trial {
    /// A format that all devices and engines support.
    const FORMAT: Format = Format::Zlib;

    pub(super) fn software() -> Self {
        match SoftwareCompressor::new(Self::FORMAT, Level::default()) {
            Ok(engine) => Self::run(&engine),
            Err(error) => Self::Failed(error),
        }
    }

    /// Tests the accelerator, and also returns the state of UADK, if it is installed. Waits until
    /// the device is initialised.
    pub(super) fn accelerator() -> (Self, Option<UadkStats>) {
        let engine = match engines::accelerator(Self::FORMAT) {
            Ok(engine) => engine,
            Err(error) => return (Self::Unavailable(error), None),
        };
        let trial = match engine.start() {
            Ok(()) => Self::run(&engine),
            Err(error) => Self::Unavailable(error),
        };
        (trial, Some(engine.stats()))
    }

    fn run(engine: &dyn BlockCompressor) -> Self {
        match probe::round_trip(&Checked::new(engine)) {
            Ok(round_trip) => Self::Works(round_trip),
            Err(error @ Error::Unavailable(_)) => Self::Unavailable(error),
            Err(error) => Self::Failed(error),
        }
    }
}

/// Describes the error of an engine that decompressed its own blocks.
pub(super) fn describe(error: &Error) -> String {
    match error {
        Error::Corrupt | Error::WrongLength { .. } => {
            "decompressed data differs from the original".to_owned()
        }
        error => chain(error),
    }
}
