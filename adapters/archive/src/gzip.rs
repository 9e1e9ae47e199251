//! gzip: one member of independent segments, block gzip (BGZF), and any other gzip for reading.

mod batch;
mod builder;
mod chunk;
mod frame;
mod inflated;
mod job;
mod last_block;
mod layout;
mod map;
mod member;
mod place;
mod pool;
mod read;
mod run;
mod seek;
mod segment;
mod segments;
mod sequential;
mod sound;
mod source;
mod warning;
mod write;

pub use builder::GzOptions;
pub use inflated::Inflated;
pub use layout::Layout;
pub use read::GzReader;
pub use warning::GzWarning;
pub use write::GzWriter;

pub(crate) use map::HISTORY;
pub(crate) use member::{EMPTY_DEFLATE, END_MARKER, MAX_DEFLATED, TRAILER_LEN};
pub(crate) use place::Place;
pub(crate) use segment::STORED_HEADER as STORED_HEADER_LEN;
pub(crate) use segments::{Ahead, Segment, Segments};
pub(crate) use source::Source;
