//! A simulator of UADK's `libwd` and `libwd_comp`, for tests on machines without an accelerator.
//!
//! It exports the functions of [`uadk_sys::Functions`], enforces the real library's rules, in
//! particular the unpleasant ones, and injects faults. There are two ways to use it:
//!
//! - **In the same program.** [`libwd`] returns the table of functions, [`libwd_of`] the same with
//!   a version of the test's choice. [`Simulator`] has the controls: the [`Machine`], which
//!   [`Fault`] hits which request, the clock, counts.
//! - **As a shared library.** [`library_dir`] returns a directory that `Libwd::load_from` loads
//!   like the real libraries. It is controlled by a script, in the environment variable
//!   `UADK_SIM_SCRIPT` or passed to the exported `int uadk_sim_control(const char *script)`;
//!   `int uadk_sim_counts(char *json, size_t len)` returns the counts.
//!
//! A program that does both has two independent simulators.
//!
//! # Rules
//!
//! - The library is initialised once per process; initialising it again returns `EEXIST`. While
//!   another thread is initialising it, an initialisation waits, and returns `ETIMEDOUT` after 3
//!   seconds.
//! - Opening the device node may take long ([`Machine::open_delay`]) or hang
//!   ([`Simulator::hold_open`]). No other function waits for it.
//! - An initialisation returns `EINVAL` without a device, a driver or the algorithm, `ENODEV`
//!   without a free context or with an isolated device, `ENOMEM` if the device node can't be opened
//!   and `ETIMEDOUT` if it stays busy. After `ENODEV` the driver is disabled, and initialisations
//!   return `EINVAL` until `wd_enable_drv`. Drivers register themselves at the first
//!   initialisation, and only if there is a device then: `wd_get_accel_list` finds a device that is
//!   plugged in later, but it has no driver.
//! - `wd_get_avail_ctx` can report a wrong number of free contexts
//!   ([`Simulator::claim_contexts`]).
//! - Contexts are numbered by NUMA node, then by direction, synchronous ones before asynchronous
//!   ones. Sessions are assigned contexts in turn, and keep them.
//! - A context has one direction: a session whose `sched_params::type` differs from its `op_type`
//!   compresses what it should decompress, and reports success.
//! - Asynchronous requests complete only in polls, on the polling thread. The input is read when
//!   the request is submitted, and the output is written when it completes. The request that the
//!   callback receives is overwritten when the callback returns.
//! - Deflate is compressed by zlib at level 1, whatever the session's level, with fixed headers.
//!   Decompression does not look at headers and does not check trailers.
//! - LZ77 and LZ4 (`lz77_zstd`, `lz77_only`, `lz4`) only compress whole blocks, on a machine whose
//!   queue interface has version 3 ([`Machine::lz77`]):
//!   - Any initialisation serves them. A session is allocated whether or not a device offers its
//!     algorithm; then its requests complete with status 67, as they do on contexts for
//!     decompression. `lz4` and `lz77_only` exist from 2.10 on ([`libwd_of`]).
//!   - A submission returns `EINVAL` on older queues, for a stream, for an input that is too long
//!     and for decompression with `lz4`; for LZ77 also at levels other than 8 and 9, with a null
//!     `priv`, and below the driver's smallest output capacity. Sequences that don't fit complete
//!     with status 67.
//!   - `priv` is written to when the request is submitted and when it completes. After a failure it
//!     has garbage. The overflow and the frequencies are wrong up to 2.8.
//!   - LZ77 reports no output length: the callback sees that of an earlier request, and before 2.10
//!     the input length too.
//!   - Sequences come from hash chains with lazy matching; level 9 tries more candidates. The
//!     frequencies are a constant.
//! - Allocating a session overwrites its whole setup, as the largest known version does, and 64
//!   bytes after it.
//! - Where the real library would corrupt memory or cause a segmentation fault, the simulator
//!   panics, which aborts the process:
//!   - requests before the initialisation or after it was undone, on freed sessions, or on sessions
//!     of an earlier initialisation;
//!   - freeing a session twice, with a request in flight, or after a request was lost;
//!   - undoing the initialisation while a request is in flight that the device does not hold back,
//!     while a session is alive that neither lost a request nor returned an error, if another
//!     library made the initialisation, or while another thread is making it;
//!   - `wd_comp_poll` without an initialisation;
//!   - with [`Simulator::set_raw_deflate_crash`], the completion of truncated raw deflate on an
//!     asynchronous context.
//! - A forked child starts uninitialised. Inherited sessions may be freed but not used.
//!
//! Not modelled: lists of buffers, streams of several parts, streams of LZ77, schedulers other than
//! round robin, `WD_COMP_CTX_NUM`.
//!
//! # Scripts
//!
//! A script is a list of words separated by `;`, executed in order. An unknown word stops it with
//! an error that names the word; in the environment's script it aborts the process.
//!
//! | word | effect |
//! |---|---|
//! | `machine=full`, `no-raw-deflate`, `no-device`, `no-permission`, `isolated` | a [`Machine`] |
//! | `machine=lz77`, `lz77-zstd` | [`Machine::lz77`], [`Machine::lz77_zstd`] |
//! | `algorithms=zlib,lz4` | the algorithms that the devices list |
//! | `queue-version=2` | [`Machine::queue_version`] |
//! | `nodes=0,1` | one device on each of these NUMA nodes |
//! | `contexts=64` | contexts that a device has |
//! | `device=absent`, `present` | the device vanishes, or is present |
//! | `node=busy`, `free` | the device node stays busy, or not |
//! | `open-delay=20000` | [`Machine::open_delay`] in milliseconds |
//! | `available=5`, `actual` | free contexts that `wd_get_avail_ctx` reports, or the truth |
//! | `permission=no`, `yes` | the device node can't be opened, or can |
//! | `isolated=yes`, `no` | the kernel has isolated the device, or not |
//! | `queues=taken`, `free` | other processes take all contexts, or release them |
//! | `queue=1023` | requests that a context accepts |
//! | `room=no`, `yes` | see [`Simulator::demand_room`] |
//! | `raw-deflate-crash=yes`, `no` | see [`Simulator::set_raw_deflate_crash`] |
//! | `timing=published`, `instant` | see [`Timing`] |
//! | `memoise`, `memoise=no` | see [`Simulator::memoise`] |
//! | `seed=7` | the seed of the rates below |
//! | `busy=1/50` | one request in 50 gets [`Fault::Busy`] |
//! | `context=1/800` | [`Fault::Context`] |
//! | `reset=1/4000` | [`Fault::Reset`] |
//! | `flip=1/100` | [`Fault::FlipBit`] |
//! | `lost=1/3000:200` | [`Fault::Lost`], late write after 200 polls (default 100; 0 for never) |
//! | `late=1/20:5` | [`Fault::Late`] by 5 polls |
//! | `delay=1/20:300` | [`Fault::Delay`] by 300 microseconds |
//! | `status=1/20:67`, `return=1/20:-5` | [`Fault::Status`], [`Fault::Return`] |
//! | `short=1/20:1`, `claims=1/20:99` | [`Fault::ShortBy`], [`Fault::Claims`] |
//! | `consumed=1/20:99`, `consumed-short=1/20:1` | [`Fault::Consumed`], [`Fault::ConsumedShort`] |
//! | `empty=1/50` | [`Fault::Empty`] |
//! | `truncated=1/20:4`, `no-trailer=1/50` | [`Fault::Truncated`], [`Fault::NoTrailer`] |
//! | `keeps=1/20:-5` | [`Fault::ReturnButKeep`] |
//! | `literals=1/20:5`, `sequences=1/20:-1` | [`Lie::Literals`], [`Lie::Sequences`] |
//! | `overflow-count=1/20:2` | [`Lie::OverflowCount`] |
//! | `overflow-position=1/20:99` | [`Lie::OverflowPosition`] |
//! | `literal-length=1/20:1` | [`Lie::LiteralLength`] |
//! | `match-length=1/20:-1` | [`Lie::MatchLength`] |
//! | `zero-offset=1/20`, `zero-repeat=1/20` | [`Lie::ZeroOffset`], [`Lie::ZeroRepeat`] |
//! | `before-start=1/20` | [`Lie::BeforeStart`] |
//! | `beyond-window=1/20` | [`Lie::BeyondWindow`] |
//! | `wrong-match=1/20` | [`Lie::WrongMatch`] |
//! | `no-end-rules=1/20` | [`Lie::NoEndRules`] |
//! | `submit-delay=1/20:300` | [`Fault::SlowSubmit`] by 300 microseconds |
//! | `busy=0`, ... | no more faults of this kind |
//! | `no-faults` | no more faults of any kind |
//! | `reset-device`, `fail-context=2`, `write-late` | happens immediately |
//! | `other=init`, `uninit` | another user in this process initialises the library, or undoes it |
//!
//! Which request gets which fault depends only on the seed and the request's number.
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
mod lz;
mod machine;
mod memo;
mod message;
mod opening;
mod own_time;
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
pub use lz::Lie;
pub use machine::{Algorithm, Direction, Machine};
pub use opening::OpenHold;
pub use script::{SCRIPT_VARIABLE, ScriptError};
pub use simulator::Simulator;
pub use timing::Timing;
