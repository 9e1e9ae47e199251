//! What users build.

use std::borrow::Cow;
use std::sync::Arc;

use crate::{
    Block, BlockCompressor, Error, Format, Level, Offload, OffloadCompressor, Policy,
    SoftwareCompressor, SoftwareEncoder, Stats, UadkCompressor, UadkConfig, Window,
};

/// Overrides [`CompressorBuilder::offload`], so that an operator can switch a deployed program:
/// `auto`, `off` or `require`.
const OFFLOAD_VARIABLE: &str = "UADK_COMPRESS_OFFLOAD";

/// Compresses blocks on the accelerator where there is one, and in software everywhere else.
///
/// Never returns [`Error::Busy`], [`Error::Device`], [`Error::TimedOut`] or
/// [`Error::Unavailable`] for a block. Clones are cheap and share the accelerator, its breaker and the counters: keep one to read
/// [`stats`](Self::stats) and give another to an adapter.
#[derive(Clone, Debug)]
pub struct Compressor {
    engines: OffloadCompressor<UadkCompressor, SoftwareCompressor>,
    uadk: Option<UadkCompressor>,
}

/// Settings of a [`Compressor`].
#[derive(Clone, Debug)]
#[must_use]
pub struct CompressorBuilder {
    format: Format,
    level: Level,
    offload: Offload,
    policy: Policy,
    uadk: UadkConfig,
    encoder: Option<SoftwareEncoder>,
}

impl Compressor {
    /// Begins with raw deflate at [`Level::FAST`] and [`Offload::Auto`].
    pub fn builder() -> CompressorBuilder {
        CompressorBuilder {
            format: Format::RawDeflate,
            level: Level::FAST,
            offload: Offload::Auto,
            policy: Policy::default(),
            uadk: UadkConfig::default(),
            encoder: None,
        }
    }

    /// What is wanted of the accelerator at present.
    #[must_use]
    pub fn offload(&self) -> Offload {
        self.engines.offload()
    }

    /// Switches the accelerator on or off, for all clones, from the next block on. Switched on, it is
    /// initialised, if that has not been done.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] for [`Offload::Require`] without an accelerator that can be used;
    /// nothing changes then.
    pub fn set_offload(&self, offload: Offload) -> Result<(), Error> {
        if let Some(uadk) = &self.uadk {
            start(uadk, offload)?;
        }
        self.engines.set_offload(offload)
    }

    /// Which engine did what since this compressor was built, and why not the other.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats { uadk: self.uadk.as_ref().map(UadkCompressor::stats), ..self.engines.stats() }
    }
}

impl CompressorBuilder {
    /// The format of the compressed blocks; raw deflate if not set.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// The software engine's level; [`Level::FAST`] if not set.
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Whether to use an accelerator; [`Offload::Auto`] if not set. The environment variable
    /// `UADK_COMPRESS_OFFLOAD` has the last word.
    pub fn offload(mut self, offload: Offload) -> Self {
        self.offload = offload;
        self
    }

    /// Whether to check in software what the accelerator compressed; see [`Policy::verify`].
    pub fn verify(mut self, verify: bool) -> Self {
        self.policy.verify = verify;
        self
    }

    /// All rules of offloading at once, [`verify`](Self::verify) included.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// What compresses in software; by default what [`SoftwareCompressor`] takes for the level.
    pub fn software_encoder(mut self, encoder: SoftwareEncoder) -> Self {
        self.encoder = Some(encoder);
        self
    }

    /// How the UADK device is used; [`UadkConfig::default`] if not set.
    pub fn uadk(mut self, config: UadkConfig) -> Self {
        self.uadk = config;
        self
    }

    /// Builds the compressor.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if an accelerator is required and there is none;
    /// [`Error::Unsupported`] for [`Format::Custom`] and for an unknown value of
    /// `UADK_COMPRESS_OFFLOAD`.
    pub fn build(self) -> Result<Compressor, Error> {
        let variable = std::env::var_os(OFFLOAD_VARIABLE);
        self.build_with(variable.as_ref().map(|value| value.to_string_lossy()).as_deref())
    }

    fn build_with(self, offload_variable: Option<&str>) -> Result<Compressor, Error> {
        let offload = match offload_variable {
            None | Some("") => self.offload,
            Some(value) => value.parse().map_err(|error| {
                Error::Unsupported(
                    format!("environment variable {OFFLOAD_VARIABLE}: {error}").into(),
                )
            })?,
        };
        let mut software = SoftwareCompressor::new(self.format, self.level)?;
        if let Some(encoder) = self.encoder {
            software = software.with_encoder(encoder);
        }
        let forbidden = offload_variable == Some(Offload::Off.name());
        let uadk = match self.accelerator(forbidden) {
            Ok(uadk) => uadk,
            Err(Error::Unavailable(why) | Error::Unsupported(why)) => {
                let engines = OffloadCompressor::software_only(software, why, self.policy);
                engines.set_offload(offload)?;
                return Ok(Compressor { engines, uadk: None });
            }
            Err(other) => return Err(other),
        };
        start(&uadk, offload)?;
        let engines = OffloadCompressor::new(uadk.clone(), software, self.policy)?;
        engines.set_offload(offload)?;
        Ok(Compressor { engines, uadk: Some(uadk) })
    }

