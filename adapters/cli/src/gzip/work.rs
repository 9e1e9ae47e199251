//! Compresses, decompresses and copies streams.

use std::io::{self, BufRead, Read, Write};

use uadk_compress_archive::{Error, GzOptions, GzReader, Inflated};

use super::input::Input;

/// Counts the bytes written, and remembers whether writing failed.
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
    /// The whole stream is done.
    Whole,
    /// The whole stream is done, and other data follows from this byte of the file on.
    Trailing(u64),
    /// The whole stream is done, and this many zeros follow.
    Zeros(u64),
    Failed(Failure),
}

/// Why a stream did not reach its end.
#[derive(Debug)]
pub(super) enum Failure {
    Read(io::Error),
    Write(io::Error),
    /// The data is bad, or the engine failed.
    Data(Error),
}

impl Failure {
    fn new(error: Error, read_failed: bool, write_failed: bool) -> Self {
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
        Err(error) => End::Failed(Failure::new(error, input.failed, to.failed)),
    }
}

/// Decompresses all of the input. Returns the input and the amount inflated without an engine. All
/// good data before an error is written. With `pass_through`, other data after the gzip data is to
/// be copied, and a single byte there does not count as a truncated member.
pub(super) fn decompress<W: Write>(
    options: &GzOptions,
    input: Input,
    to: &mut Sink<W>,
    pass_through: bool,
) -> (End, Option<(Input, Inflated)>) {
    let mut reader = match options.reader(input) {
        Ok(reader) => reader,
        Err(error) => return (End::Failed(Failure::Data(error)), None),
    };
    let end = copy(&mut reader, to, pass_through);
    let inflated = reader.inflated();
    (end, Some((reader.into_inner(), inflated)))
}

/// Writes directly from the reader's buffer.
fn copy<W: Write>(reader: &mut GzReader<Input>, to: &mut Sink<W>, pass_through: bool) -> End {
    loop {
        let ready = match reader.fill_buf() {
            Ok(ready) => ready,
            Err(error) => return end_of(reader, error.into(), pass_through),
        };
        if ready.is_empty() {
            return match reader.trailing_zeros() {
                0 => End::Whole,
                zeros => End::Zeros(zeros),
            };
        }
        if let Err(error) = to.write_all(ready) {
            return End::Failed(Failure::Write(error));
        }
        let n = ready.len();
        reader.consume(n);
    }
}

/// Classifies an error of the reader. All data before it has been written.
fn end_of(reader: &GzReader<Input>, error: Error, pass_through: bool) -> End {
    match error {
        Error::NotGzip { offset } if offset > 0 => End::Trailing(offset),
        Error::Truncated { offset, .. } if pass_through && reader.has_lone_byte() => {
            End::Trailing(offset - 1)
        }
        error => End::Failed(Failure::new(error, reader.get_ref().failed, false)),
    }
}

/// Copies bytes unchanged.
pub(super) fn pass_through<W: Write>(mut from: impl Read, to: &mut Sink<W>) -> Result<(), Failure> {
    let copied = io::copy(&mut from, to);
    copied
        .map(drop)
        .map_err(|error| if to.failed { Failure::Write(error) } else { Failure::Read(error) })
}

/// The kind of data that follows the gzip data of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trailing {
    /// Padding, as on tapes and block devices.
    Zeros,
    Garbage,
}

/// Classifies the data after the gzip data. `rest` is `None` if it can't be reread, which means
/// that it was not all zeros.
pub(super) fn classify_trailing(rest: Option<impl Read>) -> io::Result<Trailing> {
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
