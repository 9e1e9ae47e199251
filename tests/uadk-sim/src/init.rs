//! Initialising the library, and undoing it.

use std::ffi::{CStr, c_char, c_int, c_ulong};

use uadk_sys::abi::{
    EEXIST, EINVAL, ENODEV, ENOMEM, ETIMEDOUT, SCHED_POLICY_RR, TASK_HW, bitmask, wd_ctx_nums,
    wd_ctx_params,
};

use crate::contexts::{self, MAX_CONTEXTS};
use crate::crash::{crash, lock};
use crate::drivers;
use crate::machine::Direction;
use crate::state::{self, Mode, Region, Role, STATE, State};

/// `TASK_MIX`: hardware, and software where there is a driver for it.
const TASK_MIX: c_int = 0;
const DIRECTIONS: [Direction; 2] = [Direction::Compress, Direction::Decompress];
/// What the driver asks for if the caller does not say: one context each.
const DEFAULT: wd_ctx_nums = wd_ctx_nums { sync_ctx_num: 1, async_ctx_num: 1 };
/// All names that `wd_comp` knows.
const KNOWN: [&str; 6] = ["zlib", "gzip", "deflate", "lz77_zstd", "lz4", "lz77_only"];

/// What to set up, read from the caller's structs.
struct Wanted {
    /// By direction; as many as were given.
    contexts: Vec<wd_ctx_nums>,
    /// Bits of NUMA nodes; `None` for all.
    nodes: Option<Vec<c_ulong>>,
}

/// `wd_comp_init2_`.
///
/// # Safety
///
/// `algorithm` is null or NUL-terminated, and `params` null or valid.
pub(crate) unsafe fn init(
    algorithm: *const c_char,
    sched_type: u32,
    task_type: c_int,
    params: *const wd_ctx_params,
) -> c_int {
    let mut state = lock(&STATE);
    if state::generation() != 0 {
        return EEXIST;
    }
    // Other schedulers and the CPU's instructions are not modelled.
    if algorithm.is_null()
        || sched_type != SCHED_POLICY_RR
        || !matches!(task_type, TASK_MIX | TASK_HW)
    {
        return EINVAL;
    }
    // SAFETY: the caller says so.
    let algorithm = unsafe { CStr::from_ptr(algorithm) }.to_str().unwrap_or_default();
    if !KNOWN.contains(&algorithm) {
        return EINVAL;
    }
    drivers::register(&mut state);
    let Some(driver) = drivers::available(&state, algorithm) else { return EINVAL };
    // SAFETY: the caller says so.
    let wanted = match unsafe { read(params) } {
        Ok(wanted) => wanted,
        Err(code) => return code,
    };
    match set_up(&mut state, &wanted) {
        Ok(()) => 0,
        Err(code) => {
            state.regions.clear();
            state.held = Default::default();
            // The real library disables the driver, looks for another, finds none, and returns
            // this code.
            if code == ENODEV {
                drivers::disable(&mut state, driver);
            }
            code
        }
    }
}

/// The contexts of each node: by direction, synchronous ones first.
fn set_up(state: &mut State, wanted: &Wanted) -> Result<(), c_int> {
    let machine = state.machine.clone();
    if !machine.present || machine.isolated {
        return Err(ENODEV);
    }
    let total = |nums: &wd_ctx_nums| nums.sync_ctx_num.saturating_add(nums.async_ctx_num);
    if wanted.contexts.iter().all(|nums| total(nums) == 0) {
        return Err(EINVAL);
    }
    let mut devices: Vec<(u32, usize)> =
        machine.numa_nodes.iter().copied().zip(0..).filter(|(node, _)| wanted.has(*node)).collect();
    devices.sort_unstable();
    if devices.is_empty() {
        return Err(ENODEV);
    }
    let generation = state.next_generation();
    let mut next = 0u32;
    for (node, device) in devices {
        for (direction, nums) in DIRECTIONS.into_iter().zip(&wanted.contexts) {
            let count = total(nums);
            if count == 0 {
                continue;
            }
            if state.free_contexts(device) == 0 {
                return Err(ENODEV);
            }
            if !machine.permission {
                return Err(ENOMEM);
            }
            if machine.busy_node {
                return Err(ETIMEDOUT);
            }
            if state.free_contexts(device) < count || next + count > MAX_CONTEXTS as u32 {
                return Err(ENODEV);
            }
            state.held[device] += count;
            for (mode, count) in
                [(Mode::Sync, nums.sync_ctx_num), (Mode::Async, nums.async_ctx_num)]
            {
                if count > 0 {
                    let role = Role { generation, mode, direction, device };
                    let (begin, end) = (next, next + count - 1);
                    state.regions.push(Region { node, role, begin, end, next });
                    next += count;
                }
            }
        }
    }
    for region in &state.regions {
        for context in region.begin..=region.end {
            contexts::assign(context, region.role);
        }
    }
    state.begin_generation(next);
    state.inits += 1;
    Ok(())
}

