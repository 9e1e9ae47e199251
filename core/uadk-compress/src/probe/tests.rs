//! Inspections of machines made of file trees.

mod fixture;

use super::item::{Item, State};
use super::{Readiness, Report, inspect};
use crate::Format;
use fixture::Machine;

/// Returns the items that are not `Ok`.
fn flaws(report: &Report) -> Vec<&Item> {
    report.items.iter().filter(|item| item.state != State::Ok).collect()
}

fn item<'a>(report: &'a Report, topic: &str) -> &'a Item {
    report.items.iter().find(|item| item.topic == topic).unwrap_or_else(|| {
        let topics: Vec<_> = report.items.iter().map(|item| &item.topic).collect();
        panic!("no item {topic:?} among {topics:?}")
    })
}

/// Returns the only flaw of a machine that can't use its accelerator.
fn only_missing<'a>(report: &'a Report, topic: &str) -> &'a Item {
    assert_eq!(report.readiness(), Readiness::SoftwareOnly, "{report:#?}");
    let flaws = flaws(report);
    assert_eq!(flaws.len(), 1, "{flaws:#?}");
    assert_eq!((flaws[0].topic.as_str(), flaws[0].state), (topic, State::Missing));
    flaws[0]
}

fn remedy(item: &Item) -> &str {
    item.remedy.as_deref().unwrap_or_else(|| panic!("no remedy: {item:?}"))
}

#[test]
fn an_ideal_server_is_ready_and_needs_no_remedy() {
    let report = inspect(&Machine::kunpeng().system());
    assert_eq!(report.readiness(), Readiness::Ready);
    assert_eq!(flaws(&report), Vec::<&Item>::new());
    assert!(item(&report, "architecture").detail.contains("Kunpeng 920"));
    assert!(item(&report, "CONFIG_UACCE").detail.starts_with("m;"));
    assert!(item(&report, "CONFIG_IOMMU_SVA_LIB").detail.starts_with("y;"));
    assert!(item(&report, "hisi_zip-0").detail.contains("hisi_qm_v2, NUMA node 0"));
    assert!(item(&report, "hisi_zip-1").detail.contains("NUMA node 2"));
    assert!(item(&report, "hisi_zip-0 queues").detail.contains("256 free"));
    let formats = &item(&report, "hisi_zip-0 formats").detail;
    assert!(formats.starts_with("zlib, gzip; raw deflate is compressed through zlib"), "{formats}");
    let libwd = &item(&report, "libwd").detail;
    assert_eq!(libwd, "UADK 2.10.0, /usr/lib64/libwd.so.2.10.0");
    assert!(item(&report, "driver").detail.contains("/usr/lib64/uadk/libhisi_zip.so"));
}

#[test]
fn every_flaw_on_every_machine_has_a_remedy() {
    let machines = [
        Machine::kunpeng().mode(0o600),
        Machine::kunpeng().set("flags", "0"),
        Machine::kunpeng().set("isolate", "1"),
        Machine::kunpeng().set("available_instances", "0"),
        Machine::kunpeng().set("algorithms", "lz77_zstd"),
        Machine::kunpeng().without_devices(),
        Machine::kunpeng().without("/proc/config.gz").without_devices(),
        Machine::kunpeng().without("/usr/lib64/libwd.so.2"),
        Machine::kunpeng().without("/dev/hisi_zip-0").without("/dev/hisi_zip-1"),
        Machine::laptop(),
    ];
    for machine in machines {
        let report = inspect(&machine.system());
        assert!(!flaws(&report).is_empty());
        for item in flaws(&report) {
            assert!(!remedy(item).is_empty() && !item.detail.is_empty(), "{item:?}");
        }
    }
}

#[test]
fn without_permission_the_remedy_has_the_command_and_the_rule() {
    let machine = Machine::kunpeng().mode(0o600);
    let report = inspect(&machine.system());
    assert_eq!(report.readiness(), Readiness::SoftwareOnly);
    let item = item(&report, "/dev/hisi_zip-0");
    assert_eq!(item.state, State::Missing);
    assert!(item.detail.contains("not accessible to user app (mode 600"), "{}", item.detail);
    for part in [
        "sudo chmod 666 /dev/hisi_zip-0",
        r#"SUBSYSTEM=="uacce", KERNEL=="hisi_zip-*", GROUP="uadk", MODE="0660""#,
        "/etc/udev/rules.d/",
        "usermod -aG uadk app",
    ] {
        assert!(remedy(item).contains(part), "{part} is not in {}", remedy(item));
    }
}

