//! The kernel's build configuration.

use std::fs;
use std::path::PathBuf;

use super::system::System;
use crate::{BlockCompressor, Format, Level, SoftwareCompressor};

/// An upper bound, larger than any kernel's configuration.
const MAX_LEN: usize = 16 << 20;

/// The kernel's build configuration.
#[derive(Debug)]
pub(super) struct Config {
    /// The file's path on the machine.
    pub(super) file: PathBuf,
    text: String,
}

impl Config {
    /// Reads the first configuration found. The error names the first two files tried.
    pub(super) fn read(system: &System) -> Result<Self, String> {
        let release = &system.kernel_release;
        let plain = [
            format!("/boot/config-{release}"),
            format!("/usr/lib/modules/{release}/config"),
            format!("/lib/modules/{release}/config"),
            format!("/lib/modules/{release}/build/.config"),
        ];
        let compressed = PathBuf::from("/proc/config.gz");
        if let Some(text) = fs::read(system.path(&compressed)).ok().and_then(|gzip| gunzip(&gzip)) {
            return Ok(Self { file: compressed, text });
        }
        plain
            .iter()
            .find_map(|file| Some(Self { file: file.into(), text: system.text(file)? }))
            .ok_or_else(|| format!("neither /proc/config.gz nor {} can be read", plain[0]))
    }

    /// Returns the value of an option ("y", "m"), or `None` if it is not set.
    pub(super) fn get(&self, option: &str) -> Option<&str> {
        self.text
            .lines()
            .find_map(|line| line.strip_prefix(option)?.strip_prefix('='))
            .map(str::trim)
    }
}

fn gunzip(gzip: &[u8]) -> Option<String> {
    // The last four bytes of a gzip file are its uncompressed length (RFC 1952, 2.3.1).
    let len = u32::from_le_bytes(*gzip.last_chunk()?) as usize;
    if len > MAX_LEN {
        return None;
    }
    let mut contents = vec![0; len];
    let engine = SoftwareCompressor::new(Format::Gzip, Level::BALANCED).ok()?;
    let len = engine.decompress(gzip, &mut contents).ok()?;
    contents.truncate(len);
    String::from_utf8(contents).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_found_by_its_whole_name() {
        let text = "CONFIG_UACCE_DEBUG=y\nCONFIG_UACCE=m\n# CONFIG_PCI_PASID is not set\n".into();
        let config = Config { file: PathBuf::new(), text };
        assert_eq!(config.get("CONFIG_UACCE"), Some("m"));
        assert_eq!(config.get("CONFIG_PCI_PASID"), None);
        assert_eq!(config.get("CONFIG_PCI"), None);
    }

    #[test]
    fn a_damaged_or_enormous_file_is_not_a_configuration() {
        assert_eq!(gunzip(b""), None);
        assert_eq!(gunzip(b"1234 not gzip"), None);
        assert_eq!(gunzip(&[0xff; 64]), None);
    }
}
