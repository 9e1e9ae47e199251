//! zstd frames, by libzstd.

use zstd_safe::zstd_sys::ZSTD_ErrorCode;
use zstd_safe::{CCtx, CDict, CParameter, DCtx, DDict, ResetDirective};

use super::contexts::{self, Local};
use crate::{Error, Level};

/// A thread's contexts, for all levels.
#[derive(Default)]
struct Contexts {
    compress: Option<Compress>,
    decompress: Option<DCtx<'static>>,
}

thread_local! {
    static CONTEXTS: Local<Contexts> = const { Local::new(None) };
}

struct Compress {
    context: CCtx<'static>,
    /// The parameters that the context was given last.
    parameters: Option<Parameters>,
}

/// How frames are compressed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) level: Level,
    pub(super) checksum: bool,
}

impl Compress {
    /// Compresses `src` to one frame. A frame that does not fit is abandoned: while it is open,
    /// libzstd refuses to change parameters and to drop the dictionary.
    fn compress2(&mut self, dst: &mut [u8], src: &[u8]) -> Result<usize, usize> {
        self.context.compress2(dst, src).inspect_err(|_| {
            let _ = self.context.reset(ResetDirective::SessionOnly);
        })
    }

    fn set(&mut self, parameters: Parameters) -> Result<(), Error> {
        if self.parameters != Some(parameters) {
            self.parameters = None;
            let level = CParameter::CompressionLevel(libzstd_level(parameters.level));
            self.context.set_parameter(level).map_err(compress_error)?;
            let checksum = CParameter::ChecksumFlag(parameters.checksum);
            self.context.set_parameter(checksum).map_err(compress_error)?;
            self.parameters = Some(parameters);
        }
        Ok(())
    }
}

/// Returns libzstd's number for a level. For libzstd 0 is the default, 3; for this crate it is less
/// than 1.
pub(super) const fn libzstd_level(level: Level) -> i32 {
    if level.get() == 0 { -1 } else { level.get() }
}

/// Compresses `src` to one frame, which states the content size.
pub(super) fn compress(
    parameters: Parameters,
    dictionary: Option<&CDict<'static>>,
    src: &[u8],
    dst: &mut [u8],
) -> Result<usize, Error> {
    contexts::with(&CONTEXTS, |contexts| {
        let compress = match &mut contexts.compress {
            Some(compress) => compress,
            none => {
                let context = CCtx::try_create().ok_or_else(out_of_memory)?;
                none.insert(Compress { context, parameters: None })
            }
        };
        let written = match dictionary {
            None => {
                compress.set(parameters)?;
                compress.compress2(dst, src)
            }
            Some(dictionary) if !parameters.checksum => {
                compress.context.compress_using_cdict(dst, src, dictionary)
            }
            Some(dictionary) => {
                compress.set(parameters)?;
                compress.context.ref_cdict(dictionary).map_err(compress_error)?;
                let written = compress.compress2(dst, src);
                // The context outlives the dictionary, so it must not keep it.
                if compress.context.disable_dictionary().is_err() {
                    contexts.compress = None;
                }
                written
            }
        };
        written.map_err(compress_error)
    })
}

/// Decompresses the frame that `src` begins with.
pub(super) fn decompress(
    dictionary: Option<&DDict<'static>>,
    src: &[u8],
    dst: &mut [u8],
) -> Result<usize, Error> {
    // libzstd decompresses all frames of its input. Almost always there is one, which has the
    // length that its header states; only otherwise is it worth finding the frame's end.
    let stated = zstd_safe::get_frame_content_size(src).map_err(|_| Error::Corrupt)?;
    match decompress_all(dictionary, src, dst) {
        Ok(len) if stated == Some(len as u64) => Ok(len),
        _ => {
            let frame = &src[..frame_len(src).ok_or(Error::Corrupt)?];
            decompress_all(dictionary, frame, dst)
        }
    }
}

fn decompress_all(
    dictionary: Option<&DDict<'static>>,
    src: &[u8],
    dst: &mut [u8],
) -> Result<usize, Error> {
    contexts::with(&CONTEXTS, |contexts| {
        let context = match &mut contexts.decompress {
            Some(context) => context,
            none => none.insert(DCtx::try_create().ok_or_else(out_of_memory)?),
        };
        match dictionary {
            None => context.decompress(dst, src),
            Some(dictionary) => context.decompress_using_ddict(dst, src, dictionary),
        }
        .map_err(|code| if is_full(code) { Error::OutputFull } else { Error::Corrupt })
    })
}

/// Returns the length of the frame that `src` begins with; `None` if it does not contain a whole
/// frame. Looks at the headers of its blocks only.
pub(crate) fn frame_len(src: &[u8]) -> Option<usize> {
    zstd_safe::find_frame_compressed_size(src).ok().filter(|&len| len <= src.len())
}

/// Digests a dictionary to compress with: raw content, or the result of a training.
pub(super) fn encoder(dictionary: &[u8], level: Level) -> Option<CDict<'static>> {
    CDict::try_create(dictionary, libzstd_level(level))
}

/// Digests a dictionary to decompress with.
pub(super) fn decoder(dictionary: &[u8]) -> Option<DDict<'static>> {
    DDict::try_create(dictionary)
}

fn compress_error(code: usize) -> Error {
    if is_full(code) {
        Error::OutputFull
    } else {
        Error::Unsupported(format!("libzstd: {}", zstd_safe::get_error_name(code)).into())
    }
}

fn is_full(code: usize) -> bool {
    // libzstd returns the negated number of the error.
    code.wrapping_neg() == ZSTD_ErrorCode::ZSTD_error_dstSize_tooSmall as usize
}

fn out_of_memory() -> Error {
    Error::Unsupported("libzstd is out of memory".into())
}
