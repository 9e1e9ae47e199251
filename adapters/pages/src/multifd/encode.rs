//! Encodes the payloads of packets.

use std::io::IoSlice;
use std::sync::Arc;

use zlib_rs::{Deflate, DeflateFlush};
use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer};

use super::settings::{Settings, ZlibMode, ZstdMode};
use crate::codec::PageCodec;
use crate::error::ErrorKind;
use crate::frame::{self, STORED_HEADER_LEN};
use crate::method::Method;
use crate::segment::{self, SegmentCompressor};

/// zlib's largest window, 32 KiB, which QEMU uses.
pub(crate) const WINDOW_BITS: u8 = 15;

/// Encodes the payloads of one channel. Settings must be [resolved](Settings::resolved).
pub(crate) enum Encoder {
    None,
    Segments(PageCodec),
    Zlib { stream: Deflate, out: Vec<u8>, len: usize },
    Zstd { stream: CCtx<'static>, out: Vec<u8> },
    Frames { codec: PageCodec, stored: [u8; STORED_HEADER_LEN] },
    Pages { codec: PageCodec, lens: Vec<u8> },
}

impl Encoder {
    pub(crate) fn new(settings: &Settings) -> Result<Self, ErrorKind> {
        let (page_size, pages) = (settings.page_size, settings.pages_per_packet());
        let capacity = page_size * (pages + pages / 8) + 1024;
        let page_codec = |codec| PageCodec::new(codec, page_size, pages);
        Ok(match settings.method {
            Method::None => Self::None,
            Method::Zlib => match settings.zlib {
                ZlibMode::Segments => Self::Segments(page_codec(Arc::new(SegmentCompressor))),
                ZlibMode::Stream => {
                    let stream = Deflate::new(settings.level.clamp(1, 9), true, WINDOW_BITS);
                    Self::Zlib { stream, out: vec![0; capacity], len: 0 }
                }
            },
            Method::Zstd => match settings.zstd {
                ZstdMode::Stream => {
                    Self::Zstd { stream: zstd(settings.level)?, out: Vec::with_capacity(capacity) }
                }
                ZstdMode::Frames => Self::Frames {
                    codec: page_codec(settings.page_codec()?),
                    stored: frame::stored_header(page_size),
                },
            },
            Method::Qpl | Method::Uadk => Self::Pages {
                codec: page_codec(settings.page_codec()?),
                lens: Vec::with_capacity(4 * pages),
            },
        })
    }

    /// Returns whether each packet depends on those before it, so that one encoder must encode them
    /// all, in order.
    pub(crate) const fn is_stateful(&self) -> bool {
        matches!(self, Self::Zlib { .. } | Self::Zstd { .. })
    }

    /// Returns the bytes before the first payload of a channel, if there are any.
    pub(crate) const fn stream_header(&self) -> Option<&'static [u8]> {
        match self {
            Self::Segments(_) => Some(&segment::STREAM_HEADER),
            _ => None,
        }
    }

    /// Compresses contiguous `pages`.
    pub(crate) fn encode(&mut self, pages: &[u8], page_size: usize) -> Result<(), ErrorKind> {
        if pages.is_empty() {
            return Ok(());
        }
        match self {
            Self::None => {}
            Self::Segments(codec) | Self::Frames { codec, .. } => codec.compress(pages),
            Self::Zlib { stream, out, len } => *len = deflate(stream, pages, out)?,
            Self::Zstd { stream, out } => flush_zstd(stream, pages, out)?,
            Self::Pages { codec, lens } => {
                codec.compress(pages);
                lens.clear();
                for compressed in codec.compressed() {
                    let len = compressed.map_or(page_size, <[u8]>::len) as u32;
                    lens.extend_from_slice(&len.to_be_bytes());
                }
            }
        }
        Ok(())
    }

    /// Appends the payload of the last [encoded](Self::encode) `pages` to `slices`.
    pub(crate) fn payload<'e>(
        &'e self,
        pages: &'e [u8],
        page_size: usize,
        slices: &mut Vec<IoSlice<'e>>,
    ) {
        if pages.is_empty() {
            return;
        }
        match self {
            Self::None => slices.push(IoSlice::new(pages)),
            Self::Segments(codec) => {
                for (compressed, page) in codec.compressed().zip(pages.chunks_exact(page_size)) {
                    match compressed {
                        Some(bytes) => slices.push(IoSlice::new(bytes)),
                        None => slices.extend(segment::stored(page)),
                    }
                }
            }
            Self::Zlib { out, len, .. } => slices.push(IoSlice::new(&out[..*len])),
            Self::Zstd { out, .. } => slices.push(IoSlice::new(out)),
            Self::Frames { codec, stored } => {
                for (compressed, page) in codec.compressed().zip(pages.chunks_exact(page_size)) {
                    match compressed {
                        Some(bytes) => slices.push(IoSlice::new(bytes)),
                        None => slices.extend([IoSlice::new(stored), IoSlice::new(page)]),
                    }
                }
            }
            Self::Pages { codec, lens } => {
                slices.push(IoSlice::new(lens));
                for (compressed, page) in codec.compressed().zip(pages.chunks_exact(page_size)) {
                    slices.push(IoSlice::new(compressed.unwrap_or(page)));
                }
            }
        }
    }
}

fn zstd(level: i32) -> Result<CCtx<'static>, ErrorKind> {
    let mut stream = CCtx::try_create()
        .ok_or_else(|| ErrorKind::Unsupported("not enough memory for zstd".into()))?;
    stream.set_parameter(CParameter::CompressionLevel(level.clamp(1, 20))).map_err(zstd_error)?;
    Ok(stream)
}

/// Compresses `pages` into `out`, up to a sync flush, and returns the length. `out` grows if
/// needed.
fn deflate(stream: &mut Deflate, pages: &[u8], out: &mut Vec<u8>) -> Result<usize, ErrorKind> {
    let (in_before, out_before) = (stream.total_in(), stream.total_out());
    loop {
        let done = (stream.total_in() - in_before) as usize;
        let len = (stream.total_out() - out_before) as usize;
        stream
            .compress(&pages[done..], &mut out[len..], DeflateFlush::SyncFlush)
            .map_err(|error| ErrorKind::Unsupported(format!("zlib: {}", error.as_str())))?;
        let done = (stream.total_in() - in_before) as usize;
        let len = (stream.total_out() - out_before) as usize;
        // If there is space left, nothing is held back.
        if done == pages.len() && len < out.len() {
            return Ok(len);
        }
        out.resize(out.len() + 4096, 0);
    }
}

/// Compresses `pages` into `out`, up to a flush.
fn flush_zstd(stream: &mut CCtx<'_>, pages: &[u8], out: &mut Vec<u8>) -> Result<(), ErrorKind> {
    use zstd_safe::zstd_sys::ZSTD_EndDirective::ZSTD_e_flush;
    out.clear();
    let mut input = InBuffer::around(pages);
    loop {
        let done = out.len();
        let mut output = OutBuffer::around_pos(out, done);
        let left =
            stream.compress_stream2(&mut output, &mut input, ZSTD_e_flush).map_err(zstd_error)?;
        if left == 0 {
            return Ok(());
        }
        out.reserve(4096);
    }
}

fn zstd_error(code: usize) -> ErrorKind {
    ErrorKind::Unsupported(format!("zstd: {}", zstd_safe::get_error_name(code)))
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Segments(_) => "Segments",
            Self::Zlib { .. } => "Zlib",
            Self::Zstd { .. } => "Zstd",
            Self::Frames { .. } => "Frames",
            Self::Pages { .. } => "Pages",
        })
    }
}
