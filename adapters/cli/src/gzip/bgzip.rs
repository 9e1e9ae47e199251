//! What bgzip does beyond gzip: indexes, and ranges of the data.

use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};

use uadk_compress_archive::GzOptions;

use super::bgzf::Blocks;
use super::gzi::Gzi;
use super::input::Input;
use super::work::Failure;

/// Indexes a file; `None` if it is not block gzip from beginning to end.
pub(super) fn index_of(input: &Input) -> io::Result<Option<Gzi>> {
    let Some((file, start)) = input.regular() else { return Ok(None) };
    let mut blocks = Blocks::new(file, start)?;
    let mut index = Gzi::default();
    while let Some(block) = blocks.next()? {
        index.add(block.offset - start, block.data_len);
    }
    Ok(blocks.is_at_end().then_some(index))
}

/// Writes `len` bytes of the data from `from` on, or everything from there.
pub(super) fn range(
    options: &GzOptions,
    input: Input,
    (from, len): (u64, Option<u64>),
    to: &mut impl Write,
) -> Result<(), Failure> {
    let read = |error: io::Error| Failure::Data(error.into());
    if let Some((file, _)) = input.regular() {
        let file = file.try_clone().map_err(Failure::Read)?;
        let mut reader = options.reader(file).map_err(Failure::Data)?;
        reader.seek(SeekFrom::Start(from)).map_err(read)?;
        return copy(&mut reader, len, to);
    }
    let mut reader = options.reader(input).map_err(Failure::Data)?;
    io::copy(&mut reader.by_ref().take(from), &mut io::sink()).map_err(read)?;
    copy(&mut reader, len, to)
}

fn copy(reader: &mut impl BufRead, len: Option<u64>, to: &mut impl Write) -> Result<(), Failure> {
    let mut left = len.unwrap_or(u64::MAX);
    while left > 0 {
        let ready = reader.fill_buf().map_err(|error| Failure::Data(error.into()))?;
        if ready.is_empty() {
            break;
        }
        let n = ready.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        to.write_all(&ready[..n]).map_err(Failure::Write)?;
        reader.consume(n);
        left -= n as u64;
    }
    Ok(())
}
