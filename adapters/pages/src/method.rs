//! The compression methods of multifd streams.

use std::str::FromStr;

use uadk_compress::Format;

/// How a stream's pages are compressed: QEMU's parameter `multifd-compression`. Both sides must
/// use the same method; nothing is negotiated.
///
/// ```
/// use uadk_compress::Format;
/// use uadk_compress_pages::multifd::Method;
///
/// let method: Method = "uadk".parse()?;
/// assert_eq!(method, Method::Uadk);
/// assert_eq!(method.page_format(), Some(Format::Zlib));
/// assert_eq!(method.to_string(), "uadk");
/// # Ok::<(), uadk_compress_pages::multifd::UnknownMethod>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// No compression.
    None,
    /// One zlib stream for each channel.
    Zlib,
    /// One zstd stream for each channel.
    Zstd,
    /// Each page by itself, in raw deflate, as QEMU does with Intel's QPL.
    Qpl,
    /// Each page by itself, in zlib's format, as QEMU does with UADK.
    Uadk,
}

impl Method {
    /// All methods.
    pub const ALL: [Self; 5] = [Self::None, Self::Zlib, Self::Zstd, Self::Qpl, Self::Uadk];

    /// Returns the method's bits in the flags of a packet.
    pub(crate) const fn bits(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Zlib => 1 << 1,
            Self::Zstd => 2 << 1,
            Self::Qpl => 4 << 1,
            Self::Uadk => 8 << 1,
        }
    }

    /// Returns QEMU's name of the method.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Zlib => "zlib",
            Self::Zstd => "zstd",
            Self::Qpl => "qpl",
            Self::Uadk => "uadk",
        }
    }

    /// Returns the format of pages compressed by themselves; `None` for the other methods.
    #[must_use]
    pub const fn page_format(self) -> Option<Format> {
        match self {
            Self::None | Self::Zlib | Self::Zstd => None,
            Self::Qpl => Some(Format::RawDeflate),
            Self::Uadk => Some(Format::Zlib),
        }
    }
}

/// Returns the name of the method in a packet's flags, for messages.
pub(crate) fn name_of_bits(bits: u32) -> String {
    /// Intel's `qatzip`, which this crate does not support.
    const QATZIP: u32 = 16 << 1;
    match Method::ALL.into_iter().find(|method| method.bits() == bits) {
        Some(method) => method.name().to_owned(),
        None if bits == QATZIP => "qatzip".to_owned(),
        None => format!("unknown ({bits:#x})"),
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The error for a name that no method in [`Method::ALL`] has.
///
/// ```
/// use uadk_compress_pages::multifd::{Method, UnknownMethod};
///
/// let parsed: Result<Method, UnknownMethod> = "lz4".parse();
/// match parsed {
///     Err(error) => assert_eq!(error.to_string(), "unknown multifd compression method \"lz4\""),
///     Ok(method) => panic!("{method}"),
/// }
/// assert_eq!(Method::ALL.map(Method::name), ["none", "zlib", "zstd", "qpl", "uadk"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown multifd compression method {0:?}")]
pub struct UnknownMethod(String);

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(name: &str) -> Result<Self, UnknownMethod> {
        let found = Self::ALL.into_iter().find(|method| method.name() == name);
        found.ok_or_else(|| UnknownMethod(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_have_qemus_names_and_flags() {
        let bits: Vec<u32> = Method::ALL.iter().map(|method| method.bits()).collect();
        assert_eq!(bits, [0, 2, 4, 8, 16]);
        for method in Method::ALL {
            assert_eq!(method.name().parse(), Ok(method));
            assert_eq!(name_of_bits(method.bits()), method.name());
        }
        assert!("lz4".parse::<Method>().is_err());
        assert_eq!((name_of_bits(32), name_of_bits(6)), ("qatzip".into(), "unknown (0x6)".into()));
    }
}
