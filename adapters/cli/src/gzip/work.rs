//! Bytes from here to there, compressed or decompressed.

use std::io::{self, BufRead, Read, Write};

use uadk_compress_archive::{Error, GzOptions, GzReader, Inflated};

use super::input::Input;

/// Counts what is written, and remembers that writing failed.
#[derive(Debug)]
pub(super) struct Sink<W> {
    inner: W,
    pub(super) count: u64,
    failed: bool,
}

impl<W: Write> Sink<W> {
    pub(super) const fn new(inner: W) -> Self {
        Self { inner, count: 0, failed: false }
    }

    pub(super) fn into_inner(self) -> W {
        self.inner
    }
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes).inspect_err(|error| {
            self.failed |= error.kind() != io::ErrorKind::Interrupted;
        })?;
        self.count += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// How a stream ended.
#[derive(Debug)]
pub(super) enum End {
    /// All of it is done.
    Whole,
    /// All of it is done, and there are other bytes behind this one of the file.
    Trailing(u64),
    /// All of it is done, and so many zeros are behind it.
    Zeros(u64),
    Wrong(Wrong),
}

/// What kept a stream from its end.
#[derive(Debug)]
pub(super) enum Wrong {
    Read(io::Error),
    Write(io::Error),
    /// The data, or what works on it.
    Data(Error),
}

impl Wrong {
    fn of(error: Error, read_failed: bool, write_failed: bool) -> Self {
        match error {
            Error::Io(_) if write_failed => Self::Write(error.into()),
            Error::Io(_) if read_failed => Self::Read(error.into()),
            error => Self::Data(error),
        }
    }
}

/// Compresses all of the input.
pub(super) fn compress<W: Write>(options: &GzOptions, input: &mut Input, to: &mut Sink<W>) -> End {
    match options.compress(&mut *input, &mut *to) {
        Ok(_) => End::Whole,
        Err(error) => End::Wrong(Wrong::of(error, input.failed, to.failed)),
    }
}

/// Decompresses all of the input, and returns it with what was inflated without an engine. Whatever is
/// whole before an error is written. If what is no gzip data `passes`, one byte is no member's first.
pub(super) fn decompress<W: Write>(
    options: &GzOptions,
    input: Input,
    to: &mut Sink<W>,
    passes: bool,
) -> (End, Option<(Input, Inflated)>) {
    let mut reader = match options.reader(input) {
        Ok(reader) => reader,
        Err(error) => return (End::Wrong(Wrong::Data(error)), None),
    };
    let end = copy(&mut reader, to, passes);
    let inflated = reader.inflated();
    (end, Some((reader.into_inner(), inflated)))
}

/// Writes what the reader has ready, without a copy.
fn copy<W: Write>(reader: &mut GzReader<Input>, to: &mut Sink<W>, passes: bool) -> End {
    loop {
        let ready = match reader.fill_buf() {
            Ok(ready) => ready,
            Err(error) => return ending(reader, error.into(), passes),
        };
        if ready.is_empty() {
            return match reader.trailing_zeros() {
                0 => End::Whole,
                zeros => End::Zeros(zeros),
            };
        }
        if let Err(error) = to.write_all(ready) {
            return End::Wrong(Wrong::Write(error));
        }
        let n = ready.len();
        reader.consume(n);
    }
}

/// What an error of the reader means. All data before it has been written.
fn ending(reader: &GzReader<Input>, error: Error, passes: bool) -> End {
    match error {
        Error::NotGzip { offset } if offset > 0 => End::Trailing(offset),
        Error::Truncated { offset, .. } if passes && reader.has_lone_byte() => {
            End::Trailing(offset - 1)
        }
        error => End::Wrong(Wrong::of(error, reader.get_ref().failed, false)),
    }
}

/// Passes bytes on as they are.
pub(super) fn pass<W: Write>(mut from: impl Read, to: &mut Sink<W>) -> Result<(), Wrong> {
    let copied = io::copy(&mut from, to);
    copied
        .map(drop)
        .map_err(|error| if to.failed { Wrong::Write(error) } else { Wrong::Read(error) })
}

/// What is behind the gzip data of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trailing {
    /// As tapes and block devices leave it.
    Zeros,
    Garbage,
}

/// Reads what is behind the gzip data; if it can't be read again, it was not all zeros.
pub(super) fn look_at(rest: Option<impl Read>) -> io::Result<Trailing> {
    let Some(mut rest) = rest else { return Ok(Trailing::Garbage) };
    let mut buffer = vec![0; 64 << 10];
    loop {
        match rest.read(&mut buffer) {
            Ok(0) => return Ok(Trailing::Zeros),
            Ok(n) if buffer[..n].iter().any(|byte| *byte != 0) => return Ok(Trailing::Garbage),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
