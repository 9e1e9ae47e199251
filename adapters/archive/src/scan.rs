//! The tar parser, shared by listing, extracting, verifying and recovering.
//!
//! Damage is contained: an unreadable attribute is dropped, a damaged header is skipped up to the
//! next valid one, and each of these is a [`Warning`]. The only errors are a tar that ends too
//! early, and a file without any tar header.

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

/// Maximum size of an extension header (long names, extended attributes, etc.).
const MAX_EXTENSION: u64 = 8 << 20;

/// Reads headers and contents, one entry after another.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // Independent states.
pub(crate) struct Walker<R> {
    input: R,
    position: u64,
    start: u64,
    crc: Checksum,
    /// Unread bytes of the entry's contents, and of the padding after them.
    data_left: u64,
    padding: u64,
    /// Size of the contents that a hard link may have. POSIX allows contents, but also a size
    /// without contents.
    link_data: u64,
    globals: Globals,
    /// Whether a valid header was found, so that the input is a tar.
    is_tar: bool,
    /// Offset and description of the first damage.
    damaged: Option<(u64, &'static str)>,
    ended: bool,
    /// Whether the last block was zeros.
    seen_zeros: bool,
    ignore_zeros: bool,
    warnings: Warnings,
}

/// The contents of an extension header, which describes the next entry.
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

    /// Restarts at the entry that begins at this byte of the tar. The input must already be there.
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

    /// Returns the number of bytes of the tar that have been read.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Returns whether a block of zeros has ended the archive.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Returns whether the last block was zeros, even if it was [ignored](Self::ignore_zeros).
    pub(crate) fn has_seen_zeros(&self) -> bool {
        self.seen_zeros
    }

    /// Sets whether to continue after the zeros that end an archive, where another may follow.
    pub(crate) fn ignore_zeros(&mut self, ignore: bool) {
        self.ignore_zeros = ignore;
    }

    /// Returns the warnings about what was dropped or skipped since the last call.
    pub(crate) fn take_warnings(&mut self) -> Vec<Warning> {
        self.warnings.take()
    }

    /// Returns an error if something was skipped or is missing, for callers that need an intact
    /// tar.
    pub(crate) fn damage(&self) -> Option<Error> {
        self.damaged.map(|(at, what)| Error::tar(at, what))
    }

    pub(crate) fn warn(&mut self, warning: Warning) {
        self.warnings.push(warning);
    }

