//! Snapshots: saved memory is restored, and damage is found and located.

#[path = "../multifd/guest.rs"]
#[allow(dead_code)]
mod guest;

mod chains;
mod damage;
mod lies;
mod machine;
mod mutations;
mod panics;
mod saving;
mod streams;

use std::sync::Arc;

use uadk_compress::{BlockCompressor, Compressor};
use uadk_compress_pages::snapshot::{Layout, Pages, Region, SaveOptions, save};

use guest::{Memory, PAGE};

const BASE: [u8; 16] = [1; 16];

pub(crate) fn codec() -> Arc<dyn BlockCompressor> {
    Arc::new(Compressor::builder().build().expect("software is always there"))
}

pub(crate) fn layout(pages: usize) -> Layout {
    Layout::new(vec![Region { address: 0, len: (pages * PAGE) as u64 }]).expect("a layout")
}

/// Returns a snapshot of all of `memory`.
pub(crate) fn snapshot(memory: &Memory) -> Vec<u8> {
    snapshot_with(memory, Pages::All, &SaveOptions::default().id(BASE))
}

pub(crate) fn snapshot_with(memory: &Memory, pages: Pages<'_>, options: &SaveOptions) -> Vec<u8> {
    let mut file = Vec::new();
    let ram = [memory.ram()];
    let layout = layout((memory.ram().len() as usize) / PAGE);
    save(&mut file, &layout, &ram[..], pages, &codec(), options, &mut |_| {}).expect("saved");
    file
}
