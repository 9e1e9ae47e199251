//! Names of users and groups on this machine.

use std::collections::HashMap;
use std::fs;
use std::sync::OnceLock;

/// Names by ID, read on first use.
#[derive(Debug, Default)]
pub(super) struct Owners {
    /// Whether to omit names.
    pub(super) numeric: bool,
    users: OnceLock<HashMap<u32, String>>,
    groups: OnceLock<HashMap<u32, String>>,
}

impl Owners {
    pub(super) fn user(&self, uid: u32) -> Option<&str> {
        if self.numeric {
            return None;
        }
        self.users.get_or_init(|| read("/etc/passwd")).get(&uid).map(String::as_str)
    }

    pub(super) fn group(&self, gid: u32) -> Option<&str> {
        if self.numeric {
            return None;
        }
        self.groups.get_or_init(|| read("/etc/group")).get(&gid).map(String::as_str)
    }
}

/// Reads a file with lines "NAME:...:NUMBER:...". The first name for a number counts.
fn read(path: &str) -> HashMap<u32, String> {
    let mut names = HashMap::new();
    for line in fs::read_to_string(path).unwrap_or_default().lines() {
        let mut fields = line.split(':');
        if let (Some(name), Some(Ok(number))) = (fields.next(), fields.nth(1).map(str::parse)) {
            names.entry(number).or_insert_with(|| name.to_owned());
        }
    }
    names
}
