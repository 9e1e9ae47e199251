//! Walking through a tar: one parser for listing, extracting, verifying and recovering.
//!
//! What can't be read costs no more than itself: an attribute is dropped, a damaged header is skipped up
//! to the next sound one, and each of them is a [`Warning`]. Only a tar that ends too early is an error,
//! and what has no tar header at all.

mod decode;
mod globals;
mod head;
mod pax;
mod raw;
mod sparse;
mod values;

use std::io::{BufRead, Read};

use crate::checksum::Checksum;
use crate::warning::{Warning, Warnings};
use crate::{EntryKind, Error, Result};
use decode::{Before, NoEntry};
use globals::Globals;
use head::BLOCK;
pub(crate) use head::{Head, Segment, Tail, Unreadable};
use pax::Extensions;
use raw::Raw;
pub(crate) use raw::is_header;

/// Names, extended attributes and such of one entry have no more bytes than this.
const MAX_EXTENSION: u64 = 8 << 20;

/// Reads headers and contents, one entry after the other.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // Independent states.
pub(crate) struct Walker<R> {
    input: R,
    position: u64,
    start: u64,
    crc: Checksum,
    /// Contents of the entry that are still to come, and padding behind them.
    data_left: u64,
    padding: u64,
    /// Contents that a hard link may have: POSIX lets it have them, and says its size if not.
    link_data: u64,
    globals: Globals,
    /// Whether a header was sound: that it is a tar.
    is_tar: bool,
    /// Where the first damage is, and what.
    damaged: Option<(u64, &'static str)>,
    ended: bool,
    /// Whether a block of zeros came last.
    seen_zeros: bool,
    ignore_zeros: bool,
    warnings: Warnings,
}

/// What is in a header that only says more about the next one.
enum Extension {
    Data(Vec<u8>),
    TooLong,
    NoSize,
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
            link_data: 0,
            globals: Globals::default(),
            is_tar: false,
            damaged: None,
            ended: false,
            seen_zeros: false,
            ignore_zeros: false,
            warnings: Warnings::default(),
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
        self.link_data = 0;
        self.is_tar = position > 0;
        self.ended = false;
        self.seen_zeros = false;
    }

    /// Bytes of the tar that have been read.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Whether zeros have said that the archive ends.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Whether zeros came last, which may have been [ignored](Self::ignore_zeros).
    pub(crate) fn has_seen_zeros(&self) -> bool {
        self.seen_zeros
    }

    /// Whether to go on behind zeros that end an archive, where another may follow.
    pub(crate) fn ignore_zeros(&mut self, ignore: bool) {
        self.ignore_zeros = ignore;
    }

    /// What was dropped or skipped since the last call.
    pub(crate) fn take_warnings(&mut self) -> Vec<Warning> {
        self.warnings.take()
    }

    /// What is damaged, if something was skipped or is missing; where the tar has to be whole.
    pub(crate) fn damage(&self) -> Option<Error> {
        self.damaged.map(|(at, what)| Error::tar(at, what))
    }

    pub(crate) fn warn(&mut self, warning: Warning) {
        self.warnings.push(warning);
    }

