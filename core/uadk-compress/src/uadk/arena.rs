//! A thread's requests that the device is done with, each with its output buffer.

use super::request::RequestBox;
use super::staging::Buffer;

/// Buffers are of this size, doubled any number of times, or half as long again.
const SMALLEST: usize = 8 << 10;

/// Idle requests, by the size of their buffers.
#[derive(Debug)]
pub(super) struct Arena {
    idle: Vec<Vec<RequestBox>>,
    /// Bytes of the buffers of idle requests and of those that are out.
    mapped: usize,
}

impl Arena {
    pub(super) const fn new() -> Self {
        Self { idle: Vec::new(), mapped: 0 }
    }

    /// A request with at least `room` bytes. `None` if that would make more than `limit` bytes of
    /// buffers, unless it is the only one, or if there is no memory.
    pub(super) fn take(&mut self, room: usize, limit: usize) -> Option<RequestBox> {
        let class = class_of(room);
        if self.idle.len() <= class {
            self.idle.resize_with(class + 1, Vec::new);
        }
        if let Some(mut request) = self.idle[class].pop() {
            request.renew();
            return Some(request);
        }
        let size = size_of_class(class);
        while self.mapped > 0 && self.mapped + size > limit {
            // Of another size than is wanted now.
            let unwanted = self.idle.iter_mut().rev().find_map(Vec::pop)?;
            self.mapped -= unwanted.buffer().len();
        }
        let buffer = Buffer::map(size)?;
        self.mapped += size;
        Some(RequestBox::new(buffer))
    }

    /// Takes a request back, which the device is done with.
    pub(super) fn put(&mut self, request: RequestBox) {
        self.idle[class_of(request.buffer().len())].push(request);
    }

    /// A request that was taken will not come back.
    pub(super) fn lost(&mut self, request: &RequestBox) {
        self.mapped -= request.buffer().len();
    }
}

fn class_of(room: usize) -> usize {
    let doublings = room.div_ceil(SMALLEST).next_power_of_two().trailing_zeros() as usize;
    // The class below is three quarters of it.
    let class = 2 * doublings;
    if class > 0 && room <= size_of_class(class - 1) { class - 1 } else { class }
}

/// 8, 12, 16, 24, 32, ... KiB.
fn size_of_class(class: usize) -> usize {
    let size = SMALLEST << (class / 2);
    if class.is_multiple_of(2) { size } else { size + size / 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_large_enough_and_used_again() {
        let mut arena = Arena::new();
        for room in [1, SMALLEST, SMALLEST + 1, 72 << 10, 9 << 20] {
            let request = arena.take(room, 1 << 30).expect("memory");
            let len = request.buffer().len();
            assert!(len >= room && len < (2 * room).max(SMALLEST + 1));
            let start = request.buffer().start();
            arena.put(request);
            let again = arena.take(room, 1 << 30).expect("memory");
            assert_eq!(again.buffer().start(), start);
            arena.put(again);
        }
    }

    #[test]
    fn the_limit_is_kept_and_idle_buffers_make_room() {
        let mut arena = Arena::new();
        let limit = 4 * SMALLEST;
        let small: Vec<_> = (0..4).map(|_| arena.take(1, limit).expect("four fit")).collect();
        assert!(arena.take(1, limit).is_none(), "a fifth does not");
        for request in small {
            arena.put(request);
        }
        let large = arena.take(3 * SMALLEST, limit).expect("in place of the small ones");
        assert_eq!(arena.mapped, 4 * SMALLEST);
        arena.lost(&large);
        assert!(arena.take(100 * SMALLEST, limit).is_some(), "the only one may be larger");
    }
}