impl Wanted {
    fn has(&self, node: u32) -> bool {
        let Some(words) = &self.nodes else { return true };
        let word = words.get((node / c_ulong::BITS) as usize);
        word.is_some_and(|word| word >> (node % c_ulong::BITS) & 1 == 1)
    }
}

/// # Safety
///
/// As [`init`].
unsafe fn read(params: *const wd_ctx_params) -> Result<Wanted, c_int> {
    if params.is_null() {
        return Ok(Wanted { contexts: vec![DEFAULT; 2], nodes: None });
    }
    // SAFETY: the caller says so.
    let params = unsafe { params.read() };
    if params.op_type_num as usize > DIRECTIONS.len() {
        return Err(EINVAL);
    }
    if params.ctx_set_num.is_null() {
        crash("an initialisation without ctx_set_num");
    }
    // SAFETY: there is one for each direction.
    let contexts =
        unsafe { std::slice::from_raw_parts(params.ctx_set_num, params.op_type_num as usize) };
    // SAFETY: as the caller says.
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
    // SAFETY: the caller says so.
    let bits = unsafe { bits.read() };
    let words = (bits.size as usize).div_ceil(c_ulong::BITS as usize);
    // SAFETY: libnuma's sets have so many words.
    Some(unsafe { std::slice::from_raw_parts(bits.maskp, words) }.to_vec())
}

/// `wd_comp_uninit2`. Nothing happens if the library is not initialised.
pub(crate) fn uninit() {
    let mut state = lock(&STATE);
    if state::generation() == 0 {
        return;
    }
    if state.is_others {
        crash("an initialisation that somebody else made is undone");
    }
    // The contexts first: "in flight" says more than "session alive".
    contexts::retire();
    check_sessions(&state);
    finish(&mut state);
}

/// Crashes if a session is alive that lost no request.
fn check_sessions(state: &State) {
    let alive = |session: &&&crate::session::Session| !session.is_freed() && !session.has_lost();
    let alive = state.sessions.iter().filter(alive).count();
    if alive > 0 {
        crash(&format!("the library is uninitialised while {alive} sessions are alive"));
    }
}

fn finish(state: &mut State) {
    state.end_generation();
    state.uninits += 1;
}

/// Somebody else in the process initialises the library: one synchronous context and two
/// asynchronous ones per direction.
pub(crate) fn init_as_other() -> c_int {
    let nums = wd_ctx_nums { sync_ctx_num: 1, async_ctx_num: 2 };
    let mut nums = [nums; 2];
    let params = wd_ctx_params {
        op_type_num: 2,
        ctx_set_num: nums.as_mut_ptr(),
        bmp: std::ptr::null_mut(),
        cap: std::ptr::null_mut(),
    };
    // SAFETY: all of it is valid.
    let code = unsafe { init(c"zlib".as_ptr(), SCHED_POLICY_RR, TASK_HW, &raw const params) };
    if code == 0 {
        lock(&STATE).is_others = true;
    }
    code
}

/// And undoes it, without knowing of the sessions of others: freeing those is all that may be done
/// with them.
pub(crate) fn uninit_as_other() {
    let mut state = lock(&STATE);
    if state.is_others {
        contexts::retire();
        finish(&mut state);
    }
}
