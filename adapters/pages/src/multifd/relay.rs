//! Receives one channel and sends it on with another method.
//!
//! The pool's jobs read their packets themselves, one at a time and in the pool's order, then
//! decompress and compress them in parallel. The channel's own thread takes the jobs in that order
//! and writes the packets. So no packet waits for one that has not been read: it is written as
//! soon as those before it are, whether or not the source sends more.

mod job;

use std::io::{Read, Write};
use std::thread;

use uadk_compress::pool::Pool;

use self::job::{Job, Source};
use super::encode::Encoder;
use super::packet::{Event, Kind};
use super::receiver::Receiver;
use super::sender::Sender;
use crate::error::{Error, ErrorKind};

/// Packets in flight in a pipelined channel: one is read, two are at the engine, one is written.
const PACKETS: usize = 4;

/// Relays a channel until it ends: the same packets under the same numbers, recompressed one after
/// another on the caller's thread.
///
/// Calls `on_sent` after each packet has been sent, with the length of its payload as sent.
///
/// # Errors
///
/// [`Error::Source`] or [`Error::Destination`], by the side that failed, or [`Error::Multifd`] if a
/// codec panicked. Close both connections then, and those of the migration's other channels: the
/// destination may not notice that anything is missing.
pub fn relay<R: Read + Send, W: Write>(
    receiver: &mut Receiver<R>,
    sender: &mut Sender<W>,
    on_sent: impl FnMut(Event<'_>, u64),
) -> Result<(), Error> {
    run(1, receiver, sender, || (), on_sent)
}

/// Like [`relay`], with up to four packets in flight, so that an accelerator has a batch while
/// another packet is read or written.
///
/// Writes the same bytes as [`relay`], and each packet as soon as those before it are written,
/// however long the source takes to send the next one. The caller's thread writes; up to three
/// others read and compress, as many as the system can start. Each packet takes about 1.5 MiB of
/// memory, and device states are passed on one at a time. Where packets depend on those before them
/// (those that are received in zlib or zstd, and those that are sent by
/// [`ZlibMode::Stream`](super::ZlibMode::Stream) or [`ZstdMode::Stream`](super::ZstdMode::Stream)),
/// one is decoded while the one before it is encoded.
///
/// If the relay fails, one of these threads may be waiting for the source. `interrupt` is called
/// then. It must make this read and all later ones return, for example by shutting the connection
/// down.
///
/// # Errors
///
/// As for [`relay`].
pub fn relay_pipelined<R: Read + Send, W: Write>(
    receiver: &mut Receiver<R>,
    sender: &mut Sender<W>,
    interrupt: impl FnMut(),
    on_sent: impl FnMut(Event<'_>, u64),
) -> Result<(), Error> {
    run(PACKETS, receiver, sender, interrupt, on_sent)
}

fn run<R: Read + Send, W: Write>(
    packets: usize,
    receiver: &mut Receiver<R>,
    sender: &mut Sender<W>,
    interrupt: impl FnMut(),
    mut on_sent: impl FnMut(Event<'_>, u64),
) -> Result<(), Error> {
    let channel = Some(receiver.hello().channel);
    let mut taken = receiver.packets();
    let mut submitted = taken;
    // Boxed, since jobs move between threads and queues.
    let jobs = (0..packets).map(|_| Job::new(receiver, sender).map(Box::new));
    let mut idle = jobs.collect::<Result<Vec<_>, _>>()?;
    let source = Source::new(receiver);
    thread::scope(|scope| {
        let work = |(): &mut (), job: &mut Box<Job>| job.run(&source);
        // One packet is with the caller's thread, which writes it.
        let mut pool = Pool::scoped(scope, "multifd-relay", packets - 1, || (), work);
        // Dropped before the pool, which waits for the job that is reading.
        let mut stop = Stop { source: &source, interrupt, ended: false };
        loop {
            while let Some(mut job) = idle.pop() {
                job.number = submitted;
                if let Err(refused) = pool.submit(job) {
                    idle.push(refused);
                    break;
                }
                submitted += 1;
            }
            let Some(done) = pool.take() else { return Ok(()) };
            let mut job =
                done.map_err(|panicked| ErrorKind::from(panicked).at(channel, Some(taken)))?;
            taken += 1;
            match job.take_received()? {
                None => {
                    stop.ended = true;
                    return Ok(());
                }
                Some(Kind::Pages) => {
                    send(sender, Event::Pages(&job.packet), job.encoded(), &mut on_sent)?;
                }
                Some(Kind::Sync) => {
                    let number = job.packet.number();
                    send(sender, Event::Sync { number }, None, &mut on_sent)?;
                }
                Some(Kind::DeviceState) => source.pass_device_state(|state| {
                    send(sender, Event::DeviceState(state), None, &mut on_sent)
                })?,
            }
            idle.push(job);
        }
    })
}

/// Sends what a job received, with the payload that it encoded, if any.
fn send<W: Write>(
    sender: &mut Sender<W>,
    event: Event<'_>,
    encoded: Option<&Encoder>,
    on_sent: &mut impl FnMut(Event<'_>, u64),
) -> Result<(), Error> {
    let before = sender.payload_bytes();
    let sent = match event {
        Event::Pages(packet) => sender.relay_encoded(packet, encoded),
        Event::Sync { number } => sender.relay_sync(number),
        Event::DeviceState(state) => sender.relay_device_state(state),
    };
    sent.map_err(|error| Error::Destination(Box::new(error)))?;
    on_sent(event, sender.payload_bytes() - before);
    Ok(())
}

/// Stops the jobs from reading, even if an error or a panic in the caller's code ends the relay.
struct Stop<'s, 'r, R, F: FnMut()> {
    source: &'s Source<'r, R>,
    interrupt: F,
    /// Whether the source ended by itself, so that no job is reading.
    ended: bool,
}

impl<R, F: FnMut()> Drop for Stop<'_, '_, R, F> {
    fn drop(&mut self) {
        if !self.ended {
            (self.interrupt)();
            self.source.end();
        }
    }
}
