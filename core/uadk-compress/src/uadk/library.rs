//! `libwd` and `libwd_comp` as a [`Device`]: initialisation, sessions, and their pitfalls.

use std::ffi::{CStr, c_ulong, c_void};
use std::sync::Arc;
use std::time::Duration;

use uadk_sys::abi::{
    self, WithSlack, bitmask, sched_params, uacce_dev, wd_alg_list, wd_comp_sess_setup, wd_ctx_nums,
};
use uadk_sys::{Functions, Libwd, Release, Version};

use super::config::UadkConfig;
use super::contexts::Contexts;
use super::framing::{Formats, Framing, Offered};
use super::lifecycle::Device;
use super::poll::poll;
use super::quarantine::{Losses, Quarantine};
use super::session::{Key, Session, op_type};
use crate::{Error, fork};

/// 1024 bits; libnuma supports no more nodes than that.
const NODE_WORDS: usize = 16;
/// Upper bound on context numbers; no process has that many.
const MAX_CONTEXTS: u32 = 1 << 16;
/// Stop searching after this many consecutive missing numbers.
const NUMBERING_GAP: u32 = 64;
/// How often, and at what interval, contexts are polled for outstanding blocks before they are
/// given up.
const LAST_POLLS: u32 = 10;
const LAST_POLL_INTERVAL: Duration = Duration::from_millis(1);
/// Queues before `hisi_qm_v3` refuse LZ77 and LZ4.
const LZ77_QUEUE: u32 = 3;
/// The driver of the supported devices.
const DRIVER: &[u8] = b"hisi_zip";

/// The libraries, and their state between calls.
#[derive(Debug)]
pub(super) struct Library {
    functions: Functions,
    version: Version,
    /// What the devices offer.
    formats: Arc<Formats>,
    contexts_per_direction: u32,
    numa_node: Option<u32>,
    initialised: bool,
    /// Whether this crate made the initialisation, not another library in this process.
    owned: bool,
    contexts: Option<Arc<Contexts>>,
    quarantine: Quarantine,
    /// Why this process may not use the library at all.
    forbidden: Option<Error>,
}

impl Library {
    pub(super) fn new(
        libwd: &Libwd,
        formats: Arc<Formats>,
        config: &UadkConfig,
        losses: Arc<Losses>,
    ) -> Self {
        Self {
            functions: *libwd.functions(),
            version: libwd.version().clone(),
            formats,
            contexts_per_direction: config.contexts.max(1),
            numa_node: config.numa_node,
            initialised: false,
            owned: false,
            contexts: None,
            quarantine: Quarantine::new(losses),
            forbidden: forbidden_after_fork(libwd.version()),
        }
    }

    /// Returns the contexts of the current or the last initialisation.
    pub(super) fn contexts(&self) -> Option<&Arc<Contexts>> {
        self.contexts.as_ref()
    }

