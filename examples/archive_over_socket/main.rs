//! A service that streams an archive to each client while creating it. The server writes nothing to
//! disk. A slow client slows it down instead of filling its memory. Any client with tar will do:
//!
//!     cargo run --example archive_over_socket -- DIRECTORY 127.0.0.1:7070
//!     nc 127.0.0.1 7070 | tar xzf - -C elsewhere
//!
//! Without an address, it acts as its own client, once.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use uadk_compress_archive::{ArchiveOptions, ArchiveReader, TreeWriter};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().unwrap_or_else(|| ".".to_owned()));
    if let Some(address) = arguments.next() {
        for client in TcpListener::bind(address)?.incoming() {
            let client = client?;
            let address = client.peer_addr()?;
            // A broken connection doesn't affect the next client.
            match serve(client, &directory) {
                Ok(entries) => println!("{address}: {entries} entries"),
                Err(error) => println!("{address}: {error}"),
            }
        }
        return Ok(());
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (connection, _) = listener.accept()?;
    let server = std::thread::spawn(move || serve(connection, &directory));
    // Reads the archive as it arrives. A client that stores it could use the index as well.
    let mut archive = ArchiveReader::new(client)?;
    let (mut entries, mut bytes) = (0_u64, 0);
    while let Some(mut entry) = archive.next_entry()? {
        bytes += io::copy(&mut entry, &mut io::sink())?;
        entries += 1;
    }
    // A truncated archive would be an error here.
    archive.verify_stream()?;
    println!("{entries} entries, {bytes} bytes of files");
    match server.join() {
        Ok(sent) => println!("sent: {} entries", sent?),
        Err(_) => return Err("the server panicked".into()),
    }
    Ok(())
}

fn serve(client: TcpStream, directory: &Path) -> uadk_compress_archive::Result<u64> {
    let mut archive = ArchiveOptions::new().threads(2).writer(client)?;
    for note in TreeWriter::new().append_tree(&mut archive, directory, Path::new("files"))? {
        eprintln!("{note}");
    }
    let entries = archive.entries();
    archive.finish()?;
    Ok(entries)
}
