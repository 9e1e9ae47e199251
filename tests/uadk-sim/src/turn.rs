//! Decides which test may use the simulator.

use parking_lot::Mutex;

/// The lock is only held for short accesses. A test holds a ticket instead, since a forked child
/// could not unlock a `MutexGuard` of its parent.
pub(crate) static TURN: Mutex<Turn> = Mutex::new(Turn { holder: 0, tickets: 0 });

/// Grants the simulator to one holder at a time.
#[derive(Debug)]
pub(crate) struct Turn {
    /// The holder's ticket, or 0.
    holder: u64,
    tickets: u64,
}

impl Turn {
    /// Returns a ticket, or `None` while there is a holder.
    pub(crate) fn take(&mut self) -> Option<u64> {
        if self.holder != 0 {
            return None;
        }
        self.tickets += 1;
        self.holder = self.tickets;
        Some(self.holder)
    }

    /// Ends the holder's turn. Ignores a void ticket.
    pub(crate) fn release(&mut self, ticket: u64) {
        if self.holder == ticket {
            self.holder = 0;
        }
    }

    /// Voids the ticket of the parent's holder, in a forked child.
    pub(crate) fn void(&mut self) {
        self.holder = 0;
    }
}
