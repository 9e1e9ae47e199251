//! Snapshots: saved memory is restored, and damage is found and located.

#[path = "../multifd/guest.rs"]
#[allow(dead_code)]
mod guest;

mod accelerator;
mod chains;
mod damage;
mod lies;
mod machine;
mod mutations;
mod panics;
mod peer;
mod saving;
mod streams;

use std::sync::Arc;

use uadk_compress::{BlockCompressor, Compressor, Format};
use uadk_compress_pages::snapshot::{Layout, Pages, Region, SaveOptions, save};

use guest::{Memory, PAGE};

const BASE: [u8; 16] = [1; 16];

/// The formats of clusters, in the order of their numbers in the header, from 1 on.
pub(crate) const FORMATS: [Format; 5] =
    [Format::RawDeflate, Format::Zlib, Format::Gzip, Format::Zstd, Format::Lz4];

pub(crate) fn codec() -> Arc<dyn BlockCompressor> {
    codec_of(Format::RawDeflate)
}

pub(crate) fn codec_of(format: Format) -> Arc<dyn BlockCompressor> {
    Arc::new(Compressor::builder().format(format).build().expect("software is always there"))
}

pub(crate) fn layout(pages: usize) -> Layout {
    Layout::new(vec![Region { address: 0, len: (pages * PAGE) as u64 }]).expect("a layout")
}

/// Returns a snapshot of all of `memory`.
pub(crate) fn snapshot(memory: &Memory) -> Vec<u8> {
    snapshot_in(Format::RawDeflate, memory)
}

/// Returns a snapshot of all of `memory`, with clusters of this format.
pub(crate) fn snapshot_in(format: Format, memory: &Memory) -> Vec<u8> {
    let options = SaveOptions::default().id(BASE);
    snapshot_by(&codec_of(format), memory, Pages::All, &options)
}

pub(crate) fn snapshot_with(memory: &Memory, pages: Pages<'_>, options: &SaveOptions) -> Vec<u8> {
    snapshot_by(&codec(), memory, pages, options)
}

/// Returns a snapshot with clusters that `codec` compressed.
pub(crate) fn snapshot_by(
    codec: &Arc<dyn BlockCompressor>,
    memory: &Memory,
    pages: Pages<'_>,
    options: &SaveOptions,
) -> Vec<u8> {
    let mut file = Vec::new();
    let ram = [memory.ram()];
    let layout = layout((memory.ram().len() as usize) / PAGE);
    save(&mut file, &layout, &ram[..], pages, codec, options, &mut |_| {}).expect("saved");
    file
}
