//! The jobs of a relay: they read packets from the source and recompress them.

use std::io::{Read, Write};

use parking_lot::{Condvar, Mutex};

use crate::error::{Error, ErrorKind};
use crate::multifd::decode::Decoder;
use crate::multifd::encode::Encoder;
use crate::multifd::packet::{DeviceState, Kind, Packet};
use crate::multifd::receiver::Receiver;
use crate::multifd::sender::Sender;

/// The source side of a channel, which jobs read one at a time, in the order of their numbers.
pub(super) struct Source<'r, R> {
    channel: u8,
    input: Mutex<Input<'r, R>>,
    /// Signalled when `next` or `ended` changes.
    advanced: Condvar,
}

struct Input<'r, R> {
    receiver: &'r mut Receiver<R>,
    /// The job that may read.
    next: u64,
    /// Whether jobs must stop reading.
    ended: bool,
}

impl<'r, R: Read> Source<'r, R> {
    pub(super) const fn new(receiver: &'r mut Receiver<R>) -> Self {
        let (channel, next) = (receiver.hello().channel, receiver.packets());
        let input = Input { receiver, next, ended: false };
        Self { channel, input: Mutex::new(input), advanced: Condvar::new() }
    }

    /// Calls `pass` with the device state that was read, then lets the next job read.
    pub(super) fn pass_device_state(
        &self,
        pass: impl FnOnce(&DeviceState) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut input = self.input.lock();
        pass(input.receiver.device_state())?;
        input.next += 1;
        self.advanced.notify_all();
        Ok(())
    }

    /// Waits for the job's turn and reads a packet; returns `None` at the end of the stream.
    fn read(&self, job: u64, packet: &mut Packet) -> Result<Option<Kind>, ErrorKind> {
        let mut input = self.input.lock();
        self.advanced.wait_while(&mut input, |input| input.next != job && !input.ended);
        if input.ended {
            return Ok(None);
        }
        // Cleared below if there is a packet; stays set at the end of the stream and after an error
        // or a panic.
        input.ended = true;
        let kind = input.receiver.read(packet);
        if let Ok(Some(kind)) = kind {
            input.ended = false;
            // A device's state stays in the receiver until it has been passed on, so that only one
            // is in memory.
            if kind != Kind::DeviceState {
                input.next += 1;
            }
        }
        self.advanced.notify_all();
        kind
    }

    fn error(&self, kind: ErrorKind, packet: u64) -> Error {
        Error::Source(Box::new(kind.at(Some(self.channel), Some(packet))))
    }
}

impl<R> Source<'_, R> {
    /// Stops the jobs from reading. Waits for one that is reading.
    pub(super) fn end(&self) {
        self.input.lock().ended = true;
        self.advanced.notify_all();
    }
}

/// Receives a packet and encodes its payload for the destination. Reused for further packets.
pub(super) struct Job {
    /// The packet's number in its channel.
    pub(super) number: u64,
    pub(super) packet: Packet,
    received: Result<Option<Kind>, Error>,
    /// `None` if the receiver decodes.
    decoder: Option<Decoder>,
    /// `None` if the sender encodes.
    encoder: Option<Encoder>,
    is_encoded: bool,
}

impl Job {
    pub(super) fn new<R: Read, W: Write>(
        receiver: &Receiver<R>,
        sender: &Sender<W>,
    ) -> Result<Self, Error> {
        let packet = receiver.new_packet();
        let decoder = receiver.worker_decoder().map_err(|error| Error::Source(Box::new(error)))?;
        let encoder = sender
            .worker_encoder(packet.page_size)
            .map_err(|error| Error::Destination(Box::new(error)))?;
        Ok(Self { number: 0, packet, received: Ok(None), decoder, encoder, is_encoded: false })
    }

    pub(super) fn run<R: Read>(&mut self, source: &Source<'_, R>) {
        self.received = self.receive(source).map_err(|kind| source.error(kind, self.number));
        self.is_encoded = false;
        if let (Ok(Some(Kind::Pages)), Some(encoder)) = (&self.received, &mut self.encoder) {
            // If this fails, the sender tries again and returns the error when it is its turn.
            self.is_encoded = encoder.encode(&self.packet.pages, self.packet.page_size).is_ok();
        }
    }

    /// Returns what was received; `None` at the end of the stream.
    pub(super) fn take_received(&mut self) -> Result<Option<Kind>, Error> {
        std::mem::replace(&mut self.received, Ok(None))
    }

    /// Returns the encoder that has the payload for the destination; `None` if the sender encodes.
    pub(super) fn encoded(&self) -> Option<&Encoder> {
        self.encoder.as_ref().filter(|_| self.is_encoded)
    }

    fn receive<R: Read>(&mut self, source: &Source<'_, R>) -> Result<Option<Kind>, ErrorKind> {
        let kind = source.read(self.number, &mut self.packet)?;
        if let (Some(Kind::Pages), Some(decoder)) = (kind, &mut self.decoder) {
            decoder.decode(&mut self.packet)?;
        }
        Ok(kind)
    }
}
