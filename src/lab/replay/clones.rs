//! The clones of a trace: a thread each, and one more beside them that suspends the guest or moves it.

use super::lens::{Injector, Track};
use super::plan::{Plan, ReplayError};
use super::player::Player;
use super::rendezvous::Rendezvous;
use crate::backend::Native;
use std::thread::{self, ScopedJoinHandle};

/// What a clone did, and what happened to it.
pub(super) struct Clone {
    pub(super) holds: u64,
    pub(super) passes: u64,
    pub(super) failed: u64,
    pub(super) injected: u64,
    pub(super) expired: u64,
    pub(super) caught: u64,
}

impl Clone {
    /// That of a clone at its end.
    pub(super) fn of(track: &Track<'_>, player: &Player<'_, Native>, caught: u64) -> Self {
        let injector = track.injector.borrow();
        Self {
            holds: track.holds.get(),
            passes: player.passes,
            failed: player.failed,
            injected: injector.injected,
            expired: injector.expired,
            caught,
        }
    }
}

/// The injections of one clone.
pub(super) fn injector(plan: Plan, id: usize, rendezvous: &Rendezvous) -> Injector<'_> {
    let (id, vcpus) = (id as u64, plan.vcpus as u64);
    let share = plan.inject / vcpus + u64::from(id < plan.inject % vcpus);
    Injector::new(rendezvous, share, plan.seed.wrapping_add(id))
}

/// Runs `clones` clones, and `other` beside them, which is told by the rendezvous when they have ended.
///
/// # Errors
/// A clone's; [`ReplayError::Panicked`] if a thread did.
pub(super) fn beside<T: Send, U: Send>(
    clones: usize,
    rendezvous: &Rendezvous,
    clone: impl Fn(usize) -> Result<T, ReplayError> + Sync,
    other: impl FnOnce() -> U + Send,
) -> Result<(Vec<T>, U), ReplayError> {
    thread::scope(|scope| {
        let clone = &clone;
        let clones: Vec<_> = (0..clones)
            .map(|id| scope.spawn(move || clone(id)))
            .collect();
        let other = scope.spawn(other);
        let ended: Result<Vec<T>, ReplayError> = clones
            .into_iter()
            .map(joined)
            .map(Result::flatten)
            .collect();
        rendezvous.close();
        let other = joined(other);
        Ok((ended?, other?))
    })
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> Result<T, ReplayError> {
    thread.join().map_err(|_| ReplayError::Panicked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_as_one() {
        let rendezvous = Rendezvous::new(true);
        let sound = beside(3, &rendezvous, Ok, || 7);
        assert_eq!(sound, Ok((vec![0, 1, 2], 7)));
        let one = |id| if id == 1 { panic!("planted") } else { Ok(id) };
        assert_eq!(
            beside(3, &rendezvous, one, || 7),
            Err(ReplayError::Panicked)
        );
        let other = || -> u64 { panic!("planted") };
        assert_eq!(
            beside(3, &rendezvous, Ok, other),
            Err(ReplayError::Panicked)
        );
        let large = |_| Err::<u64, _>(ReplayError::TooLarge);
        assert_eq!(
            beside(3, &rendezvous, large, || 7),
            Err(ReplayError::TooLarge)
        );
    }
}
