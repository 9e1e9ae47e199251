//! BGZF: gzip whose members hold at most 64 KiB each and say how long they are.

mod batch;
mod builder;
mod map;
mod member;
mod place;
mod pool;
mod read;
mod seek;
mod sequential;
mod source;
mod write;

pub use builder::GzOptions;
pub use read::GzReader;
pub use write::GzWriter;

pub(crate) use member::{EMPTY_DEFLATE, END_MARKER, TRAILER_LEN};
pub(crate) use place::Place;