    /// The next entry, when the last one has been [finished](Self::finish); `None` at the end. Damaged
    /// headers, and zeros that are ignored, count to the entry behind them.
    pub(crate) fn next(&mut self) -> Result<Option<Head>> {
        if self.ended {
            return Ok(None);
        }
        self.start = self.position;
        self.crc = Checksum::default();
        let mut link_data = std::mem::take(&mut self.link_data);
        let mut before = Before::default();
        // Whether the last header was damaged.
        let mut skipping = false;
        loop {
            let at = self.position;
            let Some(block) = self.block(skipping || !self.is_tar)? else {
                return self.at_end_of_input(&before);
            };
            let raw = Raw(&block);
            if raw.is_zero() {
                if !before.is_empty() {
                    self.tell(at, "the archive ends behind headers that say more about an entry");
                    before = Before::default();
                }
                self.seen_zeros = true;
                if self.ignore_zeros {
                    continue;
                }
                if skipping {
                    // As with GNU tar and libarchive: what is behind the end is no part of it.
                    self.tell_of_end(at)?;
                }
                self.tell_of_lone_zeros(at)?;
                self.ended = true;
                return Ok(None);
            }
            if !raw.is_sound() {
                if link_data > 0 {
                    // What was read is its first block.
                    self.data_left = std::mem::take(&mut link_data).next_multiple_of(BLOCK as u64)
                        - BLOCK as u64;
                    self.finish()?;
                    continue;
                }
                self.skip(at, &mut skipping);
                before = Before::default();
                continue;
            }
            link_data = 0;
            let is_damaged = match raw.kind() {
                b'x' | b'X' | b'g' | b'L' | b'K' | b'A' => {
                    self.header_before(raw, at, &mut before)?
                }
                _ => match self.entry(raw, at, std::mem::take(&mut before))? {
                    Ok(head) => {
                        self.is_tar = true;
                        self.seen_zeros = false;
                        return Ok(Some(head));
                    }
                    Err(NoEntry::Size) => true,
                    Err(NoEntry::Name(stored)) => {
                        self.data_left = stored.next_multiple_of(BLOCK as u64);
                        self.finish()?;
                        false
                    }
                },
            };
            if is_damaged {
                self.skip(at, &mut skipping);
                before = Before::default();
            } else {
                self.is_tar = true;
                skipping = false;
            }
        }
    }

    /// Reads a header that only says more about others; true if it is damaged.
    fn header_before(&mut self, raw: Raw<'_>, at: u64, before: &mut Before) -> Result<bool> {
        let data = match self.extension(raw)? {
            Extension::NoSize => return Ok(true),
            Extension::TooLong => {
                self.tell(at, "names or attributes of more than 8 MiB are dropped");
                return Ok(false);
            }
            Extension::Data(data) => data,
        };
        match raw.kind() {
            b'g' => {
                for what in self.globals.add(at, &data) {
                    self.tell(at, what);
                }
            }
            b'L' => before.long_name = Some(raw::text(&data).to_vec()),
            b'K' => before.long_link = Some(raw::text(&data).to_vec()),
            b'A' => before.solaris_acl = true,
            _ => {
                let mut extensions = Box::<Extensions>::default();
                extensions.parse(&data);
                before.pax = Some(extensions);
            }
        }
        Ok(false)
    }

