//! Files that appear under their names when they are whole.

mod partial;
mod place;
mod rules;

use std::fs::{File, FileTimes, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, StatxFlags, statx};

use partial::Partial;
use place::Place;
pub(crate) use rules::{Links, Nodes, Rules};

use crate::error::Error;

/// The owner, mode and times of a file that is done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attributes<'a> {
    /// Owner and mode of the file that is replaced, or what the umask leaves of 0666.
    Usual,
    /// The mode; if a file is replaced, its owner, and only bits that its mode has too.
    Mode(u32),
    /// Owner, mode and times of another file, as far as the user may set them.
    Of(&'a Metadata, FileTimes),
}

/// A file that is written beside its place, and put there at the end; or what can't be replaced,
/// which is written to: no regular file, one that is a mount point, or one in a folder of others.
///
/// It is dropped without [`finish`](Self::finish) where something fails: then there is what was
/// there before. The same if a signal ends the program.
#[derive(Debug)]
pub(crate) struct Output {
    path: PathBuf,
    to: To,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
enum To {
    /// Beside the place, and the file that is replaced.
    Partial(Partial, Option<Metadata>),
    Node(File),
}

impl Output {
    /// Begins a file; what is at its place stays until [`finish`](Self::finish).
    ///
    /// # Errors
    ///
    /// [`Error::Exists`] if there is a file and `rules` don't have it replaced; if there is what
    /// can't be written to; if the folder can't be.
    pub(crate) fn create(path: &Path, rules: Rules) -> Result<Self, Error> {
        let failed = |source| Error::write(path, source);
        let to = match Place::find(path, rules.links).map_err(failed)? {
            Place::Free(place) => To::Partial(Partial::create(place).map_err(failed)?, None),
            Place::File(..) if !rules.force => {
                return Err(Error::Exists { path: path.to_owned() });
            }
            Place::File(place, _) if rules.nodes == Nodes::Through && is_mount_point(&place) => {
                To::Node(write_over(&place).map_err(failed)?)
            }
            Place::File(place, old) => match Partial::create(place.clone()) {
                // In a folder that can't be written to, the file alone may be.
                Err(error) if rules.nodes == Nodes::Through && is_forbidden(&error) => {
                    To::Node(write_over(&place).map_err(|_| failed(error))?)
                }
                partial => To::Partial(partial.map_err(failed)?, Some(old)),
            },
            Place::Node(what, place) if rules.nodes == Nodes::Through && what.takes_bytes() => {
                To::Node(File::options().write(true).open(place).map_err(failed)?)
            }
            Place::Node(what, _) => {
                let what = format!("{} is {what}, and not written to", path.display());
                return Err(Error::refused(what, Some("- writes to stdout")));
            }
        };
        Ok(Self { path: path.to_owned(), to })
    }

    /// Goes on with a file that [`create`](Self::create) began and whose writer was killed, if there is one
    /// that is newer than what is at its place. Then it stays as it is if it is not
    /// [finished](Self::finish), also if a signal ends the program.
    ///
    /// # Errors
    ///
    /// If the folder can't be read.
    pub(crate) fn resume(path: &Path) -> Result<Option<Self>, Error> {
        let failed = |source| Error::write(path, source);
        let (place, old) = match Place::find(path, Links::Follow).map_err(failed)? {
            Place::Free(place) => (place, None),
            Place::File(place, old) => (place, Some(old)),
            Place::Node(..) => return Ok(None),
        };
        let after = old.as_ref().and_then(|old| old.modified().ok());
        let partial = Partial::left_over(place, after).map_err(failed)?;
        let to = partial.map(|partial| To::Partial(partial, old));
        Ok(to.map(|to| Self { path: path.to_owned(), to }))
    }

    /// Where the file is until it is put at its place.
    pub(crate) fn partial_path(&self) -> Option<&Path> {
        match &self.to {
            To::Partial(partial, _) => Some(partial.path()),
            To::Node(_) => None,
        }
    }

    /// What is written to: a new, empty file, unless it [is a stream](Self::is_stream).
    pub(crate) const fn file(&self) -> &File {
        match &self.to {
            To::Partial(partial, _) => partial.file(),
            To::Node(node) => node,
        }
    }

    /// Whether it is a FIFO, a terminal or the like, which is written from beginning to end.
    pub(crate) const fn is_stream(&self) -> bool {
        matches!(self.to, To::Node(_))
    }

