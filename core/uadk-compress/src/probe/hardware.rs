//! Processor, IOMMU, and the ZIP engine with its kernel module.

use super::device::{self, Device};
use super::item::{Item, State};
use super::system::System;

/// Vendor and device numbers of the ZIP engine, physical and virtual function
/// (`drivers/crypto/hisilicon/zip/zip_main.c` of Linux).
const VENDOR: &str = "0x19e5";
const DEVICES: [&str; 2] = ["0xa250", "0xa251"];

/// HiSilicon's number in `MIDR_EL1`.
const IMPLEMENTER: &str = "0x48";

const MODE_FILE: &str = "/sys/module/hisi_zip/parameters/uacce_mode";

/// Checks whether the processor has the accelerator.
pub(super) fn architecture(system: &System) -> Item {
    const TOPIC: &str = "architecture";
    let architecture = &system.architecture;
    if !system.is_arm() {
        let detail = format!(
            "{architecture}: the accelerator is part of HiSilicon Kunpeng processors (aarch64); \
             here all blocks are processed in software"
        );
        return Item::new(TOPIC, State::Missing, detail)
            .remedy("software needs nothing; for the accelerator, use a Kunpeng server");
    }
    let cpu = system.text("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        cpu.lines()
            .find_map(|line| Some(line.strip_prefix(name)?.trim_start().strip_prefix(':')?.trim()))
    };
    match field("CPU implementer") {
        Some(IMPLEMENTER) => {
            let part = field("CPU part").unwrap_or("unknown");
            let name = if part == "0xd01" { " (Kunpeng 920)" } else { "" };
            Item::ok(TOPIC, format!("{architecture}, HiSilicon, part {part}{name}"))
        }
        other => {
            let other = other.unwrap_or("unknown");
            let detail = format!(
                "{architecture}, but the implementer is {other}, not HiSilicon ({IMPLEMENTER})"
            );
            Item::new(TOPIC, State::Warning, detail)
                .remedy("the accelerator is part of HiSilicon Kunpeng 920 and newer processors")
        }
    }
}

/// Checks whether the kernel drives an IOMMU that can share address spaces.
pub(super) fn smmu(system: &System, devices: &[Device]) -> Item {
    const TOPIC: &str = "SMMU";
    let smmus =
        system.names("/sys/class/iommu").iter().filter(|name| name.contains("smmu3")).count();
    if smmus > 0 {
        return Item::ok(TOPIC, format!("{smmus} SMMUv3 in /sys/class/iommu"));
    }
    let state = State::missing_unless(device::any_has_sva(devices));
    Item::new(TOPIC, state, "no SMMUv3 in /sys/class/iommu").remedy(
        system.on_kunpeng("enable the SMMU in the BIOS (Advanced > MISC Config > Support Smmu)"),
    )
}

/// Checks whether the kernel sees a ZIP engine.
pub(super) fn zip_engine(system: &System, devices: &[Device]) -> Item {
    const TOPIC: &str = "ZIP engine";
    const BUS: &str = "/sys/bus/pci/devices";
    let is_zip = |name: &&String| {
        let attribute = |file| system.line(format!("{BUS}/{name}/{file}"));
        attribute("vendor").as_deref() == Some(VENDOR)
            && attribute("device").is_some_and(|device| DEVICES.contains(&device.as_str()))
    };
    let names = system.names(BUS);
    let engines: Vec<_> = names.iter().filter(is_zip).map(String::as_str).collect();
    if !engines.is_empty() {
        return Item::ok(TOPIC, format!("on the PCI bus: {}", engines.join(", ")));
    }
    let state = State::missing_unless(!devices.is_empty());
    Item::new(TOPIC, state, "none on the PCI bus (19e5:a250, or 19e5:a251 in a guest)").remedy(
        system.on_kunpeng(
            "some servers need a licence for the accelerator, installed through the management \
             controller (iBMC), or a newer BIOS; a guest needs a virtual function passed through",
        ),
    )
}

/// Checks whether the driver is loaded, in the mode that exposes devices to user space.
pub(super) fn module(system: &System, devices: &[Device]) -> Item {
    const TOPIC: &str = "module hisi_zip";
    const RELOAD: &str = "`sudo modprobe -r hisi_zip; sudo modprobe hisi_zip uacce_mode=1`; to \
        make it permanent, `echo options hisi_zip uacce_mode=1 | sudo tee \
        /etc/modprobe.d/hisi_zip.conf` (if built into the kernel, `hisi_zip.uacce_mode=1` on the \
        kernel's command line)";
    let state = State::missing_unless(device::any_has_sva(devices));
    match system.line(MODE_FILE).as_deref() {
        Some("1") => Item::ok(TOPIC, "loaded with uacce_mode=1"),
        Some("0") => Item::new(TOPIC, state, "uacce_mode=0 exposes no devices to user space")
            .remedy(system.on_kunpeng(RELOAD)),
        // KAE's driver kits load it with mode 2.
        Some(mode) => {
            let detail = format!(
                "uacce_mode={mode} exposes devices without shared virtual addressing (SVA)"
            );
            Item::new(TOPIC, state, detail).remedy(system.on_kunpeng(RELOAD))
        }
        None if system.exists("/sys/module/hisi_zip") || !devices.is_empty() => {
            Item::ok(TOPIC, "loaded (uacce_mode unknown)")
        }
        None => Item::new(TOPIC, State::Missing, "not loaded").remedy(system.on_kunpeng(
            "`sudo modprobe hisi_zip uacce_mode=1`; to make it permanent, `echo options hisi_zip \
             uacce_mode=1 | sudo tee /etc/modprobe.d/hisi_zip.conf; echo hisi_zip | sudo tee \
             /etc/modules-load.d/hisi_zip.conf`",
        )),
    }
}
