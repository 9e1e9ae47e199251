//! What is good to know: the environment's say, and page faults with guests.

use super::item::{Item, State};
use super::system::System;

/// Variables that change what the accelerator does.
pub(super) fn environment(system: &System) -> Vec<Item> {
    let warning = |name: &str, meaning: &dyn Fn(&str) -> Option<(String, &str)>| {
        let value = system.variables.get(name)?;
        let (detail, remedy) = meaning(value)?;
        Some(Item::new(name, State::Warning, detail).remedy(remedy))
    };
    let contexts = warning("WD_COMP_CTX_NUM", &|value| {
        let detail = format!("{value:?} overrides the number of contexts that is asked of libwd");
        Some((detail, "`unset WD_COMP_CTX_NUM`, unless you know better than the program"))
    });
    let offload = warning("UADK_COMPRESS_OFFLOAD", &|value| {
        let detail = "programs with this environment do every block in software".to_owned();
        (value == "off").then_some((detail, "`unset UADK_COMPRESS_OFFLOAD`, or set it to `auto`"))
    });
    contexts.into_iter().chain(offload).collect()
}

/// Page faults of the device are slow, and guests' memory is the likeliest to cause them.
pub(super) fn page_faults(system: &System) -> Option<Item> {
    const TOPIC: &str = "guests";
    const PREALLOCATE: &str = "start guests whose memory the accelerator is to read or write, such as the \
        destination of a migration, with their memory allocated (`-mem-prealloc`; in libvirt \
        `<memoryBacking><allocation mode='immediate'/></memoryBacking>`): page faults of the device are \
        slow";
    if let Some(hypervisor) = hypervisor(system) {
        let detail = format!("this is a virtual machine ({hypervisor})");
        let remedy =
            format!("{PREALLOCATE}; this one too, if an accelerator is passed through to it");
        return Some(Item::new(TOPIC, State::Warning, detail).remedy(remedy));
    }
    system
        .exists("/dev/kvm")
        .then(|| Item::ok(TOPIC, "this machine can run guests (/dev/kvm)").remedy(PREALLOCATE))
}

/// What the machine runs on, if it is a guest.
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
    // Arm's kernels have no such flag, but a node in the device tree.
    if let Some(node) = system.line("/proc/device-tree/hypervisor/compatible") {
        return Some(node.trim_end_matches('\0').to_owned());
    }
    let cpu = system.text("/proc/cpuinfo")?;
    let flags = cpu.lines().find(|line| line.starts_with("flags"))?;
    flags
        .split_whitespace()
        .any(|flag| flag == "hypervisor")
        .then(|| "the processor's flag `hypervisor`".to_owned())
}