    /// Frees the buffers of blocks that the device completed after they had been given up.
    pub(super) fn sweep(&mut self) {
        let current = self.contexts.as_ref().filter(|_| self.initialised).cloned();
        for session in self.quarantine.sweep() {
            // Sessions of an earlier initialisation were freed with it.
            if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, session.contexts())) {
                self.free(session);
            }
        }
    }

    /// Makes drivers available again: an initialisation that finds no free context leaves its
    /// driver disabled for good.
    fn enable_drivers(&self) {
        // SAFETY: the list is the library's, and is never freed.
        let mut node = unsafe { (self.functions.wd_get_alg_head)() }.cast_const();
        while !node.is_null() {
            // SAFETY: a node of the list.
            let name = unsafe { wd_alg_list::read_drv_name(node) };
            // SAFETY: as above.
            let available = unsafe { wd_alg_list::read_available(node) };
            // SAFETY: as above.
            let driver = unsafe { wd_alg_list::read_drv(node) };
            let name = name.map(|byte| byte.to_ne_bytes()[0]);
            let known = CStr::from_bytes_until_nul(&name).is_ok_and(|n| n.to_bytes() == DRIVER);
            if known && !available && !driver.is_null() {
                // SAFETY: the node's own driver, as the function expects it.
                unsafe { (self.functions.wd_enable_drv)(driver) };
            }
            // SAFETY: as above.
            node = unsafe { wd_alg_list::read_next(node) };
        }
    }

    /// Initialises the library for the whole process, with `contexts` contexts per direction.
    /// Returns `false` if another library has already initialised it.
    fn initialise_process(&self, algorithm: &CStr, contexts: u32) -> Result<bool, Error> {
        let mut nums = [wd_ctx_nums { sync_ctx_num: 0, async_ctx_num: contexts }; 2];
        let mut words = self.nodes();
        let mut nodes = bitmask { size: (NODE_WORDS * 64) as c_ulong, maskp: words.as_mut_ptr() };
        // A null `bmp` would mean all nodes, but UADK 2.6 to 2.8 crash on it.
        let mut params = abi::wd_ctx_params {
            op_type_num: 2,
            ctx_set_num: nums.as_mut_ptr(),
            bmp: &raw mut nodes,
            cap: std::ptr::null_mut(),
        };
        // The library reads `errno` after calls that need not set it.
        // SAFETY: returns the address of the calling thread's `errno`.
        let errno = unsafe { libc::__errno_location() };
        // SAFETY: valid as long as the thread lives.
        unsafe { errno.write(0) };
        // SAFETY: all pointers are valid during the call, which copies what it needs. The name is
        // not written to.
        let code = unsafe {
            (self.functions.wd_comp_init2_)(
                algorithm.as_ptr().cast_mut(),
                abi::SCHED_POLICY_RR,
                abi::TASK_HW,
                &raw mut params,
            )
        };
        match code {
            0 => Ok(true),
            abi::EEXIST => Ok(false),
            code => Err(initialisation_error(code)),
        }
    }

    fn nodes(&self) -> [c_ulong; NODE_WORDS] {
        let Some(node) = self.numa_node else { return [c_ulong::MAX; NODE_WORDS] };
        let mut words = [0; NODE_WORDS];
        if let Some(word) = words.get_mut(node as usize / 64) {
            *word = 1 << (node % 64);
        }
        words
    }

    /// Returns the numbers of the contexts for asynchronous requests. The library does not list
    /// them; it only refuses to poll any other number. Another library that initialised UADK, or
    /// UADK's environment variable, may have asked for more contexts, or other kinds, than this
    /// engine.
    fn asynchronous_contexts(&self) -> Vec<u32> {
        let mut found = Vec::new();
        // Contexts that this engine asked for are numbered without gaps.
        let custom = !self.owned || std::env::var_os("WD_COMP_CTX_NUM").is_some();
        let gap = if custom { NUMBERING_GAP } else { 1 };
        let mut missing = 0;
        for index in 0..MAX_CONTEXTS {
            if poll(&self.functions, index, 1) == abi::EINVAL {
                missing += 1;
                if missing == gap {
                    break;
                }
            } else {
                missing = 0;
                found.push(index);
            }
        }
        found
    }
}

impl Device for Library {
    type Key = Key;
    type Session = Session;

    fn initialise(&mut self, generation: u64) -> Result<(), Error> {
        if let Some(reason) = &self.forbidden {
            return Err(reason.clone());
        }
        let offered = offered(&self.functions, &self.version);
        let algorithm = match offered {
            Offered { zlib: true, .. } => c"zlib",
            Offered { deflate: true, .. } => c"deflate",
            Offered { gzip: true, .. } => c"gzip",
            _ => return Err(no_device()),
        };
        self.formats.set(offered);
        let contexts = contexts_to_ask_for(
            self.contexts_per_direction,
            free_contexts(&self.functions, algorithm),
        )?;
        self.enable_drivers();
        self.owned = self.initialise_process(algorithm, contexts)?;
        self.initialised = true;
        let contexts = Contexts::new(generation, self.owned, self.asynchronous_contexts());
        if contexts.len() == 0 {
            self.uninitialise();
            return Err(Error::Unavailable(
                "UADK has no contexts for asynchronous requests".into(),
            ));
        }
        self.contexts = Some(Arc::new(contexts));
        Ok(())
    }

