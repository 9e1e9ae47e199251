//! Detection of the format of a file by its first bytes.

use std::io::Read;

use crate::gzip::Source;
use crate::scan::is_header;
use crate::{Error, Result};

const BLOCK: usize = 512;
/// If the first block is not a header, one is searched for in this many bytes.
const SEARCH_LEN: usize = 64 << 10;

pub(super) const XZ: &[u8] = b"\xFD7zXZ\0";
pub(super) const ZSTD: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Gzip,
    Zstd,
    Xz,
    Plain,
}

/// Detects the format of a file. An empty file counts as gzip, which then reports it as too short.
///
/// A tar header with magic bytes is checked first: it begins with a name, which can be any bytes.
/// A file that begins with a damaged header is a tar if a valid one follows soon.
pub(super) fn detect<R: Read>(source: &mut Source<R>) -> Result<Format> {
    source.fill_start(BLOCK)?;
    let start = source.buffered();
    let block = start.first_chunk::<BLOCK>();
    if block.is_some_and(|block| is_header(block, true)) {
        return Ok(Format::Plain);
    }
    if start.is_empty() || start.starts_with(&[0x1f, 0x8b]) || start == [0x1f] {
        return Ok(Format::Gzip);
    }
    if is_zstd(start) {
        return Ok(Format::Zstd);
    }
    if start.starts_with(XZ) {
        return Ok(Format::Xz);
    }
    for (format, magic) in [("zstd", ZSTD), ("xz", XZ)] {
        if start.len() < magic.len() && magic.starts_with(start) {
            let what = format!("incomplete {format} magic number");
            return Err(Error::truncated(start.len() as u64, what));
        }
    }
    if block.is_some_and(|block| is_header(block, false) || block.iter().all(|byte| *byte == 0)) {
        return Ok(Format::Plain);
    }
    if let Some((name, command)) = other_compression(start) {
        let what = format!(
            "archives compressed with {name} are not supported: decompress with `{command}` first"
        );
        return Err(Error::Unsupported(what.into()));
    }
    if let Some(name) = other_archive(start) {
        return Err(Error::Unsupported(format!("this is {name}, not a tar archive").into()));
    }
    source.fill(SEARCH_LEN)?;
    let (blocks, _) = source.buffered().as_chunks::<BLOCK>();
    if blocks.iter().any(|block| is_header(block, true)) {
        return Ok(Format::Plain);
    }
    Err(Error::NotArchive)
}

/// Returns whether these bytes are the beginning of a zstd frame or a skippable frame.
pub(super) fn is_zstd(bytes: &[u8]) -> bool {
    bytes.starts_with(ZSTD) || matches!(bytes, [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..])
}

/// Returns whether these last bytes of a file are a truncated zstd magic number.
pub(super) fn is_cut_zstd(bytes: &[u8]) -> bool {
    let is_skippable =
        matches!(bytes, [0x50..=0x5F] | [0x50..=0x5F, 0x2A] | [0x50..=0x5F, 0x2A, 0x4D]);
    is_skippable || !bytes.is_empty() && ZSTD.starts_with(bytes)
}

/// Returns the name of an unsupported compression format, and a command that decompresses it.
fn other_compression(start: &[u8]) -> Option<(&'static str, &'static str)> {
    let is_bzip2 = matches!(start, [b'B', b'Z', b'h', b'1'..=b'9', block @ ..]
        if block.starts_with(&[0x31, 0x41, 0x59, 0x26, 0x53, 0x59])
            || block.starts_with(&[0x17, 0x72, 0x45, 0x38, 0x50, 0x90]));
    if is_bzip2 {
        return Some(("bzip2", "bzip2 -dc"));
    }
    let magic: [(&[u8], _, _); 8] = [
        (b"LZIP", "lzip", "lzip -dc"),
        (&[0x1f, 0x9d], "compress (.Z)", "uncompress -c"),
        (&[0x1f, 0xa0], "compress (LZH)", "gzip -dc"),
        (&[0x1f, 0x1e], "pack (.z)", "gzip -dc"),
        (&[0x04, 0x22, 0x4d, 0x18], "lz4", "lz4 -dc"),
        (&[0x02, 0x21, 0x4c, 0x18], "lz4 (old format)", "lz4 -dc"),
        (&[0x89, b'L', b'Z', b'O', 0, 0x0d, 0x0a, 0x1a], "lzop", "lzop -dc"),
        (&[0x5d, 0, 0], "lzma", "xz --format=lzma -dc"),
    ];
    let found = magic.iter().find(|(magic, ..)| start.starts_with(magic));
    found.map(|(_, name, command)| (*name, *command))
}

/// Returns the name of another kind of archive that is often passed by mistake.
fn other_archive(start: &[u8]) -> Option<&'static str> {
    let magic: [(&[u8], _); 6] = [
        (b"PK\x03\x04", "a zip file"),
        (b"7z\xBC\xAF\x27\x1C", "a 7z archive"),
        (b"Rar!\x1A\x07", "a rar archive"),
        (b"070701", "a cpio archive"),
        (b"070707", "a cpio archive"),
        (b"!<arch>\n", "an ar archive (a .deb, or a library)"),
    ];
    magic.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(bytes: &[u8]) -> Result<Format> {
        detect(&mut Source::new(bytes))
    }

    #[test]
    fn formats_are_detected_by_their_first_bytes() {
        assert_eq!(detected(b"").expect("empty"), Format::Gzip);
        assert_eq!(detected(&[0x1f, 0x8b, 8]).expect("gzip"), Format::Gzip);
        assert_eq!(
            detected(&[0x5a, 0x2a, 0x4d, 0x18, 0, 0]).expect("a skippable frame"),
            Format::Zstd
        );
        assert_eq!(detected(&[0; 512]).expect("an empty tar"), Format::Plain);
        assert!(matches!(detected(&XZ[..3]), Err(Error::Truncated { offset: 3, .. })));
        assert!(matches!(detected(b"just text"), Err(Error::NotArchive)));
    }

    #[test]
    fn other_formats_are_refused_by_name() {
        let cases = [
            (&b"BZh91AY&SY...."[..], "bzip2"),
            (b"LZIP\x01\x0c", "lzip"),
            (&[0x1f, 0x9d, 0x90, 1], "compress"),
            (&[0x04, 0x22, 0x4d, 0x18, 0x64], "lz4"),
            (b"PK\x03\x04....", "zip"),
        ];
        for (start, name) in cases {
            let error = detected(start).expect_err(name);
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
