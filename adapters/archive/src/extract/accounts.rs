//! Lookup of user and group IDs by name on this machine.

use std::collections::HashMap;
use std::fs;
use std::sync::OnceLock;

/// IDs by name, read on first use.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    users: OnceLock<HashMap<Vec<u8>, u32>>,
    groups: OnceLock<HashMap<Vec<u8>, u32>>,
}

impl Accounts {
    pub(super) fn user(&self, name: &[u8]) -> Option<u32> {
        self.users.get_or_init(|| read("/etc/passwd")).get(name).copied()
    }

    pub(super) fn group(&self, name: &[u8]) -> Option<u32> {
        self.groups.get_or_init(|| read("/etc/group")).get(name).copied()
    }
}

/// Reads a file with lines "NAME:...:NUMBER:...". The first line for a name counts.
fn read(path: &str) -> HashMap<Vec<u8>, u32> {
    let mut numbers = HashMap::new();
    for line in fs::read(path).unwrap_or_default().split(|byte| *byte == b'\n') {
        let mut fields = line.split(|byte| *byte == b':');
        if let (Some(name), Some(number)) = (fields.next(), fields.nth(1))
            && let Some(number) = std::str::from_utf8(number).ok().and_then(|n| n.parse().ok())
        {
            numbers.entry(name.to_vec()).or_insert(number);
        }
    }
    numbers
}
