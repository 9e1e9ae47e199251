//! xz streams.

use liblzma::stream::{Action, Error, Status, Stream, TELL_UNSUPPORTED_CHECK};

use super::codec::{Codec, Fault, Step, mebibytes};
use super::format;

struct Xz {
    stream: Option<Stream>,
    memory: u64,
}

/// Creates an xz decompressor that uses at most `memory` bytes.
pub(super) fn codec(memory: u64) -> Box<dyn Codec> {
    Box::new(Xz { stream: None, memory })
}

impl std::fmt::Debug for Xz {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Xz").field("memory", &self.memory).finish_non_exhaustive()
    }
}

impl Codec for Xz {
    fn format(&self) -> &'static str {
        "xz"
    }

    fn frame(&self) -> &'static str {
        "xz stream"
    }

    fn magic_len(&self) -> usize {
        format::XZ.len()
    }

    fn is_frame(&self, start: &[u8]) -> bool {
        start.starts_with(format::XZ)
    }

    fn is_cut_frame(&self, rest: &[u8]) -> bool {
        !rest.is_empty() && format::XZ.starts_with(rest)
    }

    fn padding(&self) -> u64 {
        4
    }

    fn begin(&mut self, _: &[u8]) -> Result<(), Fault> {
        let stream = Stream::new_stream_decoder(self.memory, TELL_UNSUPPORTED_CHECK);
        self.stream = Some(stream.map_err(|error| self.fault(error))?);
        Ok(())
    }

    fn run(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Fault> {
        let Some(stream) = &mut self.stream else {
            return Err(Fault::Damaged("no stream was started".into()));
        };
        let before = (stream.total_in(), stream.total_out());
        let status = stream.process(input, output, Action::Run);
        let read = (stream.total_in() - before.0) as usize;
        let written = (stream.total_out() - before.1) as usize;
        match status {
            Ok(status) => Ok(Step { read, written, ended: status == Status::StreamEnd }),
            Err(error) => Err(self.fault(error)),
        }
    }
}

impl Xz {
    fn fault(&self, error: Error) -> Fault {
        match error {
            Error::MemLimit => Fault::Unsupported(format!(
                "it needs more memory than the limit of {} (raise it with --memory-limit)",
                mebibytes(self.memory)
            )),
            Error::UnsupportedCheck => Fault::Unsupported("unknown checksum type".to_owned()),
            Error::Options => Fault::Unsupported("unknown filters or options".to_owned()),
            Error::Mem => Fault::Unsupported("out of memory".to_owned()),
            Error::Data => Fault::Damaged("invalid data or wrong checksum".into()),
            Error::Format => Fault::Damaged("invalid stream header".into()),
            error => Fault::Damaged(error.to_string().into()),
        }
    }
}
