//! Adds indexes to existing archives.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read, SeekFrom, Write};

use crate::append::ArchiveFile;
use crate::gzip::{HISTORY, Segments, Source};
use crate::index::{self, IndexBuilder};
use crate::input::Input;
use crate::scan::Walker;
use crate::write::finish_inside;
use crate::{
    ArchiveOptions, ArchiveReader, Entry, Error, GzReader, GzWriter, Index, Layout, Result,
};

const NO_INDEX: &str = "can't hold an index; `tar index -o` rewrites it as tar.gz with one";

/// Upper limit for the data of a member's last segment, which has no sync marker at its end.
const MAX_REST: usize = 16 << 20;

impl ArchiveOptions {
    /// Writes an index to the end of an archive, replacing an existing one, and returns the number
    /// of entries. The archive's blocks or segments are left unchanged.
    ///
    /// # Errors
    ///
    /// Those of the file; an error where it is damaged; [`Error::NoBlocks`] if it is gzip with
    /// neither blocks nor independent segments, and [`Error::Unsupported`] if it is not gzip: use
    /// [`rewrite`](Self::rewrite) for both. The file is unchanged then.
    pub fn index<F: ArchiveFile>(&self, mut file: F) -> Result<u64> {
        file.seek(SeekFrom::Start(0))?;
        let mut archive: ArchiveReader<&mut F> = self.strict_reader(&mut file)?;
        archive.walker.input().gzip(NO_INDEX)?;
        if let Some(gzip) = archive.walker.input_mut().gzip_mut() {
            gzip.collect_segments();
        }
        let made = archive.scan()?;
        archive.walker.damage().map_or(Ok(()), Err)?;
        let gzip = archive.walker.input().gzip(NO_INDEX)?;
        if gzip.is_one_member() {
            let ended = archive.walker.ended();
            let segments = archive.walker.input_mut().gzip_mut().map(GzReader::take_segments);
            let segments = segments.unwrap_or_default();
            drop(archive);
            return self.index_segments(file, &made, segments, ended);
        }
        let data_end = gzip.data_end();
        drop(archive);
        let (Some(data_end), Some(end_place)) = (data_end, made.end_place) else {
            return Err(Error::NoBlocks);
        };
        let mut index = IndexBuilder::new(Layout::Bgzf)?;
        made.entries.iter().try_for_each(|entry| index.push(entry))?;
        let members = index.finish(data_end, made.tar_len, made.end, end_place)?;
        file.seek(SeekFrom::Start(data_end))?;
        let mut writer = self.gzip.clone().layout(Layout::Bgzf).threads(1).writer(file)?;
        writer.write_file(&members)?;
        truncate_here(writer.finish()?)?;
        Ok(made.entries.len() as u64)
    }

    /// Like [`index`](Self::index), for one member. Data after the last whole segment of the tar is
    /// recompressed.
    fn index_segments<F: ArchiveFile>(
        &self,
        mut file: F,
        made: &Index,
        mut segments: Segments,
        ended: bool,
    ) -> Result<u64> {
        while segments.end().is_some_and(|(_, data)| data > made.tar_len) {
            segments.pop();
        }
        let Some((kept, data)) = segments.end() else { return Err(Error::NoBlocks) };
        let len = usize::try_from(made.tar_len - data).ok().filter(|len| *len <= MAX_REST);
        let mut rest = vec![0; len.ok_or(Error::NoBlocks)?];
        file.seek(SeekFrom::Start(0))?;
        let mut reader = self.gzip.clone().threads(1).reader_of(Source::new(&mut file))?;
        // The rest may refer to the data before it.
        let before = data.saturating_sub(HISTORY as u64);
        reader.seek_to(segments.place(before).unwrap_or_default(), before)?;
        reader.skip(data - before)?;
        reader.read_exact(&mut rest)?;
        drop(reader);
        let mut index = IndexBuilder::new(Layout::OneMember)?;
        made.entries.iter().try_for_each(|entry| index.push(entry))?;
        let mut writer = self.gzip.clone().layout(Layout::OneMember).writer(file)?;
        writer.continue_segments(segments);
        writer.get_mut().seek(SeekFrom::Start(kept))?;
        writer.write_all(&rest)?;
        if !ended {
            writer.write_all(&missing_end(made.tar_len))?;
        }
        let tar_len = writer.position();
        writer.drain()?;
        truncate_here(finish_inside(writer, index, tar_len, made.end)?)?;
        Ok(made.entries.len() as u64)
    }

    /// Rewrites any tar, plain or compressed, as tar.gz with an index, and returns the number of
    /// entries. The tar inside stays byte for byte the same; in one member, the zeros that end it
    /// are added if they are missing.
    ///
    /// # Errors
    ///
    /// Those of both files; an error where the old one is damaged.
    pub fn rewrite<R: Read, W: Write>(&self, from: R, to: W) -> Result<u64> {
        let gzip = self.gzip.with_engine()?;
        let input = Box::new(Input::new(from, self, &gzip)?);
        let output = Box::new(gzip.writer(to)?);
        let walker = Box::new(Walker::new(Tee { input, output, error: None }));
        Rewriting::default().run(walker)
    }
}

