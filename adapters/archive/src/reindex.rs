//! Indexes for archives that others wrote.

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

const NO_INDEX: &str =
    "has no place for an index; `tar index -o` writes it anew as tar.gz with one";

/// More data than the last segment of a member has, which has no end marker of its own.
const MAX_REST: usize = 16 << 20;

impl ArchiveOptions {
    /// Gives an archive an index at its end, in place of the one that it may have, and returns the number
    /// of entries. Its blocks or segments stay as they are.
    ///
    /// # Errors
    ///
    /// Those of the file; where it is damaged; [`Error::NoBlocks`] if it is made neither of block gzip nor
    /// of independent segments, and [`Error::Unsupported`] if it is not gzip: [`rewrite`](Self::rewrite) is
    /// for both. Nothing has been changed then.
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
        cut_here(writer.finish()?)?;
        Ok(made.entries.len() as u64)
    }

    /// As [`index`](Self::index), for one member. What is behind the last whole segment of the tar is
    /// compressed again.
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
        // It may refer to what is before it.
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
        cut_here(finish_inside(writer, index, tar_len, made.end)?)?;
        Ok(made.entries.len() as u64)
    }

    /// Writes any tar anew as tar.gz with an index, whatever it is compressed by, and returns the number of
    /// entries. The tar inside stays byte for byte the same; in one member, zeros that end it are added if it
    /// has none.
    ///
    /// # Errors
    ///
    /// Those of both files; where the old one is damaged.
    pub fn rewrite<R: Read, W: Write>(&self, from: R, to: W) -> Result<u64> {
        let gzip = self.gzip.with_engine()?;
        let input = Box::new(Input::new(from, self, &gzip)?);
        let output = Box::new(gzip.writer(to)?);
        let walker = Box::new(Walker::new(Tee { input, output, error: None }));
        Rewriting::default().run(walker)
    }
}

/// The zeros that end a tar, for one that has none: an index inside of the stream is behind them.
fn missing_end(tar_len: u64) -> Vec<u8> {
    let padding = tar_len.next_multiple_of(512) - tar_len;
    vec![0; 1024 + padding as usize]
}

/// Cuts off what was in the file behind what is written.
fn cut_here<F: ArchiveFile>(mut file: F) -> Result<()> {
    let len = file.stream_position()?;
    Ok(file.truncate(len)?)
}

/// What is known of an archive that is written anew.
#[derive(Default)]
struct Rewriting {
    /// Entries whose place in the file is not known yet.
    waiting: VecDeque<Entry>,
    count: u64,
    /// Where the last one ends.
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

    /// Writes the end. In a frame of its own, for it has large things on the stack.
    #[inline(never)]
    #[allow(clippy::boxed_local, reason = "what is large is passed in a box")]
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
            entry.place = output.found();
            index.push(&entry)?;
        }
        // That of the zeros, for which the last mark was.
        let end_place = output.found().unwrap_or_default();
        let members =
            index.finish(output.file_position(), output.position(), self.end, end_place)?;
        output.write_file(&members)?;
        output.finish()?;
        Ok(self.count)
    }

    /// The next entry; false if there is none.
    fn entry<R: Read, W: Write>(
        &mut self,
        walker: &mut Walker<Tee<R, W>>,
        index: &mut IndexBuilder,
    ) -> Result<bool> {
        walker.input_mut().output.mark();
        let Some(head) = walker.next()? else { return Ok(false) };
        let mut entry = Entry::of_head(&head, None);
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
            && let Some(place) = tee.output.found()
            && let Some(mut entry) = self.waiting.pop_front()
        {
            entry.place = Some(place);
            index.push(&entry)?;
        }
        Ok(true)
    }
}

/// Copies what is behind the first zeros of a tar's end, but for an index.
fn copy_tar_end<R: Read, W: Write>(input: &mut Input<R>, output: &mut GzWriter<W>) -> Result<()> {
    let behind = index::skip_end(input, |zeros| output.write_all(zeros))?;
    output.write_all(&behind)?;
    io::copy(input, output)?;
    Ok(())
}

/// Writes what is read.
struct Tee<R: Read, W: Write> {
    input: Box<Input<R>>,
    output: Box<GzWriter<W>>,
    /// What `consume` has no way to tell.
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
