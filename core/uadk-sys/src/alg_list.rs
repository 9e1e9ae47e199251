//! Reads the library's list of drivers.
//!
//! The library changes nodes under its own lock, which callers can't take. A reference to a node
//! would promise that nothing changes meanwhile, so each field is read once, through a pointer.

use std::ffi::{c_char, c_int, c_void};

use crate::abi::wd_alg_list;

macro_rules! reads {
    ($($(#[$doc:meta])* $read:ident: $field:ident -> $type:ty;)*) => {
        impl wd_alg_list {
            $(
                $(#[$doc])*
                ///
                /// # Safety
                ///
                /// `node` is a node of the list that
                /// [`wd_get_alg_head`](crate::Functions::wd_get_alg_head) returns.
                #[must_use]
                pub unsafe fn $read(node: *const Self) -> $type {
                    // SAFETY: the caller promises that this is a node, and nodes are never freed.
                    let field = unsafe { &raw const (*node).$field };
                    // SAFETY: as above. Volatile, because the library may write to it at any time.
                    unsafe { field.read_volatile() }
                }
            )*
        }
    };
}

reads! {
    /// Reads the name of the algorithm, NUL-terminated.
    read_alg_name: alg_name -> [c_char; 128];
    /// Reads the name of the driver, NUL-terminated.
    read_drv_name: drv_name -> [c_char; 128];
    /// Reads whether the driver is available.
    read_available: available -> bool;
    /// Reads the driver; null in the head of the list.
    read_drv: drv -> *mut c_void;
    /// Reads the number of users.
    read_refcnt: refcnt -> c_int;
    /// Reads the next node; null at the end.
    read_next: next -> *mut Self;
}

#[cfg(test)]
mod tests {
    use std::ptr::without_provenance_mut;

    use super::*;

    fn read<T>(read: unsafe fn(*const wd_alg_list) -> T, node: &wd_alg_list) -> T {
        // SAFETY: it is a node, and nothing changes it.
        unsafe { read(node) }
    }

    #[test]
    fn each_field_is_read_from_its_offset() {
        let drv = without_provenance_mut(0x1000);
        let next = without_provenance_mut(0x2000);
        let node = wd_alg_list {
            alg_name: [1; 128],
            drv_name: [2; 128],
            available: true,
            priority: 3,
            calc_type: 4,
            refcnt: 5,
            drv,
            next,
        };
        assert_eq!(read(wd_alg_list::read_alg_name, &node), [1; 128]);
        assert_eq!(read(wd_alg_list::read_drv_name, &node), [2; 128]);
        assert!(read(wd_alg_list::read_available, &node));
        assert_eq!(read(wd_alg_list::read_refcnt, &node), 5);
        assert_eq!(read(wd_alg_list::read_drv, &node), drv);
        assert_eq!(read(wd_alg_list::read_next, &node), next);
    }
}