    /// The engine for the machine's device, which is not initialised yet.
    fn accelerator(&self, forbidden: bool) -> Result<UadkCompressor, Error> {
        if forbidden {
            let why = format!("{OFFLOAD_VARIABLE} is off, so UADK was not looked for");
            return Err(Error::Unavailable(why.into()));
        }
        UadkCompressor::new(self.format, &self.uadk)
    }
}

/// Initialises the device as far as that is wanted.
fn start(uadk: &UadkCompressor, offload: Offload) -> Result<(), Error> {
    if offload == Offload::Off {
        return Ok(());
    }
    match (offload, uadk.start()) {
        (Offload::Require, Err(why)) => Err(why),
        (_, Err(why)) => {
            tracing::warn!(%why, "the accelerator can't be used yet and will be tried again");
            Ok(())
        }
        (_, Ok(())) => Ok(()),
    }
}

impl BlockCompressor for Compressor {
    fn format(&self) -> Format {
        self.engines.format()
    }
    fn engine(&self) -> Cow<'static, str> {
        self.engines.engine()
    }
    fn max_compressed_len(&self, len: usize) -> usize {
        self.engines.max_compressed_len(len)
    }
    fn max_decompressed_len(&self, len: usize) -> Option<usize> {
        self.engines.max_decompressed_len(len)
    }
    fn compress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        self.engines.compress(src, dst)
    }
    fn decompress(&self, src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
        self.engines.decompress(src, dst)
    }
    fn compress_batch(&self, blocks: &mut [Block<'_>]) {
        self.engines.compress_batch(blocks);
    }
    fn decompress_batch(&self, blocks: &mut [Block<'_>]) {
        self.engines.decompress_batch(blocks);
    }
    fn with_level(&self, level: Level) -> Option<Arc<dyn BlockCompressor>> {
        self.engines.with_level(level)
    }
    fn with_window(&self, window: Window) -> Option<Arc<dyn BlockCompressor>> {
        self.engines.with_window(window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_uses_software_and_says_so() {
        let compressor = Compressor::builder().build_with(None).expect("software is always there");
        let mut compressed = [0; 8192];
        compressor.compress(&[1; 4096], &mut compressed).expect("it fits");
        let stats = compressor.stats();
        assert_eq!(stats.accelerator.blocks(), 0);
        assert_eq!(stats.software.compress.blocks, 1);
        assert_eq!(stats.fallbacks.no_accelerator, 1);
        assert!(stats.unavailable.as_ref().is_some_and(|why| why.contains("libwd.so.2")));
        assert!(stats.to_string().contains("no accelerator: libwd.so.2"), "{stats}");
    }

    #[test]
    fn require_without_an_accelerator_fails_with_the_reason() {
        let error = Compressor::builder().offload(Offload::Require).build_with(None).unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
        assert!(error.to_string().contains("libwd.so.2"), "{error}");
    }

    #[test]
    fn the_environment_has_the_last_word() {
        let off = Compressor::builder().offload(Offload::Require).build_with(Some("off"));
        assert_eq!(off.expect("nothing is required any more").offload(), Offload::Off);
        let required = Compressor::builder().build_with(Some("require")).unwrap_err();
        assert!(matches!(required, Error::Unavailable(_)), "{required:?}");
        let unknown = Compressor::builder().build_with(Some("fast")).unwrap_err();
        assert!(unknown.to_string().contains("UADK_COMPRESS_OFFLOAD"), "{unknown}");
        assert!(unknown.to_string().contains("\"fast\""), "{unknown}");
    }

    #[test]
    fn another_window_is_asked_of_the_engines_and_counted() {
        let compressor = Compressor::builder().level(Level::FASTEST).build_with(None);
        let compressor = compressor.expect("software is always there");
        let limited = compressor.with_window(Window::K4).expect("software has windows");
        // What is repeated is 5,000 bytes back.
        let block: Vec<u8> = (0..10_000_u32).map(|i| ((i % 5000).pow(2) % 65_521) as u8).collect();
        let len = |codec: &dyn BlockCompressor| {
            codec.compress(&block, &mut [0; 11_000]).expect("the bound holds")
        };
        assert!(len(&limited) > 9000 && len(&compressor) < 6000);
        assert_eq!(compressor.stats().software.compress.blocks, 2);
    }

    #[test]
    fn a_refused_switch_changes_nothing() {
        let compressor = Compressor::builder().offload(Offload::Off).build_with(None).expect("off");
        assert!(matches!(compressor.set_offload(Offload::Require), Err(Error::Unavailable(_))));
        assert_eq!(compressor.offload(), Offload::Off);
    }
}
