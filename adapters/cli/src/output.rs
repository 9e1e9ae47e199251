//! Output files that appear under their names only when they are complete.

mod partial;
mod rules;
mod target;

use std::fs::{File, FileTimes, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, StatxFlags, statx};

use partial::Partial;
pub(crate) use rules::{Links, Nodes, Rules};
use target::Target;

use crate::error::Error;

/// The owner, mode and times that a finished file gets.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attributes<'a> {
    /// Owner and mode of the file that is replaced, or 0666 less the umask.
    Usual,
    /// This mode. If a file is replaced: its owner, and this mode masked by its own.
    Mode(u32),
    /// Owner and mode of another file, as far as the user may set them, and these times.
    Of(&'a Metadata, FileTimes),
}

/// A file that is written under a temporary name in the same directory and renamed at the end.
/// Files that can't be replaced are written in place: special files, mount points, and files in a
/// directory that the user may not write to.
///
/// If it is dropped without [`finish`](Self::finish), or a signal ends the program, whatever was
/// there before stays.
#[derive(Debug)]
pub(crate) struct Output {
    path: PathBuf,
    to: To,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
enum To {
    /// The temporary file, and the file that it replaces.
    Partial(Partial, Option<Metadata>),
    /// Written in place.
    Node(File),
}

impl Output {
    /// Begins a file; an existing one stays until [`finish`](Self::finish).
    ///
    /// # Errors
    ///
    /// [`Error::Exists`] if the file exists and `rules` don't allow replacing it. Other errors if
    /// neither the existing file nor the directory can be written to.
    pub(crate) fn create(path: &Path, rules: Rules) -> Result<Self, Error> {
        let failed = |source| Error::write(path, source);
        let to = match Target::resolve(path, rules.links).map_err(failed)? {
            Target::Free(target) => To::Partial(Partial::create(target).map_err(failed)?, None),
            Target::File(..) if !rules.force => {
                return Err(Error::Exists { path: path.to_owned() });
            }
            Target::File(target, _) if rules.nodes == Nodes::Through && is_mount_point(&target) => {
                To::Node(write_over(&target).map_err(failed)?)
            }
            Target::File(target, old) => match Partial::create(target.clone()) {
                // The file may be writable although its directory is not.
                Err(error) if rules.nodes == Nodes::Through && is_forbidden(&error) => {
                    To::Node(write_over(&target).map_err(|_| failed(error))?)
                }
                partial => To::Partial(partial.map_err(failed)?, Some(old)),
            },
            Target::Node(what, target) if rules.nodes == Nodes::Through && what.takes_bytes() => {
                To::Node(File::options().write(true).open(target).map_err(failed)?)
            }
            Target::Node(what, _) => {
                let what = format!("refusing to write to {}: it is {what}", path.display());
                return Err(Error::refused(what, Some("use - to write to stdout")));
            }
        };
        Ok(Self { path: path.to_owned(), to })
    }

    /// Resumes a file that [`create`](Self::create) began and whose writer was killed, if there is
    /// such a file and it is newer than the existing one. If it is not [finished](Self::finish), it
    /// is kept, even if a signal ends the program.
    ///
    /// # Errors
    ///
    /// If the directory can't be read.
    pub(crate) fn resume(path: &Path) -> Result<Option<Self>, Error> {
        let failed = |source| Error::write(path, source);
        let (target, old) = match Target::resolve(path, Links::Follow).map_err(failed)? {
            Target::Free(target) => (target, None),
            Target::File(target, old) => (target, Some(old)),
            Target::Node(..) => return Ok(None),
        };
        let after = old.as_ref().and_then(|old| old.modified().ok());
        let partial = Partial::left_over(target, after).map_err(failed)?;
        let to = partial.map(|partial| To::Partial(partial, old));
        Ok(to.map(|to| Self { path: path.to_owned(), to }))
    }

    /// Returns the temporary path of the file.
    pub(crate) fn partial_path(&self) -> Option<&Path> {
        match &self.to {
            To::Partial(partial, _) => Some(partial.path()),
            To::Node(_) => None,
        }
    }

