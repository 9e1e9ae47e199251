//! Whose turn it is to use the simulator.

use parking_lot::Mutex;

/// The lock is only held to look: a test keeps a ticket, since a forked child could not unlock a
/// `MutexGuard` of its parent.
pub(crate) static TURN: Mutex<Turn> = Mutex::new(Turn { holder: 0, tickets: 0 });

/// Hands out the simulator, to one holder at a time.
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

    /// Ends the holder's turn. Ignores a ticket that is void.
    pub(crate) fn release(&mut self, ticket: u64) {
        if self.holder == ticket {
            self.holder = 0;
        }
    }

    /// In a forked child, voids the ticket of whoever held the simulator in the parent.
    pub(crate) fn void(&mut self) {
        self.holder = 0;
    }
}
