//! The kernel: its version and its options.

use super::config::Config;
use super::device::{self, Device};
use super::item::{Item, State};
use super::system::System;

/// The first kernel whose UACCE `libwd` works with (UADK's `INSTALL`, section 1).
const OLDEST: (u32, u32) = (5, 9);

/// A build option, with its current and former names.
struct KernelOption {
    names: &'static [&'static str],
    /// What it provides.
    provides: &'static str,
}

/// The options of UADK's `INSTALL`, section 2, without those for other devices.
const OPTIONS: [KernelOption; 7] = [
    KernelOption { names: &["CONFIG_UACCE"], provides: "the devices in /dev" },
    KernelOption {
        // The first name is that of Linux 5.18 and later.
        names: &["CONFIG_IOMMU_SVA", "CONFIG_IOMMU_SVA_LIB"],
        provides: "address spaces shared with devices",
    },
    KernelOption { names: &["CONFIG_ARM_SMMU_V3"], provides: "the IOMMU of Arm servers" },
    KernelOption {
        names: &["CONFIG_ARM_SMMU_V3_SVA"],
        provides: "shared address spaces on that IOMMU",
    },
    KernelOption { names: &["CONFIG_PCI_PASID"], provides: "an address space per process" },
    KernelOption { names: &["CONFIG_CRYPTO_DEV_HISI_QM"], provides: "the accelerator's queues" },
    KernelOption { names: &["CONFIG_CRYPTO_DEV_HISI_ZIP"], provides: "the accelerator's driver" },
];

/// Checks whether the kernel is new enough.
pub(super) fn version(system: &System, devices: &[Device]) -> Item {
    const TOPIC: &str = "kernel";
    let release = &system.kernel_release;
    let Some(version) = parse(release) else {
        let detail = format!("unknown version {release:?}");
        return Item::new(TOPIC, State::Warning, detail)
            .remedy("check that `uname -r` prints 5.9 or newer");
    };
    if version >= OLDEST {
        return Item::ok(TOPIC, format!("{release} (5.9 or newer is needed)"));
    }
    // Vendors may have backported UACCE to older kernels.
    let state = State::missing_unless(device::any_has_sva(devices));
    Item::new(TOPIC, state, format!("{release} is older than 5.9"))
        .remedy(system.on_kunpeng("install kernel 5.9 or newer, such as openEuler 22.03's (5.10)"))
}

/// Returns one item per option, or a single item if the configuration can't be read.
pub(super) fn options(system: &System, devices: &[Device]) -> Vec<Item> {
    let works = device::any_has_sva(devices);
    let config = match Config::read(system) {
        Ok(config) => config,
        Err(error) if works => {
            return vec![Item::ok(
                "kernel options",
                format!("{error}, but a device that needs all of them is present"),
            )];
        }
        Err(error) => {
            let names: Vec<_> = OPTIONS.iter().map(|option| option.names.join(" or ")).collect();
            return vec![Item::new("kernel options", State::Warning, error).remedy(
                system.on_kunpeng(format!(
                    "`modprobe configs` creates /proc/config.gz; check it for {}",
                    names.join(", ")
                )),
            )];
        }
    };
    OPTIONS.iter().map(|option| option.item(system, &config, works)).collect()
}

impl KernelOption {
    /// Returns the line to put into a configuration.
    fn setting(&self) -> String {
        match self.names {
            [name, older, ..] => format!("{name}=y (before 5.18 {older}=y)"),
            names => format!("{}=y", names.concat()),
        }
    }

    fn item(&self, system: &System, config: &Config, works: bool) -> Item {
        let found = self.names.iter().find_map(|name| Some((name, config.get(name)?)));
        let file = config.file.display();
        if let Some((name, value @ ("y" | "m"))) = found {
            return Item::ok(*name, format!("{value}; provides {}", self.provides));
        }
        let name = self.names[0];
        Item::new(
            name,
            State::missing_unless(works),
            format!("not set in {file}; provides {}", self.provides),
        )
        .remedy(system.on_kunpeng(format!(
            "boot a kernel with {}: a distribution's kernel for Kunpeng, or your own",
            self.setting()
        )))
    }
}

/// Parses the major and minor version.
fn parse(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_by_number() {
        assert_eq!(parse("5.10.0-216.oe2203.aarch64"), Some((5, 10)));
        assert_eq!(parse("6.12-rc1"), Some((6, 12)));
        assert_eq!(parse(""), None);
        assert_eq!(parse("unknown"), None);
        assert!(parse("5.10.0").unwrap() > OLDEST);
        assert!(parse("5.8.18").unwrap() < OLDEST);
    }
}
