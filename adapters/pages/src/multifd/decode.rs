//! Decodes the payloads of packets.

use zlib_rs::{Inflate, InflateError, InflateFlush, Status};
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer};

use super::encode::WINDOW_BITS;
use super::packet::Packet;
use super::settings::Settings;
use crate::codec::PageCodec;
use crate::error::ErrorKind;
use crate::method::Method;

/// The largest window that a sender may use: zstd's at level 20. It bounds the memory that a
/// stream can make the decoder allocate.
const ZSTD_WINDOW_LOG: u32 = 25;

/// Decodes the payloads of one channel.
pub(crate) enum Decoder {
    None,
    Zlib(Inflate),
    Zstd(DCtx<'static>),
    Pages(PageCodec),
}

impl Decoder {
    pub(crate) fn new(settings: &Settings) -> Result<Self, ErrorKind> {
        Ok(match settings.method {
            Method::None => Self::None,
            Method::Zlib => Self::Zlib(Inflate::new(true, WINDOW_BITS)),
            Method::Zstd => {
                let mut stream = DCtx::try_create()
                    .ok_or_else(|| ErrorKind::Unsupported("not enough memory for zstd".into()))?;
                stream
                    .set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG))
                    .map_err(|code| stream_error(Method::Zstd, zstd_safe::get_error_name(code)))?;
                Self::Zstd(stream)
            }
            Method::Qpl | Method::Uadk => {
                let pages = settings.pages_per_packet();
                Self::Pages(PageCodec::new(settings.page_codec()?, settings.page_size, pages))
            }
        })
    }

    /// Returns whether each packet depends on those before it, so that one decoder must decode them
    /// all, in order.
    pub(crate) const fn is_stateful(&self) -> bool {
        matches!(self, Self::Zlib(_) | Self::Zstd(_))
    }

    /// Decompresses a packet's pages, as many as its header announced.
    pub(crate) fn decode(&mut self, packet: &mut Packet) -> Result<(), ErrorKind> {
        let Packet { page_size, ref compressed, ref mut pages, .. } = *packet;
        if pages.is_empty() {
            return Ok(());
        }
        match self {
            // The reader has already stored them in the packet.
            Self::None => Ok(()),
            Self::Zlib(stream) => inflate(stream, compressed, pages),
            Self::Zstd(stream) => unzstd(stream, compressed, pages),
            Self::Pages(codec) => single_pages(codec, compressed, page_size, pages),
        }
    }
}

/// Returns whether this many pages can have a payload of this length.
pub(crate) fn payload_is_possible(
    method: Method,
    payload: u32,
    pages: usize,
    page_size: usize,
) -> bool {
    let (payload, bytes) = (payload as usize, pages * page_size);
    match method {
        _ if pages == 0 => payload == 0,
        Method::None => payload == bytes,
        // Incompressible data grows by less than an eighth in either format.
        Method::Zlib | Method::Zstd => (1..=bytes + bytes / 8 + 1024).contains(&payload),
        Method::Qpl | Method::Uadk => (5 * pages..=4 * pages + bytes).contains(&payload),
    }
}

fn stream_error(method: Method, reason: impl Into<String>) -> ErrorKind {
    ErrorKind::Stream { method, reason: reason.into() }
}

/// Creates the error for data that zlib rejects, with zlib's message if it has one.
fn zlib_error(stream: &Inflate, reason: InflateError) -> ErrorKind {
    stream_error(Method::Zlib, stream.error_message().unwrap_or(reason.as_str()))
}

fn inflate(stream: &mut Inflate, payload: &[u8], pages: &mut [u8]) -> Result<(), ErrorKind> {
    let error = |reason: String| stream_error(Method::Zlib, reason);
    let (in_before, out_before) = (stream.total_in(), stream.total_out());
    let status = stream
        .decompress(payload, pages, InflateFlush::SyncFlush)
        .map_err(|reason| zlib_error(stream, reason))?;
    let read = (stream.total_in() - in_before) as usize;
    let written = (stream.total_out() - out_before) as usize;
    if status == Status::StreamEnd {
        return Err(error("it ends before the migration does".into()));
    }
    if written < pages.len() {
        return Err(error(format!("decompressed to {written} bytes instead of {}", pages.len())));
    }
    // Output that is still pending would appear now.
    let mut more = [0];
    let left = &payload[read..];
    let status = stream.decompress(left, &mut more, InflateFlush::SyncFlush);
    let read = (stream.total_in() - in_before) as usize;
    let excess = stream.total_out() - out_before > pages.len() as u64;
    match status {
        Err(reason) => Err(zlib_error(stream, reason)),
        Ok(Status::StreamEnd) => Err(error("it ends before the migration does".into())),
        Ok(_) if excess || read < payload.len() => {
            Err(error(format!("decompressed to more than {} bytes", pages.len())))
        }
        Ok(_) => Ok(()),
    }
}

fn unzstd(stream: &mut DCtx<'_>, payload: &[u8], pages: &mut [u8]) -> Result<(), ErrorKind> {
    let error = |reason: String| stream_error(Method::Zstd, reason);
    let mut input = InBuffer::around(payload);
    let mut written = 0;
    loop {
        let before = (input.pos(), written);
        let mut output = OutBuffer::around(&mut pages[written..]);
        stream
            .decompress_stream(&mut output, &mut input)
            .map_err(|code| error(zstd_safe::get_error_name(code).into()))?;
        written += output.pos();
        if (input.pos(), written) == before {
            break;
        }
    }
    if written < pages.len() {
        return Err(error(format!("decompressed to {written} bytes instead of {}", pages.len())));
    }
    // Output that is still pending would appear now.
    let mut more = [0; 1];
    let mut output = OutBuffer::around(&mut more[..]);
    stream
        .decompress_stream(&mut output, &mut input)
        .map_err(|code| error(zstd_safe::get_error_name(code).into()))?;
    if output.pos() > 0 || input.pos() < payload.len() {
        return Err(error(format!("decompressed to more than {} bytes", pages.len())));
    }
    Ok(())
}

fn single_pages(
    codec: &mut PageCodec,
    payload: &[u8],
    page_size: usize,
    pages: &mut [u8],
) -> Result<(), ErrorKind> {
    let (lens, data) = payload.split_at(4 * (pages.len() / page_size));
    let lens = lens.as_chunks::<4>().0.iter().map(|bytes| u32::from_be_bytes(*bytes));
    let mut sum = 0;
    for (index, len) in lens.clone().enumerate() {
        if len == 0 || len as usize > page_size {
            return Err(ErrorKind::PageLength { index, len });
        }
        sum += u64::from(len);
    }
    if sum != data.len() as u64 {
        return Err(ErrorKind::Lengths { sum, payload: data.len() });
    }
    let blobs = lens.scan(data, |rest, len| {
        let (blob, after) = rest.split_at(len as usize);
        *rest = after;
        Some(blob)
    });
    codec.decompress(blobs, pages).map_err(|(index, source)| ErrorKind::Page { index, source })
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Zlib(_) => "Zlib",
            Self::Zstd(_) => "Zstd",
            Self::Pages(_) => "Pages",
        })
    }
}