    /// Puts the file at its place, safe from a crash of the machine.
    pub(crate) fn finish(self, attributes: Attributes<'_>) -> Result<(), Error> {
        let Self { path, to } = self;
        let To::Partial(partial, old) = to else { return Ok(()) };
        let failed = |source| Error::write(&path, source);
        set(partial.file(), attributes, old.as_ref()).map_err(failed)?;
        match partial.put(old.is_some()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Error::Exists { path })
            }
            put => put.map_err(failed),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that can't be replaced, and is written over as other programs do.
fn write_over(path: &Path) -> io::Result<File> {
    File::options().write(true).truncate(true).open(path)
}

fn is_forbidden(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Whether something is mounted at the path: it can't be renamed then, nor anything to it.
fn is_mount_point(path: &Path) -> bool {
    let mount = |path: &Path| {
        let stat = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::MNT_ID).ok()?;
        (stat.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(stat.stx_mnt_id)
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let (here, above) = (mount(path), mount(folder.unwrap_or(Path::new("."))));
    here.is_some() && above.is_some() && here != above
}

fn set(file: &File, attributes: Attributes<'_>, old: Option<&Metadata>) -> io::Result<()> {
    match (attributes, old) {
        (Attributes::Usual, None) => set_mode(file, 0o666 & !umask()),
        (Attributes::Usual, Some(old)) => set_owner_and_mode(file, old),
        (Attributes::Mode(mode), None) => set_mode(file, mode),
        (Attributes::Mode(mode), Some(old)) => {
            set_owner(file, old);
            set_mode(file, mode & old.permissions().mode())
        }
        (Attributes::Of(other, times), _) => {
            set_owner_and_mode(file, other)?;
            file.set_times(times)
        }
    }
}

/// The mode last: a change of the owner may drop bits of it.
fn set_owner_and_mode(file: &File, like: &Metadata) -> io::Result<()> {
    set_owner(file, like);
    set_mode(file, like.permissions().mode())
}

/// Only root may give files away; for others the file is theirs, as with gzip.
fn set_owner(file: &File, like: &Metadata) {
    let _ = fchown(file, None, Some(like.gid()));
    let _ = fchown(file, Some(like.uid()), None);
}

fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(PermissionsExt::from_mode(mode & 0o777))
}

/// The process's umask, which can't be asked for without changing it but from the kernel's files.
fn umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    umask.and_then(|umask| u32::from_str_radix(umask.trim(), 8).ok()).unwrap_or(0o022)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    const NEW: Rules = Rules { force: false, links: Links::Follow, nodes: Nodes::Through };
    const FORCE: Rules = Rules { force: true, ..NEW };

    fn count(folder: &Path) -> usize {
        fs::read_dir(folder).expect("a folder").count()
    }

    #[test]
    fn nothing_is_at_the_place_before_the_end_and_nothing_beside_it_after() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["name".to_owned(), "n".repeat(255)] {
            let path = folder.path().join(name);
            let mut output = Output::create(&path, NEW).expect("a new file");
            output.write_all(b"data").expect("written");
            assert!(!path.exists());
            output.finish(Attributes::Usual).expect("put there");
            assert_eq!(fs::read(&path).expect("there"), b"data");
            drop(Output::create(&path, FORCE).expect("a new file"));
            assert_eq!(fs::read(&path).expect("there"), b"data");
            fs::remove_file(path).expect("there");
            assert_eq!(count(folder.path()), 0);
        }
    }

    #[test]
    fn a_file_that_comes_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        let output = Output::create(&path, NEW).expect("a new file");
        fs::write(&path, "another's").expect("written");
        let error = output.finish(Attributes::Usual).expect_err("it is there");
        assert!(matches!(error, Error::Exists { .. }), "{error:?}");
        assert_eq!(fs::read(&path).expect("there"), b"another's");
        assert_eq!(count(folder.path()), 1);
    }

    #[test]
    fn links_are_followed_or_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = |name: &str| folder.path().join(name);
        fs::create_dir(place("sub")).expect("a folder");
        symlink("sub/file", place("link")).expect("a link");
        symlink("link", place("link2")).expect("a link");
        let put = |rules| {
            Output::create(&place("link2"), rules)
                .and_then(|output| output.finish(Attributes::Mode(0o640)))
        };
        put(NEW).expect("nothing is there");
        let mode = fs::metadata(place("sub/file")).expect("there").mode();
        assert_eq!(mode & 0o7777, 0o640);
        assert!(matches!(put(NEW), Err(Error::Exists { .. })));
        put(FORCE).expect("replaced");
        assert!(place("link").is_symlink() && place("link2").is_symlink());
        put(Rules { links: Links::Replace, ..FORCE }).expect("replaced");
        assert!(!place("link2").is_symlink() && place("link").is_symlink());
        symlink("loop", place("loop")).expect("a link");
        assert!(Output::create(&place("loop"), FORCE).is_err());
        assert!(Output::create(&place("sub"), FORCE).is_err());
    }
}
