//! Addresses, listeners and connections.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::str::FromStr;

/// An address as QEMU writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// Host and port.
    Tcp(String),
    Unix(PathBuf),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let usage = || "expected tcp:HOST:PORT or unix:PATH".to_owned();
        match text.split_once(':') {
            Some(("unix", path)) if !path.is_empty() => Ok(Self::Unix(path.into())),
            Some(("tcp", host_port)) => {
                let (host, port) = host_port.rsplit_once(':').ok_or_else(usage)?;
                port.parse::<u16>().map_err(|_| usage())?;
                // QEMU's way to write "any".
                let host = if host.is_empty() { "0.0.0.0" } else { host };
                Ok(Self::Tcp(format!("{host}:{port}")))
            }
            _ => Err(usage()),
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(host_port) => write!(f, "tcp:{host_port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Address {
    pub(crate) fn listen(&self) -> io::Result<Listener> {
        match self {
            Self::Tcp(host_port) => TcpListener::bind(host_port).map(Listener::Tcp),
            Self::Unix(path) => {
                UnixListener::bind(path).map(|listener| Listener::Unix(listener, path.clone()))
            }
        }
    }

    pub(crate) fn connect(&self) -> io::Result<Connection> {
        match self {
            Self::Tcp(host_port) => Connection::tcp(TcpStream::connect(host_port)?),
            Self::Unix(path) => UnixStream::connect(path).map(Connection::Unix),
        }
    }
}

/// Accepts connections.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

impl Listener {
    /// Returns a guard to keep for as long as clients should find the listener.
    pub(crate) fn cleanup(&self) -> io::Result<Cleanup> {
        self.address().map(Cleanup)
    }

    /// Returns the address, with the actual port if it was port 0.
    pub(crate) fn address(&self) -> io::Result<Address> {
        match self {
            Self::Tcp(listener) => Ok(Address::Tcp(listener.local_addr()?.to_string())),
            Self::Unix(_, path) => Ok(Address::Unix(path.clone())),
        }
    }

    pub(crate) fn accept(&self) -> io::Result<Connection> {
        match self {
            Self::Tcp(listener) => Connection::tcp(listener.accept()?.0),
            Self::Unix(listener, _) => Ok(Connection::Unix(listener.accept()?.0)),
        }
    }
}

/// Removes a listener's socket from the file system when dropped.
#[derive(Debug)]
pub(crate) struct Cleanup(Address);

impl Drop for Cleanup {
    fn drop(&mut self) {
        if let Address::Unix(path) = &self.0 {
            // It may be gone already, which is fine.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A connection to either QEMU or another proxy.
#[derive(Debug)]
pub(crate) enum Connection {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Connection {
    fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        // Otherwise, a host that vanishes between two rounds would never be noticed.
        rustix::net::sockopt::set_socket_keepalive(&stream, true)?;
        Ok(Self::Tcp(stream))
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(stream) => stream.try_clone().map(Self::Tcp),
            Self::Unix(stream) => stream.try_clone().map(Self::Unix),
        }
    }

    /// Shuts the connection down for all clones. It may be shut down already.
    pub(crate) fn shutdown(&self, how: Shutdown) {
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(how),
            Self::Unix(stream) => stream.shutdown(how),
        };
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write_vectored(slices),
            Self::Unix(stream) => stream.write_vectored(slices),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_the_syntax_of_qemu() {
        for (text, address) in [
            ("tcp:10.0.0.1:4444", Address::Tcp("10.0.0.1:4444".into())),
            ("tcp:[::1]:4444", Address::Tcp("[::1]:4444".into())),
            ("tcp::4444", Address::Tcp("0.0.0.0:4444".into())),
            ("unix:/run/m.sock", Address::Unix("/run/m.sock".into())),
        ] {
            assert_eq!(text.parse(), Ok(address), "{text}");
        }
        for text in ["", "tcp:host", "tcp:host:port", "unix:", "10.0.0.1:4444", "exec:cat"] {
            assert!(text.parse::<Address>().unwrap_err().contains("unix:PATH"), "{text}");
        }
    }
}
