//! Reads the attributes of a device.

use std::ffi::{c_char, c_void};

use crate::abi::uacce_dev;

/// The name of a queue interface before its version.
const QUEUE_API: &[u8] = b"hisi_qm_v";

impl uacce_dev {
    /// Reads the version of the device's queue interface: 3 for `hisi_qm_v3`. Returns `None` if
    /// the interface has another name.
    ///
    /// The driver refuses requests of LZ77 and LZ4 on queues before version 3.
    ///
    /// # Safety
    ///
    /// `dev` is from a list that [`wd_get_accel_list`](crate::Functions::wd_get_accel_list)
    /// returned, and that has not been freed.
    #[must_use]
    pub unsafe fn read_queue_version(dev: *const c_void) -> Option<u32> {
        // SAFETY: the caller promises that this is a device. All versions have this field at the
        // same offset.
        let api = unsafe { &raw const (*dev.cast::<Self>()).api };
        // SAFETY: as above. The list belongs to the caller, and nothing writes to it.
        queue_version(&unsafe { api.read() })
    }
}

fn queue_version(api: &[c_char]) -> Option<u32> {
    let api: Vec<u8> = api.iter().map(|byte| byte.to_ne_bytes()[0]).collect();
    let name = api.split(|byte| matches!(byte, 0 | b'\n')).next()?;
    std::str::from_utf8(name.strip_prefix(QUEUE_API)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(api: &str) -> Option<u32> {
        // SAFETY: zeros are valid.
        let mut device: uacce_dev = unsafe { std::mem::zeroed() };
        for (field, byte) in device.api.iter_mut().zip(api.bytes()) {
            *field = c_char::from_ne_bytes([byte]);
        }
        // SAFETY: a device.
        unsafe { uacce_dev::read_queue_version((&raw const device).cast()) }
    }

    #[test]
    fn the_version_of_the_queue_interface_is_read() {
        assert_eq!(version("hisi_qm_v2"), Some(2));
        assert_eq!(version("hisi_qm_v3\n"), Some(3));
        assert_eq!(version("hisi_qm_v10"), Some(10));
        for other in ["", "hisi_qm_v", "hisi_qm_vx", "qm_v3", &"hisi_qm_v3".repeat(9)] {
            assert_eq!(version(other), None, "{other}");
        }
    }

    #[test]
    fn a_name_that_fills_the_field_needs_no_terminator() {
        let name = format!("hisi_qm_v{}3", "0".repeat(54));
        assert_eq!((name.len(), version(&name)), (64, Some(3)));
    }
}
