//! The compressor for most programs, and its builder.

use std::sync::Arc;

use uadk_sys::Libwd;

use crate::offload::Verify;
use crate::{
    Block, BlockCompressor, Error, Format, Level, Offload, OffloadCompressor, Policy, Settings,
    SoftwareCompressor, SoftwareEncoder, Stats, UadkCompressor, UadkConfig,
};

/// Overrides [`CompressorBuilder::offload`] with `auto`, `off` or `require`, so that an operator
/// can switch a deployed program.
const OFFLOAD_VARIABLE: &str = "UADK_COMPRESS_OFFLOAD";

/// Compresses blocks on the accelerator if there is one, and in software everywhere else.
///
/// Never returns [`Error::Busy`], [`Error::Starting`], [`Error::Device`], [`Error::TimedOut`] or
/// [`Error::Unavailable`] for a block. Neither building nor dropping it waits for the accelerator,
/// unless it is [required](Offload::Require). Clones are cheap and share the accelerator, its
/// breaker and the counters: keep one to read [`stats`](Self::stats), and pass another to an
/// adapter.
///
/// ```
/// use uadk_compress::{BlockCompressor, Compressor, Format};
///
/// let compressor = Compressor::builder().format(Format::Gzip).build()?;
/// let adapter = compressor.clone();
/// let mut compressed = vec![0; adapter.max_compressed_len(4096)];
/// let len = adapter.compress(&[7; 4096], &mut compressed)?;
///
/// let mut restored = vec![0; 4096];
/// assert_eq!(adapter.decompress(&compressed[..len], &mut restored), Ok(4096));
/// assert_eq!(restored, vec![7; 4096]);
/// assert_eq!(compressor.stats().together().blocks(), 2);
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Compressor {
    engines: OffloadCompressor,
    uadk: Option<UadkCompressor>,
    encoder: SoftwareEncoder,
}

/// Settings of a [`Compressor`].
///
/// ```
/// use uadk_compress::offload::Verify;
/// use uadk_compress::{BlockCompressor, Compressor, CompressorBuilder, Format, Level, Policy};
///
/// let builder: CompressorBuilder = Compressor::builder()
///     .format(Format::Zlib)
///     .level(Level::BALANCED)
///     .policy(Policy::default().with_min_block(4096))
///     .verify(Verify::Compressed);
/// let compressor = builder.build()?;
/// assert_eq!(compressor.format(), Format::Zlib);
/// # Ok::<(), uadk_compress::Error>(())
/// ```
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
    /// Returns a builder with the defaults: raw deflate, [`Level::FAST`] and [`Offload::Auto`].
    pub fn builder() -> CompressorBuilder {
        CompressorBuilder {
            format: Format::RawDeflate,
            level: Level::default(),
            offload: Offload::Auto,
            policy: Policy::default(),
            uadk: UadkConfig::default(),
            encoder: None,
        }
    }

    /// Returns the current offload mode.
    #[must_use]
    pub fn offload(&self) -> Offload {
        self.engines.offload()
    }

    /// Switches the accelerator on or off, for all clones, from the next block on. Switching it on
    /// initialises it if necessary; only [`Offload::Require`] waits for that.
    ///
    /// # Errors
    ///
    /// With [`Offload::Require`]: [`Error::Unavailable`] if there is no usable accelerator,
    /// [`Error::Starting`] if it is not ready in time. The mode then stays unchanged.
    pub fn set_offload(&self, offload: Offload) -> Result<(), Error> {
        if let Some(uadk) = &self.uadk {
            start(uadk, offload)?;
        }
        self.engines.set_offload(offload)
    }

    /// Returns what each engine processed since this compressor was built, and why blocks went to
    /// software.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            uadk: self.uadk.as_ref().map(UadkCompressor::stats),
            software_engine: Some(self.encoder),
            ..self.engines.stats()
        }
    }
}

impl CompressorBuilder {
    /// Sets the format of the compressed blocks; raw deflate by default.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Sets the software engine's level; [`Level::FAST`] by default.
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Sets whether to use an accelerator; [`Offload::Auto`] by default. The environment variable
    /// `UADK_COMPRESS_OFFLOAD` overrides this.
    pub fn offload(mut self, offload: Offload) -> Self {
        self.offload = offload;
        self
    }