    /// Returns the file to write to: new and empty, unless it [is a stream](Self::is_stream).
    pub(crate) const fn file(&self) -> &File {
        match &self.to {
            To::Partial(partial, _) => partial.file(),
            To::Node(node) => node,
        }
    }

    /// Returns whether the file (e.g. a FIFO) is written in place, strictly from start to end.
    pub(crate) const fn is_stream(&self) -> bool {
        matches!(self.to, To::Node(_))
    }

    /// Renames the file to its final name, in a way that survives a crash of the machine.
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

/// Opens a file that can't be replaced, for overwriting in place as other programs do.
fn write_over(path: &Path) -> io::Result<File> {
    File::options().write(true).truncate(true).open(path)
}

fn is_forbidden(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Returns whether the path is a mount point, which can't be renamed or replaced.
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

/// Sets the mode last: changing the owner may clear bits of it.
fn set_owner_and_mode(file: &File, like: &Metadata) -> io::Result<()> {
    set_owner(file, like);
    set_mode(file, like.permissions().mode())
}

/// Sets the owner if the user may do that; other users keep the file as their own, as with gzip.
fn set_owner(file: &File, like: &Metadata) {
    let _ = fchown(file, None, Some(like.gid()));
    let _ = fchown(file, Some(like.uid()), None);
}

fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(PermissionsExt::from_mode(mode & 0o777))
}

/// Returns the umask of the process, from procfs: the system call would also change it.
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
        fs::read_dir(folder).expect("reads the directory").count()
    }

    #[test]
    fn the_file_appears_only_when_finished_and_leaves_no_other_files() {
        let folder = tempfile::tempdir().expect("creates a temporary directory");
        for name in ["name".to_owned(), "n".repeat(255)] {
            let path = folder.path().join(name);
            let mut output = Output::create(&path, NEW).expect("creates the output");
            output.write_all(b"data").expect("writes the data");
            assert!(!path.exists());
            output.finish(Attributes::Usual).expect("finishes the output");
            assert_eq!(fs::read(&path).expect("reads the file"), b"data");
            drop(Output::create(&path, FORCE).expect("creates the output"));
            assert_eq!(fs::read(&path).expect("reads the file"), b"data");
            fs::remove_file(path).expect("removes the file");
            assert_eq!(count(folder.path()), 0);
        }
    }

    #[test]
    fn a_file_created_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().expect("creates a temporary directory");
        let path = folder.path().join("file");
        let output = Output::create(&path, NEW).expect("creates the output");
        fs::write(&path, "another's").expect("writes the file");
        let error = output.finish(Attributes::Usual).expect_err("the file exists");
        assert!(matches!(error, Error::Exists { .. }), "{error:?}");
        assert_eq!(fs::read(&path).expect("reads the file"), b"another's");
        assert_eq!(count(folder.path()), 1);
    }

    #[test]
    fn links_are_followed_or_replaced() {
        let folder = tempfile::tempdir().expect("creates a temporary directory");
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("sub")).expect("creates a directory");
        symlink("sub/file", path("link")).expect("creates a link");
        symlink("link", path("link2")).expect("creates a link");
        let put = |rules| {
            Output::create(&path("link2"), rules)
                .and_then(|output| output.finish(Attributes::Mode(0o640)))
        };
        put(NEW).expect("nothing exists yet");
        let mode = fs::metadata(path("sub/file")).expect("the file exists").mode();
        assert_eq!(mode & 0o7777, 0o640);
        assert!(matches!(put(NEW), Err(Error::Exists { .. })));
        put(FORCE).expect("replaces the target");
        assert!(path("link").is_symlink() && path("link2").is_symlink());
        put(Rules { links: Links::Replace, ..FORCE }).expect("replaces the link");
        assert!(!path("link2").is_symlink() && path("link").is_symlink());
        symlink("loop", path("loop")).expect("creates a link");
        assert!(Output::create(&path("loop"), FORCE).is_err());
        assert!(Output::create(&path("sub"), FORCE).is_err());
    }
}
