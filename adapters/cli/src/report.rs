//! Errors on stderr, with what to do about them.

use std::error::Error as StdError;
use std::io;

use uadk_compress::Error as EngineError;
use uadk_compress_archive::Error as ArchiveError;
use uadk_compress_pages::Error as PagesError;
use uadk_compress_pages::multifd::ErrorKind as StreamError;

use crate::error::{Error, chain};
use crate::streams::tell;

/// Prints an error with its sources and, on a line of its own, what to do about it.
pub(crate) fn report(error: &(dyn StdError + 'static)) {
    tell!("uadk-compress: {}", chain(error));
    if let Some(hint) = hint(error) {
        tell!("  {hint}");
    }
}

/// The remedy for the error, or for the first of its sources that has one.
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
        return of_command(error);
    }
    if let Some(error) = error.downcast_ref() {
        return of_pages(error);
    }
    if let Some(error) = error.downcast_ref() {
        return of_stream(error);
    }
    if let Some(error) = error.downcast_ref() {
        return of_engine(error);
    }
    let boxed = || error.downcast_ref::<Box<ArchiveError>>().map(|boxed| &**boxed);
    // A reader returns its errors in an io::Error.
    let inner = || error.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref();
    error.downcast_ref().or_else(boxed).or_else(inner).and_then(of_archive)
}

fn of_command(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::Read { .. } => "give a file that this user may read, or - for stdin",
        Error::Folder { .. } => {
            "give the files in it, or pipe them: tar c FOLDER | uadk-compress bench -"
        }
        Error::Exists { .. } => "choose another name, or say --force",
        Error::Empty { .. } => "give a file with data",
        Error::WrongBytes { .. } => {
            "don't use that engine; `uadk-compress doctor` says more about it"
        }
        Error::Regions { .. } => "give --region so that they add up",
        Error::OtherLayout { .. } => "give the same --region, --page-size and --cluster-size",
        Error::ChainFromStdin => "give files to restore a chain",
        Error::Listen { .. } => {
            "choose an address that nobody uses; remove a socket that was left behind"
        }
        Error::Refused { hint, .. } | Error::Migration { hint, .. } => return *hint,
        _ => return None,
    })
}

fn of_engine(error: &EngineError) -> Option<&'static str> {
    Some(match error {
        EngineError::Unavailable(_) => {
            "`uadk-compress doctor` says what is missing; without UADK_COMPRESS_OFFLOAD=require \
             software does the work"
        }
        EngineError::Starting => {
            "try again in a while; without UADK_COMPRESS_OFFLOAD=require software does the work"
        }
        EngineError::Busy | EngineError::Device { .. } | EngineError::TimedOut => {
            "`uadk-compress doctor` tries the accelerator; UADK_COMPRESS_OFFLOAD=off does without"
        }
        EngineError::Corrupt => "restore it from a replica or a backup",
        _ => return None,
    })
}

fn of_archive(error: &ArchiveError) -> Option<&'static str> {
    Some(match error {
        ArchiveError::Damaged { .. } => {
            "what comes before it is whole; restore the file from a copy to get the rest"
        }
        ArchiveError::Truncated { .. } => {
            "it was cut off; copy it once more, or, if writing it was interrupted, resume that"
        }
        ArchiveError::NotGzip { .. } => "this is not a gzip file, or it has a foreign end",
        ArchiveError::Index { .. } => {
            "the archive can be read without it; `uadk-compress tar index` makes a new one"
        }
        ArchiveError::NoBlocks => {
            "`uadk-compress tar index --output` writes the archive anew, with blocks"
        }
        _ => return None,
    })
}

fn of_pages(error: &PagesError) -> Option<&'static str> {
    Some(match error {
        PagesError::Version(_) => "use a newer uadk-compress",
        PagesError::Incomplete => {
            "its writer did not finish, or its end is lost; --partial restores what is whole"
        }
        PagesError::Chain(_) => {
            "give the base first, then the deltas in the order in which they were made"
        }
        PagesError::NeedsParent => "it is a delta on another snapshot: give that one first",
        _ => return None,
    })
}

fn of_stream(error: &StreamError) -> Option<&'static str> {
    Some(match error {
        StreamError::Ends(_) => "the other side died, or the stream was cut off",
        StreamError::Magic(_) => "this is no multifd channel, or bytes were lost before it",
        StreamError::Version(_) => "QEMU 9.1 to 10 have version 1",
        StreamError::Flags(_) => "the packet is damaged, or of a QEMU newer than 10",
        StreamError::OldQemu => "use QEMU 9.1 or newer on the source",
        StreamError::Method { .. } => "set multifd-compression to the same on both sides",
        StreamError::PagesAllocated { .. } => {
            "the packet is damaged, or of a target with another page size"
        }
        StreamError::UnknownBlock(_) => "start both QEMUs with the same memory and devices",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remedies_are_found_along_the_chain_of_sources() {
        let truncated = || ArchiveError::Truncated { offset: 7, what: "more".into() };
        let entry = ArchiveError::Entry {
            name: "a".into(),
            what: "it can't be read".into(),
            source: Some(Box::new(truncated())),
        };
        let error = Error::archive("b.tar.gz".as_ref(), entry);
        let text = "b.tar.gz: a: it can't be read: the file ends too early, at byte 7: more";
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
