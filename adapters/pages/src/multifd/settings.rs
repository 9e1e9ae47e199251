//! The settings of both ends of a stream.

use std::sync::Arc;

use uadk_compress::{BlockCompressor, Compressor, Format, Level};

use super::wire;
use crate::batch::check_page_size;
use crate::error::ErrorKind;
use crate::method::Method;

/// How the pages of a zlib stream are compressed. Receivers read both.
///
/// ```
/// use std::sync::atomic::AtomicU64;
/// use uadk_compress_pages::multifd::{Method, PacketNumbers, Sender, Settings, ZlibMode};
/// use uadk_compress_pages::{Error, GuestRam};
///
/// let word = |i: u64| AtomicU64::new((i % 512).wrapping_mul(0x9e37_79b9_7f4a_7c15));
/// let memory: Vec<AtomicU64> = (0..1024).map(word).collect();
/// let sent_bytes = |mode| {
///     let settings = Settings::new(Method::Zlib).zlib(mode);
///     let mut sender = Sender::new(Vec::new(), 0, &settings, PacketNumbers::default())?;
///     sender.send("pc.ram", &GuestRam::from_words(&memory), &[0, 4096])?;
///     Ok::<_, Error>(sender.payload_bytes())
/// };
/// assert!(sent_bytes(ZlibMode::Stream)? < sent_bytes(ZlibMode::Segments)?, "equal pages");
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ZlibMode {
    /// Page by page: several times as fast, and independent of the order.
    #[default]
    Segments,
    /// As one stream, like QEMU's: each page can refer to those before it.
    Stream,
}

/// How the pages of a zstd stream are compressed. Receivers read both.
///
/// ```
/// use std::sync::atomic::AtomicU64;
/// use uadk_compress_pages::multifd::{Method, PacketNumbers, Sender, Settings, ZstdMode};
/// use uadk_compress_pages::{Error, GuestRam};
///
/// let word = |i: u64| AtomicU64::new((i % 512).wrapping_mul(0x9e37_79b9_7f4a_7c15));
/// let memory: Vec<AtomicU64> = (0..1024).map(word).collect();
/// let sent_bytes = |mode| {
///     let settings = Settings::new(Method::Zstd).zstd(mode);
///     let mut sender = Sender::new(Vec::new(), 0, &settings, PacketNumbers::default())?;
///     sender.send("pc.ram", &GuestRam::from_words(&memory), &[0, 4096])?;
///     Ok::<_, Error>(sender.payload_bytes())
/// };
/// assert!(sent_bytes(ZstdMode::Stream)? < sent_bytes(ZstdMode::Frames)?, "equal pages");
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ZstdMode {
    /// As one stream, like QEMU's: each page can refer to those before it.
    #[default]
    Stream,
    /// Each page as a frame of its own, compressed by [`Settings::codec`]: a batch in one call, on
    /// an accelerator if the codec has one, and independent of the order. QEMU reads it too, as
    /// frames state the size of their content.
    Frames,
}

/// The settings of a [`Sender`](super::Sender) or [`Receiver`](super::Receiver), like QEMU's
/// `migrate-set-parameters`. They must be the same on both sides.
///
/// ```
/// use uadk_compress_pages::multifd::{Method, Settings};
///
/// let settings = Settings::new(Method::Uadk).page_size(65536).level(6).uuid([7; 16]);
/// assert_eq!(settings.pages_per_packet(), 8);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Settings {
    pub(crate) method: Method,
    pub(crate) page_size: usize,
    pub(crate) uuid: Option<[u8; 16]>,
    pub(crate) level: i32,
    pub(crate) zlib: ZlibMode,
    pub(crate) zstd: ZstdMode,
    pub(crate) codec: Option<Arc<dyn BlockCompressor>>,
    pub(crate) max_device_state: u32,
}

impl Settings {
    /// Creates settings for pages of 4096 bytes, level 1, any UUID (zeros when sending).
    pub const fn new(method: Method) -> Self {
        Self {
            method,
            page_size: 4096,
            uuid: None,
            level: 1,
            zlib: ZlibMode::Segments,
            zstd: ZstdMode::Stream,
            codec: None,
            max_device_state: 64 << 20,
        }
    }

    /// Sets the page size of the guest's target: 4096 to 65536.
    pub const fn page_size(mut self, page_size: usize) -> Self {
        self.page_size = page_size;
        self
    }

    /// Sets the guest's UUID: sent in the hello, and required in a received one.
    pub const fn uuid(mut self, uuid: [u8; 16]) -> Self {
        self.uuid = Some(uuid);
        self
    }

    /// Sets the level of [`ZstdMode::Stream`] (1 to 20), of [`ZlibMode::Stream`] (1 to 9), and, if
    /// no [`codec`](Self::codec) is set, of the software engine for single pages: see [`Level`].
    pub const fn level(mut self, level: i32) -> Self {
        self.level = level;
        self
    }

    /// Sets how the pages of a zlib stream are compressed.
    pub const fn zlib(mut self, mode: ZlibMode) -> Self {
        self.zlib = mode;
        self
    }

    /// Sets how the pages of a zstd stream are compressed.
    pub const fn zstd(mut self, mode: ZstdMode) -> Self {
        self.zstd = mode;
        self
    }

    /// Sets the codec for single pages, which [`Method::Qpl`], [`Method::Uadk`] and senders with
    /// [`ZstdMode::Frames`] need. The default is a [`Compressor`] of their format and the settings'
    /// level.
    pub fn codec(mut self, codec: Arc<dyn BlockCompressor>) -> Self {
        self.codec = Some(codec);
        self
    }

    /// Sets how many bytes of a device's state a receiver accepts in one packet. The default is
    /// 64 MiB.
    pub const fn max_device_state(mut self, bytes: u32) -> Self {
        self.max_device_state = bytes;
        self
    }

    /// Returns the number of pages that fit into a packet.
    #[must_use]
    pub const fn pages_per_packet(&self) -> usize {
        wire::pages_per_packet(self.page_size)
    }

    /// Checks the settings, and sets the codec for single pages if the method needs one.
    pub(crate) fn resolved(&self) -> Result<Self, ErrorKind> {
        check_page_size(self.page_size).map_err(ErrorKind::batch)?;
        let mut settings = self.clone();
        if self.page_format().is_some() {
            settings.codec = Some(self.page_codec()?);
        }
        Ok(settings)
    }

    /// Returns the format of the [codec](Self::codec) for single pages; `None` if pages aren't
    /// compressed one by one.
    #[must_use]
    pub const fn page_format(&self) -> Option<Format> {
        match (self.method, self.zstd) {
            (Method::Zstd, ZstdMode::Frames) => Some(Format::Zstd),
            (method, _) => method.page_format(),
        }
    }

    /// Returns the codec for single pages.
    pub(crate) fn page_codec(&self) -> Result<Arc<dyn BlockCompressor>, ErrorKind> {
        let Some(format) = self.page_format() else {
            let message = format!("method {} has no single pages", self.method);
            return Err(ErrorKind::Unsupported(message));
        };
        match &self.codec {
            Some(codec) if codec.format() == format => Ok(Arc::clone(codec)),
            Some(codec) => Err(ErrorKind::Unsupported(format!(
                "method {} needs a codec of format {format}, not {}",
                self.method,
                codec.format()
            ))),
            None => {
                let level = Level::nearest(self.level);
                let codec = Compressor::builder().format(format).level(level).build();
                let method = self.method;
                Ok(Arc::new(codec.map_err(|source| ErrorKind::Engine { method, source })?))
            }
        }
    }
}
