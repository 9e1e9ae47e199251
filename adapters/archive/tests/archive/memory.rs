//! Memory use does not grow with the data.

use std::io::{self, Read, Write};

use uadk_compress_archive::{GzOptions, Layout};

use crate::common::{software, text};

/// Repeats the same text.
struct Endless {
    text: Vec<u8>,
    at: usize,
    left: u64,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = buffer.len().min(self.text.len() - self.at).min(self.left as usize);
        buffer[..n].copy_from_slice(&self.text[self.at..self.at + n]);
        self.at = (self.at + n) % self.text.len();
        self.left -= n as u64;
        Ok(n)
    }
}

fn allocations_for(bytes: u64, layout: Layout) -> (u64, u64) {
    let options = GzOptions::new().layout(layout).threads(1).compressor(software());
    let info = allocation_counter::measure(|| {
        let data = Endless { text: text(100_000, 1), at: 0, left: bytes };
        let mut writer = options.writer(io::sink()).expect("a writer");
        io::copy(&mut { data }, &mut writer).expect("writes to memory");
        writer.finish().expect("writes to memory");
    });
    (info.count_total, info.bytes_max)
}

#[test]
fn a_stream_takes_bounded_memory_and_few_allocations_per_block() {
    for layout in [Layout::Bgzf, Layout::OneMember] {
        check_allocations(layout);
    }
}

fn check_allocations(layout: Layout) {
    let (few, small) = allocations_for(8 << 20, layout);
    let (many, large) = allocations_for(40 << 20, layout);
    assert!(large <= small + (64 << 10), "{small} bytes for 8 MiB, {large} for 40 MiB");
    assert!(large < 8 << 20, "{large} bytes with one thread");
    let blocks = (32 << 20) / 65_280;
    // One list per batch of 16 blocks, or per two segments, each as large as 8 blocks.
    assert!(many - few <= blocks / 7, "{} allocations for {blocks} blocks", many - few);
}

#[test]
fn a_slow_sink_holds_the_writer_up() {
    // The writer compresses only a few batches ahead of the sink.
    struct Slow<'a>(&'a std::cell::Cell<u64>);
    impl Write for Slow<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.set(self.0.get() + 1);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let taken = std::cell::Cell::new(0);
    let options = GzOptions::new().layout(Layout::Bgzf).threads(5).compressor(software());
    let mut writer = options.writer(Slow(&taken)).expect("a writer");
    let batch = text(16 * 65_280, 2);
    let mut submitted = 0;
    for _ in 0..40 {
        writer.write_all(&batch).expect("writes to memory");
        submitted += 1;
        // Two batches per thread are in flight; all before them are written.
        assert!(submitted - taken.get() <= 10, "{submitted} submitted, {} written", taken.get());
    }
}
