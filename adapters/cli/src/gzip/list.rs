//! `-l`: sizes of compressed files.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::SystemTime;

use block_deflate::checksum::crc32_of_both;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use libdeflater::Crc;

use super::bgzf::Blocks;
use super::header::{Header, TRAILER_LEN};
use super::input::Input;
use super::ratio::Ratio;
use super::settings::Settings;
use crate::descriptors;

/// The line of a file.
#[derive(Debug)]
pub(super) struct Row<'r> {
    pub(super) ratio: Ratio,
    /// The CRC-32 of all its data.
    pub(super) crc: u32,
    pub(super) time: Option<SystemTime>,
    pub(super) name: &'r Path,
}

/// The part of the table that has been printed.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: u64,
    totals: Ratio,
}

impl Table {
    /// Prints a line, and before the first one the column headings.
    pub(super) fn print(&mut self, settings: &Settings, row: &Row<'_>) -> io::Result<()> {
        let mut text = String::new();
        if self.rows == 0 {
            if settings.verbose > 0 {
                text.push_str("method  crc     date  time  ");
            }
            if !settings.quiet {
                let (compressed, uncompressed) = ("compressed", "uncompressed");
                writeln!(text, "{compressed:>19} {uncompressed:>19}  ratio uncompressed_name")
                    .unwrap_or_default();
            }
        }
        let Row { ratio, crc, time, name } = row;
        if settings.verbose > 0 {
            write!(text, "defla {crc:08x} {} ", date(*time)).unwrap_or_default();
        }
        write!(text, "{:>19} {:>19} {ratio} ", ratio.compressed, ratio.uncompressed)
            .unwrap_or_default();
        let mut line = text.into_bytes();
        line.extend(name.as_os_str().as_bytes());
        line.push(b'\n');
        self.rows += 1;
        self.totals.compressed += ratio.compressed;
        self.totals.uncompressed += ratio.uncompressed;
        self.totals.overhead = ratio.overhead;
        descriptors::stdout()?;
        io::stdout().write_all(&line)
    }

    /// Prints the totals if there are several files.
    pub(super) fn finish(&self, settings: &Settings) -> io::Result<()> {
        let totals = self.totals;
        let any = totals.compressed > 0 && totals.uncompressed > 0;
        let mut stdout = io::stdout();
        if any && !settings.quiet && settings.files.len() > 1 {
            let indent = if settings.verbose > 0 { 28 } else { 0 };
            writeln!(
                stdout,
                "{:indent$}{:>19} {:>19} {totals} (totals)",
                "", totals.compressed, totals.uncompressed
            )?;
        }
        stdout.flush()
    }
}

/// Formats a time such as `Nov 26 07:01`, in the local time zone.
fn date(time: Option<SystemTime>) -> String {
    let time = time.and_then(|time| Timestamp::try_from(time).ok());
    let Some(time) = time else { return "??? ?? ??:??".to_owned() };
    time.to_zoned(TimeZone::system()).strftime("%b %e %H:%M").to_string()
}

/// Returns the sizes of a block gzip file, from the headers and trailers of its blocks. `None` if
/// the file is not block gzip from beginning to end.
pub(super) fn measure_blocks(input: &Input, header: &Header) -> io::Result<Option<(Ratio, u32)>> {
    let Some((file, start)) = input.regular() else { return Ok(None) };
    if header.member_len.is_none() {
        return Ok(None);
    }
    let mut blocks = Blocks::new(file, start)?;
    let mut crc = 0;
    let mut uncompressed = 0;
    while let Some(block) = blocks.next()? {
        crc = crc32_of_both(crc, block.crc, block.data_len);
        uncompressed += block.data_len;
    }
    if !blocks.is_at_end() {
        return Ok(None);
    }
    let (compressed, overhead) = (blocks.offset - start, header.len + TRAILER_LEN);
    Ok(Some((Ratio { compressed, overhead, uncompressed }, crc)))
}

/// A writer that only computes the checksum.
#[derive(Default)]
pub(super) struct Checksum(Crc);

impl Checksum {
    pub(super) fn sum(self) -> u32 {
        self.0.sum()
    }
}

impl Write for Checksum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
