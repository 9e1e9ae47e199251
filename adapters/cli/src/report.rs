//! Errors on stderr, with hints on what to do about them.

use std::error::Error as StdError;
use std::io;

use uadk_compress::Error as EngineError;
use uadk_compress_archive::Error as ArchiveError;
use uadk_compress_pages::Error as PagesError;
use uadk_compress_pages::multifd::ErrorKind as StreamError;

use crate::error::{Error, chain};
use crate::streams::tell;

/// Prints an error with its sources and, on a separate line, what to do about it.
pub(crate) fn report(error: &(dyn StdError + 'static)) {
    tell!("uadk-compress: {}", chain(error));
    if let Some(hint) = hint(error) {
        tell!("  {hint}");
    }
}

/// Returns the hint for the error, or for the first of its sources that has one.
pub(crate) fn hint(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(hint) = own_hint(error) {
            return Some(hint);
        }
        next = error.source();
    }
    None
}

fn own_hint(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    if let Some(error) = error.downcast_ref() {
        return command_hint(error);
    }
    if let Some(error) = error.downcast_ref() {
        return pages_hint(error);
    }
    if let Some(error) = error.downcast_ref() {
        return stream_hint(error);
    }
    if let Some(error) = error.downcast_ref() {
        return engine_hint(error);
    }
    let boxed = || error.downcast_ref::<Box<ArchiveError>>().map(|boxed| &**boxed);
    // A reader returns its errors in an io::Error.
    let inner = || error.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref();
    error.downcast_ref().or_else(boxed).or_else(inner).and_then(archive_hint)
}

fn command_hint(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::Read { .. } => "pass a file that this user may read, or - for stdin",
        Error::Folder { .. } => {
            "pass the files in it, or pipe them: tar c DIR | uadk-compress bench -"
        }
        Error::Exists { .. } => "use --force to overwrite it, or choose another name",
        Error::Empty { .. } => "pass a file that is not empty",
        Error::WrongBytes { .. } => "don't use that engine; `uadk-compress doctor` examines it",
        Error::Regions { .. } => "pass --region options that add up to the size of the image",
        Error::OtherLayout { .. } => {
            "use the --region, --page-size and --cluster-size that it was saved with"
        }
        Error::ChainFromStdin => "pass the snapshots as files",
        Error::Listen { .. } => "choose an unused address, or remove a stale socket",
        Error::Refused { hint, .. } | Error::Migration { hint, .. } => return *hint,
        _ => return None,
    })
}

fn engine_hint(error: &EngineError) -> Option<&'static str> {
    Some(match error {
        EngineError::Unavailable(_) => {
            "`uadk-compress doctor` shows what is missing; without UADK_COMPRESS_OFFLOAD=require, \
             software is used instead"
        }
        EngineError::Starting => {
            "try again later; without UADK_COMPRESS_OFFLOAD=require, software is used instead"
        }
        EngineError::Busy | EngineError::Device { .. } | EngineError::TimedOut => {
            "`uadk-compress doctor` tests the accelerator; UADK_COMPRESS_OFFLOAD=off bypasses it"
        }
        EngineError::Corrupt => "restore the data from a replica or a backup",
        _ => return None,
    })
}

fn archive_hint(error: &ArchiveError) -> Option<&'static str> {
    Some(match error {
        ArchiveError::Damaged { .. } => {
            "everything before it is intact; restore the file from a copy to get the rest"
        }
        ArchiveError::Truncated { .. } => {
            "the file was cut off: copy it again, or resume writing it if that was interrupted"
        }
        ArchiveError::NotGzip { .. } => "not a gzip file, or other data follows the gzip data",
        ArchiveError::Index { .. } => {
            "the archive can be read without it; `uadk-compress tar index` writes a new one"
        }
        ArchiveError::NoBlocks => {
            "`uadk-compress tar index --output` rewrites the archive with an index"
        }
        _ => return None,
    })
}

fn pages_hint(error: &PagesError) -> Option<&'static str> {
    Some(match error {
        PagesError::Version(_) => "use a newer uadk-compress",
        PagesError::Incomplete => {
            "its writer did not finish, or its end is lost; --partial restores what is intact"
        }
        PagesError::Chain(_) => {
            "pass the base first, then the deltas in the order in which they were saved"
        }
        PagesError::NeedsParent => "this is a delta on another snapshot: pass that one first",
        _ => return None,
    })
}

fn stream_hint(error: &StreamError) -> Option<&'static str> {
    Some(match error {
        StreamError::Ends(_) => "the other side died, or the stream was cut off",
        StreamError::Magic(_) => "not a multifd channel, or bytes were lost before it",
        StreamError::Version(_) => "QEMU 9.1 to 10 use version 1",
        StreamError::Flags(_) => "the packet is damaged, or comes from a QEMU newer than 10",
        StreamError::OldQemu => "use QEMU 9.1 or newer on the source",
        StreamError::Method { .. } => "set multifd-compression to the same method on both sides",
        StreamError::PagesAllocated { .. } => {
            "the packet is damaged, or the guest has another page size"
        }
        StreamError::UnknownBlock(_) => "start both QEMUs with the same memory and devices",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_found_along_the_chain_of_sources() {
        let truncated = || ArchiveError::Truncated { offset: 7, what: "more".into() };
        let entry = ArchiveError::Entry {
            name: "a".into(),
            what: "can't be read".into(),
            source: Some(Box::new(truncated())),
        };
        let error = Error::archive("b.tar.gz".as_ref(), entry);
        let text = "b.tar.gz: a: can't be read: unexpected end of file at byte 7: more";
        assert_eq!(chain(&error), text);
        assert!(hint(&error).is_some_and(|hint| hint.contains("resume")));

        let error = Error::file("c.gz".as_ref(), io::Error::from(truncated()));
        assert!(hint(&error).is_some_and(|hint| hint.contains("resume")));

        let error = Error::Engine(EngineError::Unavailable("no libwd".into()));
        assert!(hint(&error).is_some_and(|hint| hint.contains("doctor")));
        let archive = ArchiveError::Compressor(EngineError::Starting);
        let error = Error::archive("d.tar.gz".as_ref(), archive);
        assert!(hint(&error).is_some_and(|hint| hint.contains("again")));

        let error = Error::file("c.gz".as_ref(), io::ErrorKind::StorageFull.into());
        assert_eq!(hint(&error), None);
    }
}
