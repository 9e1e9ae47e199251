//! Walking through a tar: one parser for listing, extracting, verifying and recovering.

mod head;
mod pax;
mod sparse;

use std::io::{BufRead, Read};

use tar::Header;

use crate::checksum::Checksum;
use crate::{EntryKind, Error, Result};
use head::BLOCK;
pub(crate) use head::{Head, Segment, Tail};
use pax::Extensions;

/// Names, extended attributes and such of one entry have no more bytes than this.
const MAX_EXTENSION: u64 = 8 << 20;

/// Reads headers and contents, one entry after the other.
#[derive(Debug)]
pub(crate) struct Walker<R> {
    input: R,
    position: u64,
    start: u64,
    crc: Checksum,
    /// Contents of the entry that are still to come, and padding behind them.
    data_left: u64,
    padding: u64,
    globals: Extensions,
    ended: bool,
}

impl<R: BufRead> Walker<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            position: 0,
            start: 0,
            crc: Checksum::default(),
            data_left: 0,
            padding: 0,
            globals: Extensions::default(),
            ended: false,
        }
    }

    pub(crate) fn input(&self) -> &R {
        &self.input
    }

    pub(crate) fn input_mut(&mut self) -> &mut R {
        &mut self.input
    }

    pub(crate) fn into_input(self) -> R {
        self.input
    }

    /// Goes on with an entry that begins at this byte of the tar, where the input is now.
    pub(crate) fn restart(&mut self, position: u64) {
        self.position = position;
        self.start = position;
        self.data_left = 0;
        self.padding = 0;
        self.ended = false;
    }

    /// Bytes of the tar that have been read.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Whether zeros have said that the archive ends.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// The next entry, when the last one has been [finished](Self::finish); `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Head>> {
        if self.ended {
            return Ok(None);
        }
        self.start = self.position;
        self.crc = Checksum::default();
        let mut extensions = Extensions::default();
        let (mut long_name, mut long_link) = (None, None);
        loop {
            let at = self.position;
            let Some(block) = self.block()? else {
                // Some writers leave the zeros out.
                return if at == self.start { Ok(None) } else { Err(self.torn()) };
            };
            if block.iter().all(|byte| *byte == 0) {
                if at != self.start {
                    return Err(Error::tar(at, "the archive ends in the middle of an entry"));
                }
                self.ended = true;
                return Ok(None);
            }
            let header = Header::from_byte_slice(&*block);
            check(header, at)?;
            match block[156] {
                b'x' | b'X' => extensions.parse(&self.extension(header, at)?, at)?,
                b'g' => {
                    let data = self.extension(header, at)?;
                    self.globals.parse(&data, at)?;
                }
                b'L' => long_name = Some(self.long_name(header, at)?),
                b'K' => long_link = Some(self.long_name(header, at)?),
                _ => {
                    let extensions = self.globals.overlaid(extensions);
                    return self.head(header, at, extensions, long_name, long_link).map(Some);
                }
            }
        }
    }

    fn head(
        &mut self,
        header: &Header,
        at: u64,
        mut pax: Extensions,
        long_name: Option<Vec<u8>>,
        long_link: Option<Vec<u8>>,
    ) -> Result<Head> {
        let wrong = |what: &str| Error::tar(at, format!("the header has no good {what}"));
        let kind = EntryKind::from_byte(header.as_old().linkflag[0]);
        let header_link = || header.link_name_bytes().unwrap_or_default().into_owned();
        let has_link = matches!(kind, EntryKind::HardLink | EntryKind::Symlink);
        let link = pax.link.take().or(long_link).unwrap_or_else(header_link);
        let path =
            pax.path.take().or(long_name).unwrap_or_else(|| header.path_bytes().into_owned());
        if path.is_empty() || path.contains(&0) {
            return Err(wrong("name"));
        }
        // As tars had it before they knew folders.
        let is_old_folder = kind == EntryKind::File && path.ends_with(b"/");
        let kind = if is_old_folder { EntryKind::Directory } else { kind };
        let stored = match (kind.has_data(), pax.size) {
            (false, _) => 0,
            (true, Some(size)) => size,
            (true, None) => header.entry_size().map_err(|_| wrong("size"))?,
        };
        // So that no sum of sizes and positions overflows.
        if stored > i64::MAX as u64 - self.position {
            return Err(wrong("size"));
        }
        self.data_left = stored;
        self.padding = stored.next_multiple_of(BLOCK as u64) - stored;
        let (mtime, nanoseconds) = match pax.mtime {
            Some(mtime) => mtime,
            None => (header.mtime().unwrap_or(0).cast_signed(), 0),
        };
        let mut head = Head {
            start: self.start,
            header_len: 0,
            kind,
            path,
            link: if has_link { link } else { Vec::new() },
            size: stored,
            stored,
            // Some writers leave numbers out that they don't know.
            mode: header.mode().unwrap_or(0) & 0o7777,
            mtime,
            nanoseconds,
            uid: pax.uid.or_else(|| header.uid().ok()).unwrap_or(0),
            gid: pax.gid.or_else(|| header.gid().ok()).unwrap_or(0),
            sparse: None,
            xattrs: std::mem::take(&mut pax.xattrs),
        };
        let sparse = sparse::read_map(header, at, &pax, &mut head, || self.needed_block());
        // A map before the contents takes its bytes from them.
        self.data_left = head.stored;
        sparse?;
        head.header_len = self.position - self.start;
        Ok(head)
    }

    /// Contents that are ready; empty when there are none left.
    pub(crate) fn data(&mut self) -> Result<&[u8]> {
        if self.data_left == 0 {
            return Ok(&[]);
        }
        let torn = self.torn();
        let ready = self.input.fill_buf()?;
        if ready.is_empty() {
            return Err(torn);
        }
        let n = ready.len().min(usize::try_from(self.data_left).unwrap_or(usize::MAX));
        Ok(&ready[..n])
    }

    /// Takes `n` bytes of what [`data`](Self::data) gave.
    pub(crate) fn consume(&mut self, n: usize) -> Result<()> {
        self.take(n)?;
        self.data_left -= n as u64;
        Ok(())
    }

    /// Skips what is left of the entry.
    pub(crate) fn finish(&mut self) -> Result<Tail> {
        self.data_left += std::mem::take(&mut self.padding);
        loop {
            let n = self.data()?.len();
            if n == 0 {
                break;
            }
            self.consume(n)?;
        }
        Ok(Tail { tar_len: self.position - self.start, checksum: self.crc.sum() })
    }

    /// Counts bytes that `fill_buf` has just given.
    fn take(&mut self, n: usize) -> Result<()> {
        let ready = self.input.fill_buf()?;
        self.crc.update(&ready[..n]);
        self.input.consume(n);
        self.position += n as u64;
        Ok(())
    }

    /// The next block of 512 bytes; `None` if the input ends before it.
    fn block(&mut self) -> Result<Option<Box<[u8; BLOCK]>>> {
        let mut block = Box::new([0; BLOCK]);
        let mut filled = 0;
        while filled < BLOCK {
            let ready = self.input.fill_buf()?;
            let n = ready.len().min(BLOCK - filled);
            if n == 0 {
                return if filled == 0 { Ok(None) } else { Err(self.torn()) };
            }
            block[filled..filled + n].copy_from_slice(&ready[..n]);
            self.take(n)?;
            filled += n;
        }
        Ok(Some(block))
    }

    fn needed_block(&mut self) -> Result<Box<[u8; BLOCK]>> {
        self.block()?.ok_or_else(|| self.torn())
    }

    fn torn(&self) -> Error {
        Error::tar(self.position, "it ends in the middle of an entry")
    }

    /// The contents of a header that only says more about the next one.
    fn extension(&mut self, header: &Header, at: u64) -> Result<Vec<u8>> {
        let len = header.entry_size().map_err(|_| Error::tar(at, "the header has no good size"))?;
        if len > MAX_EXTENSION {
            let what = format!("a name or attributes of {len} bytes; 8 MiB are the limit");
            return Err(Error::tar(at, what));
        }
        let padded = len.next_multiple_of(BLOCK as u64);
        let mut data = Vec::new();
        // As long as what is there, whatever the header says.
        self.input.by_ref().take(padded).read_to_end(&mut data)?;
        self.crc.update(&data);
        self.position += data.len() as u64;
        if (data.len() as u64) < padded {
            return Err(self.torn());
        }
        data.truncate(len as usize);
        Ok(data)
    }

    fn long_name(&mut self, header: &Header, at: u64) -> Result<Vec<u8>> {
        let mut name = self.extension(header, at)?;
        name.truncate(name.iter().position(|byte| *byte == 0).unwrap_or(name.len()));
        Ok(name)
    }
}

/// Whether the header has its checksum, which some old writers made of signed bytes.
fn check(header: &Header, at: u64) -> Result<()> {
    let bytes = header.as_bytes();
    let sum = |value: fn(u8) -> i64| {
        let spaces = 8 * i64::from(b' ');
        let (before, behind) = (&bytes[..148], &bytes[156..]);
        before.iter().chain(behind).map(|byte| value(*byte)).sum::<i64>() + spaces
    };
    let said = header.cksum().map(i64::from);
    let unsigned = sum(i64::from);
    if said.is_ok_and(|said| said == unsigned || said == sum(|byte| i64::from(byte.cast_signed())))
    {
        return Ok(());
    }
    let what = if at == 0 {
        "there is no tar header: it is something else than a tar"
    } else {
        "there is no tar header, or it is damaged"
    };
    Err(Error::tar(at, what))
}