#[test]
fn a_member_of_the_nodes_group_and_root_may_open_it() {
    let mut system = Machine::kunpeng().mode(0o660).system();
    assert_eq!(inspect(&system.system).readiness(), Readiness::SoftwareOnly);
    system.system.user.groups.push(system.group());
    assert_eq!(inspect(&system.system).readiness(), Readiness::Ready);

    let mut system = Machine::kunpeng().mode(0o000).system();
    system.system.user.may_override = true;
    assert_eq!(inspect(&system.system).readiness(), Readiness::Ready);
}

#[test]
fn a_flaw_of_one_device_is_a_warning_while_another_works() {
    let report = inspect(&Machine::kunpeng().set_on("hisi_zip-1", "isolate", "1").system());
    assert_eq!(report.readiness(), Readiness::Ready);
    let flaws = flaws(&report);
    assert_eq!((flaws.len(), flaws[0].state), (1, State::Warning));
    assert!(flaws[0].detail.contains("isolated"));
}

#[test]
fn a_device_without_sva_is_missing() {
    let report = inspect(&Machine::kunpeng().one_device().set("flags", "0").system());
    let item = only_missing(&report, "hisi_zip-0");
    assert!(item.detail.contains("without shared virtual addressing"));
    assert!(remedy(item).contains("SMMU") && remedy(item).contains("uacce_mode=1"));
}

#[test]
fn an_isolated_device_is_missing() {
    let report = inspect(&Machine::kunpeng().one_device().set("isolate", "1").system());
    assert!(only_missing(&report, "hisi_zip-0 isolation").detail.contains("isolated"));
}

#[test]
fn a_device_without_a_free_queue_is_missing() {
    let report = inspect(&Machine::kunpeng().one_device().set("available_instances", "0").system());
    let item = only_missing(&report, "hisi_zip-0 queues");
    assert!(remedy(item).contains("fuser -v /dev/hisi_zip-0"));
}

#[test]
fn a_device_with_raw_deflate_needs_no_detour() {
    let machine =
        Machine::kunpeng().one_device().set("algorithms", "zlib\ngzip\ndeflate\nlz77_zstd");
    let report = inspect(&machine.system());
    assert_eq!(item(&report, "hisi_zip-0 formats").detail, "zlib, gzip, deflate");
}

#[test]
fn how_zstd_and_lz4_are_compressed_is_said_by_name_and_with_the_reason() {
    let both = |machine: Machine| {
        let report = inspect(&machine.system());
        [Format::Zstd, Format::Lz4].map(|format| {
            let item = item(&report, &format!("hisi_zip-0 {format}"));
            assert_eq!(item.state, State::Ok, "no device must have them");
            item.detail.clone()
        })
    };
    for detail in both(Machine::kunpeng().one_device()) {
        assert!(detail.contains("hisi_qm_v2 (a Kunpeng 920 has zlib and gzip alone)"), "{detail}");
    }
    let with = |algorithms| {
        let machine = Machine::kunpeng().one_device().set("api", "hisi_qm_v3\n");
        machine.set("algorithms", algorithms)
    };
    let [zstd, lz4] = both(with("zlib\ngzip\nlz77_zstd\nlz77_only\nlz4\n"));
    assert!(zstd.starts_with("compressed through lz77_zstd"), "{zstd}");
    assert!(lz4.starts_with("compressed through lz4"), "{lz4}");
    let [_, lz4] = both(with("zlib\ngzip\nlz77_zstd\n"));
    assert!(lz4.starts_with("compressed through lz77_zstd"), "{lz4}");
    let [zstd, lz4] = both(with("zlib\ngzip\n"));
    assert_eq!(zstd, "in software: the driver offers no lz77_zstd");
    assert_eq!(lz4, "in software: the driver offers no lz4, lz77_only, lz77_zstd");

    let old = with("zlib\nlz77_zstd\n").without("/usr/lib64/libwd.so.2");
    let old = old.without("/usr/lib64/libwd.so.2.10.0").file("/usr/lib64/libwd.so.2.8.0", "");
    for detail in both(old.link("libwd.so.2.8.0", "/usr/lib64/libwd.so.2")) {
        assert_eq!(detail, "in software: needs UADK 2.9 or newer");
    }
}

