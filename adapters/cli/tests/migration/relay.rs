//! A proxy in this process, with settings that the command does not have.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use uadk_compress_pages::multifd::{
    CHANNEL_MAGIC, Event, PacketNumbers, Receiver, Sender, Settings, relay_pipelined,
};

use crate::recorder::{clone, copy};

/// The pages with data that channels have relayed.
pub(crate) type Pages = Arc<AtomicU64>;

/// Listens on one socket, and relays to another, which gets the multifd channels as `to` says.
pub(crate) fn relay(listen: PathBuf, connect: PathBuf, from: Settings, to: Settings) -> Pages {
    let pages = Pages::default();
    let listener = UnixListener::bind(listen).expect("an unused path");
    let relayed = Arc::clone(&pages);
    std::thread::spawn(move || {
        for source in listener.incoming() {
            let mut source = source.expect("a connection");
            let mut destination = UnixStream::connect(&connect).expect("the destination listens");
            let (from, to, relayed) = (from.clone(), to.clone(), Arc::clone(&relayed));
            std::thread::spawn(move || {
                let mut magic = [0; 4];
                source.read_exact(&mut magic).expect("QEMU sends");
                if magic == CHANNEL_MAGIC {
                    return relay_channel(source, destination, &from, to, &relayed);
                }
                let (back_from, back_to) = (clone(&destination), clone(&source));
                std::thread::spawn(move || copy(back_from, back_to));
                destination.write_all(&magic).expect("QEMU reads");
                copy(source, destination);
            });
        }
    });
    pages
}

/// Relays a channel. If this fails, both ends are closed, and the migration fails.
fn relay_channel(
    source: UnixStream,
    destination: UnixStream,
    from: &Settings,
    to: Settings,
    pages: &AtomicU64,
) {
    let interrupted = clone(&source);
    let mut receiver = Receiver::new(CHANNEL_MAGIC.chain(source), from).expect("a hello");
    let hello = receiver.hello();
    let numbers = PacketNumbers::default();
    let to = to.uuid(hello.uuid);
    let mut sender = Sender::new(destination, hello.channel, &to, numbers).expect("QEMU reads");
    let interrupt = || drop(interrupted.shutdown(Shutdown::Both));
    relay_pipelined(&mut receiver, &mut sender, interrupt, |event, _| {
        if let Event::Pages(packet) = event {
            pages.fetch_add(packet.pages().len() as u64, Relaxed);
        }
    })
    .expect("QEMU sends and reads");
    sender.get_ref().shutdown(Shutdown::Write).expect("connected");
}