    fn entry(&mut self, raw: Raw<'_>, at: u64, before: Before) -> Result<Result<Head, NoEntry>> {
        // So that no sum of sizes and positions overflows.
        let left = i64::MAX as u64 - self.position;
        let places = (self.start, at, left);
        let decoded = decode::head(raw, places, self.globals.at(at), before, &mut self.warnings);
        let (mut head, pax) = match decoded {
            Ok(decoded) => decoded,
            Err(no_entry) => return Ok(Err(no_entry)),
        };
        // Unknown kinds are extracted as files; volumes have another map, or no file.
        let is_file = matches!(head.kind, EntryKind::File | EntryKind::Other(_));
        if is_file && !matches!(raw.kind(), b'D' | b'M' | b'V') {
            let oddity = sparse::read_map(raw, &pax.sparse, &mut head, || self.needed_block())?;
            if let Some(what) = oddity {
                self.warnings.push(Warning::new(&head.path, at, what));
            }
        } else if head.kind == EntryKind::HardLink {
            self.link_data =
                pax.size.or_else(|| raw.size()).filter(|size| *size <= left).unwrap_or(0);
        }
        self.data_left = head.stored;
        self.padding = head.stored.next_multiple_of(BLOCK as u64) - head.stored;
        head.header_len = self.position - self.start;
        Ok(Ok(head))
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

    /// Lets `pass` pass over what is left of the entry without reading it: it returns how many of so many
    /// bytes it did.
    pub(crate) fn pass(&mut self, pass: impl FnOnce(&mut R, u64) -> Result<u64>) -> Result<()> {
        let left = self.data_left + self.padding;
        let passed = pass(&mut self.input, left)?;
        self.position += passed;
        self.padding = self.padding.min(left - passed);
        self.data_left = left - passed - self.padding;
        Ok(())
    }

    /// Skips what is left of the entry.
    pub(crate) fn finish(&mut self) -> Result<Tail> {
        let padding = std::mem::take(&mut self.padding);
        self.data_left += padding;
        while self.data_left > 0 {
            let is_whole = self.data_left <= padding;
            let n = match self.data().map(<[u8]>::len) {
                Err(Error::NotTar { .. }) if is_whole => {
                    let what = "the tar ends in the middle of a block";
                    self.damaged.get_or_insert((self.position, what));
                    self.data_left = 0;
                    self.tell(self.position, what);
                    break;
                }
                n => n?,
            };
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

    /// The next block of 512 bytes; `None` if the input ends before it, or within it if it may.
    fn block(&mut self, may_be_torn: bool) -> Result<Option<Box<[u8; BLOCK]>>> {
        let mut block = Box::new([0; BLOCK]);
        let mut filled = 0;
        while filled < BLOCK {
            let ready = self.input.fill_buf()?;
            let n = ready.len().min(BLOCK - filled);
            if n == 0 {
                let is_torn = filled > 0 && !may_be_torn;
                return if is_torn { Err(self.torn()) } else { Ok(None) };
            }
            block[filled..filled + n].copy_from_slice(&ready[..n]);
            self.take(n)?;
            filled += n;
        }
        Ok(Some(block))
    }

    fn needed_block(&mut self) -> Result<Box<[u8; BLOCK]>> {
        self.block(false)?.ok_or_else(|| self.torn())
    }

    fn torn(&self) -> Error {
        Error::tar(self.position, "it ends in the middle of an entry")
    }

    /// What it means that no block follows. Some writers leave the zeros at the end out.
    fn at_end_of_input(&mut self, before: &Before) -> Result<Option<Head>> {
        if !before.is_empty() {
            Err(self.torn())
        } else if !self.is_tar && self.position > 0 && !self.ignore_zeros {
            Err(Self::no_tar())
        } else {
            Ok(None)
        }
    }

    /// Zeros end the archive while a header is looked for.
    fn tell_of_end(&mut self, at: u64) -> Result<()> {
        if !self.is_tar {
            return Err(Self::no_tar());
        }
        self.tell(at, format!("zeros end the tar at byte {at}, before another header is found"));
        Ok(())
    }

    /// Says so where one block of zeros ends the archive and something else follows, as GNU tar does.
    fn tell_of_lone_zeros(&mut self, at: u64) -> Result<()> {
        let ready = self.input.fill_buf()?;
        let next = &ready[..ready.len().min(BLOCK)];
        if next.iter().any(|byte| *byte != 0) {
            let what = format!(
                "a lone block of zeros at byte {at} ends the tar; --ignore-zeros reads on behind it"
            );
            self.warnings.push(Warning::notice(b"", at, what));
        }
        Ok(())
    }

    fn no_tar() -> Error {
        Error::tar(0, "there is no tar header: it is something else than a tar")
    }

    /// Goes on behind a damaged header, with one warning for many in a row.
    fn skip(&mut self, at: u64, skipping: &mut bool) {
        self.damaged.get_or_insert((at, "there is no tar header, or it is damaged"));
        if !std::mem::replace(skipping, true) && self.is_tar || at == 0 {
            let what = format!(
                "there is no tar header at byte {at} of the tar, or it is damaged; skipping to the next one"
            );
            self.tell(at, what);
        }
    }

    /// Warns of something that is of no entry.
    fn tell(&mut self, at: u64, what: impl Into<std::borrow::Cow<'static, str>>) {
        self.warnings.push(Warning::new(b"", at, what));
    }

    /// The contents of a header that only says more about the next one.
    fn extension(&mut self, raw: Raw<'_>) -> Result<Extension> {
        let left = i64::MAX as u64 - self.position;
        let Some(len) = raw.size().filter(|len| *len <= left) else {
            return Ok(Extension::NoSize);
        };
        let padded = len.next_multiple_of(BLOCK as u64);
        if len > MAX_EXTENSION {
            self.data_left = padded;
            self.finish()?;
            return Ok(Extension::TooLong);
        }
        let mut data = Vec::new();
        // As long as what is there, whatever the header says.
        self.input.by_ref().take(padded).read_to_end(&mut data)?;
        self.crc.update(&data);
        self.position += data.len() as u64;
        if (data.len() as u64) < padded {
            return Err(self.torn());
        }
        data.truncate(len as usize);
        Ok(Extension::Data(data))
    }
}
