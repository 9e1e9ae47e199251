//! The proxy under test.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// A proxy that ends with the test.
pub(crate) struct Proxy {
    process: Child,
    output: BufReader<ChildStdout>,
    /// The address that it listens on.
    pub(crate) address: String,
}

/// The result of a proxy that has exited.
pub(crate) struct Ended {
    pub(crate) success: bool,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Proxy {
    pub(crate) fn start(listen: &str, connect: &str, from: &str, to: &str) -> Self {
        Self::start_with(listen, connect, from, to, |_| {})
    }

    pub(crate) fn start_with(
        listen: &str,
        connect: &str,
        from: &str,
        to: &str,
        prepare: impl FnOnce(&mut Command),
    ) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_uadk-compress"));
        command
            .args(["multifd-proxy", "--listen", listen, "--connect", connect])
            .args(["--from", from, "--to", to])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        prepare(&mut command);
        let mut process = command.spawn().expect("the proxy starts");
        let mut output = BufReader::new(process.stdout.take().expect("piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("the proxy prints its address");
        let address = line.split(' ').next().unwrap_or_default().to_owned();
        Self { process, output, address }
    }

    /// Waits for the proxy to exit.
    pub(crate) fn wait(mut self) -> Ended {
        let (mut output, mut errors) = (String::new(), String::new());
        self.output.read_to_string(&mut output).expect("text");
        let mut stderr = self.process.stderr.take().expect("piped");
        stderr.read_to_string(&mut errors).expect("text");
        let success = self.process.wait().expect("it exits").success();
        Ended { success, output, errors }
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns the address of a socket in a directory.
pub(crate) fn socket(folder: &Path, name: &str) -> String {
    format!("unix:{}", folder.join(name).display())
}