    /// Sets which of the accelerator's results to check in software; none by default.
    pub fn verify(mut self, verify: Verify) -> Self {
        self.policy.verify = verify;
        self
    }

    /// Sets the whole offload policy, including [`verify`](Self::verify).
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the software encoder; by default the one that [`SoftwareCompressor`] uses for the
    /// level.
    pub fn software_encoder(mut self, encoder: SoftwareEncoder) -> Self {
        self.encoder = Some(encoder);
        self
    }

    /// Configures the UADK device; [`UadkConfig::default`] by default.
    pub fn uadk(mut self, config: UadkConfig) -> Self {
        self.uadk = config;
        self
    }

    /// Builds the compressor.
    ///
    /// The accelerator is initialised in the background; until it is ready, blocks are processed in
    /// software. [`Offload::Require`] waits for it, up to [`UadkConfig::start_limit`].
    ///
    /// No accelerator is used, nor required, if none does what the [policy](Policy) offloads:
    /// decompression alone of [`Format::Zstd`] or [`Format::Lz4`], or neither direction. The mode
    /// is [`Offload::Off`] then.
    ///
    /// # Errors
    ///
    /// If an accelerator is required: [`Error::Unavailable`] if there is none, [`Error::Starting`]
    /// if it is not ready in time, [`Error::Device`] if it has just failed, and
    /// [`Error::Unsupported`] if it lacks the format. [`Error::Unsupported`] also for
    /// [`Format::Custom`] and for an unknown value of `UADK_COMPRESS_OFFLOAD`.
    pub fn build(self) -> Result<Compressor, Error> {
        // It decides whether libraries are loaded, so a set-user-ID program ignores it.
        let variable = uadk_sys::secure::var_os(OFFLOAD_VARIABLE);
        let variable = variable.as_ref().map(|value| value.to_string_lossy());
        let (format, config) = (self.format, self.uadk.clone());
        self.build_with(variable.as_deref(), || UadkCompressor::new(format, &config))
    }

    /// Builds the compressor on caller-provided libraries, such as a simulator. Ignores the
    /// environment.
    ///
    /// # Errors
    ///
    /// Same as [`build`](Self::build).
    pub fn build_on(self, libwd: &Libwd) -> Result<Compressor, Error> {
        let (format, config) = (self.format, self.uadk.clone());
        let clock = crate::clock::SystemClock::default();
        self.build_with(None, || UadkCompressor::with_libwd(libwd, format, &config, clock))
    }

    fn build_with(
        self,
        offload_variable: Option<&str>,
        accelerator: impl FnOnce() -> Result<UadkCompressor, Error>,
    ) -> Result<Compressor, Error> {
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
        let encoder = software.encoder();
        let Policy { compress, decompress, .. } = self.policy;
        if !compress && (!decompress || self.format.is_only_compressed_by_devices()) {
            let reason = format!("no device does what is to be offloaded of {}", self.format);
            let engines = OffloadCompressor::software_only(software, reason, self.policy);
            engines.set_offload(Offload::Off)?;
            return Ok(Compressor { engines, uadk: None, encoder });
        }
        let accelerator = if offload_variable == Some(Offload::Off.name()) {
            let reason = format!("switched off by {OFFLOAD_VARIABLE}=off");
            Err(Error::Unavailable(reason.into()))
        } else {
            accelerator()
        };
        let uadk = match accelerator {
            Ok(uadk) => uadk.with_level(self.level),
            Err(Error::Unavailable(reason) | Error::Unsupported(reason)) => {
                let engines = OffloadCompressor::software_only(software, reason, self.policy);
                engines.set_offload(offload)?;
                return Ok(Compressor { engines, uadk: None, encoder });
            }
            Err(other) => return Err(other),
        };
        start(&uadk, offload)?;
        let engines = OffloadCompressor::new(uadk.clone(), software, self.policy)?;
        engines.set_offload(offload)?;
        Ok(Compressor { engines, uadk: Some(uadk), encoder })
    }
}

/// Initialises the device as `offload` requires.
fn start(uadk: &UadkCompressor, offload: Offload) -> Result<(), Error> {
    match offload {
        Offload::Off => Ok(()),
        Offload::Auto => {
            uadk.start_in_background();
            Ok(())
        }
        Offload::Require => uadk.start(),
    }
}

