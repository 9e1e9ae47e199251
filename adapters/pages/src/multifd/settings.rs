//! What both ends of a stream are told.

use std::sync::Arc;

use uadk_compress::{BlockCompressor, Compressor, Level};

use super::wire;
use crate::batch::check_page_size;
use crate::error::ErrorKind;
use crate::method::Method;

/// How the pages of a zlib stream are made. The other side reads both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ZlibMode {
    /// Page by page: several times as fast, and could be made in any order.
    #[default]
    Segments,
    /// As one stream, like QEMU's: each page can refer to those before it.
    Stream,
}

/// What a [`Sender`](super::Sender) or [`Receiver`](super::Receiver) is told, as QEMU is by
/// `migrate-set-parameters`: both sides the same.
///
/// ```
/// use uadk_compress_pages::multifd::{Method, Settings};
///
/// let settings = Settings::new(Method::Uadk).page_size(4096).level(1);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Settings {
    pub(crate) method: Method,
    pub(crate) page_size: usize,
    pub(crate) uuid: Option<[u8; 16]>,
    pub(crate) level: i32,
    pub(crate) zlib: ZlibMode,
    pub(crate) codec: Option<Arc<dyn BlockCompressor>>,
    pub(crate) max_device_state: u32,
}

impl Settings {
    /// Pages of 4096 bytes, level 1, any UUID (zeros when sending).
    pub const fn new(method: Method) -> Self {
        Self {
            method,
            page_size: 4096,
            uuid: None,
            level: 1,
            zlib: ZlibMode::Segments,
            codec: None,
            max_device_state: 64 << 20,
        }
    }

    /// The page size of the guest's target: 4096 to 65536.
    pub const fn page_size(mut self, page_size: usize) -> Self {
        self.page_size = page_size;
        self
    }

    /// The guest's UUID: sent in the hello, and demanded of a received one.
    pub const fn uuid(mut self, uuid: [u8; 16]) -> Self {
        self.uuid = Some(uuid);
        self
    }

    /// The level of zstd (1 to 20), of [`ZlibMode::Stream`] (1 to 9), and of the software engine for
    /// single pages if no [`codec`](Self::codec) is set (1 to 12).
    pub const fn level(mut self, level: i32) -> Self {
        self.level = level;
        self
    }

    /// How pages are made into a zlib stream.
    pub const fn zlib(mut self, mode: ZlibMode) -> Self {
        self.zlib = mode;
        self
    }

    /// What compresses and decompresses single pages, for [`Method::Qpl`] and [`Method::Uadk`]: a
    /// [`Compressor`] of the method's format and the settings' level if not set.
    pub fn codec(mut self, codec: Arc<dyn BlockCompressor>) -> Self {
        self.codec = Some(codec);
        self
    }

    /// The most bytes of a device's state that a receiver takes in one packet; 64 MiB if not set.
    pub const fn max_device_state(mut self, bytes: u32) -> Self {
        self.max_device_state = bytes;
        self
    }

    /// Pages of one packet.
    #[must_use]
    pub const fn pages_per_packet(&self) -> usize {
        wire::pages_per_packet(self.page_size)
    }

    /// Checked, and with the codec for single pages if the method needs one.
    pub(crate) fn resolved(&self) -> Result<Self, ErrorKind> {
        check_page_size(self.page_size).map_err(ErrorKind::batch)?;
        let mut settings = self.clone();
        if self.method.page_format().is_some() {
            settings.codec = Some(self.page_codec()?);
        }
        Ok(settings)
    }

    /// The codec for single pages.
    pub(crate) fn page_codec(&self) -> Result<Arc<dyn BlockCompressor>, ErrorKind> {
        let Some(format) = self.method.page_format() else {
            return Err(ErrorKind::Unsupported(format!("{} has no single pages", self.method)));
        };
        match &self.codec {
            Some(codec) if codec.format() == format => Ok(Arc::clone(codec)),
            Some(codec) => Err(ErrorKind::Unsupported(format!(
                "method {} needs a codec of format {format}, and was given one of {}",
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