#[test]
fn a_device_without_a_usable_format_is_missing() {
    let report = inspect(&Machine::kunpeng().one_device().set("algorithms", "lz77_zstd").system());
    assert!(only_missing(&report, "hisi_zip-0 formats").detail.contains("lz77_zstd"));
}

#[test]
fn an_old_kernel_without_devices_is_missing_with_its_options() {
    let machine =
        Machine::kunpeng().without_devices().release("5.4.0-100.aarch64").config("CONFIG_X=y\n");
    let report = inspect(&machine.system());
    assert_eq!(report.readiness(), Readiness::SoftwareOnly);
    assert!(item(&report, "kernel").detail.contains("5.4.0-100.aarch64 is older than 5.9"));
    for option in [
        "CONFIG_UACCE",
        "CONFIG_IOMMU_SVA",
        "CONFIG_ARM_SMMU_V3",
        "CONFIG_ARM_SMMU_V3_SVA",
        "CONFIG_PCI_PASID",
        "CONFIG_CRYPTO_DEV_HISI_QM",
        "CONFIG_CRYPTO_DEV_HISI_ZIP",
    ] {
        let item = item(&report, option);
        assert_eq!(item.state, State::Missing);
        assert!(remedy(item).contains(&format!("{option}=y")), "{}", remedy(item));
    }
    assert!(item(&report, "devices").detail.contains("no hisi_zip-*"));
}

#[test]
fn an_old_kernel_with_a_working_device_is_only_a_warning() {
    let report = inspect(&Machine::kunpeng().release("5.4.0").config("CONFIG_X=y\n").system());
    assert_eq!(report.readiness(), Readiness::Ready);
    assert_eq!(item(&report, "kernel").state, State::Warning);
    assert_eq!(item(&report, "CONFIG_UACCE").state, State::Warning);
}

#[test]
fn the_configuration_is_also_read_from_the_boot_directory() {
    let text = "CONFIG_IOMMU_SVA=y\n";
    let machine = Machine::kunpeng().without("/proc/config.gz").without_devices();
    let machine = machine.file(&format!("/boot/config-{}", fixture::RELEASE), text);
    let report = inspect(&machine.system());
    assert_eq!(item(&report, "CONFIG_IOMMU_SVA").state, State::Ok);
    assert!(item(&report, "CONFIG_UACCE").detail.contains("/boot/config-"));
}

#[test]
fn an_unreadable_configuration_is_a_warning_unless_devices_prove_it() {
    let without_config = || Machine::kunpeng().without("/proc/config.gz");
    let report = inspect(&without_config().system());
    assert_eq!(report.readiness(), Readiness::Ready);
    assert_eq!(item(&report, "kernel options").state, State::Ok);

    let report = inspect(&without_config().without_devices().system());
    let item = item(&report, "kernel options");
    assert_eq!(item.state, State::Warning);
    assert!(remedy(item).contains("CONFIG_CRYPTO_DEV_HISI_ZIP"));
}

#[test]
fn the_drivers_mode_is_reported_with_the_command_that_changes_it() {
    const MODE: &str = "/sys/module/hisi_zip/parameters/uacce_mode";
    for (mode, part) in [("0", "no devices"), ("2", "without shared virtual addressing")] {
        let report = inspect(&Machine::kunpeng().without_devices().file(MODE, mode).system());
        let item = item(&report, "module hisi_zip");
        assert_eq!(item.state, State::Missing);
        assert!(item.detail.contains(part), "{}", item.detail);
        assert!(remedy(item).contains("modprobe hisi_zip uacce_mode=1"));
        assert!(remedy(item).contains("/etc/modprobe.d/"));
    }
    let unloaded = Machine::kunpeng().without_devices().without("/sys/module/hisi_zip");
    assert_eq!(item(&inspect(&unloaded.system()), "module hisi_zip").detail, "not loaded");
}

