//! The devices that UACCE exposes to user space.

use super::item::{Item, State};
use super::node;
use super::system::{Library, System};
use crate::Format;

/// Where the kernel lists the devices.
const CLASS: &str = "/sys/class/uacce";

/// How zstd and LZ4 are served: the format, the algorithm in the device's list, and the first
/// UADK 2.x that supports it. The best way of a format comes first.
const MATCHES: [(Format, &str, u32); 4] = [
    (Format::Zstd, "lz77_zstd", 9),
    (Format::Lz4, "lz4", 10),
    (Format::Lz4, "lz77_only", 10),
    (Format::Lz4, "lz77_zstd", 9),
];
/// The first queue interface with these algorithms, `hisi_qm_v3`.
const MATCHES_QUEUE: u64 = 3;

/// The bit `UACCE_DEV_SVA` of the attribute `flags` (`uapi/misc/uacce/uacce.h`).
const FLAG_SVA: u64 = 1;

/// A ZIP device.
#[derive(Debug)]
pub(super) struct Device {
    /// `hisi_zip-N`.
    name: String,
    /// The queue interface ("`hisi_qm_v2`").
    api: Option<String>,
    /// "zlib", "gzip", "deflate", ...
    algorithms: Vec<String>,
    /// Whether it supports shared virtual addressing.
    has_sva: bool,
    /// -1 on machines without NUMA.
    numa_node: Option<i64>,
    free_queues: Option<u64>,
    isolated: bool,
}

/// Returns whether any device shares the address space of its process (SVA), which proves that the
/// kernel is set up correctly.
pub(super) fn any_has_sva(devices: &[Device]) -> bool {
    devices.iter().any(|device| device.has_sva)
}

/// Returns the items for devices and their nodes.
pub(super) fn items(system: &System, devices: &[Device]) -> Vec<Item> {
    if devices.is_empty() {
        let detail = format!("no hisi_zip-* in {CLASS}");
        return vec![Item::new("devices", State::Missing, detail).remedy(system.on_kunpeng(
            "fix the items above; if there is still no device, `sudo dmesg | grep -i -e hisi_zip \
             -e uacce` shows why",
        ))];
    }
    // A device's flaws are only warnings if another device is usable.
    let usable = devices.iter().any(|device| device.is_usable(system));
    devices.iter().flat_map(|device| device.items(system, State::missing_unless(usable))).collect()
}

