//! Relays one connection from the source to the destination.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::thread;

use uadk_compress_pages::multifd::{
    CHANNEL_MAGIC, MAIN_MAGIC, PacketNumbers, Receiver, Sender, Settings, relay_pipelined,
};

use super::address::{Address, Connection};
use super::counters::Counters;

/// The buffer size for the main channel.
const MAIN_BUFFER: usize = 256 << 10;

/// Why a connection ended the migration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("can't connect to the destination {address}")]
    Connect { address: Address, source: io::Error },
    #[error("a connection is neither a main nor a multifd channel: it starts with {0:02x?}")]
    Unknown([u8; 4]),
    #[error("the main channel from the source failed")]
    MainSource(#[source] io::Error),
    #[error("the main channel to the destination failed")]
    MainDestination(#[source] io::Error),
    #[error(transparent)]
    Multifd(#[from] uadk_compress_pages::Error),
    #[error("can't duplicate the descriptor of a connection")]
    Clone(#[source] io::Error),
    #[error("can't start a thread for a connection")]
    Thread(#[source] io::Error),
    #[error("the thread of a connection panicked")]
    Panicked,
    #[error("the migration was aborted")]
    Aborted,
}

impl Failure {
    /// Returns what to do about it.
    pub(crate) const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Connect { .. } => Some("start it first, with -incoming or migrate-incoming"),
            Self::Unknown(_) => Some("enable multifd in both QEMUs, and disable TLS"),
            Self::Thread(_) => Some("raise the process limit (ulimit -u, TasksMax)"),
            _ => None,
        }
    }
}

/// The kind of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Main,
    Multifd,
}

/// Identifies a connection by its first bytes; `None` if it sends nothing, like a port scanner.
pub(crate) fn identify(source: &mut Connection) -> Option<Result<Kind, Failure>> {
    let mut magic = [0; 4];
    source.read_exact(&mut magic).ok()?;
    Some(match magic {
        MAIN_MAGIC => Ok(Kind::Main),
        CHANNEL_MAGIC => Ok(Kind::Multifd),
        other => Err(Failure::Unknown(other)),
    })
}

/// Relays the main channel in both directions until both sides have ended.
pub(crate) fn relay_main(
    source: Connection,
    destination: Connection,
    counters: &Counters,
) -> Result<(), Failure> {
    let mut back = (
        destination.try_clone().map_err(Failure::Clone)?,
        source.try_clone().map_err(Failure::Clone)?,
    );
    thread::scope(|scope| {
        // The return path. Its errors are ignored: the source reacts to them, which the copy below
        // notices.
        let return_path = move || {
            let _ = copy(&mut back.0, &mut back.1, &mut |_| {});
            back.1.shutdown(Shutdown::Write);
        };
        thread::Builder::new().spawn_scoped(scope, return_path).map_err(Failure::Thread)?;
        let (mut from, mut to) = (source, destination);
        let relayed = to
            .write_all(&MAIN_MAGIC)
            .map_err(Failure::MainDestination)
            .and_then(|()| copy(&mut from, &mut to, &mut |bytes| counters.main(bytes)));
        if relayed.is_err() {
            // Lets the return path end as well.
            from.shutdown(Shutdown::Both);
            to.shutdown(Shutdown::Both);
        } else {
            to.shutdown(Shutdown::Write);
        }
        relayed
    })
}

fn copy(
    from: &mut Connection,
    to: &mut Connection,
    count: &mut dyn FnMut(usize),
) -> Result<(), Failure> {
    let mut buffer = vec![0; MAIN_BUFFER];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(len) => {
                to.write_all(&buffer[..len]).map_err(Failure::MainDestination)?;
                count(len);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::MainSource(error)),
        }
    }
}

/// Relays a multifd channel until the source ends it.
pub(crate) fn relay_multifd(
    source: Connection,
    destination: Connection,
    (from, to): (&Settings, &Settings),
    counters: &Arc<Counters>,
) -> Result<(), Failure> {
    let pending_read = source.try_clone().map_err(Failure::Clone)?;
    let interrupt = || pending_read.shutdown(Shutdown::Both);
    let input = CHANNEL_MAGIC.as_slice().chain(source);
    let mut receiver = Receiver::new(input, from)?;
    let hello = receiver.hello();
    let to = to.clone().uuid(hello.uuid);
    let mut sender = Sender::new(destination, hello.channel, &to, PacketNumbers::default())
        .map_err(|error| uadk_compress_pages::Error::Destination(Box::new(error)))?;
    counters.channel();
    relay_pipelined(&mut receiver, &mut sender, interrupt, |event, bytes_out| {
        counters.packet(event, bytes_out);
    })?;
    sender.get_ref().shutdown(Shutdown::Write);
    Ok(())
}
