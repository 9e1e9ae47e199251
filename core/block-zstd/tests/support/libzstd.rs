//! libzstd, the oracle.
#![allow(unsafe_code)]

use block_zstd::Sequence;
use zstd_safe::zstd_sys;
use zstd_safe::{DCtx, InBuffer, OutBuffer};

/// Decodes a frame that must be whole and nothing else.
pub fn decode(frame: &[u8], len: usize) -> Vec<u8> {
    assert_eq!(zstd_safe::find_frame_compressed_size(frame), Ok(frame.len()));
    let mut bytes = vec![0; len];
    let decoded = zstd_safe::decompress(&mut bytes[..], frame).map_err(zstd_safe::get_error_name);
    assert_eq!(decoded, Ok(len));
    bytes
}

/// Decodes a frame in one call and as a stream, and compares the results with the source.
pub fn check(frame: &[u8], src: &[u8]) {
    assert!(decode(frame, src.len()) == src, "one call");
    assert!(decode_stream(frame, src.len()) == src, "a stream");
}

/// Decodes a frame as a stream, with output buffers so small that the window matters.
pub fn decode_stream(frame: &[u8], len: usize) -> Vec<u8> {
    let mut decoder = DCtx::create();
    let mut input = InBuffer::around(frame);
    let mut bytes = Vec::with_capacity(len);
    let mut piece = vec![0; 7777];
    loop {
        let mut output = OutBuffer::around(&mut piece[..]);
        let hint = decoder
            .decompress_stream(&mut output, &mut input)
            .map_err(zstd_safe::get_error_name)
            .expect("libzstd decodes the stream");
        bytes.extend_from_slice(output.as_slice());
        if hint == 0 {
            break;
        }
        assert!(bytes.len() <= len);
    }
    assert_eq!(input.pos(), frame.len());
    bytes
}

/// Returns the length of the frame that libzstd makes from the same sequences in one block: at
/// level 1, and with short codes for repeated offsets, which it doesn't search by itself.
pub fn compress_sequences(src: &[u8], sequences: &[Sequence]) -> usize {
    use zstd_sys::ZSTD_cParameter as Parameter;

    let mut theirs: Vec<_> = sequences
        .iter()
        .map(|s| zstd_sys::ZSTD_Sequence {
            offset: s.offset,
            litLength: s.literals,
            matchLength: s.match_len,
            rep: 0,
        })
        .collect();
    let covered: u32 = sequences.iter().map(|s| s.literals + s.match_len).sum();
    let rest = src.len() as u32 - covered;
    let end = zstd_sys::ZSTD_Sequence { offset: 0, litLength: rest, matchLength: 0, rep: 0 };
    theirs.push(end);
    let mut dst = vec![0; zstd_safe::compress_bound(src.len())];
    let parameters = [
        (Parameter::ZSTD_c_compressionLevel, 1),
        (Parameter::ZSTD_c_windowLog, 17),
        (Parameter::ZSTD_c_minMatch, 3),
        // Block delimiters are explicit.
        (Parameter::ZSTD_c_experimentalParam11, 1),
        // Sequences are validated.
        (Parameter::ZSTD_c_experimentalParam12, 1),
        // Repeated offsets are resolved.
        (Parameter::ZSTD_c_experimentalParam19, 1),
    ];
    // SAFETY: creates a context, or returns null.
    let context = unsafe { zstd_sys::ZSTD_createCCtx() };
    assert!(!context.is_null());
    for (parameter, value) in parameters {
        // SAFETY: the context is valid.
        let code = unsafe { zstd_sys::ZSTD_CCtx_setParameter(context, parameter, value) };
        assert_eq!(zstd_safe_error(code), None);
    }
    // SAFETY: all buffers are valid for their lengths; libzstd validates the sequences.
    let len = unsafe {
        zstd_sys::ZSTD_compressSequences(
            context,
            dst.as_mut_ptr().cast(),
            dst.len(),
            theirs.as_ptr(),
            theirs.len(),
            src.as_ptr().cast(),
            src.len(),
        )
    };
    // SAFETY: the context is valid and not used again.
    unsafe { zstd_sys::ZSTD_freeCCtx(context) };
    assert_eq!(zstd_safe_error(len), None);
    dst.truncate(len);
    check(&dst, src);
    len
}

fn zstd_safe_error(code: usize) -> Option<&'static str> {
    // SAFETY: it takes any number.
    let is_error = unsafe { zstd_sys::ZSTD_isError(code) } != 0;
    is_error.then(|| zstd_safe::get_error_name(code))
}