impl Device {
    /// Reads all ZIP devices.
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
            has_sva: attribute("flags")
                .and_then(|flags| number(&flags))
                .is_some_and(|flags| flags & FLAG_SVA != 0),
            numa_node: attribute("device/numa_node").and_then(|node| node.parse().ok()),
            free_queues: attribute("available_instances").and_then(|free| free.parse().ok()),
            // A kernel without this attribute isolates nothing; `libwd` assumes the same.
            isolated: attribute("isolate").as_deref() == Some("1"),
            name,
        }
    }

    fn serves(&self, format: Format) -> bool {
        self.algorithms.iter().any(|algorithm| algorithm == format.name())
    }

    fn is_usable(&self, system: &System) -> bool {
        self.has_sva
            && !self.isolated
            && self.free_queues != Some(0)
            && (self.serves(Format::Zlib) || self.serves(Format::Gzip))
            && node::Node::read(system, &self.name).is_some_and(|node| node.is_accessible)
    }

    /// Returns the device's items; `severity` is the state of its flaws.
    fn items(&self, system: &System, severity: State) -> Vec<Item> {
        let mut items = vec![
            self.addressing(severity),
            self.formats(severity),
            self.matches(system, Format::Zstd),
            self.matches(system, Format::Lz4),
            self.queues(severity),
        ];
        if self.isolated {
            items.push(
                Item::new(
                    format!("{} isolation", self.name),
                    severity,
                    "isolated: the kernel disabled it after hardware errors",
                )
                .remedy(
                    "`sudo dmesg | grep hisi_zip` shows the errors; to try it again, `sudo rmmod \
                     hisi_zip; sudo modprobe hisi_zip uacce_mode=1`, or reboot",
                ),
            );
        }
        items.push(node::item(system, &self.name, severity));
        items
    }

    fn addressing(&self, severity: State) -> Item {
        const SVA: &str = "shared virtual addressing (SVA)";
        let api = self.api.as_deref().unwrap_or("unknown interface");
        let numa = match self.numa_node {
            Some(node @ 0..) => format!("NUMA node {node}"),
            _ => "no NUMA node".to_owned(),
        };
        if self.has_sva {
            return Item::ok(&self.name, format!("{api}, {numa}, with {SVA}"));
        }
        Item::new(&self.name, severity, format!("{api}, {numa}, but without {SVA}")).remedy(
            "enable the SMMU in the BIOS, boot a kernel with CONFIG_ARM_SMMU_V3_SVA, and load the \
             driver with `sudo modprobe hisi_zip uacce_mode=1`",
        )
    }

    fn formats(&self, severity: State) -> Item {
        let topic = format!("{} formats", self.name);
        let served: Vec<_> = [Format::Zlib, Format::Gzip, Format::RawDeflate]
            .into_iter()
            .filter(|format| self.serves(*format))
            .map(Format::name)
            .collect();
        if served.is_empty() {
            let detail = format!("no usable format (offers {})", self.algorithms.join(", "));
            return Item::new(topic, severity, detail)
                .remedy("update the kernel's hisi_zip driver: it should offer zlib and gzip");
        }
        let mut detail = served.join(", ");
        if !self.serves(Format::RawDeflate) {
            // The case on a Kunpeng 920.
            detail += if self.serves(Format::Zlib) {
                "; raw deflate is compressed through zlib, and decompressed in software"
            } else {
                "; raw deflate is processed in software"
            };
        }
        if !self.serves(Format::Zlib) {
            return Item::new(topic, State::Warning, detail)
                .remedy("update the kernel's hisi_zip driver: it should offer zlib too");
        }
        Item::ok(topic, detail)
    }

    /// Returns how blocks of zstd or LZ4 are compressed, or why in software. No device must do
    /// that, and none decompresses them.
    fn matches(&self, system: &System, format: Format) -> Item {
        let topic = format!("{} {format}", self.name);
        let queue = self.api.as_deref().and_then(|api| api.strip_prefix("hisi_qm_v")?.parse().ok());
        if queue.is_none_or(|queue: u64| queue < MATCHES_QUEUE) {
            let api = self.api.as_deref().unwrap_or("unknown");
            let reason = format!(
                "in software: needs queue interface hisi_qm_v3, and this one is {api} (a \
                 Kunpeng 920 has zlib and gzip alone)"
            );
            return Item::ok(topic, reason);
        }
        let ways = || MATCHES.into_iter().filter(|(served, ..)| *served == format);
        let listed =
            || ways().filter(|(_, name, _)| self.algorithms.iter().any(|listed| listed == name));
        if let Some((_, algorithm, _)) = listed().find(|(.., minor)| has_uadk(system, *minor)) {
            let detail = format!("compressed through {algorithm}, decompressed in software");
            return Item::ok(topic, detail);
        }
        let reason = if let Some(minor) = listed().map(|(.., minor)| minor).min() {
            format!("in software: needs UADK 2.{minor} or newer")
        } else {
            let names: Vec<_> = ways().map(|(_, name, _)| name).collect();
            format!("in software: the driver offers no {}", names.join(", "))
        };
        Item::ok(topic, reason)
    }

    fn queues(&self, severity: State) -> Item {
        let topic = format!("{} queues", self.name);
        match self.free_queues {
            Some(0) => Item::new(topic, severity, "none free").remedy(format!(
                "`sudo fuser -v /dev/{0}` shows the processes that use them: stop one, or \
                 configure fewer contexts for each; for more queues, `sudo modprobe -r hisi_zip; \
                 sudo modprobe hisi_zip uacce_mode=1 pf_q_num=1024`",
                self.name
            )),
            Some(free) => Item::ok(topic, format!("{free} free")),
            None => Item::new(topic, State::Warning, "the number can't be read")
                .remedy(format!("`cat {CLASS}/{}/available_instances` shows why", self.name)),
        }
    }
}

/// Returns whether the installed UADK is known to be 2.`minor` or newer.
fn has_uadk(system: &System, minor: u32) -> bool {
    let Library::Found { version, .. } = &system.library else { return false };
    // See uadk_sys's `Version`: a number, a range, or "newer than 2.10".
    version.starts_with("newer")
        || version.strip_prefix("2.").is_some_and(|rest| {
            let digits = rest.split('.').next().unwrap_or_default();
            digits.parse().is_ok_and(|found: u32| found >= minor)
        })
}

/// Parses a decimal number, or a hexadecimal one with the prefix `0x`.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}
