//! Counts what a migration has transferred.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use serde::Serialize;
use serde_json::Value;
use uadk_compress_pages::multifd::Event;

/// Counts over all channels of a migration.
#[derive(Debug)]
pub(crate) struct Counters {
    begun: Instant,
    channels: AtomicU64,
    packets: AtomicU64,
    pages: AtomicU64,
    zero_pages: AtomicU64,
    syncs: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    main_bytes: AtomicU64,
}

impl Counters {
    pub(crate) fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            begun: Instant::now(),
            channels: zero(),
            packets: zero(),
            pages: zero(),
            zero_pages: zero(),
            syncs: zero(),
            bytes_in: zero(),
            bytes_out: zero(),
            main_bytes: zero(),
        }
    }

    pub(crate) fn channel(&self) {
        self.channels.fetch_add(1, Relaxed);
    }

    pub(crate) fn main(&self, bytes: usize) {
        self.main_bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// Counts a relayed packet, and the bytes that its pages took up in the output.
    pub(crate) fn packet(&self, event: Event<'_>, bytes_out: u64) {
        self.packets.fetch_add(1, Relaxed);
        self.bytes_out.fetch_add(bytes_out, Relaxed);
        match event {
            Event::Pages(packet) => {
                self.pages.fetch_add(packet.pages().len() as u64, Relaxed);
                self.zero_pages.fetch_add(packet.zero_pages().len() as u64, Relaxed);
                self.bytes_in.fetch_add(u64::from(packet.payload_len()), Relaxed);
            }
            Event::Sync { .. } => {
                self.syncs.fetch_add(1, Relaxed);
            }
            Event::DeviceState(state) => {
                let bytes = state.payload().len() as u64;
                self.bytes_in.fetch_add(bytes, Relaxed);
                self.bytes_out.fetch_add(bytes, Relaxed);
            }
            _ => {}
        }
    }

    pub(crate) fn summary(&self) -> Summary {
        Summary {
            channels: self.channels.load(Relaxed),
            packets: self.packets.load(Relaxed),
            pages: self.pages.load(Relaxed),
            zero_pages: self.zero_pages.load(Relaxed),
            syncs: self.syncs.load(Relaxed),
            bytes_in: self.bytes_in.load(Relaxed),
            bytes_out: self.bytes_out.load(Relaxed),
            main_bytes: self.main_bytes.load(Relaxed),
            seconds: self.begun.elapsed().as_secs_f64(),
        }
    }
}

/// The counts at one moment.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    channels: u64,
    packets: u64,
    pages: u64,
    zero_pages: u64,
    /// Summed over all channels; divided by `channels`, this is the number of rounds.
    syncs: u64,
    bytes_in: u64,
    bytes_out: u64,
    main_bytes: u64,
    seconds: f64,
}

impl Summary {
    /// Formats the counts as one line.
    pub(crate) fn line(&self) -> String {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        format!(
            "{} channels, {} pages and {} zero pages, {:.1} MiB in, {:.1} MiB out, {:.0} MiB/s",
            self.channels,
            self.pages,
            self.zero_pages,
            mib(self.bytes_in),
            mib(self.bytes_out),
            mib(self.bytes_in) / self.seconds.max(1e-3),
        )
    }

    pub(crate) fn text(&self) -> String {
        format!("{} in {:.1} s\n", self.line(), self.seconds)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}
