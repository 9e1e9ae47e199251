//! A session's idle requests, each with its buffer.

use super::request::RequestBox;
use super::staging::{Buffer, page_size};

/// The smallest buffer size, unless a page is larger.
const SMALLEST: usize = 8 << 10;

/// Idle requests, by the size of their buffers. Size classes: `SMALLEST * 2^n` and
/// `SMALLEST * 1.5 * 2^n`, in whole pages.
#[derive(Debug)]
pub(super) struct Arena {
    classes: Vec<Class>,
    /// Bytes of the buffers of all requests, idle or in use.
    mapped: usize,
    page: usize,
    /// The last requested length and its class, cached because blocks of one batch are alike.
    last: (usize, usize),
}

/// Requests with buffers of one size.
#[derive(Debug, Default)]
struct Class {
    idle: Vec<RequestBox>,
    /// The minimum number of idle requests since the last [`trim`](Arena::trim).
    unused: usize,
}

impl Arena {
    pub(super) fn new() -> Self {
        Self::with_page_size(page_size())
    }

    fn with_page_size(page: usize) -> Self {
        Self { classes: Vec::new(), mapped: 0, page, last: (0, 0) }
    }

    /// Returns a request with a buffer of at least `len` bytes. Returns `None` if out of memory, or
    /// if the buffers together would exceed `limit` bytes; a single buffer may exceed it.
    pub(super) fn take(&mut self, len: usize, limit: usize) -> Option<RequestBox> {
        if self.last.0 != len {
            self.last = (len, class_of(len));
        }
        let number = self.last.1;
        if self.classes.len() <= number {
            self.classes.resize_with(number + 1, Class::default);
        }
        let class = &mut self.classes[number];
        if let Some(mut request) = class.idle.pop() {
            class.unused = class.unused.min(class.idle.len());
            request.renew();
            return Some(request);
        }
        let size = size_of_class(number).next_multiple_of(self.page);
        while self.mapped > 0 && self.mapped + size > limit {
            // Free an idle buffer of another size.
            let unneeded = self.classes.iter_mut().rev().find_map(|class| {
                let request = class.idle.pop()?;
                class.unused = class.unused.min(class.idle.len());
                Some(request)
            })?;
            self.mapped -= unneeded.buffer().len();
        }
        let buffer = Buffer::map(size)?;
        self.mapped += size;
        Some(RequestBox::new(buffer, number))
    }

    /// Takes back a request that the device is done with.
    pub(super) fn put(&mut self, request: RequestBox) {
        self.classes[request.class()].idle.push(request);
    }

    /// Records that a request will not come back.
    pub(super) fn lost(&mut self, request: &RequestBox) {
        self.mapped -= request.buffer().len();
    }

    /// Frees the buffers that have not been used since the last call.
    pub(super) fn trim(&mut self) {
        for class in &mut self.classes {
            for request in class.idle.drain(..class.unused) {
                self.mapped -= request.buffer().len();
            }
            class.unused = class.idle.len();
        }
    }
}

fn class_of(len: usize) -> usize {
    let doublings = len.div_ceil(SMALLEST).next_power_of_two().trailing_zeros() as usize;
    // The next smaller class is three quarters of this one.
    let class = 2 * doublings;
    if class > 0 && len <= size_of_class(class - 1) { class - 1 } else { class }
}

/// Returns the size of a class: 8, 12, 16, 24, 32, ... KiB.
fn size_of_class(class: usize) -> usize {
    let size = SMALLEST << (class / 2);
    if class.is_multiple_of(2) { size } else { size + size / 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_large_enough_and_reused() {
        let mut arena = Arena::with_page_size(4096);
        for len in [1, SMALLEST, SMALLEST + 1, 72 << 10, 9 << 20] {
            let request = arena.take(len, 1 << 30).expect("enough memory");
            let mapped = request.buffer().len();
            assert!(mapped >= len && mapped < (2 * len).max(SMALLEST + 1));
            let start = request.buffer().start();
            arena.put(request);
            let again = arena.take(len, 1 << 30).expect("enough memory");
            assert_eq!(again.buffer().start(), start);
            arena.put(again);
        }
    }

    #[test]
    fn the_limit_holds_and_idle_buffers_of_other_sizes_are_freed_for_it() {
        let mut arena = Arena::with_page_size(4096);
        let limit = 4 * SMALLEST;
        let small: Vec<_> = (0..4).map(|_| arena.take(1, limit).expect("four fit")).collect();
        assert!(arena.take(1, limit).is_none(), "a fifth does not");
        for request in small {
            arena.put(request);
        }
        let large = arena.take(3 * SMALLEST, limit).expect("the small ones are freed for it");
        assert_eq!(arena.mapped, 4 * SMALLEST);
        arena.lost(&large);
        assert!(arena.take(100 * SMALLEST, limit).is_some(), "the only one may be larger");
    }

    #[test]
    fn with_large_pages_whole_pages_are_counted() {
        const PAGE: usize = 64 << 10;
        let mut arena = Arena::with_page_size(PAGE);
        let requests: Vec<_> =
            (0..4).map(|_| arena.take(1, 4 * PAGE).expect("four pages fit")).collect();
        assert!(requests.iter().all(|request| request.buffer().len() == PAGE));
        assert_eq!(arena.mapped, 4 * PAGE);
        assert!(arena.take(1, 4 * PAGE).is_none(), "a fifth does not");
    }

    #[test]
    fn unused_buffers_are_freed() {
        let mut arena = Arena::with_page_size(4096);
        let requests: Vec<_> =
            (0..10).map(|_| arena.take(1, 1 << 20).expect("enough memory")).collect();
        for request in requests {
            arena.put(request);
        }
        arena.trim();
        assert_eq!(arena.mapped, 10 * SMALLEST, "all were in use since the beginning");
        let three: Vec<_> = (0..3).map(|_| arena.take(1, 1 << 20).expect("idle ones")).collect();
        for request in three {
            arena.put(request);
        }
        arena.trim();
        assert_eq!(arena.mapped, 3 * SMALLEST);
        arena.trim();
        assert_eq!(arena.mapped, 0);
        assert!(arena.take(1, 1 << 20).is_some());
    }
}
