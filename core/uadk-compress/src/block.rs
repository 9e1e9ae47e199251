//! One block of a batch, and the gate that every answer passes.

use crate::Error;

/// One block of a batch: a source, a destination and, once an engine is done, the answer.
///
/// Engines answer with [`set_result`](Self::set_result) or [`run`](Self::run). Both check what the
/// engine claims, so whoever reads [`result`](Self::result) or [`output`](Self::output) never sees
/// a length that the destination doesn't have.
///
/// ```
/// use uadk_compress::{Block, BlockCompressor, Format, Level, SoftwareCompressor};
///
/// let codec = SoftwareCompressor::new(Format::Zlib, Level::FAST)?;
/// let mut rooms = [[0; 100], [0; 100]];
/// let mut blocks: Vec<_> =
///     [&b"one block"[..], b"another"].into_iter().zip(&mut rooms).map(|(src, dst)| Block::new(src, dst)).collect();
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
    /// Whether only a result as long as `dst` will do.
    exact: bool,
    answer: Option<Result<usize, Error>>,
}

impl<'a> Block<'a> {
    /// A block to compress from `src` into `dst`, or to decompress where `dst` may be longer than
    /// the result.
    #[must_use]
    pub const fn new(src: &'a [u8], dst: &'a mut [u8]) -> Self {
        Self { src, dst, exact: false, answer: None }
    }

    /// A block whose result has exactly the length of `dst`, as when decompressing a block of known
    /// size. Any other length becomes [`Error::WrongLength`].
    #[must_use]
    pub const fn exact(src: &'a [u8], dst: &'a mut [u8]) -> Self {
        Self { src, dst, exact: true, answer: None }
    }

    /// The input.
    #[must_use]
    pub const fn src(&self) -> &'a [u8] {
        self.src
    }

    /// The destination. Its contents are unspecified behind the result, and after an error.
    #[must_use]
    pub const fn dst(&self) -> &[u8] {
        self.dst
    }

    /// The input, and the destination to write to.
    pub const fn parts(&mut self) -> (&'a [u8], &mut [u8]) {
        (self.src, self.dst)
    }

    /// Whether an engine has answered.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.answer.is_some()
    }

    /// The number of bytes written to the destination, or the error; `None` while no engine has
    /// answered.
    #[must_use]
    pub const fn answer(&self) -> Option<&Result<usize, Error>> {
        self.answer.as_ref()
    }

    /// The number of bytes written to the destination.
    ///
    /// # Errors
    ///
    /// The engine's; [`Error::WrongLength`] for a length that the destination can't have;
    /// [`Error::NotDone`] if no engine has answered.
    pub fn result(&self) -> Result<usize, Error> {
        self.answer.clone().unwrap_or(Err(Error::NotDone))
    }

    /// The bytes written to the destination.
    ///
    /// # Errors
    ///
    /// As [`result`](Self::result).
    pub fn output(&self) -> Result<&[u8], Error> {
        let len = self.result()?;
        self.dst.get(..len).ok_or(Error::WrongLength { reported: len, room: self.dst.len() })
    }

    /// Sets an engine's answer, after checking that its length is possible.
    pub fn set_result(&mut self, result: Result<usize, Error>) {
        self.answer = Some(check(result, self.dst.len(), self.exact));
    }

    /// Calls `work` with the input and the destination, and sets what it returns as the answer.
    pub fn run(&mut self, work: impl FnOnce(&[u8], &mut [u8]) -> Result<usize, Error>) {
        let result = work(self.src, self.dst);
        self.set_result(result);
    }

    /// Takes the answer away, so that the block can be given to another engine.
    pub const fn reset(&mut self) -> Option<Result<usize, Error>> {
        self.answer.take()
    }
}

/// The gate: an engine's answer for a destination of `room` bytes, all of which must be written if
/// `exact` is set.
pub(crate) fn check(
    result: Result<usize, Error>,
    room: usize,
    exact: bool,
) -> Result<usize, Error> {
    match result {
        Ok(reported) if reported > room || (exact && reported != room) => {
            Err(Error::WrongLength { reported, room })
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_not_done_until_it_is_answered() {
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
    fn an_impossible_length_does_not_pass() {
        let mut dst = [0; 4];
        let mut block = Block::new(&[], &mut dst);
        block.set_result(Ok(5));
        assert_eq!(block.result(), Err(Error::WrongLength { reported: 5, room: 4 }));
        assert!(block.output().is_err());
        block.set_result(Ok(3));
        assert_eq!(block.output().map(<[u8]>::len), Ok(3));

        let mut exact = Block::exact(&[], &mut dst);
        exact.set_result(Ok(3));
        assert_eq!(exact.result(), Err(Error::WrongLength { reported: 3, room: 4 }));
        exact.set_result(Ok(4));
        assert_eq!(exact.result(), Ok(4));
        exact.set_result(Err(Error::Corrupt));
        assert_eq!(exact.result(), Err(Error::Corrupt));
    }
}
