//! The offload mode.

use std::fmt::{Display, Formatter};
use std::str::FromStr;

use crate::Error;

/// Whether to use an accelerator. Can be changed at any time.
///
/// ```
/// use uadk_compress::{Compressor, Offload};
///
/// let compressor = Compressor::builder().offload(Offload::Auto).build()?;
/// compressor.set_offload("off".parse()?)?;
/// assert_eq!(compressor.offload(), Offload::Off);
/// assert_eq!(Offload::Off.to_string(), "off");
/// assert!("fast".parse::<Offload>().is_err());
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offload {
    /// Use it if there is one and while it works.
    #[default]
    Auto,
    /// Use software only.
    Off,
    /// Like `Auto`, but building a compressor without an accelerator is an error. An accelerator
    /// that fails later costs speed, never an error.
    Require,
}

impl Offload {
    const ALL: [Self; 3] = [Self::Auto, Self::Off, Self::Require];

    pub(crate) fn from_bits(bits: u8) -> Self {
        Self::ALL.into_iter().find(|&offload| offload as u8 == bits).unwrap_or_default()
    }

    /// Returns the value's name in the environment variable.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Off => "off",
            Self::Require => "require",
        }
    }
}

impl Display for Offload {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Offload {
    type Err = Error;

    /// Parses `auto`, `off` and `require`.
    fn from_str(s: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|offload| offload.name() == s).ok_or_else(|| {
            Error::Unsupported(format!("offload mode {s:?} (expected auto, off or require)").into())
        })
    }
}