impl BlockCompressor for Compressor {
    fn format(&self) -> Format {
        self.engines.format()
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
    fn reconfigured(&self, settings: &Settings) -> Option<Arc<dyn BlockCompressor>> {
        self.engines.reconfigured(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Window;

    /// Builds as on a machine without UADK, whatever is installed here.
    fn build(builder: CompressorBuilder, variable: Option<&str>) -> Result<Compressor, Error> {
        builder.build_with(variable, || Err(Error::Unavailable("libwd.so.2 is not here".into())))
    }

    #[test]
    fn auto_uses_software_and_reports_the_reason() {
        let compressor = build(Compressor::builder(), None).expect("software always works");
        let mut compressed = [0; 8192];
        compressor.compress(&[1; 4096], &mut compressed).expect("the block fits");
        let stats = compressor.stats();
        assert_eq!(stats.accelerator.blocks(), 0);
        assert_eq!(stats.software.compress.blocks, 1);
        assert_eq!(stats.fallbacks.no_accelerator, 1);
        assert_eq!(stats.software_engine, Some(SoftwareEncoder::BlockDeflate));
        assert!(stats.to_string().contains("no accelerator: libwd.so.2"), "{stats}");
    }

    #[test]
    fn require_without_an_accelerator_fails_with_the_reason() {
        let error = build(Compressor::builder().offload(Offload::Require), None).unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
        assert!(error.to_string().contains("libwd.so.2"), "{error}");
    }

    #[test]
    fn an_accelerator_without_work_is_neither_used_nor_required() {
        let read_only = Policy::default().with_directions(false, true);
        for format in [Format::Zstd, Format::Lz4] {
            let builder = Compressor::builder().format(format).policy(read_only.clone());
            let reader = builder.build_with(Some("require"), || unreachable!("not started"));
            assert_eq!(reader.expect("software suffices").offload(), Offload::Off, "{format}");
        }
        let neither = Policy::default().with_directions(false, false);
        let idle = build(Compressor::builder().policy(neither), Some("require"));
        assert!(idle.expect("software suffices").stats().to_string().contains("no device does"));
        // Devices decompress deflate, and compress zstd.
        assert!(build(Compressor::builder().policy(read_only), Some("require")).is_err());
        let writer = Compressor::builder().format(Format::Zstd);
        let writer = writer.policy(Policy::default().with_directions(true, false));
        assert!(build(writer, Some("require")).is_err());
    }

    #[test]
    fn the_environment_overrides_the_builder() {
        let off = build(Compressor::builder().offload(Offload::Require), Some("off"));
        assert_eq!(off.expect("the accelerator is no longer required").offload(), Offload::Off);
        let required = build(Compressor::builder(), Some("require")).unwrap_err();
        assert!(matches!(required, Error::Unavailable(_)), "{required:?}");
        let unknown = build(Compressor::builder(), Some("fast")).unwrap_err();
        assert!(unknown.to_string().contains("UADK_COMPRESS_OFFLOAD"), "{unknown}");
        assert!(unknown.to_string().contains("\"fast\""), "{unknown}");
    }

    #[test]
    fn other_settings_reach_the_engines_and_share_the_counters() {
        let compressor = build(Compressor::builder().level(Level::FASTEST), None);
        let compressor = compressor.expect("software always works");
        let settings = Settings::new().with_window(Window::Kib4);
        let limited = compressor.reconfigured(&settings).expect("software has windows");
        // Repeats at a distance of 5,000 bytes.
        let block: Vec<u8> = (0..10_000_u32).map(|i| ((i % 5000).pow(2) % 65_521) as u8).collect();
        let len = |codec: &dyn BlockCompressor| {
            codec.compress(&block, &mut [0; 11_000]).expect("the block fits")
        };
        assert!(len(&limited) > 9000 && len(&compressor) < 6000);
        assert_eq!(compressor.stats().software.compress.blocks, 2);
        let dictionary = Settings::new().with_dictionary(crate::Dictionary::new(*b"words"));
        assert!(compressor.reconfigured(&dictionary).is_none(), "no format supports dictionaries");
    }

    #[test]
    fn a_rejected_switch_changes_nothing() {
        let compressor = build(Compressor::builder().offload(Offload::Off), None)
            .expect("software always works");
        assert!(matches!(compressor.set_offload(Offload::Require), Err(Error::Unavailable(_))));
        assert_eq!(compressor.offload(), Offload::Off);
    }
}
