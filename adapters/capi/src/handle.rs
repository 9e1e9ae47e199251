//! The handle: a compressor, and the mark of a live one.

#![allow(unsafe_code, reason = "reads the mark behind a pointer from C")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use uadk_compress::{
    BlockCompressor, Compressor, Error, Format, Level, Settings, SoftwareCompressor,
};

use crate::failure::Failure;
use crate::options::Options;

/// Marks the memory of a live handle.
const ALIVE: u64 = 0x7561_646b_6c69_7665;
/// Marks the memory of a freed handle, until it is reused.
const FREED: u64 = 0x7561_646b_6465_6164;

/// A compressor for independent blocks of one format, used by any number of threads.
///
/// ```c
/// uadk_compressor *zstd;
/// if (uadk_compressor_new("format=zstd;level=3", &zstd) != UADK_STATUS_OK) {
///     fprintf(stderr, "%s\n", uadk_compress_last_error());
///     exit(EXIT_FAILURE);
/// }
/// uadk_compressor_free(zstd);
/// ```
#[derive(Debug)]
pub struct uadk_compressor {
    /// [`ALIVE`] or [`FREED`].
    mark: AtomicU64,
    /// What handles that were made from each other share: the offload mode and the counters.
    shared: Compressor,
    /// Compresses with this handle's settings.
    codec: Arc<dyn BlockCompressor>,
}

impl uadk_compressor {
    pub(crate) fn new(options: &Options) -> Result<Self, Failure> {
        let shared = options.builder().build()?;
        let settings = &options.settings;
        let codec: Arc<dyn BlockCompressor> = if *settings == Settings::new() {
            Arc::new(shared.clone())
        } else {
            reconfigured(&shared, settings)?
        };
        Ok(Self::with_codec(shared, codec))
    }

    /// Creates a handle that compresses with `codec`.
    pub(crate) fn with_codec(shared: Compressor, codec: Arc<dyn BlockCompressor>) -> Self {
        Self { mark: AtomicU64::new(ALIVE), shared, codec }
    }

    /// Returns a handle with other settings, which shares the rest with this one.
    pub(crate) fn reconfigured(&self, settings: &Settings) -> Result<Self, Failure> {
        let codec = if *settings == Settings::new() {
            Arc::clone(&self.codec)
        } else {
            reconfigured(&*self.codec, settings)?
        };
        Ok(Self::with_codec(self.shared.clone(), codec))
    }

    /// Passes the compressor to C, which owns it until [`free`](Self::free).
    pub(crate) fn into_raw(self) -> *mut Self {
        Box::into_raw(Box::new(self))
    }

    pub(crate) fn shared(&self) -> &Compressor {
        &self.shared
    }

    pub(crate) fn codec(&self) -> &dyn BlockCompressor {
        &*self.codec
    }

    /// Frees a compressor that C owns.
    ///
    /// # Safety
    ///
    /// It is alive, and nothing else uses it.
    pub(crate) unsafe fn free(handle: *mut Self) {
        // SAFETY: it is alive, so it is from `into_raw`; the caller guarantees the rest.
        let compressor = unsafe { Box::from_raw(handle) };
        compressor.mark.store(FREED, Ordering::Relaxed);
    }

    /// Returns whether the memory behind a handle has the mark of a live one.
    ///
    /// # Safety
    ///
    /// It is readable and aligned.
    pub(crate) unsafe fn is_alive(handle: *const Self) -> bool {
        // SAFETY: guaranteed by the caller; any bytes are a valid number.
        let mark = unsafe { &(*handle).mark };
        mark.load(Ordering::Relaxed) == ALIVE
    }
}

/// Returns the same codec with other settings.
fn reconfigured(
    codec: &dyn BlockCompressor,
    settings: &Settings,
) -> Result<Arc<dyn BlockCompressor>, Error> {
    let format = codec.format();
    if settings.checksum == Some(true) && format != Format::Zstd {
        let text = format!("an optional checksum for {format}, which only zstd has");
        return Err(Error::Unsupported(text.into()));
    }
    codec.reconfigured(settings).ok_or_else(|| {
        // The codec does not say why.
        let software = SoftwareCompressor::new(format, Level::default());
        match (software, settings.dictionary.clone()) {
            (Ok(software), Some(dictionary)) => software.with_dictionary(dictionary).err(),
            (Err(error), _) => Some(error),
            _ => None,
        }
        .unwrap_or_else(|| Error::Unsupported("none of these settings applies".into()))
    })
}
