//! The migration proxy if no thread or too few threads can be started.
//!
//! Threads request stacks so large that the limit of the address space allows only as many as a
//! test wants. Unlike the limit of processes, this limit is per process and applies to root, too.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use uadk_compress_pages::multifd::{Method, PacketNumbers, Sender, Settings};

const STACK: u64 = 1 << 30;
/// Address space for everything but stacks.
const REST: u64 = STACK / 4 * 3;

/// A proxy with the sockets of its source and destination.
struct Proxy {
    process: Child,
    output: BufReader<ChildStdout>,
    folder: TempDir,
    destination: UnixListener,
}

impl Proxy {
    /// Starts a proxy that can start this many threads besides its first.
    fn with_threads(threads: u64) -> Self {
        let folder = TempDir::new().expect("a directory");
        let [listen, connect] = ["out", "in"].map(|name| folder.path().join(name));
        let destination = UnixListener::bind(&connect).expect("an unused path");
        let mut process = Command::new("prlimit")
            .arg(format!("--as={0}:{0}", threads * STACK + REST))
            .arg(env!("CARGO_BIN_EXE_uadk-compress"))
            .args(["multifd-proxy", "--from", "none", "--to", "zlib"])
            .arg(format!("--listen=unix:{}", listen.display()))
            .arg(format!("--connect=unix:{}", connect.display()))
            .env("RUST_MIN_STACK", STACK.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("this test needs prlimit: install util-linux");
        let mut output = BufReader::new(process.stdout.take().expect("piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("the proxy prints its address");
        Self { process, output, folder, destination }
    }

    fn connect(&self) -> UnixStream {
        with_timeout(UnixStream::connect(self.path("out")).expect("the proxy listens"))
    }

    /// Accepts the proxy's connection to the destination.
    fn accept(&self) -> UnixStream {
        with_timeout(self.destination.accept().expect("the proxy connects").0)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits for the proxy to fail, and returns its error messages.
    fn failure(mut self) -> String {
        let mut errors = String::new();
        self.output.read_to_string(&mut errors).expect("text");
        errors.clear();
        let mut stderr = self.process.stderr.take().expect("piped");
        stderr.read_to_string(&mut errors).expect("text");
        assert_eq!(self.process.wait().expect("it exits").code(), Some(1), "{errors}");
        assert!(!self.path("out").exists(), "its socket is left behind");
        errors
    }
}

/// Sets a timeout, so that reading fails instead of hanging with the proxy.
fn with_timeout(stream: UnixStream) -> UnixStream {
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a valid timeout");
    stream
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn without_a_thread_to_accept_the_proxy_fails() {
    let errors = Proxy::with_threads(0).failure();
    assert!(errors.contains("can no longer accept connections"), "{errors}");
    assert!(!errors.contains("panicked"), "{errors}");
}

#[test]
fn without_a_thread_for_a_connection_the_migration_fails() {
    let proxy = Proxy::with_threads(1);
    let mut source = proxy.connect();
    // The connection is closed, with or without an error.
    let _ = source.read(&mut [0]);
    let errors = proxy.failure();
    assert!(errors.contains("keeps running on the source: can't start a thread"), "{errors}");
    assert!(errors.contains("raise the process limit"), "{errors}");
    assert!(!errors.contains("panicked"), "{errors}");
}

#[test]
fn without_a_thread_for_the_return_path_the_migration_fails() {
    let proxy = Proxy::with_threads(2);
    let mut source = proxy.connect();
    source.write_all(b"QEVM").expect("the connection is open");
    let mut destination = proxy.accept();
    assert_eq!(destination.read(&mut [0]).expect("the end of the stream"), 0);
    assert_eq!(source.read(&mut [0]).expect("the end of the stream"), 0);
    let errors = proxy.failure();
    assert!(errors.contains("keeps running on the source: can't start a thread"), "{errors}");
    assert!(!errors.contains("panicked"), "{errors}");
}

#[test]
fn a_channel_is_relayed_by_its_own_thread_if_there_are_no_more() {
    let proxy = Proxy::with_threads(2);
    let hello_and_sync = |output: &mut dyn Write, method| {
        let numbers = PacketNumbers::default();
        let mut sender = Sender::new(output, 0, &Settings::new(method), numbers)
            .expect("the connection is open");
        (0..10).for_each(|_| sender.sync().expect("the connection is open"));
    };
    let mut source = proxy.connect();
    hello_and_sync(&mut source, Method::None);
    let mut expected = Vec::new();
    hello_and_sync(&mut expected, Method::Zlib);
    let mut destination = proxy.accept();
    let mut received = vec![0; expected.len()];
    destination.read_exact(&mut received).expect("the relayed stream");
    assert!(received == expected);
    // The main thread, the one that accepts connections, and the channel's.
    let threads = std::fs::read_dir(format!("/proc/{}/task", proxy.process.id())).expect("it runs");
    assert_eq!(threads.count(), 3);
}
