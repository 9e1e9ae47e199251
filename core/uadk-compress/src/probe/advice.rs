//! Advice: environment variables that override settings, and page faults with guests.

use super::item::{Item, State};
use super::system::System;

/// Warns about environment variables that change how the accelerator is used.
pub(super) fn environment(system: &System) -> Vec<Item> {
    let warning = |name: &str, meaning: &dyn Fn(&str) -> Option<(String, &str)>| {
        let value = system.variables.get(name)?;
        let (detail, remedy) = meaning(value)?;
        Some(Item::new(name, State::Warning, detail).remedy(remedy))
    };
    let contexts = warning("WD_COMP_CTX_NUM", &|value| {
        let detail = format!("{value:?} overrides the number of contexts requested from libwd");
        Some((detail, "`unset WD_COMP_CTX_NUM`, unless it is intended"))
    });
    let offload = warning("UADK_COMPRESS_OFFLOAD", &|value| {
        let detail =
            "`off`: programs in this environment process all blocks in software".to_owned();
        (value == "off").then_some((detail, "`unset UADK_COMPRESS_OFFLOAD`, or set it to `auto`"))
    });
    contexts.into_iter().chain(offload).collect()
}

/// Advises preallocating guests' memory, the memory most likely to cause the device's slow page
/// faults.
pub(super) fn page_faults(system: &System) -> Option<Item> {
    const TOPIC: &str = "guests";
    const PREALLOCATE: &str = "start guests whose memory the accelerator reads or writes, such as \
        the destination of a migration, with preallocated memory (`-mem-prealloc`; in libvirt \
        `<memoryBacking><allocation mode='immediate'/></memoryBacking>`): the device's page faults \
        are slow";
    if let Some(hypervisor) = hypervisor(system) {
        let detail = format!("this is a virtual machine ({hypervisor})");
        let remedy =
            format!("{PREALLOCATE}; also this guest, if an accelerator is passed through to it");
        return Some(Item::new(TOPIC, State::Warning, detail).remedy(remedy));
    }
    system
        .exists("/dev/kvm")
        .then(|| Item::ok(TOPIC, "this machine can run guests (/dev/kvm)").remedy(PREALLOCATE))
}

/// Returns the hypervisor if the machine is a guest.
fn hypervisor(system: &System) -> Option<String> {
    let dmi = |field: &str| system.line(format!("/sys/class/dmi/id/{field}")).unwrap_or_default();
    let (vendor, product) = (dmi("sys_vendor"), dmi("product_name"));
    let named = format!("{vendor} {product}");
    let guests = [
        "QEMU",
        "KVM",
        "OpenStack",
        "VMware",
        "VirtualBox",
        "Virtual Machine",
        "Xen",
        "Amazon EC2",
    ];
    if guests.iter().any(|guest| named.contains(guest)) && !product.contains("metal") {
        return Some(named.trim().to_owned());
    }
    if let Some(kind) = system.line("/sys/hypervisor/type") {
        return Some(kind);
    }
    // On Arm there is no such flag in /proc/cpuinfo, but a node in the device tree.
    if let Some(node) = system.line("/proc/device-tree/hypervisor/compatible") {
        return Some(node.trim_end_matches('\0').to_owned());
    }
    let cpu = system.text("/proc/cpuinfo")?;
    let flags = cpu.lines().find(|line| line.starts_with("flags"))?;
    flags
        .split_whitespace()
        .any(|flag| flag == "hypervisor")
        .then(|| "processor flag `hypervisor`".to_owned())
}
