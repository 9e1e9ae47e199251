//! LZ4 blocks, by liblz4.

mod library;
mod walk;

use self::library::{FastStream, HcStream};
use super::contexts::{self, Local};
use crate::{Error, Level};

/// Levels from here on are LZ4 HC's, as for the `lz4` command.
const FIRST_HC_LEVEL: i32 = 3;
/// Larger accelerations mean this one (`LZ4_ACCELERATION_MAX`).
const MAX_ACCELERATION: i32 = 65_537;
/// `LZ4_MAX_INPUT_SIZE`.
const MAX_INPUT: usize = 0x7e00_0000;

/// A thread's streams.
#[derive(Default)]
struct Streams {
    fast: Option<FastStream>,
    hc: Option<HcStream>,
}

thread_local! {
    static STREAMS: Local<Streams> = const { Local::new(None) };
}

/// How blocks are compressed.
#[derive(Clone, Copy)]
enum Speed {
    Fast { acceleration: i32 },
    Hc { level: i32 },
}

impl Speed {
    fn new(level: Level) -> Self {
        let level = level.get();
        if level >= FIRST_HC_LEVEL {
            // Levels above 12 are the same as 12.
            Self::Hc { level }
        } else {
            Self::Fast { acceleration: level.saturating_neg().clamp(1, MAX_ACCELERATION) }
        }
    }
}

/// A dictionary in the form of a stream that has processed it. Only its last 64 KiB are used.
pub(super) struct Dictionary {
    stream: DictionaryStream,
    /// The stream refers to these bytes.
    _bytes: crate::Dictionary,
}

enum DictionaryStream {
    Fast(FastStream),
    Hc(HcStream),
}

impl Dictionary {
    /// Loads a dictionary. Returns `None` if out of memory.
    pub(super) fn new(dictionary: crate::Dictionary, level: Level) -> Option<Self> {
        let bytes = dictionary.as_bytes();
        let stream = match Speed::new(level) {
            Speed::Fast { .. } => DictionaryStream::Fast(FastStream::with_dictionary(bytes)?),
            Speed::Hc { level } => DictionaryStream::Hc(HcStream::with_dictionary(bytes, level)?),
        };
        Some(Self { stream, _bytes: dictionary })
    }
}

/// Compresses `src` to one block.
pub(super) fn compress(
    level: Level,
    dictionary: Option<&Dictionary>,
    src: &[u8],
    dst: &mut [u8],
) -> Result<usize, Error> {
    if src.len() > MAX_INPUT {
        return Err(Error::Unsupported("LZ4 blocks of more than 2,113,929,216 bytes".into()));
    }
    let Some(first) = dst.first_mut() else { return Err(Error::OutputFull) };
    if src.is_empty() {
        // A token without literals. LZ4 HC subtracts from the pointer of an empty slice, which may
        // be any, and then reads.
        *first = 0;
        return Ok(1);
    }
    let dictionary = dictionary.map(|dictionary| &dictionary.stream);
    contexts::with(&STREAMS, |streams| match (Speed::new(level), dictionary) {
        (Speed::Fast { acceleration }, None) => {
            let stream = or_create(&mut streams.fast, FastStream::new)?;
            stream.compress(src, dst, acceleration).ok_or(Error::OutputFull)
        }
        (Speed::Fast { acceleration }, Some(DictionaryStream::Fast(dictionary))) => {
            let stream = or_create(&mut streams.fast, FastStream::new)?;
            let written = stream.compress_with_dictionary(dictionary, src, dst, acceleration);
            written.ok_or(Error::OutputFull)
        }
        (Speed::Hc { level }, None) => {
            let stream = or_create(&mut streams.hc, HcStream::new)?;
            stream.compress(src, dst, level).ok_or(Error::OutputFull)
        }
        (Speed::Hc { level }, Some(DictionaryStream::Hc(dictionary))) => {
            let stream = or_create(&mut streams.hc, HcStream::new)?;
            let written = stream.compress_with_dictionary(dictionary, src, dst, level);
            written.ok_or(Error::OutputFull)
        }
        _ => Err(Error::Unsupported("a dictionary that was loaded for another level".into())),
    })
}

/// Decompresses the block `src`, which has no end mark: it must be passed without anything behind
/// it.
pub(super) fn decompress(dictionary: &[u8], src: &[u8], dst: &mut [u8]) -> Result<usize, Error> {
    let capacity = dst.len();
    library::decompress(src, dst, dictionary).ok_or_else(|| {
        // The library does not say which.
        match walk::decompressed_len(src) {
            Some(len) if len > capacity as u64 => Error::OutputFull,
            _ => Error::Corrupt,
        }
    })
}

/// Returns whether a block keeps all rules of the format, so that every decoder reads it.
pub(crate) fn is_strict(block: &[u8]) -> bool {
    walk::is_strict(block)
}

fn or_create<T>(stream: &mut Option<T>, create: fn() -> Option<T>) -> Result<&mut T, Error> {
    match stream {
        Some(stream) => Ok(stream),
        none => Ok(none.insert(
            create().ok_or_else(|| Error::Unsupported("out of memory for an LZ4 stream".into()))?,
        )),
    }
}
