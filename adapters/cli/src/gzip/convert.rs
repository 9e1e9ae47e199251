//! Compresses, decompresses and measures files with one engine.

use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use uadk_compress::Compressor;
use uadk_compress::stats::{OpStats, Stats};
use uadk_compress_archive::{Error as ArchiveError, GzOptions};

use super::bgzf;
use super::gzi::{Gzi, Indexing};
use super::header::{Header, TRAILER_LEN};
use super::input::Input;
use super::job::Job;
use super::list::Checksum;
use super::messages::{Messages, about};
use super::ratio::Ratio;
use super::settings::Settings;
use super::work::{self, End, Failure, Sink, Trailing};
use crate::stats_line;

/// Bytes of a member besides its deflate stream: a minimal header, and the trailer.
const MIN_OVERHEAD: u64 = 10 + TRAILER_LEN;

/// Compresses and decompresses files.
#[derive(Debug)]
pub(super) struct Converter<'s> {
    settings: &'s Settings,
    messages: &'s Messages,
    engine: Option<Arc<Compressor>>,
    /// The amount that was decompressed without the engine.
    inflated: OpStats,
}

/// The result of compressing or decompressing a file.
#[derive(Debug)]
pub(super) struct Converted {
    pub(super) ratio: Ratio,
    pub(super) index: Option<Gzi>,
}

impl<'s> Converter<'s> {
    pub(super) fn new(settings: &'s Settings, messages: &'s Messages) -> Self {
        Self { settings, messages, engine: None, inflated: OpStats::default() }
    }

    /// Returns the statistics of the engines, if any was needed.
    pub(super) fn stats(&self) -> Option<Stats> {
        let mut stats = self.engine.as_ref().map(|engine| engine.stats())?;
        let all = &mut stats.software.decompress;
        all.blocks += self.inflated.blocks;
        all.bytes_in += self.inflated.bytes_in;
        all.bytes_out += self.inflated.bytes_out;
        all.time += self.inflated.time;
        Some(stats)
    }

    /// Runs the job.
    pub(super) fn convert(
        &mut self,
        input: Input,
        job: &Job,
        writer: &mut dyn Write,
    ) -> Result<Converted, Failure> {
        match job {
            Job::Compress => self.compress(input, writer),
            Job::Decompress(header) => self.decompress(input, header, writer),
            Job::Copy => copy(input, writer),
        }
    }

    fn compress(&mut self, mut input: Input, writer: &mut dyn Write) -> Result<Converted, Failure> {
        let mut options = self.options()?;
        if self.settings.names {
            let name = input.name.file_name().filter(|_| input.metadata.is_file());
            options = options.file_name(name.map(|name| name.as_encoded_bytes().to_vec()));
        }
        if self.settings.times && input.metadata.is_file() {
            // The header can't hold other times.
            options = options.mtime(u32::try_from(input.metadata.mtime()).unwrap_or(0));
        }
        let (end, count, index) = if self.settings.index {
            let mut sink = Sink::new(Indexing::new(writer));
            let end = work::compress(&options, &mut input, &mut sink);
            let count = sink.count;
            (end, count, Some(sink.into_inner().gzi))
        } else {
            let mut sink = Sink::new(writer);
            let end = work::compress(&options, &mut input, &mut sink);
            (end, sink.count, None)
        };
        let (compressed, uncompressed) = (count, input.position);
        if let End::Failed(failure) = end {
            return Err(failure);
        }
        let ratio = Ratio { compressed, overhead: MIN_OVERHEAD, uncompressed };
        Ok(Converted { ratio, index })
    }

    fn decompress(
        &mut self,
        input: Input,
        header: &Header,
        writer: &mut dyn Write,
    ) -> Result<Converted, Failure> {
        let options = self.options()?;
        let mut sink = Sink::new(writer);
        let (end, input) = self.inflate(&options, input, &mut sink);
        let compressed = input.as_ref().map_or(0, |input| input.position);
        match (end, input) {
            (End::Failed(failure), _) => return Err(failure),
            (End::Zeros(zeros), Some(input)) => {
                if self.passes_through() {
                    work::pass_through(io::repeat(0).take(zeros), &mut sink)?;
                } else {
                    self.warn_trailing(&input.name, Trailing::Zeros);
                }
            }
            (End::Trailing(offset), Some(input)) => {
                self.trailing(input, offset, &mut sink)?;
            }
            _ => {}
        }
        let overhead = header.len + TRAILER_LEN;
        let ratio = Ratio { compressed, overhead, uncompressed: sink.count };
        Ok(Converted { ratio, index: None })
    }

