//! One block of a batch, and the check that every result passes.

use crate::Error;

/// One block of a batch: a source, a destination and, once an engine has processed it, the result.
///
/// Engines report with [`set_result`](Self::set_result) or [`run`](Self::run). Both check the
/// reported length, so [`result`](Self::result) and [`output`](Self::output) never return more
/// bytes than the destination holds.
///
/// ```
/// use uadk_compress::{Block, BlockCompressor, Format, Level, SoftwareCompressor};
///
/// let codec = SoftwareCompressor::new(Format::Zlib, Level::FAST)?;
/// let mut buffers = [[0; 100], [0; 100]];
/// let mut blocks: Vec<_> = [&b"one block"[..], b"another"]
///     .into_iter()
///     .zip(&mut buffers)
///     .map(|(src, dst)| Block::new(src, dst))
///     .collect();
/// assert!(!blocks[0].is_done());
/// codec.compress_batch(&mut blocks);
/// let compressed: &[u8] = blocks[0].output()?;
/// assert!(compressed.len() < 20);
/// # Ok::<(), uadk_compress::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Block<'a> {
    src: &'a [u8],
    dst: &'a mut [u8],
    /// Whether the result must fill `dst` exactly.
    exact: bool,
    answer: Option<Result<usize, Error>>,
}

impl<'a> Block<'a> {
    /// Creates a block to compress from `src` into `dst`, or to decompress into a `dst` that may be
    /// longer than the result.
    #[must_use]
    pub const fn new(src: &'a [u8], dst: &'a mut [u8]) -> Self {
        Self { src, dst, exact: false, answer: None }
    }

    /// Creates a block whose result must have exactly the length of `dst`, as when decompressing a
    /// block of known size. Any other length becomes [`Error::WrongLength`].
    #[must_use]
    pub const fn exact(src: &'a [u8], dst: &'a mut [u8]) -> Self {
        Self { src, dst, exact: true, answer: None }
    }

    /// Returns the input.
    #[must_use]
    pub const fn src(&self) -> &'a [u8] {
        self.src
    }

    /// Returns the destination. Its contents are unspecified beyond the result, and after an error.
    #[must_use]
    pub const fn dst(&self) -> &[u8] {
        self.dst
    }

    /// Returns the input, and the destination to write to.
    pub const fn parts(&mut self) -> (&'a [u8], &mut [u8]) {
        (self.src, self.dst)
    }

    /// Returns whether an engine has set a result.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.answer.is_some()
    }

    /// Returns the number of bytes written to the destination, or the error; `None` while no engine
    /// has set a result.
    #[must_use]
    pub const fn answer(&self) -> Option<&Result<usize, Error>> {
        self.answer.as_ref()
    }

    /// Returns the number of bytes written to the destination.
    ///
    /// # Errors
    ///
    /// The engine's error; [`Error::WrongLength`] for a length that is impossible for the
    /// destination; [`Error::NotDone`] if no engine has set a result.
    pub fn result(&self) -> Result<usize, Error> {
        self.answer.clone().unwrap_or(Err(Error::NotDone))
    }

    /// Returns the bytes written to the destination.
    ///
    /// # Errors
    ///
    /// Same as [`result`](Self::result).
    pub fn output(&self) -> Result<&[u8], Error> {
        let len = self.result()?;
        self.dst.get(..len).ok_or(Error::WrongLength { reported: len, capacity: self.dst.len() })
    }

    /// Sets an engine's result, after checking that its length is possible.
    pub fn set_result(&mut self, result: Result<usize, Error>) {
        self.answer = Some(check(result, self.dst.len(), self.exact));
    }

    /// Calls `work` with the input and the destination, and sets what it returns as the result.
    pub fn run(&mut self, work: impl FnOnce(&[u8], &mut [u8]) -> Result<usize, Error>) {
        let result = work(self.src, self.dst);
        self.set_result(result);
    }

    /// Removes and returns the result, so that another engine can process the block.
    pub const fn reset(&mut self) -> Option<Result<usize, Error>> {
        self.answer.take()
    }
}

/// Checks an engine's result for a destination of `room` bytes. If `exact` is set, all of them must
/// have been written.
pub(crate) fn check(
    result: Result<usize, Error>,
    capacity: usize,
    exact: bool,
) -> Result<usize, Error> {
    match result {
        Ok(reported) if reported > capacity || (exact && reported != capacity) => {
            Err(Error::WrongLength { reported, capacity })
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_not_done_until_it_has_a_result() {
        let mut dst = [0; 4];
        let mut block = Block::new(b"src", &mut dst);
        assert_eq!((block.is_done(), block.result()), (false, Err(Error::NotDone)));
        block.run(|src, dst| {
            dst[..3].copy_from_slice(src);
            Ok(3)
        });
        assert_eq!(block.output(), Ok(&b"src"[..]));
        assert_eq!(block.reset(), Some(Ok(3)));
        assert!(!block.is_done());
    }

    #[test]
    fn an_impossible_length_is_an_error() {
        let mut dst = [0; 4];
        let mut block = Block::new(&[], &mut dst);
        block.set_result(Ok(5));
        assert_eq!(block.result(), Err(Error::WrongLength { reported: 5, capacity: 4 }));
        assert!(block.output().is_err());
        block.set_result(Ok(3));
        assert_eq!(block.output().map(<[u8]>::len), Ok(3));

        let mut exact = Block::exact(&[], &mut dst);
        exact.set_result(Ok(3));
        assert_eq!(exact.result(), Err(Error::WrongLength { reported: 3, capacity: 4 }));
        exact.set_result(Ok(4));
        assert_eq!(exact.result(), Ok(4));
        exact.set_result(Err(Error::Corrupt));
        assert_eq!(exact.result(), Err(Error::Corrupt));
    }
}
