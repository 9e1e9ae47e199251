//! Relays a migration unchanged, and records its multifd channels.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

/// Offset of the channel's number in a hello.
const CHANNEL_OFFSET: usize = 24;

/// The data of each multifd channel, by its number.
pub(crate) type Recording = Arc<Mutex<BTreeMap<u8, Vec<u8>>>>;

/// Listens on one socket, and relays everything to another.
pub(crate) fn record(listen: PathBuf, connect: PathBuf) -> Recording {
    let recording = Recording::default();
    let listener = UnixListener::bind(listen).expect("an unused path");
    let kept = Arc::clone(&recording);
    std::thread::spawn(move || {
        for source in listener.incoming() {
            let source = source.expect("a connection");
            let destination = UnixStream::connect(&connect).expect("the destination listens");
            let (back_from, back_to) = (clone(&destination), clone(&source));
            std::thread::spawn(move || copy(back_from, back_to));
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || {
                let carried = copy(source, destination);
                if carried.starts_with(&[0x11, 0x22, 0x33, 0x44]) {
                    kept.lock().insert(carried[CHANNEL_OFFSET], carried);
                }
            });
        }
    });
    recording
}

pub(crate) fn clone(stream: &UnixStream) -> UnixStream {
    stream.try_clone().expect("a clone")
}

/// Copies everything, then ends the destination's input. Returns what was copied.
pub(crate) fn copy(mut from: UnixStream, mut to: UnixStream) -> Vec<u8> {
    let (mut carried, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
    while let Ok(len @ 1..) = from.read(&mut buffer) {
        carried.extend_from_slice(&buffer[..len]);
        if to.write_all(&buffer[..len]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    carried
}
