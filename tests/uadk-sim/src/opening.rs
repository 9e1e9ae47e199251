//! Opening the device node, which may take long.

use std::ffi::c_int;

use parking_lot::MutexGuard;
use uadk_sys::abi::{EEXIST, ETIMEDOUT};

use crate::clock;
use crate::state::{self, Progress, STATE, State};
use crate::sync::{STEP, lock};

/// Rounds, of [`STEP`] each, that an initialisation waits for another thread's: 3 seconds.
const MAX_ROUNDS: u32 = 3000;
/// How long [`OpenHold::wait_until_reached`] waits.
const PATIENCE: u32 = 60_000;

/// Holds initialisations back in the middle of opening the device node, until it is dropped. See
/// [`Simulator::hold_open`](crate::Simulator::hold_open).
#[derive(Debug)]
#[must_use = "dropping it releases the initialisation"]
pub struct OpenHold {
    /// The simulator's life that it belongs to.
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
    /// If none is after a minute.
    pub fn wait_until_reached(&self) {
        for _ in 0..PATIENCE {
            if lock(&STATE).progress == Progress::Held {
                return;
            }
            std::thread::sleep(STEP);
        }
        panic!("no initialisation has come to the device node");
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

/// Marks the library as being initialised by this thread, after another thread's initialisation.
pub(crate) fn begin() -> Result<MutexGuard<'static, State>, c_int> {
    for _ in 0..MAX_ROUNDS {
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

/// Spends the time that opening takes, without the lock. `None` if the simulator was reset
/// meanwhile: the initialisation is nobody's any more.
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
