//! The functions of `libwd` and `libwd_comp`.

use std::ffi::{c_char, c_int, c_void};

use crate::abi::{
    handle_t, uacce_dev_list, wd_alg_list, wd_comp_req, wd_comp_sess_setup, wd_ctx_params,
};

macro_rules! functions {
    ($($library:ident { $($(#[$doc:meta])* $name:ident: fn($($arg:ty),*) $(-> $ret:ty)?;)* })*) => {
        /// The table of functions. Fields are named after the C functions.
        ///
        /// ```
        /// use uadk_sys::{Functions, Libwd};
        ///
        /// /// Returns whether any device offers gzip.
        /// fn has_gzip(functions: &Functions) -> bool {
        ///     // SAFETY: the name is NUL-terminated.
        ///     let devices = unsafe { (functions.wd_get_accel_list)(c"gzip".as_ptr()) };
        ///     if !devices.is_null() {
        ///         // SAFETY: the list is freed once.
        ///         unsafe { (functions.wd_free_list_accels)(devices) };
        ///     }
        ///     !devices.is_null()
        /// }
        ///
        /// let on_device = Libwd::load().is_ok_and(|libwd| has_gzip(libwd.functions()));
        /// println!("gzip {}", if on_device { "on the device" } else { "in software" });
        /// ```
        #[derive(Clone, Copy, Debug)]
        pub struct Functions {
            $($($(#[$doc])* pub $name: unsafe extern "C" fn($($arg),*) $(-> $ret)?,)*)*
        }

        impl Functions {
            /// Looks up every function. `find` receives the library's short name and the
            /// function's.
            ///
            /// # Safety
            ///
            /// Each address must be that of the function with that name, and stay valid.
            pub(crate) unsafe fn find<E>(
                mut find: impl FnMut(&'static str, &'static str) -> Result<*mut c_void, E>,
            ) -> Result<Self, E> {
                Ok(Self { $($($name: {
                    let address = find(stringify!($library), stringify!($name))?;
                    // SAFETY: the caller promises that this is the address of that function, whose
                    // signature is the field's.
                    unsafe { std::mem::transmute::<
                        *mut c_void,
                        unsafe extern "C" fn($($arg),*) $(-> $ret)?,
                    >(address) }
                },)*)* })
            }

            /// Returns the functions that the program is linked with.
            #[cfg(all(feature = "link", uadk_linked))]
            pub(crate) fn linked() -> Self {
                unsafe extern "C" { $($(fn $name($(_: $arg),*) $(-> $ret)?;)*)* }
                Self { $($($name,)*)* }
            }
        }
    };
}

functions! {
    libwd {
        /// Returns the devices that offer an algorithm, or null. Free the list with
        /// `wd_free_list_accels`.
        wd_get_accel_list: fn(*const c_char) -> *mut uacce_dev_list;
        /// Frees a list from `wd_get_accel_list`.
        wd_free_list_accels: fn(*mut uacce_dev_list);
        /// Returns the number of free contexts of a device, or a negative code. Opening one may
        /// still fail.
        wd_get_avail_ctx: fn(*mut c_void) -> c_int;
        /// Returns the list of drivers, which the library keeps and changes. The first node is a
        /// head without a driver. Read nodes with [`wd_alg_list::read_next`] and its siblings.
        wd_get_alg_head: fn() -> *mut wd_alg_list;
        /// Makes a driver (`wd_alg_list::drv`) available again.
        wd_enable_drv: fn(*mut c_void);
    }
    libwd_comp {
        /// Initialises the library for the whole process: algorithm, scheduler, task type,
        /// contexts. Returns `EEXIST` if it is already initialised.
        wd_comp_init2_: fn(*mut c_char, u32, c_int, *mut wd_ctx_params) -> c_int;
        /// Undoes `wd_comp_init2_` and invalidates all sessions: using one afterwards causes
        /// a segmentation fault.
        wd_comp_uninit2: fn();
        /// Returns a session, or 0. A call before the initialisation causes a segmentation fault.
        wd_comp_alloc_sess: fn(*mut wd_comp_sess_setup) -> handle_t;
        /// Frees a session. None of its requests may be in flight.
        wd_comp_free_sess: fn(handle_t);
        /// Processes one block and busy-waits for it, for up to 14.5 s.
        wd_do_comp_sync: fn(handle_t, *mut wd_comp_req) -> c_int;
        /// Processes a part of a stream, as `wd_do_comp_sync` processes a block.
        wd_do_comp_strm: fn(handle_t, *mut wd_comp_req) -> c_int;
        /// Submits one block. `src` and `dst` must stay valid until the callback has been called;
        /// the request is copied.
        wd_do_comp_async: fn(handle_t, *mut wd_comp_req) -> c_int;
        /// Runs the callbacks of completed requests of all contexts, up to the given number.
        wd_comp_poll: fn(u32, *mut u32) -> c_int;
        /// Runs the callbacks of completed requests of one context, up to the given number, and
        /// counts them. Returns `EAGAIN` if there were fewer, `EINVAL` if there is no such context
        /// for asynchronous requests.
        wd_comp_poll_ctx: fn(u32, u32, *mut u32) -> c_int;
    }
}