    fn uninitialise(&mut self) {
        // Blocks that were given up may be about to complete on a working device.
        for _ in 0..LAST_POLLS {
            if let Some(contexts) = &self.contexts {
                let all = abi::MAX_IN_FLIGHT as u32;
                contexts.poll(None, true, |index| poll(&self.functions, index, all));
            }
            self.sweep();
            let current = self.contexts.as_ref();
            if !current.is_some_and(|current| self.quarantine.has_sessions_of(current)) {
                break;
            }
            std::thread::sleep(LAST_POLL_INTERVAL);
        }
        self.initialised = false;
        if std::mem::take(&mut self.owned) {
            // SAFETY: this crate initialised it, and no session that is still alive will be used
            // again.
            unsafe { (self.functions.wd_comp_uninit2)() };
        }
    }

    fn allocate(&mut self, key: Key) -> Result<Session, Error> {
        let Some(contexts) = &self.contexts else { return Err(no_device()) };
        if contexts.are_gone(|index| poll(&self.functions, index, 1)) {
            return Err(uninitialised_by_others());
        }
        let offered = self.formats.get().unwrap_or_default();
        let framing = Framing::new(key.format, key.direction, offered)?;
        let op_type = op_type(key.direction);
        // Its type must equal the session's, or blocks to decompress are compressed again.
        let mut sched = WithSlack::new(sched_params {
            numa_id: self.numa_node.map_or(-1, u32::cast_signed),
            r#type: op_type as u8,
            mode: 0,
            begin: 0,
            end: 0,
            dev_id: 0,
        });
        let mut setup = WithSlack::new(wd_comp_sess_setup {
            alg_type: framing.alg_type,
            comp_lv: key.level,
            win_sz: key.window.code(),
            op_type,
            sched_param: (&raw mut sched).cast(),
            mm_ops: abi::wd_mm_ops { operations: [std::ptr::null_mut(); 6], sva_mode: false },
            mm_type: 0,
        });
        // SAFETY: the library is initialised, and the structs are large enough for what the newest
        // version writes.
        let handle = unsafe { (self.functions.wd_comp_alloc_sess)((&raw mut setup).cast()) };
        if handle == 0 {
            // It may have contexts for one direction only.
            return Err(if contexts.have_worked() {
                Error::Unsupported("UADK has no context for this direction".into())
            } else {
                Error::Unavailable("UADK could not allocate a session".into())
            });
        }
        let contexts = Arc::clone(contexts);
        Ok(Session::new(self.functions, handle, key.direction, framing, contexts))
    }

    fn free(&mut self, session: Session) {
        // SAFETY: the session was allocated since the last initialisation, has nothing in flight,
        // and ends here.
        unsafe { (self.functions.wd_comp_free_sess)(session.handle()) };
    }

    fn abandon(&mut self, session: Session) {
        self.quarantine.admit(session);
        self.sweep();
    }
}

/// Returns an error in a forked child on UADK 2.5 and 2.6, where the initialisation would succeed
/// and the first request crash.
fn forbidden_after_fork(version: &Version) -> Option<Error> {
    let old = match &version.file {
        Some(number) => number.starts_with("2.5") || number.starts_with("2.6"),
        None => version.release == Release::From2_5,
    };
    (old && fork::generation() > 0).then(|| {
        Error::Unavailable(format!("UADK {version} does not work in a forked process").into())
    })
}

