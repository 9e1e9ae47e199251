//! One channel, received and sent on in another method.

use std::io::{Read, Write};

use super::packet::Event;
use super::receiver::Receiver;
use super::sender::Sender;
use crate::error::Error;

/// Passes a channel on until it ends: the same packets under the same numbers, compressed anew.
/// `seen` is told of each packet when it has been sent, with the bytes its pages took on both sides.
///
/// # Errors
///
/// [`Error::Source`] or [`Error::Destination`], by the side that failed. Both connections are to be closed then, and those of the migration's
/// other channels: the destination may have no reason to believe that it got everything.
pub fn relay<R: Read, W: Write>(
    receiver: &mut Receiver<R>,
    sender: &mut Sender<W>,
    mut seen: impl FnMut(Event<'_>, u64),
) -> Result<(), Error> {
    while let Some(event) = receiver.receive().map_err(|error| Error::Source(Box::new(error)))? {
        let before = sender.payload_bytes();
        let sent = match event {
            Event::Pages(packet) => sender.relay(packet),
            Event::Sync { number } => sender.relay_sync(number),
            Event::DeviceState(state) => sender.relay_device_state(state),
        };
        sent.map_err(|error| Error::Destination(Box::new(error)))?;
        seen(event, sender.payload_bytes() - before);
    }
    Ok(())
}
