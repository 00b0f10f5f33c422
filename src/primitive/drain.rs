//! Waiting for the readers that are inside, one after the other.

use crate::backend::{Atomic, Backend};
use core::sync::atomic::Ordering::Acquire;

/// Waits, word by word, until each has shown a reader that is outside. Costs one load a word, and then
/// polls (see [`Backend::relax`]): a reader that leaves looks at nothing, and so cannot wake anybody.
///
/// The caller has told readers to stay out, and ordered that before these looks; or they come as fast
/// as they go.
pub fn drain<'w, B: Backend>(
    words: impl IntoIterator<Item = &'w B::U64>,
    outside: impl Fn(u64) -> bool,
) {
    for word in words {
        let mut turn = 0;
        // ORDERING: Acquire pairs with the Release by which a reader says that it is outside: whoever
        // sees that sees all that its hold did. If we look first we see it inside, and look again.
        while !outside(word.load(Acquire)) {
            B::relax(turn);
            turn = turn.saturating_add(1);
        }
    }
}
