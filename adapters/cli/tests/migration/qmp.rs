//! QEMU's control connection, and qtest, which writes to a guest's memory as a device would.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longer than anything here takes on a loaded machine.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A QMP connection.
pub(crate) struct Qmp(BufReader<UnixStream>);

impl Qmp {
    pub(crate) fn connect(path: &Path, process: &mut Child) -> Self {
        let mut qmp = Self(BufReader::new(connect(path, process)));
        qmp.read();
        qmp.command("qmp_capabilities", json!({}));
        qmp
    }

    /// Runs a command, which must succeed, and returns its answer.
    pub(crate) fn command(&mut self, name: &str, arguments: Value) -> Value {
        let mut command = json!({ "execute": name });
        command["arguments"] = arguments;
        writeln!(self.0.get_mut(), "{command}").expect("QEMU reads");
        loop {
            let answer = self.read();
            assert!(answer.get("error").is_none(), "{command}: {answer}");
            if let Some(value) = answer.get("return") {
                return value.clone();
            }
        }
    }

    pub(crate) fn parameters(&mut self, parameters: Value) {
        self.command("migrate-set-parameters", parameters);
    }

    /// Waits until the state of the migration is as wanted, and returns it.
    pub(crate) fn migration(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let state = self.command("query-migrate", json!({}));
            if wanted(&state) {
                return state;
            }
            assert!(begun.elapsed() < TIMEOUT, "the migration is stuck: {state}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for the end of the migration, and returns its state: "completed" or "failed", and why.
    pub(crate) fn outcome(&mut self) -> Value {
        self.migration(|state| {
            ["completed", "failed", "cancelled"].iter().any(|end| state["status"] == *end)
        })
    }

    fn read(&mut self) -> Value {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("QEMU answers");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in QEMU's {line:?}"))
    }
}

/// A qtest connection.
pub(crate) struct Qtest(BufReader<UnixStream>);

impl Qtest {
    pub(crate) fn connect(path: &Path, process: &mut Child) -> Self {
        Self(BufReader::new(connect(path, process)))
    }

    /// Fills guest memory in a way that the guest's QEMU notices.
    pub(crate) fn fill(&mut self, address: u64, len: usize, byte: u8) {
        writeln!(self.0.get_mut(), "memset {address:#x} {len:#x} {byte:#x}").expect("QEMU reads");
        let mut line = String::new();
        self.0.read_line(&mut line).expect("QEMU answers");
        assert_eq!(line.trim(), "OK");
    }
}

fn connect(path: &Path, process: &mut Child) -> UnixStream {
    let begun = Instant::now();
    loop {
        match UnixStream::connect(path) {
            Ok(stream) => {
                stream.set_read_timeout(Some(TIMEOUT)).expect("a valid timeout");
                return stream;
            }
            Err(error) => assert!(begun.elapsed() < TIMEOUT, "{}: {error}", path.display()),
        }
        let ended = process.try_wait().expect("a child process");
        assert!(ended.is_none(), "QEMU exited immediately: {ended:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
