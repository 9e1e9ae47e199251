//! Opening the device node, which may take a long time.

use std::ffi::c_int;

use parking_lot::MutexGuard;
use uadk_sys::abi::{EEXIST, ETIMEDOUT};

use crate::clock;
use crate::state::{self, Progress, STATE, State};
use crate::sync::{STEP, lock};

/// How many [`STEP`]s an initialisation waits for one in another thread: 3 seconds.
const MAX_INIT_STEPS: u32 = 3000;
/// How many [`STEP`]s [`OpenHold::wait_until_reached`] waits: a minute.
const MAX_HOLD_STEPS: u32 = 60_000;

/// Holds initialisations back while they open the device node, until it is dropped. See
/// [`Simulator::hold_open`](crate::Simulator::hold_open).
#[derive(Debug)]
#[must_use = "dropping it releases the initialisation"]
pub struct OpenHold {
    /// The [`State::life`] that it belongs to.
    life: u64,
}

impl OpenHold {
    pub(crate) fn new() -> Self {
        let mut state = lock(&STATE);
        state.open_holds += 1;
        Self { life: state.life }
    }

    /// Waits until an initialisation is held back.
    ///
    /// # Panics
    ///
    /// If none is held back within a minute.
    pub fn wait_until_reached(&self) {
        for _ in 0..MAX_HOLD_STEPS {
            if lock(&STATE).progress == Progress::Held {
                return;
            }
            std::thread::sleep(STEP);
        }
        panic!("timed out waiting for an initialisation to open the device node");
    }
}

impl Drop for OpenHold {
    fn drop(&mut self) {
        let mut state = lock(&STATE);
        if state.life == self.life {
            state.open_holds -= 1;
        }
    }
}

/// Marks the library as being initialised by this thread. Waits for another thread's
/// initialisation first.
pub(crate) fn begin() -> Result<MutexGuard<'static, State>, c_int> {
    for _ in 0..MAX_INIT_STEPS {
        let mut state = lock(&STATE);
        if state::generation() != 0 {
            return Err(EEXIST);
        }
        if state.progress == Progress::Idle {
            state.progress = Progress::Initialising;
            return Ok(state);
        }
        drop(state);
        std::thread::sleep(STEP);
    }
    Err(ETIMEDOUT)
}

/// Waits as long as opening takes, without the lock. Returns `None` if the simulator was reset
/// meanwhile, which ends the initialisation.
pub(crate) fn open(state: MutexGuard<'static, State>) -> Option<MutexGuard<'static, State>> {
    let (life, delay) = (state.life, state.machine.open_delay);
    if delay.is_zero() && state.open_holds == 0 {
        return Some(state);
    }
    drop(state);
    clock::wait_until(clock::now() + delay);
    loop {
        let mut state = lock(&STATE);
        if state.life != life {
            return None;
        }
        if state.open_holds == 0 {
            state.progress = Progress::Initialising;
            return Some(state);
        }
        state.progress = Progress::Held;
        drop(state);
        std::thread::sleep(STEP);
    }
}
