//! Initialising and uninitialising the library.

use std::ffi::{CStr, c_char, c_int, c_ulong};

use uadk_sys::abi::{
    EINVAL, ENODEV, ENOMEM, ETIMEDOUT, SCHED_POLICY_RR, TASK_HW, bitmask, wd_ctx_nums,
    wd_ctx_params,
};

use crate::contexts::{self, MAX_CONTEXTS};
use crate::crash::crash;
use crate::drivers;
use crate::machine::{Algorithm, Direction};
use crate::opening;
use crate::role::{Mode, Role};
use crate::state::{self, DEFAULT_MINOR, Progress, Region, STATE, State};
use crate::sync::lock;
use crate::timing::MAX_DEVICES;

/// `TASK_MIX`: hardware, and software if there is a driver for it.
const TASK_MIX: c_int = 0;
const DIRECTIONS: [Direction; 2] = [Direction::Compress, Direction::Decompress];
/// Requested per direction if the caller passes no parameters: one context of each mode.
const DEFAULT: wd_ctx_nums = wd_ctx_nums { sync_ctx_num: 1, async_ctx_num: 1 };

/// The requested contexts, read from the caller's structs.
struct Wanted {
    /// By direction, for as many directions as the caller passed.
    contexts: Vec<wd_ctx_nums>,
    /// Bits of NUMA nodes; `None` for all.
    nodes: Option<Vec<c_ulong>>,
}

/// Implements `wd_comp_init2_` of version 2.`minor`.
///
/// # Safety
///
/// `algorithm` is null or NUL-terminated, and `params` null or valid.
pub(crate) unsafe fn init(
    minor: u8,
    algorithm: *const c_char,
    sched_type: u32,
    task_type: c_int,
    params: *const wd_ctx_params,
) -> c_int {
    let mut state = match opening::begin() {
        Ok(state) => state,
        Err(code) => return code,
    };
    // SAFETY: guaranteed by the caller.
    let asked = unsafe { read(&mut state, minor, algorithm, sched_type, task_type, params) };
    let (driver, wanted) = match asked {
        Ok(asked) => asked,
        Err(code) => {
            state.progress = Progress::Idle;
            return code;
        }
    };
    let mut plan = Plan::new(&state, &wanted);
    // Only a device that can be opened, or that stays busy, takes time.
    if matches!(plan, Ok(_) | Err(ETIMEDOUT)) {
        let Some(opened) = opening::open(state) else { return ETIMEDOUT };
        state = opened;
        // The machine may have changed meanwhile.
        plan = Plan::new(&state, &wanted);
    }
    state.progress = Progress::Idle;
    match plan {
        Ok(plan) => {
            plan.carry_out(&mut state);
            0
        }
        Err(code) => {
            // The real library disables the driver, looks for another one, finds none and returns
            // this code.
            if code == ENODEV {
                drivers::disable(&mut state, driver);
            }
            code
        }
    }
}

/// The contexts that an initialisation allocates.
struct Plan {
    regions: Vec<Region>,
    /// By device.
    held: [u32; MAX_DEVICES],
    contexts: u32,
}

impl Plan {
    /// Plans the contexts of each node: by direction, synchronous ones first.
    fn new(state: &State, wanted: &Wanted) -> Result<Self, c_int> {
        let machine = &state.machine;
        if !machine.present || machine.isolated {
            return Err(ENODEV);
        }
        let total = |nums: &wd_ctx_nums| nums.sync_ctx_num.saturating_add(nums.async_ctx_num);
        if wanted.contexts.iter().all(|nums| total(nums) == 0) {
            return Err(EINVAL);
        }
        let nodes = machine.numa_nodes.iter().copied();
        let mut devices: Vec<_> = nodes.zip(0..).filter(|(node, _)| wanted.has(*node)).collect();
        devices.sort_unstable();
        if devices.is_empty() {
            return Err(ENODEV);
        }
        let generation = state.next_generation();
        let mut plan = Self { regions: Vec::new(), held: [0; MAX_DEVICES], contexts: 0 };
        for (node, device) in devices {
            for (direction, nums) in DIRECTIONS.into_iter().zip(&wanted.contexts) {
                let count = total(nums);
                if count == 0 {
                    continue;
                }
                plan.take(state, device, count)?;
                for (mode, count) in
                    [(Mode::Sync, nums.sync_ctx_num), (Mode::Async, nums.async_ctx_num)]
                {
                    if count > 0 {
                        let role = Role { generation, mode, direction, device };
                        let (begin, end) = (plan.contexts, plan.contexts + count - 1);
                        plan.regions.push(Region { node, role, begin, end, next: begin });
                        plan.contexts += count;
                    }
                }
            }
        }
        Ok(plan)
    }

    /// Takes contexts from a device.
    fn take(&mut self, state: &State, device: usize, count: u32) -> Result<(), c_int> {
        let left = |contexts: u32| contexts.saturating_sub(self.held[device]);
        // A device that claims free contexts keeps claiming them.
        let reported = state.claimed_contexts.unwrap_or(left(state.free_contexts(device)));
        if reported == 0 {
            return Err(ENODEV);
        }
        if !state.machine.permission {
            return Err(ENOMEM);
        }
        if state.machine.busy_node {
            return Err(ETIMEDOUT);
        }
        if left(state.free_contexts(device)) < count {
            // The node is busy; the library retries as long as the device reports free contexts.
            return Err(if state.claimed_contexts.is_some() { ETIMEDOUT } else { ENODEV });
        }
        if self.contexts + count > MAX_CONTEXTS as u32 {
            return Err(ENODEV);
        }
        self.held[device] += count;
        Ok(())
    }

