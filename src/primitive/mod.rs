//! What several schemes are built from, itself built on a [`Backend`](crate::backend::Backend)
//! alone, so that a model checker sees the very code that ships.

#![forbid(unsafe_code)]

mod count;
mod drain;
mod gate;
mod krwlock;
mod padded;
mod slots;
mod ticket;
mod turnstile;

pub use count::{Count, Counts};
pub use drain::drain;
pub use gate::{Gate, Shut};
pub use krwlock::KRwLock;
pub use padded::{CACHE_LINE, Padded};
pub use slots::{Full, Slots};
pub use ticket::{Ticket, TicketGuard};
pub use turnstile::{Queue, Turnstile};
