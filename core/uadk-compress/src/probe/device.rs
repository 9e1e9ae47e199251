//! The devices that UACCE gives to user space.

use super::item::{Item, State};
use super::node;
use super::system::System;
use crate::Format;

/// Where the kernel lists them.
const CLASS: &str = "/sys/class/uacce";

/// `UACCE_DEV_SVA` of the attribute `flags` (`uapi/misc/uacce/uacce.h`).
const FLAG_SVA: u64 = 1;

/// A ZIP device.
#[derive(Debug)]
pub(super) struct Device {
    /// `hisi_zip-N`.
    name: String,
    /// The queues' interface ("`hisi_qm_v2`").
    api: Option<String>,
    /// "zlib", "gzip", "deflate", ...
    algorithms: Vec<String>,
    shares_addresses: bool,
    /// -1 on machines without NUMA.
    numa_node: Option<i64>,
    free_queues: Option<u64>,
    isolated: bool,
}

/// Whether a device shares the address space of its process, which needs everything in the kernel to
/// be right.
pub(super) fn any_shares_addresses(devices: &[Device]) -> bool {
    devices.iter().any(|device| device.shares_addresses)
}

/// All that is to say about devices and their nodes.
pub(super) fn items(system: &System, devices: &[Device]) -> Vec<Item> {
    if devices.is_empty() {
        let detail = format!("no hisi_zip-* in {CLASS}");
        return vec![Item::new("devices", State::Missing, detail).remedy(system.on_kunpeng(
            "mend the items above; then `sudo dmesg | grep -i -e hisi_zip -e uacce` says why there is none",
        ))];
    }
    // What one lacks is not missing if another is as it should be.
    let usable = devices.iter().any(|device| device.is_usable(system));
    devices.iter().flat_map(|device| device.items(system, State::missing_unless(usable))).collect()
}

impl Device {
    /// Reads all of them.
    pub(super) fn all(system: &System) -> Vec<Self> {
        let names = system.names(CLASS).into_iter().filter(|name| name.starts_with("hisi_zip-"));
        names.map(|name| Self::read(system, name)).collect()
    }

    fn read(system: &System, name: String) -> Self {
        let attribute = |file: &str| system.line(format!("{CLASS}/{name}/{file}"));
        let algorithms = attribute("algorithms").unwrap_or_default();
        Self {
            api: attribute("api"),
            algorithms: algorithms.split_whitespace().map(str::to_owned).collect(),
            shares_addresses: attribute("flags")
                .and_then(|flags| number(&flags))
                .is_some_and(|flags| flags & FLAG_SVA != 0),
            numa_node: attribute("device/numa_node").and_then(|node| node.parse().ok()),
            free_queues: attribute("available_instances").and_then(|free| free.parse().ok()),
            // `libwd` too takes a kernel without this attribute for one that isolates nothing.
            isolated: attribute("isolate").as_deref() == Some("1"),
            name,
        }
    }

    fn serves(&self, format: Format) -> bool {
        self.algorithms.iter().any(|algorithm| algorithm == format.name())
    }

    fn is_usable(&self, system: &System) -> bool {
        self.shares_addresses
            && !self.isolated
            && self.free_queues != Some(0)
            && (self.serves(Format::Zlib) || self.serves(Format::Gzip))
            && node::Node::read(system, &self.name).is_some_and(|node| node.is_open)
    }

    /// `bad` is the state of what it lacks.
    fn items(&self, system: &System, bad: State) -> Vec<Item> {
        let mut items = vec![self.itself(bad), self.formats(bad), self.queues(bad)];
        if self.isolated {
            items.push(
                Item::new(
                    format!("{} isolation", self.name),
                    bad,
                    "isolated: the kernel took it out of use after hardware errors",
                )
                    .remedy(
                        "`sudo dmesg | grep hisi_zip` says which; `sudo rmmod hisi_zip; sudo modprobe \
                         hisi_zip uacce_mode=1` or a restart of the machine gives it another chance",
                    ),
            );
        }
        items.push(node::item(system, &self.name, bad));
        items
    }

    fn itself(&self, bad: State) -> Item {
        let api = self.api.as_deref().unwrap_or("unknown interface");
        let numa = match self.numa_node {
            Some(node @ 0..) => format!("NUMA node {node}"),
            _ => "no NUMA node".to_owned(),
        };
        if self.shares_addresses {
            return Item::ok(&self.name, format!("{api}, {numa}, shares addresses (SVA)"));
        }
        Item::new(&self.name, bad, format!("{api}, {numa}, but does not share addresses (SVA)")).remedy(
            "switch the SMMU on in the BIOS, boot a kernel with CONFIG_ARM_SMMU_V3_SVA, and load the \
             driver with `sudo modprobe hisi_zip uacce_mode=1`",
        )
    }

    fn formats(&self, bad: State) -> Item {
        let topic = format!("{} formats", self.name);
        let served: Vec<_> = [Format::Zlib, Format::Gzip, Format::RawDeflate]
            .into_iter()
            .filter(|format| self.serves(*format))
            .map(Format::name)
            .collect();
        if served.is_empty() {
            let detail = format!("none of ours; it offers {}", self.algorithms.join(", "));
            return Item::new(topic, bad, detail)
                .remedy("update the kernel's hisi_zip driver: it should offer zlib and gzip");
        }
        let mut detail = served.join(", ");
        if !self.serves(Format::RawDeflate) {
            // That is a Kunpeng 920.
            detail += if self.serves(Format::Zlib) {
                "; raw deflate is compressed through zlib, and decompressed in software"
            } else {
                "; raw deflate is done in software"
            };
        }
        if !self.serves(Format::Zlib) {
            return Item::new(topic, State::Warning, detail)
                .remedy("update the kernel's hisi_zip driver: it should offer zlib too");
        }
        Item::ok(topic, detail)
    }

    fn queues(&self, bad: State) -> Item {
        let topic = format!("{} queues", self.name);
        match self.free_queues {
            Some(0) => Item::new(topic, bad, "none is free").remedy(format!(
                "`sudo fuser -v /dev/{0}` says who has them: stop one, or give each fewer contexts; \
                 `sudo modprobe hisi_zip uacce_mode=1 pf_q_num=1024` makes more (after `sudo modprobe \
                 -r hisi_zip`)",
                self.name
            )),
            Some(free) => Item::ok(topic, format!("{free} free")),
            None => Item::new(topic, State::Warning, "their number can't be read")
                .remedy(format!("`cat {CLASS}/{}/available_instances` says why", self.name)),
        }
    }
}

/// Decimal, or hexadecimal behind `0x`.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}