/// Returns the algorithms that all devices offer, not counting devices that offer none of them.
fn offered(functions: &Functions, version: &Version) -> Offered {
    let count = |algorithm| for_each_device(functions, algorithm, |_| {});
    let [deflate, zlib, gzip] = [c"deflate", c"zlib", c"gzip"].map(count);
    let most = deflate.max(zlib).max(gzip);
    let all = |devices| devices > 0 && devices == most;
    // Contexts are on any of the devices, so all must support the requests.
    let lz77 = |algorithm| {
        let mut devices = 0;
        for_each_device(functions, algorithm, |device| {
            // SAFETY: a device of a list that has not been freed.
            let queue = unsafe { uacce_dev::read_queue_version(device) };
            devices += usize::from(queue.is_some_and(|queue| queue >= LZ77_QUEUE));
        });
        all(devices)
    };
    Offered {
        deflate: all(deflate),
        zlib: all(zlib),
        gzip: all(gzip),
        // Up to 2.8, the number of literals is wrong.
        lz77_zstd: version.is_at_least(2, 9) && lz77(c"lz77_zstd"),
        lz77_only: version.is_at_least(2, 10) && lz77(c"lz77_only"),
        lz4: version.is_at_least(2, 10) && lz77(c"lz4"),
    }
}

/// Returns the fewest contexts that any device with this algorithm has free, not counting devices
/// that have fewer than one per direction. The same number is requested on each node, and the
/// library does not report which node a device is on.
fn free_contexts(functions: &Functions, algorithm: &CStr) -> u32 {
    let mut fewest = None::<u32>;
    for_each_device(functions, algorithm, |device| {
        // SAFETY: a device of a list that has not been freed.
        let free = unsafe { (functions.wd_get_avail_ctx)(device) };
        if let Some(free) = u32::try_from(free).ok().filter(|&free| free >= 2) {
            fewest = Some(fewest.map_or(free, |fewest| fewest.min(free)));
        }
    });
    fewest.unwrap_or(0)
}

/// Returns how many contexts per direction to ask for. An initialisation that asks for more than
/// are free fails and leaves the driver disabled.
fn contexts_to_ask_for(wanted: u32, free: u32) -> Result<u32, Error> {
    match wanted.min(free / 2) {
        0 => Err(Error::Unavailable("no device has a free context for each direction".into())),
        contexts => Ok(contexts),
    }
}

/// Calls `visit` for each device that offers an algorithm. Returns the number of devices.
fn for_each_device(
    functions: &Functions,
    algorithm: &CStr,
    mut visit: impl FnMut(*mut c_void),
) -> usize {
    // SAFETY: a NUL-terminated name.
    let list = unsafe { (functions.wd_get_accel_list)(algorithm.as_ptr()) };
    let mut devices = 0;
    let mut node = list.cast_const();
    while !node.is_null() {
        devices += 1;
        // SAFETY: a node of the list, which no one else has and which is freed below.
        let fields = unsafe { node.read() };
        visit(fields.dev);
        node = fields.next;
    }
    if !list.is_null() {
        // SAFETY: the list is the library's, freed once.
        unsafe { (functions.wd_free_list_accels)(list) };
    }
    devices
}

pub(super) fn uninitialised_by_others() -> Error {
    Error::Unavailable(
        "another library in this process initialised UADK and has uninitialised it".into(),
    )
}

pub(super) fn no_device() -> Error {
    Error::Unavailable("UADK is installed, but no UACCE device offers deflate, zlib or gzip".into())
}

fn initialisation_error(code: i32) -> Error {
    let reason = match code {
        abi::EINVAL => "UADK has no driver for the device (libhisi_zip.so in its directory uadk)",
        abi::ENODEV => {
            "no device has a free context: other processes hold them all, or it is isolated"
        }
        abi::ETIMEDOUT => "the device node stays busy",
        abi::ENOMEM => "the device node can't be opened; write permission may be missing",
        _ => "UADK could not be initialised",
    };
    Error::Unavailable(format!("{reason} (wd_comp_init2_ returned {code})").into())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn no_more_contexts_are_asked_for_than_are_free() {
        assert_eq!(contexts_to_ask_for(4, 64), Ok(4));
        assert_eq!(contexts_to_ask_for(4, 5), Ok(2));
        assert!(contexts_to_ask_for(4, 1).is_err());
        assert!(contexts_to_ask_for(4, 0).is_err());
    }
}
