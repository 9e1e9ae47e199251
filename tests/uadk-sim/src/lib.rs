//! A stand-in for UADK's `libwd` and `libwd_comp`, for tests on machines without an accelerator.
//!
//! It exports the functions of [`uadk_sys::Functions`], keeps the real library's rules, the
//! unpleasant ones first, and injects faults. There are two ways to use it:
//!
//! - **In the same program.** [`libwd`] returns the table of functions, [`libwd_of`] the same with a
//!   version of the test's choice, and [`Simulator`] has the controls: which [`Machine`] it is, which
//!   [`Fault`] hits which request, a clock, counts.
//! - **As a shared library.** [`library_dir`] gives a folder that `Libwd::load_from` loads as the
//!   real thing. The controls are a script, in the environment variable `UADK_SIM_SCRIPT` or passed to
//!   the exported `int uadk_sim_control(const char *script)`; `int uadk_sim_counts(char *json, size_t
//!   len)` gives the counts.
//!
//! A program that does both has two simulators that know nothing of each other.
//!
//! # Rules
//!
//! - The library is initialised once for the process; a second time returns `EEXIST`. While another
//!   thread initialises it, an initialisation waits for that, and returns `ETIMEDOUT` after 3 seconds.
//! - Opening the device node may take long ([`Machine::open_delay`]) or hang
//!   ([`Simulator::hold_open`]). No other function waits for it.
//! - An initialisation gives `EINVAL` without a device, a driver or the algorithm, `ENODEV` without a
//!   free context or with an isolated device, `ENOMEM` if the device node can't be opened and
//!   `ETIMEDOUT` if it stays busy. After `ENODEV` the driver is disabled, and it is `EINVAL` until
//!   `wd_enable_drv`. Drivers register themselves at the first initialisation, and only if there is a
//!   device then: one that is plugged in later is found by `wd_get_accel_list`, but has no driver.
//! - The free contexts that `wd_get_avail_ctx` reports can be a lie ([`Simulator::claim_contexts`]).
//! - Contexts are numbered by NUMA node, then direction, then synchronous ones before asynchronous
//!   ones. Sessions take them in turn, and go on with the one they got.
//! - A context does what it was made for: a session whose `sched_params::type` differs from its
//!   `op_type` compresses what it should decompress, and says that all went well.
//! - Asynchronous requests complete in polls alone, on the polling thread. The request that the callback
//!   gets is overwritten when it returns. The output is written at that moment, the input read
//!   when it is submitted.
//! - Compressed data is zlib's at level 1, whatever the session says, with fixed headers. Headers are not
//!   looked at on decompression, and trailers not checked.
//! - A session's setup is written to as the largest known version does, and 64 bytes beyond.
//! - What corrupts memory or ends in a segmentation fault in the real library is a panic here, which
//!   aborts: requests before the initialisation or after it was undone, on freed sessions, or on
//!   those of an earlier one; sessions freed twice, freed with a request in flight, or after a
//!   request was lost; undoing the initialisation with a request in flight that the device does not
//!   hold back, with a session alive that lost no request and never returned an error, if somebody
//!   else made it, or while another thread makes it; `wd_comp_poll` without one; and, if
//!   [asked for](Simulator::set_raw_deflate_crash), the completion of truncated raw deflate on an
//!   asynchronous context.
//! - A forked child starts without an initialisation. Its sessions may be freed and not used.
//!
//! Not modelled: lists of buffers, streams of several parts, other schedulers than round robin, LZ77 and
//! LZ4, `WD_COMP_CTX_NUM`.
//!
//! # Scripts
//!
//! Words with `;` between, done in order. A word that is not understood stops it, with an error that
//! names the word; in the environment's script that is an abort.
//!
//! | word | what it does |
//! |---|---|
//! | `machine=full`, `no-raw-deflate`, `no-device`, `no-permission`, `isolated` | another [`Machine`] |
//! | `nodes=0,1` | one device on each of these NUMA nodes |
//! | `contexts=64` | contexts that a device has |
//! | `device=absent`, `present` | the device vanishes, or is there |
//! | `node=busy`, `free` | the device node stays busy, or not |
//! | `open-delay=20000` | [`Machine::open_delay`] in milliseconds |
//! | `available=5`, `actual` | free contexts that `wd_get_avail_ctx` reports, or the truth |
//! | `permission=no`, `yes` | the device node can't be opened, or can |
//! | `isolated=yes`, `no` | the kernel has isolated the device, or not |
//! | `queues=taken`, `free` | other processes take all contexts, or give them back |
//! | `queue=1023` | requests that a context takes |
//! | `room=no`, `yes` | whether compression demands 9/8 of the input as room |
//! | `raw-deflate-crash=yes`, `no` | see [`Simulator::set_raw_deflate_crash`] |
//! | `timing=published`, `instant` | see [`Timing`] |
//! | `memoise`, `memoise=no` | see [`Simulator::memoise`] |
//! | `seed=7` | the seed of the rates below |
//! | `busy=1/50` | one request in 50 gets [`Fault::Busy`] |
//! | `context=1/800`, `reset=1/4000`, `flip=1/100` | [`Fault::Context`], [`Fault::Reset`], [`Fault::FlipBit`] |
//! | `lost=1/3000:200` | [`Fault::Lost`], written to after 200 polls of any context (100 if not said; 0 for never) |
//! | `late=1/20:5` | [`Fault::Late`] by 5 polls |
//! | `delay=1/20:300` | [`Fault::Delay`] by 300 microseconds |
//! | `status=1/20:67`, `return=1/20:-5` | [`Fault::Status`], [`Fault::Return`] |
//! | `short=1/20:1`, `claims=1/20:99` | [`Fault::ShortBy`], [`Fault::Claims`] |
//! | `consumed=1/20:99`, `consumed-short=1/20:1` | [`Fault::Consumed`], [`Fault::ConsumedShort`] |
//! | `empty=1/50`, `truncated=1/20:4`, `no-trailer=1/50` | [`Fault::Empty`], [`Fault::Truncated`], [`Fault::NoTrailer`] |
//! | `keeps=1/20:-5` | [`Fault::ReturnButKeep`] |
//! | `submit-delay=1/20:300` | [`Fault::SlowSubmit`] by 300 microseconds |
//! | `busy=0`, ... | none of these any more |
//! | `no-faults` | none of any kind |
//! | `reset-device`, `fail-context=2`, `write-late` | at once |
//! | `other=init`, `uninit` | somebody else in the process initialises the library, or undoes it |
//!
//! Which request gets which fault depends on the seed and the request's number alone.
//!
//! ```
//! let sim = uadk_sim::Simulator::acquire(uadk_sim::Machine::default());
//! sim.script("seed=7; busy=1/50; lost=1/3000; timing=published")?;
//! let error = sim.script("seed=7; bsy=1/50").unwrap_err();
//! assert!(error.to_string().contains("bsy=1/50"));
//! # Ok::<(), uadk_sim::ScriptError>(())
//! ```

mod clock;
mod codec;
mod contexts;
mod control;
mod counts;
mod crash;
mod drivers;
mod exports;
mod faults;
mod fork;
mod init;
mod late;
mod library;
mod machine;
mod memo;
mod message;
mod opening;
mod requests;
mod role;
mod script;
mod session;
mod sessions;
mod simulator;
mod state;
mod sync;
mod timing;
mod turn;

pub use clock::{Clock, Sleeper};
pub use control::{uadk_sim_control, uadk_sim_counts};
pub use counts::{ContextCounts, Counts};
pub use exports::{FUNCTIONS, libwd, libwd_of};
pub use faults::{Fault, RequestInfo};
pub use library::library_dir;
pub use machine::{Algorithm, Direction, Machine};
pub use opening::OpenHold;
pub use script::{SCRIPT_VARIABLE, ScriptError};
pub use simulator::Simulator;
pub use timing::Timing;
