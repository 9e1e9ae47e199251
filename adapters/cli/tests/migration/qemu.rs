//! Two real QEMUs, paused, with memory in files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rand::{RngCore, SeedableRng};
use rand_pcg::Pcg64Mcg;

use serde_json::{Value, json};

use crate::qmp::{Qmp, Qtest};

pub(crate) const RAM: usize = 64 << 20;
const PROGRAM: &str = "qemu-system-x86_64";

/// A QEMU that ends with the test.
pub(crate) struct Guest {
    process: Child,
    pub(crate) qmp: Qmp,
    qtest: PathBuf,
    ram: PathBuf,
}

impl Guest {
    /// Starts a guest with `ram` as its initial memory. A destination then waits for a migration at
    /// the URI passed to [`incoming`](Self::incoming).
    pub(crate) fn start(folder: &Path, name: &str, ram: &[u8]) -> Self {
        Self::start_with(folder, name, ram, &[])
    }

    /// Like [`start`](Self::start), with more arguments.
    pub(crate) fn start_with(folder: &Path, name: &str, ram: &[u8], more: &[&str]) -> Self {
        check_version();
        let path = |kind: &str| folder.join(format!("{name}.{kind}"));
        let (file, control, qtest) = (path("ram"), path("qmp"), path("qtest"));
        fs::write(&file, ram).expect("the memory file");
        let socket = |path: &Path| format!("unix:{},server=on,wait=off", path.display());
        let memory = format!(
            "memory-backend-file,id=ram0,size={},mem-path={},share=on",
            ram.len(),
            file.display()
        );
        let mut command = Command::new(PROGRAM);
        command
            .args(["-S", "-machine", "q35,memory-backend=ram0", "-accel", "tcg"])
            .args(["-object", &memory, "-m", &format!("{}M", ram.len() >> 20)])
            .args(["-display", "none", "-nodefaults", "-qtest-log", "none"])
            .args(["-qmp", &socket(&control), "-qtest", &socket(&qtest)])
            .args(more)
            .stdin(Stdio::null());
        if name.starts_with("destination") {
            command.args(["-incoming", "defer"]);
        }
        let mut process = command.spawn().unwrap_or_else(|error| panic!("{PROGRAM}: {error}"));
        let qmp = Qmp::connect(&control, &mut process);
        Self { process, qmp, qtest, ram: file }
    }

    /// Switches multifd on, with two channels and this method.
    pub(crate) fn multifd(&mut self, method: &str) {
        let capability = json!({ "capability": "multifd", "state": true });
        self.qmp.command("migrate-set-capabilities", json!({ "capabilities": [capability] }));
        self.qmp.parameters(json!({ "multifd-channels": 2, "multifd-compression": method }));
    }

    pub(crate) fn incoming(&mut self, uri: &str) {
        self.qmp.command("migrate-incoming", json!({ "uri": uri }));
    }

    pub(crate) fn migrate(&mut self, uri: &str) {
        self.qmp.command("migrate", json!({ "uri": uri }));
    }

    /// Returns its state; it must still answer.
    pub(crate) fn status(&mut self) -> Value {
        self.qmp.command("query-status", json!({}))["status"].clone()
    }

    pub(crate) fn qtest(&mut self) -> Qtest {
        Qtest::connect(&self.qtest, &mut self.process)
    }

    /// Returns its current memory.
    pub(crate) fn memory(&self) -> Vec<u8> {
        fs::read(&self.ram).expect("the memory file")
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns memory like that of a guest: zero pages, and pages of text, tables and noise.
pub(crate) fn guest_memory() -> Vec<u8> {
    let mut ram = vec![0; RAM];
    let mut noise = Pcg64Mcg::seed_from_u64(1);
    for (number, page) in ram.chunks_exact_mut(4096).enumerate() {
        match number % 8 {
            0 => noise.fill_bytes(page),
            1 | 2 => {
                for (line, bytes) in page.chunks_exact_mut(32).enumerate() {
                    let text = format!("page {number:08} line {line:04} of text\n");
                    let len = text.len().min(32);
                    bytes[..len].copy_from_slice(&text.as_bytes()[..len]);
                }
            }
            3 => {
                for (entry, bytes) in page.chunks_exact_mut(8).enumerate() {
                    bytes.copy_from_slice(&((number * 512 + entry) as u64 * 4096).to_le_bytes());
                }
            }
            _ => {}
        }
    }
    ram
}

/// Packets before version 9.1 are different.
fn check_version() {
    let output = Command::new(PROGRAM).arg("--version").output().unwrap_or_else(|error| {
        panic!(
            "{PROGRAM} is missing ({error}): run `make setup`, which installs the package \
             qemu-system-x86, or install QEMU 9.1 or newer yourself"
        )
    });
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.split_whitespace().nth(3).unwrap_or_default();
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or_default());
    let version = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    assert!(
        version >= (9, 1),
        "{text:?} is too old: install the package qemu-system-x86 in version 9.1 or newer \
         (Debian 12: `make setup` takes it from backports)"
    );
}
