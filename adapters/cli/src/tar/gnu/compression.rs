//! Whether an archive that is made is compressed.

use std::path::Path;

use super::settings::Settings;
use super::usage::Usage;
use crate::streams::tell;

/// Endings of archives' names, and the formats that GNU tar's `-a` makes of them.
const ENDINGS: [(&str, Option<&str>); 18] = [
    (".gz", None),
    (".tgz", None),
    (".taz", None),
    (".Z", Some("compress")),
    (".taZ", Some("compress")),
    (".bz2", Some("bzip2")),
    (".tz2", Some("bzip2")),
    (".tbz2", Some("bzip2")),
    (".tbz", Some("bzip2")),
    (".lz", Some("lzip")),
    (".lzma", Some("lzma")),
    (".tlz", Some("lzma")),
    (".lzo", Some("lzop")),
    (".xz", Some("xz")),
    (".txz", Some("xz")),
    (".zst", Some("zstd")),
    (".tzst", Some("zstd")),
    (".bgz", None),
];

/// Whether plain tar is made: as for GNU tar it is, whatever the archive's name, unless an option says
/// otherwise. One that is there, and not new, stays what it is.
pub(super) fn is_plain(settings: &Settings, archive: &Path, is_new: bool) -> Result<bool, Usage> {
    let bytes = archive.as_os_str().as_encoded_bytes();
    let ending = ENDINGS.iter().find(|(ending, _)| bytes.ends_with(ending.as_bytes()));
    // What only makes sense for gzip asks for it.
    if settings.gzip || settings.bgzf || settings.level.is_some() {
        return Ok(false);
    }
    match ending {
        Some((ending, Some(format))) if settings.auto_compress => Err(Usage::meaning(format!(
            "-a: {ending} stands for {format}, which is only read; archives are written as gzip or plain tar"
        ))),
        Some((_, None)) if settings.auto_compress => Ok(false),
        Some((ending, _)) if is_new => {
            let archive = archive.display();
            tell!(
                "uadk-compress: {archive}: is made plain tar, in spite of {ending}: -z makes gzip"
            );
            Ok(true)
        }
        _ => Ok(true),
    }
}

/// The name of an archive without what says that it is one.
pub(super) fn stem(archive: &Path) -> Vec<u8> {
    let name = archive.file_name().unwrap_or_default().as_encoded_bytes();
    let ending = ENDINGS.iter().find_map(|(ending, _)| name.strip_suffix(ending.as_bytes()));
    let stem = ending.unwrap_or(name);
    stem.strip_suffix(b".tar").unwrap_or(stem).to_vec()
}