/// Returns the missing zeros that end a tar: an index inside the stream must follow them.
fn missing_end(tar_len: u64) -> Vec<u8> {
    let padding = tar_len.next_multiple_of(512) - tar_len;
    vec![0; 1024 + padding as usize]
}

/// Truncates the file at the current position.
fn truncate_here<F: ArchiveFile>(mut file: F) -> Result<()> {
    let len = file.stream_position()?;
    Ok(file.truncate(len)?)
}

/// The state of rewriting an archive.
#[derive(Default)]
struct Rewriting {
    /// Entries whose place in the file is not known yet.
    waiting: VecDeque<Entry>,
    count: u64,
    /// The end of the last entry in the tar.
    end: u64,
}

impl Rewriting {
    fn run<R: Read, W: Write>(mut self, mut walker: Box<Walker<Tee<R, W>>>) -> Result<u64> {
        let layout = walker.input().output.layout();
        let mut index = Box::new(IndexBuilder::new(layout)?);
        while self.entry(&mut walker, &mut index)? {}
        walker.damage().map_or(Ok(()), Err)?;
        self.finish(walker, index)
    }

    /// Writes the end. In a stack frame of its own, because its locals are large.
    #[inline(never)]
    #[allow(clippy::boxed_local, reason = "large values are passed in boxes")]
    fn finish<R: Read, W: Write>(
        self,
        walker: Box<Walker<Tee<R, W>>>,
        mut index: Box<IndexBuilder>,
    ) -> Result<u64> {
        let layout = walker.input().output.layout();
        let ended = walker.ended();
        let Tee { mut input, mut output, error } = walker.into_input();
        error.map_or(Ok(()), Err)?;
        copy_tar_end(&mut input, &mut output)?;
        if !ended && layout == Layout::OneMember {
            output.write_all(&missing_end(output.position()))?;
        }
        let tar_len = output.position();
        output.drain()?;
        if layout == Layout::OneMember {
            self.waiting.iter().try_for_each(|entry| index.push(entry))?;
            finish_inside(*output, *index, tar_len, self.end)?;
            return Ok(self.count);
        }
        for mut entry in self.waiting {
            entry.place = output.pop_place();
            index.push(&entry)?;
        }
        // The place of the zeros, which the last mark was for.
        let end_place = output.pop_place().unwrap_or_default();
        let members =
            index.finish(output.file_position(), output.position(), self.end, end_place)?;
        output.write_file(&members)?;
        output.finish()?;
        Ok(self.count)
    }

    /// Copies the next entry; returns `false` if there is none.
    fn entry<R: Read, W: Write>(
        &mut self,
        walker: &mut Walker<Tee<R, W>>,
        index: &mut IndexBuilder,
    ) -> Result<bool> {
        walker.input_mut().output.mark();
        let Some(head) = walker.next()? else { return Ok(false) };
        let mut entry = Entry::from_head(&head, None);
        let tail = walker.finish()?;
        (entry.tar_len, entry.checksum) = (tail.tar_len, tail.checksum);
        self.end = entry.end();
        self.waiting.push_back(entry);
        self.count += 1;
        let tee = walker.input_mut();
        tee.check()?;
        if tee.output.layout() == Layout::OneMember {
            self.waiting.drain(..).try_for_each(|entry| index.push(&entry))?;
        }
        while !self.waiting.is_empty()
            && let Some(place) = tee.output.pop_place()
            && let Some(mut entry) = self.waiting.pop_front()
        {
            entry.place = Some(place);
            index.push(&entry)?;
        }
        Ok(true)
    }
}

/// Copies the data after the first zeros that end a tar, except an index.
fn copy_tar_end<R: Read, W: Write>(input: &mut Input<R>, output: &mut GzWriter<W>) -> Result<()> {
    let after = index::skip_end(input, |zeros| output.write_all(zeros))?;
    output.write_all(&after)?;
    io::copy(input, output)?;
    Ok(())
}

/// A reader that also writes all data read from `input` to `output`.
struct Tee<R: Read, W: Write> {
    input: Box<Input<R>>,
    output: Box<GzWriter<W>>,
    /// An error of `consume`, which can't return it.
    error: Option<io::Error>,
}

impl<R: Read, W: Write> Tee<R, W> {
    fn check(&mut self) -> io::Result<()> {
        self.error.take().map_or(Ok(()), Err)
    }
}

impl<R: Read, W: Write> BufRead for Tee<R, W> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.check()?;
        self.input.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        let written = self.input.fill_buf().and_then(|ready| self.output.write_all(&ready[..n]));
        if let Err(error) = written {
            self.error = Some(error);
        }
        self.input.consume(n);
    }
}

impl<R: Read, W: Write> Read for Tee<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}