    /// Returns the next entry, after the last one has been [finished](Self::finish); `None` at the
    /// end. Damaged headers and ignored zeros count as part of the entry after them.
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
                    self.warn_at(at, "the archive ends after extension headers without an entry");
                    before = Before::default();
                }
                self.seen_zeros = true;
                if self.ignore_zeros {
                    continue;
                }
                if skipping {
                    // As in GNU tar and libarchive, data after the end is not part of the archive.
                    self.warn_of_end(at)?;
                }
                self.ended = true;
                self.notice_lone_zeros(at);
                return Ok(None);
            }
            if !raw.is_valid() {
                if link_data > 0 {
                    // The block just read is the first one of the contents.
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

    /// Reads an extension header, which describes other entries. Returns whether it is damaged.
    fn header_before(&mut self, raw: Raw<'_>, at: u64, before: &mut Before) -> Result<bool> {
        let data = match self.extension(raw)? {
            Extension::NoSize => return Ok(true),
            Extension::TooLong => {
                self.warn_at(at, "extension header of more than 8 MiB dropped");
                return Ok(false);
            }
            Extension::Data(data) => data,
        };
        match raw.kind() {
            b'g' => {
                for what in self.globals.add(at, &data) {
                    self.warn_at(at, what);
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
        // Prevents overflow in sums of sizes and positions.
        let left = i64::MAX as u64 - self.position;
        let bounds = (self.start, at, left);
        let decoded = decode::head(raw, bounds, self.globals.at(at), before, &mut self.warnings);
        let (mut head, pax) = match decoded {
            Ok(decoded) => decoded,
            Err(no_entry) => return Ok(Err(no_entry)),
        };
        // Unknown types are extracted as files. Multi-volume headers have a different map or are
        // not files.
        let is_file = matches!(head.kind, EntryKind::File | EntryKind::Other(_));
        if is_file && !matches!(raw.kind(), b'D' | b'M' | b'V') {
            let oddity = sparse::read_map(raw, &pax.sparse, &mut head, || self.required_block())?;
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

    /// Returns buffered contents; empty when none are left.
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

    /// Consumes `n` bytes of what [`data`](Self::data) returned.
    pub(crate) fn consume(&mut self, n: usize) -> Result<()> {
        self.take(n)?;
        self.data_left -= n as u64;
        Ok(())
    }

    /// Lets `pass` skip the rest of the entry without reading it. `pass` is called with the number
    /// of bytes left and returns how many it skipped.
    pub(crate) fn pass(&mut self, pass: impl FnOnce(&mut R, u64) -> Result<u64>) -> Result<()> {
        let left = self.data_left + self.padding;
        let passed = pass(&mut self.input, left)?;
        self.position += passed;
        self.padding = self.padding.min(left - passed);
        self.data_left = left - passed - self.padding;
        Ok(())
    }

    /// Skips the rest of the entry.
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
                    self.warn_at(self.position, what);
                    break;
                }
                n => n?,
            };
            self.consume(n)?;
        }
        Ok(Tail { tar_len: self.position - self.start, checksum: self.crc.sum() })
    }

    /// Consumes bytes that `fill_buf` has just returned.
    fn take(&mut self, n: usize) -> Result<()> {
        let ready = self.input.fill_buf()?;
        self.crc.update(&ready[..n]);
        self.input.consume(n);
        self.position += n as u64;
        Ok(())
    }

    /// Reads the next block of 512 bytes. Returns `None` if the input ends before it, or within it
    /// if it `may_be_torn`.
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

    fn required_block(&mut self) -> Result<Box<[u8; BLOCK]>> {
        self.block(false)?.ok_or_else(|| self.torn())
    }

    fn torn(&self) -> Error {
        Error::tar(self.position, "it ends in the middle of an entry")
    }

    /// Handles the end of the input. Some writers omit the zeros at the end.
    fn at_end_of_input(&mut self, before: &Before) -> Result<Option<Head>> {
        if !before.is_empty() {
            Err(self.torn())
        } else if !self.is_tar && self.position > 0 && !self.ignore_zeros {
            Err(Self::not_tar())
        } else {
            Ok(None)
        }
    }

    /// Warns that zeros ended the archive during the search for the next valid header. Returns an
    /// error if no valid header has been found at all.
    fn warn_of_end(&mut self, at: u64) -> Result<()> {
        if !self.is_tar {
            return Err(Self::not_tar());
        }
        let what = format!("zeros end the tar at byte {at}, before another header was found");
        self.warn_at(at, what);
        Ok(())
    }

    /// Adds a notice if a single block of zeros ends the archive and more follows, as GNU tar does.
    fn notice_lone_zeros(&mut self, at: u64) {
        // An error after the end matters only if reading goes on, and then occurs again.
        let Ok(ready) = self.input.fill_buf() else { return };
        let next = &ready[..ready.len().min(BLOCK)];
        if next.iter().any(|byte| *byte != 0) {
            let what = format!(
                "a lone block of zeros at byte {at} ends the tar (use --ignore-zeros to read on)"
            );
            self.warnings.push(Warning::notice(b"", at, what));
        }
    }

    fn not_tar() -> Error {
        Error::tar(0, "not a tar (no header found)")
    }

    /// Skips a damaged header, with one warning for consecutive ones.
    fn skip(&mut self, at: u64, skipping: &mut bool) {
        self.damaged.get_or_insert((at, "missing or damaged header"));
        if !std::mem::replace(skipping, true) && self.is_tar || at == 0 {
            let what = format!(
                "missing or damaged header at byte {at} of the tar; skipping to the next one"
            );
            self.warn_at(at, what);
        }
    }

    /// Adds a warning that belongs to no entry.
    fn warn_at(&mut self, at: u64, what: impl Into<std::borrow::Cow<'static, str>>) {
        self.warnings.push(Warning::new(b"", at, what));
    }

    /// Reads the contents of an extension header.
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
        // Limited by the input, so a wrong size can't make it allocate more.
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