    fn carry_out(self, state: &mut State) {
        for region in &self.regions {
            for context in region.begin..=region.end {
                contexts::assign(context, region.role);
            }
        }
        state.regions = self.regions;
        state.held = self.held;
        state.begin_generation(self.contexts);
        state.inits += 1;
    }
}

impl Wanted {
    fn has(&self, node: u32) -> bool {
        let Some(words) = &self.nodes else { return true };
        let word = words.get((node / c_ulong::BITS) as usize);
        word.is_some_and(|word| word >> (node % c_ulong::BITS) & 1 == 1)
    }
}

/// Checks the parameters as the library does, and finds the driver.
///
/// # Safety
///
/// As for [`init`].
unsafe fn read(
    state: &mut State,
    minor: u8,
    algorithm: *const c_char,
    sched_type: u32,
    task_type: c_int,
    params: *const wd_ctx_params,
) -> Result<(usize, Wanted), c_int> {
    // Other schedulers and CPU instructions are not modelled.
    if algorithm.is_null()
        || sched_type != SCHED_POLICY_RR
        || !matches!(task_type, TASK_MIX | TASK_HW)
    {
        return Err(EINVAL);
    }
    // SAFETY: guaranteed by the caller.
    let name = unsafe { CStr::from_ptr(algorithm) }.to_str().unwrap_or_default();
    let known = Algorithm::from_name(name).filter(|known| known.is_known_to(minor));
    let algorithm = known.ok_or(EINVAL)?;
    drivers::register(state, minor);
    let driver = drivers::available(state, algorithm).ok_or(EINVAL)?;
    // SAFETY: guaranteed by the caller.
    let wanted = unsafe { read_params(params) }?;
    Ok((driver, wanted))
}

/// # Safety
///
/// As for [`init`].
unsafe fn read_params(params: *const wd_ctx_params) -> Result<Wanted, c_int> {
    if params.is_null() {
        return Ok(Wanted { contexts: vec![DEFAULT; 2], nodes: None });
    }
    // SAFETY: guaranteed by the caller.
    let params = unsafe { params.read() };
    if params.op_type_num as usize > DIRECTIONS.len() {
        return Err(EINVAL);
    }
    if params.ctx_set_num.is_null() {
        crash("initialisation without ctx_set_num");
    }
    // SAFETY: the array has an entry for each direction.
    let contexts =
        unsafe { std::slice::from_raw_parts(params.ctx_set_num, params.op_type_num as usize) };
    // SAFETY: guaranteed by the caller.
    let nodes = unsafe { read_bits(params.bmp) };
    Ok(Wanted { contexts: contexts.to_vec(), nodes })
}

/// # Safety
///
/// `bits` is null or valid.
unsafe fn read_bits(bits: *const bitmask) -> Option<Vec<c_ulong>> {
    if bits.is_null() {
        return None;
    }
    // SAFETY: guaranteed by the caller.
    let bits = unsafe { bits.read() };
    let words = (bits.size as usize).div_ceil(c_ulong::BITS as usize);
    // SAFETY: libnuma's bitmasks have that many words.
    Some(unsafe { std::slice::from_raw_parts(bits.maskp, words) }.to_vec())
}

/// Implements `wd_comp_uninit2`. Does nothing if the library is not initialised.
pub(crate) fn uninit() {
    let mut state = lock(&STATE);
    if state.progress != Progress::Idle {
        crash("library uninitialised while another thread initialises it");
    }
    if state::generation() == 0 {
        return;
    }
    if state.is_others {
        crash("library uninitialised by a user that did not initialise it");
    }
    // Contexts are checked first: "in flight" says more than "session alive".
    contexts::retire();
    check_sessions(&state);
    finish(&mut state);
}

/// Crashes if there is a live session that may not stay alive.
fn check_sessions(state: &State) {
    let alive = |session: &&&crate::session::Session| !session.is_freed() && !session.may_stay();
    let alive = state.sessions.iter().filter(alive).count();
    if alive > 0 {
        crash(&format!("library uninitialised while {alive} sessions are alive"));
    }
}

fn finish(state: &mut State) {
    state.end_generation();
    state.uninits += 1;
}

/// Initialises the library as another user in this process: with one synchronous and two
/// asynchronous contexts per direction.
pub(crate) fn init_as_other() -> c_int {
    let nums = wd_ctx_nums { sync_ctx_num: 1, async_ctx_num: 2 };
    let mut nums = [nums; 2];
    let params = wd_ctx_params {
        op_type_num: 2,
        ctx_set_num: nums.as_mut_ptr(),
        bmp: std::ptr::null_mut(),
        cap: std::ptr::null_mut(),
    };
    // SAFETY: all arguments are valid.
    let code = unsafe {
        init(DEFAULT_MINOR, c"zlib".as_ptr(), SCHED_POLICY_RR, TASK_HW, &raw const params)
    };
    if code == 0 {
        lock(&STATE).is_others = true;
    }
    code
}

/// Undoes [`init_as_other`], unaware of the sessions of other users: those may only be freed
/// afterwards.
pub(crate) fn uninit_as_other() {
    let mut state = lock(&STATE);
    if state.is_others {
        contexts::retire();
        finish(&mut state);
    }
}
