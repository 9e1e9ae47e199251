//! Decides whether a new archive is compressed.

use std::path::Path;

use super::settings::Settings;
use super::usage::Usage;
use crate::streams::tell;

/// Suffixes of archive names, and the formats that GNU tar's `-a` chooses for them.
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

/// Returns whether to write plain tar. As in GNU tar, this is the default whatever the archive's
/// name. An existing archive keeps its format.
pub(super) fn is_plain(settings: &Settings, archive: &Path, is_new: bool) -> Result<bool, Usage> {
    let bytes = archive.as_os_str().as_encoded_bytes();
    let ending = ENDINGS.iter().find(|(ending, _)| bytes.ends_with(ending.as_bytes()));
    // Options that only make sense for gzip imply it.
    if settings.gzip || settings.bgzf || settings.level.is_some() {
        return Ok(false);
    }
    match ending {
        Some((ending, Some(format))) if settings.auto_compress => Err(Usage::meaning(format!(
            "-a: {ending} means {format}, which can only be read; archives are written as gzip or \
             plain tar"
        ))),
        Some((_, None)) if settings.auto_compress => Ok(false),
        Some((ending, _)) if is_new => {
            let archive = archive.display();
            tell!(
                "uadk-compress: {archive}: writing plain tar despite the suffix {ending} (use -z \
                 for gzip)"
            );
            Ok(true)
        }
        _ => Ok(true),
    }
}

/// Returns the name of an archive without its suffixes.
pub(super) fn stem(archive: &Path) -> Vec<u8> {
    let name = archive.file_name().unwrap_or_default().as_encoded_bytes();
    let ending = ENDINGS.iter().find_map(|(ending, _)| name.strip_suffix(ending.as_bytes()));
    let stem = ending.unwrap_or(name);
    stem.strip_suffix(b".tar").unwrap_or(stem).to_vec()
}
