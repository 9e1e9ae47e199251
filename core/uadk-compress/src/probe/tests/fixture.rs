//! Machines made of files in a temporary directory.

use std::fs;
use std::ops::Deref;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::probe::{System, User};
use crate::{BlockCompressor, Format, Level, SoftwareCompressor};

pub(super) const RELEASE: &str = "5.10.0-216.0.0.115.oe2203sp4.aarch64";

const DEVICES: [&str; 2] = ["hisi_zip-0", "hisi_zip-1"];

const CONFIG: &str = "CONFIG_ARM64=y\nCONFIG_UACCE=m\nCONFIG_IOMMU_SVA_LIB=y\n\
    CONFIG_ARM_SMMU_V3=y\nCONFIG_ARM_SMMU_V3_SVA=y\nCONFIG_PCI_PASID=y\n\
    CONFIG_CRYPTO_DEV_HISI_QM=m\nCONFIG_CRYPTO_DEV_HISI_ZIP=m\n";

/// A machine under construction.
pub(super) struct Machine {
    root: TempDir,
}

/// A machine as the inspection sees it.
pub(super) struct Fixture {
    root: TempDir,
    pub(super) system: System,
}

impl Machine {
    fn empty() -> Self {
        Self { root: tempfile::tempdir().expect("a temporary directory") }
    }

    /// Builds a Kunpeng 920 with two devices and UADK 2.10, used by a user who owns no files.
    pub(super) fn kunpeng() -> Self {
        let mut machine = Self::empty()
            .file("/proc/sys/kernel/arch", "aarch64\n")
            .release(RELEASE)
            .config(CONFIG)
            .file("/proc/cpuinfo", "processor\t: 0\nCPU implementer\t: 0x48\nCPU part\t: 0xd01\n")
            .file("/etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:4000:4000::/:/bin/sh\n")
            .file("/etc/group", "root:x:0:\n")
            .file("/sys/class/iommu/smmu3.0x0000000148000000/x", "")
            .file("/sys/bus/pci/devices/0000:75:00.0/vendor", "0x19e5\n")
            .file("/sys/bus/pci/devices/0000:75:00.0/device", "0xa250\n")
            .file("/sys/module/hisi_zip/parameters/uacce_mode", "1\n")
            .file("/usr/lib64/libwd.so.2.10.0", "")
            .file("/usr/lib64/uadk/libhisi_zip.so", "");
        symlink("libwd.so.2.10.0", machine.path("/usr/lib64/libwd.so.2")).expect("creates a link");
        for (device, node) in DEVICES.iter().zip(["0\n", "2\n"]) {
            for (attribute, value) in [
                ("api", "hisi_qm_v2\n"),
                ("algorithms", "zlib\ngzip\n"),
                ("flags", "1\n"),
                ("available_instances", "256\n"),
                ("isolate", "0\n"),
                ("device/numa_node", node),
            ] {
                machine = machine.set_on(device, attribute, value);
            }
            machine = machine.file(&format!("/dev/{device}"), "");
        }
        machine.mode(0o666)
    }

    /// Builds an x86 machine whose kernel has a readable configuration.
    pub(super) fn laptop() -> Self {
        Self::empty()
            .file("/proc/sys/kernel/arch", "x86_64\n")
            .release("6.1.0-18-amd64")
            .config("CONFIG_X86_64=y\n# CONFIG_UACCE is not set\nCONFIG_PCI_PASID=y\n")
            .file("/proc/cpuinfo", "flags\t\t: fpu vme sse\n")
    }

    pub(super) fn file(self, path: &str, contents: &str) -> Self {
        self.write(path, contents.as_bytes());
        self
    }

    pub(super) fn release(self, release: &str) -> Self {
        self.file("/proc/sys/kernel/osrelease", &format!("{release}\n"))
    }

    /// Writes the kernel's configuration, compressed as in `/proc`.
    pub(super) fn config(self, text: &str) -> Self {
        let gzip =
            SoftwareCompressor::new(Format::Gzip, Level::BALANCED).expect("a supported format");
        let mut compressed = vec![0; gzip.max_compressed_len(text.len())];
        let len = gzip.compress(text.as_bytes(), &mut compressed).expect("enough space");
        self.write("/proc/config.gz", &compressed[..len]);
        self
    }

    /// Sets an attribute of all devices.
    pub(super) fn set(self, attribute: &str, value: &str) -> Self {
        let present: Vec<_> =
            DEVICES.into_iter().filter(|device| self.path(&class(device)).exists()).collect();
        present.into_iter().fold(self, |machine, device| machine.set_on(device, attribute, value))
    }

    pub(super) fn set_on(self, device: &str, attribute: &str, value: &str) -> Self {
        self.file(&format!("{}/{attribute}", class(device)), value)
    }

    /// Sets the mode of all device nodes.
    pub(super) fn mode(self, mode: u32) -> Self {
        for device in DEVICES {
            let node = self.path(&format!("/dev/{device}"));
            fs::set_permissions(node, fs::Permissions::from_mode(mode))
                .expect("the test owns the file");
        }
        self
    }

    pub(super) fn without(self, path: &str) -> Self {
        let path = self.path(path);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
            .expect("removes an existing file");
        self
    }

    /// Adds a symbolic link at `path`.
    pub(super) fn link(self, target: &str, path: &str) -> Self {
        symlink(target, self.path(path)).expect("creates a link");
        self
    }

    pub(super) fn one_device(self) -> Self {
        self.without(&class(DEVICES[1])).without(&format!("/dev/{}", DEVICES[1]))
    }

    pub(super) fn without_devices(self) -> Self {
        self.without("/sys/class/uacce").without("/dev")
    }

    /// Moves UADK to another directory.
    pub(super) fn move_library(self, dir: &str) -> Self {
        let to = self.path(dir);
        fs::create_dir_all(to.parent().expect("not the root")).expect("creates the directory");
        fs::rename(self.path("/usr/lib64"), to).expect("renames within one file system");
        self
    }

    pub(super) fn system(self) -> Fixture {
        let mut system = System::at(self.root.path());
        let owner = fs::metadata(self.root.path()).expect("the directory exists").uid();
        // A user who does not own these files, no matter who runs the test.
        let uid = if owner == 4000 { 4001 } else { 4000 };
        system.user = User { uid, groups: vec![uid], may_override: false };
        Fixture { root: self.root, system }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    fn write(&self, path: &str, contents: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("creates the directory");
        fs::write(path, contents).expect("writes the file");
    }
}

impl Fixture {
    /// Returns the group of all files.
    pub(super) fn group(&self) -> u32 {
        fs::metadata(self.root.path().join("dev/hisi_zip-0")).expect("the node exists").gid()
    }
}

impl Deref for Fixture {
    type Target = System;

    fn deref(&self) -> &System {
        &self.system
    }
}

fn class(device: &str) -> String {
    format!("/sys/class/uacce/{device}")
}
