//! Appending to plain tar.

use std::io::SeekFrom;

use super::file::ArchiveFile;
use crate::input::Input;
use crate::write::{PlainWriter, Sink};
use crate::{ArchiveOptions, ArchiveWriter, Error, Result, index, read};

/// Like [`ArchiveOptions::append`], for plain tar: seeks over the contents.
pub(super) fn append<F: ArchiveFile>(
    options: &ArchiveOptions,
    mut file: F,
) -> Result<ArchiveWriter<F>> {
    let (mut end, mut entries) = (0, Vec::new());
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::Start(0))?;
        let mut archive = options.strict_reader(&mut file)?;
        archive.walker.input_mut().pass_by_seeking(true)?;
        while let Some((_, entry)) = read::next(&mut archive.walker)? {
            archive.walker.pass(Input::pass)?;
            archive.walker.finish()?;
            end = archive.walker.position();
            entries.push(entry);
        }
        archive.walker.damage().map_or(Ok(()), Err)?;
        if !index::skip_end(archive.walker.input_mut(), |_| Ok(()))?.is_empty() {
            return Err(Error::trailing_data());
        }
    }
    file.seek(SeekFrom::Start(end))?;
    let mut writer = PlainWriter::new(file, end);
    writer.after_first_write(ArchiveFile::truncate);
    let mut archive = ArchiveWriter::with_sink(Sink::Plain(writer))?;
    archive.adopt(&entries)?;
    Ok(archive)
}