#[test]
fn on_a_laptop_software_processes_all_blocks() {
    let report = inspect(&Machine::laptop().system());
    assert_eq!(report.readiness(), Readiness::SoftwareOnly);
    let architecture = item(&report, "architecture");
    assert!(architecture.detail.contains("in software"), "{}", architecture.detail);
    let option = remedy(item(&report, "CONFIG_UACCE"));
    assert!(option.starts_with("on a Kunpeng server: "), "{option}");
    assert!(!report.items.iter().any(|item| item.topic == "guests"));
}

#[test]
fn guests_and_their_hosts_are_advised_to_preallocate_memory() {
    let guest = Machine::kunpeng()
        .file("/sys/class/dmi/id/sys_vendor", "QEMU\n")
        .file("/sys/class/dmi/id/product_name", "KVM Virtual Machine\n");
    let report = inspect(&guest.system());
    let advice = item(&report, "guests");
    assert_eq!((advice.state, report.readiness()), (State::Warning, Readiness::Ready));
    assert!(advice.detail.contains("QEMU KVM Virtual Machine"));
    assert!(remedy(advice).contains("-mem-prealloc"));

    let host = inspect(&Machine::kunpeng().file("/dev/kvm", "").system());
    assert_eq!(item(&host, "guests").state, State::Ok);
    assert!(remedy(item(&host, "guests")).contains("-mem-prealloc"));

    let flags = Machine::laptop().file("/proc/cpuinfo", "flags\t\t: fpu hypervisor sse\n");
    assert!(item(&inspect(&flags.system()), "guests").detail.contains("`hypervisor`"));
}

#[test]
fn a_library_that_the_loader_does_not_know_is_a_warning() {
    let local = || Machine::kunpeng().move_library("/usr/local/lib");
    let report = inspect(&local().system());
    let item = item(&report, "libwd");
    assert_eq!((item.state, report.readiness()), (State::Warning, Readiness::Ready));
    assert!(remedy(item).contains("echo /usr/local/lib | sudo tee /etc/ld.so.conf.d/uadk.conf"));
    assert!(remedy(item).contains("/usr/local/lib/pkgconfig"));

    let known = local().file("/etc/ld.so.cache", "glibc\0/usr/local/lib/libwd.so.2\0");
    assert_eq!(flaws(&inspect(&known.system())), Vec::<&Item>::new());
}

#[test]
fn a_missing_or_unlisted_driver_is_missing() {
    const LIST: &str = "/usr/lib64/uadk/uadk.cnf";
    let report = inspect(&Machine::kunpeng().without("/usr/lib64/uadk/libhisi_zip.so").system());
    assert!(remedy(only_missing(&report, "driver")).contains("/usr/lib64/uadk"));

    let report =
        inspect(&Machine::kunpeng().file(LIST, "# libhisi_zip.so\nlibhisi_sec.so\n").system());
    assert!(
        only_missing(&report, "driver").detail.contains("uadk.cnf does not list libhisi_zip.so")
    );

    let listed = Machine::kunpeng().file(LIST, "libhisi_sec.so\nlibhisi_zip.so\n");
    assert_eq!(inspect(&listed.system()).readiness(), Readiness::Ready);
}

#[test]
fn an_unusable_library_breaks_the_machine() {
    let mut machine = Machine::kunpeng().system();
    machine.system.library = super::Library::Unusable { reason: "invalid ELF header".into() };
    let report = inspect(&machine.system);
    assert_eq!(report.readiness(), Readiness::Broken);
    assert!(item(&report, "libwd").broken);
}

#[test]
fn variables_that_override_the_program_are_warnings() {
    let mut machine = Machine::kunpeng().system();
    let variables = &mut machine.system.variables;
    variables.insert("WD_COMP_CTX_NUM".into(), "sync-comp:2@0".into());
    variables.insert("UADK_COMPRESS_OFFLOAD".into(), "off".into());
    let report = inspect(&machine.system);
    assert_eq!(report.readiness(), Readiness::Ready);
    assert!(item(&report, "WD_COMP_CTX_NUM").detail.contains("sync-comp:2@0"));
    assert_eq!(item(&report, "UADK_COMPRESS_OFFLOAD").state, State::Warning);
}

#[test]
fn the_running_machine_and_an_empty_tree_can_be_inspected() {
    for system in [super::System::host(), super::System::at("/nonexistent")] {
        let report = inspect(&system);
        assert!(report.items.len() > 5);
    }
}