    /// Decompresses all of the input, and counts the data inflated without an engine.
    fn inflate<W: Write>(
        &mut self,
        options: &GzOptions,
        input: Input,
        sink: &mut Sink<W>,
    ) -> (End, Option<Input>) {
        let (end, rest) = work::decompress(options, input, sink, self.passes_through());
        let input = rest.map(|(input, inflated)| {
            self.inflated.blocks += inflated.pieces;
            self.inflated.bytes_in += inflated.compressed;
            self.inflated.bytes_out += inflated.bytes;
            self.inflated.time += inflated.time;
            input
        });
        (end, input)
    }

    /// Copies the data after the gzip data if other data passes through; warns about it otherwise.
    fn trailing<W: Write>(
        &self,
        input: Input,
        offset: u64,
        sink: &mut Sink<W>,
    ) -> Result<(), Failure> {
        let name = input.name.clone();
        let rest = input.rest(offset);
        if self.passes_through() {
            let lost = || Failure::Read(io::Error::other("can't reread the trailing data"));
            return work::pass_through(rest.ok_or_else(lost)?, sink);
        }
        self.warn_trailing(&name, work::classify_trailing(rest).map_err(Failure::Read)?);
        Ok(())
    }

    /// Returns whether data that is not gzip is copied unchanged.
    const fn passes_through(&self) -> bool {
        let Settings { force, stdout, list, test, .. } = *self.settings;
        force > 0 && stdout && !list && !test
    }

    fn warn_trailing(&self, name: &Path, trailing: Trailing) {
        let ok = ": decompression OK, trailing";
        match trailing {
            Trailing::Zeros if self.settings.verbose > 0 => {
                self.messages
                    .warn_on_new_line(about(name, format_args!("{ok} zero bytes ignored")));
            }
            Trailing::Zeros => {}
            Trailing::Garbage => {
                self.messages.warn_on_new_line(about(name, format_args!("{ok} garbage ignored")));
            }
        }
    }

    /// Returns the sizes of a file by decompressing it; `None` if garbage follows it.
    pub(super) fn measure(
        &mut self,
        input: Input,
        header: &Header,
    ) -> Result<Option<(Ratio, u32)>, Failure> {
        let options = self.options()?;
        let mut sink = Sink::new(Checksum::default());
        let (end, input) = self.inflate(&options, input, &mut sink);
        let (compressed, overhead) =
            (input.as_ref().map_or(0, |input| input.position), header.len + TRAILER_LEN);
        let ratio = Ratio { compressed, overhead, uncompressed: sink.count };
        match (end, input) {
            (End::Failed(failure), _) => return Err(failure),
            (End::Zeros(_), Some(input)) => self.warn_trailing(&input.name, Trailing::Zeros),
            (End::Trailing(offset), Some(input)) => {
                let name = input.name.clone();
                let rest = input.rest(offset);
                let trailing = work::classify_trailing(rest).map_err(Failure::Read)?;
                self.warn_trailing(&name, trailing);
                if trailing == Trailing::Garbage {
                    return Ok(None);
                }
            }
            _ => {}
        }
        Ok(Some((ratio, sink.into_inner().sum())))
    }

    /// Returns the options for reading and writing gzip, with one engine for all files.
    pub(super) fn options(&mut self) -> Result<GzOptions, Failure> {
        let engine = if let Some(engine) = &self.engine {
            Arc::clone(engine)
        } else {
            let compressor = stats_line::compressor(
                self.settings.level,
                (!self.settings.decompress).then(|| bgzf::layout_of(self.settings.bgzf)),
            );
            compressor.map_err(|error| Failure::Data(ArchiveError::Compressor(error)))?
        };
        self.engine = Some(Arc::clone(&engine));
        // Like gzip, this does not expect the end marker of block gzip.
        let mut options =
            GzOptions::new().level(self.settings.level).compressor(engine).end_marker(false);
        if let Some(threads) = self.settings.threads {
            options = options.threads(threads);
        }
        Ok(bgzf::layout(options, self.settings.bgzf))
    }
}

fn copy(mut input: Input, writer: &mut dyn Write) -> Result<Converted, Failure> {
    let mut sink = Sink::new(writer);
    work::pass_through(&mut input, &mut sink)?;
    let ratio = Ratio { compressed: input.position, overhead: 0, uncompressed: sink.count };
    Ok(Converted { ratio, index: None })
}
