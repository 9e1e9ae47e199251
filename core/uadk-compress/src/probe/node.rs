//! Device nodes, and their permissions.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat};

use super::item::{Item, State};
use super::system::System;

/// `/dev/hisi_zip-N`.
#[derive(Debug)]
pub(super) struct Node {
    path: String,
    /// Permission bits.
    mode: u32,
    owner: u32,
    group: u32,
    /// Whether this user may read and write it, as `libwd` does.
    pub(super) is_accessible: bool,
}

impl Node {
    pub(super) fn read(system: &System, device: &str) -> Option<Self> {
        let path = format!("/dev/{device}");
        let file = system.path(&path);
        let metadata = fs::metadata(&file).ok()?;
        Some(Self {
            mode: metadata.mode() & 0o777,
            owner: metadata.uid(),
            group: metadata.gid(),
            is_accessible: may_open(system, &file, &metadata),
            path,
        })
    }
}

/// Checks whether the node exists and this user can open it; `severity` is the state if not.
pub(super) fn item(system: &System, device: &str, severity: State) -> Item {
    let Some(node) = Node::read(system, device) else {
        return Item::new(
            format!("/dev/{device}"),
            severity,
            "missing, although the kernel has the device",
        )
        .remedy(
            "`sudo udevadm trigger --subsystem-match=uacce` creates it; in a container, pass it in \
             (`--device`)",
        );
    };
    let owner = name(system, "/etc/passwd", node.owner);
    let group = name(system, "/etc/group", node.group);
    let mode = node.mode;
    if node.is_accessible {
        let detail = format!("can be opened (mode {mode:03o}, owner {owner}, group {group})");
        return Item::ok(node.path, detail);
    }
    let user = name(system, "/etc/passwd", system.user.uid);
    let detail =
        format!("not accessible to user {user} (mode {mode:03o}, owner {owner}, group {group})");
    let remedy = if mode & 0o060 == 0o060 && node.group != 0 {
        format!("`sudo usermod -aG {group} {user}`, and log in again")
    } else {
        format!(
            "until the next boot, `sudo chmod 666 {}`; permanently, `echo 'SUBSYSTEM==\"uacce\", \
             KERNEL==\"hisi_zip-*\", GROUP=\"uadk\", MODE=\"0660\"' | sudo tee \
             /etc/udev/rules.d/60-uadk.rules; sudo groupadd -rf uadk; sudo usermod -aG uadk \
             {user}; sudo udevadm control --reload; sudo udevadm trigger \
             --subsystem-match=uacce`, and log in again",
            node.path
        )
    };
    Item::new(node.path, severity, detail).remedy(remedy)
}

fn may_open(system: &System, file: &Path, metadata: &Metadata) -> bool {
    if system.live {
        // Also honours access control lists and containers' device rules.
        return accessat(CWD, file, Access::READ_OK | Access::WRITE_OK, AtFlags::EACCESS).is_ok();
    }
    let user = &system.user;
    let shift = if metadata.uid() == user.uid {
        6
    } else if user.groups.contains(&metadata.gid()) {
        3
    } else {
        0
    };
    user.may_override || (metadata.mode() >> shift) & 0o6 == 0o6
}

/// Returns the name of a user or group from `/etc/passwd` or `/etc/group`, or else its number.
fn name(system: &System, table: &str, id: u32) -> String {
    let table = system.text(table).unwrap_or_default();
    let entry = table.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        // The second field is the password.
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    });
    entry.unwrap_or_else(|| id.to_string())
}
