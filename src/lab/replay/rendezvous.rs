//! The meeting of a reader that wants to be overtaken and the suspender.
//!
//! The reader, in its hold and with an MFN in its hand, asks for a suspend and waits for one that
//! began after it asked to be over. Under a sound scheme that cannot happen, since the suspender
//! waits for this very hold: when it has waited for exclusivity for [`PATIENCE`], the reader's wait
//! *expires* and it goes on. A control promises no exclusion, so there the reader's patience has no
//! end: however slow the machine, every injection ends in a suspend. If that one fails, as it may in a guest
//! that a control has spoilt, no MFN has changed, and the wait expires, too.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the suspender must have waited for exclusivity before a reader believes it gets none.
const PATIENCE: Duration = Duration::from_millis(2);

#[derive(Debug, Default)]
struct State {
    /// Suspends asked for.
    asked: u64,
    /// Of these, those that a suspend which began later has come and gone for.
    served: u64,
    /// Of these, the last that one has replaced the MFNs for.
    overtaken: u64,
    /// Since when the suspender waits for exclusivity; `None` before and after.
    waiting: Option<Instant>,
    /// There is no suspender any more.
    closed: bool,
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Rendezvous {
    /// `None`: without end.
    patience: Option<Duration>,
    state: Mutex<State>,
    changed: Condvar,
}

/// How a reader's wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Met {
    /// A suspend came and went while it held.
    Overtaken,
    /// None could, or it failed.
    Expired,
}

impl Rendezvous {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `holds`: whether the scheme says that a hold keeps the suspender out.
    pub(super) fn new(holds: bool) -> Self {
        Self {
            patience: holds.then_some(PATIENCE),
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// The reader's side.
    pub(super) fn meet(&self) -> Met {
        let mut state = self.lock();
        state.asked += 1;
        let mine = state.asked;
        self.changed.notify_all();
        loop {
            if state.overtaken >= mine {
                return Met::Overtaken;
            }
            if state.served >= mine {
                return Met::Expired;
            }
            let waited = state.waiting.map(|since| since.elapsed());
            let over = |(waited, patience)| waited >= patience;
            if state.closed || waited.zip(self.patience).is_some_and(over) {
                return Met::Expired;
            }
            // Woken at every change; looks again by itself once the patience can have run out.
            let rest = PATIENCE.saturating_sub(waited.unwrap_or_default());
            let rest = rest.max(Duration::from_micros(100));
            state = self
                .changed
                .wait_timeout(state, rest)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// The suspender's side: sleeps until a suspend is asked for, or `until`; then says it begins.
    /// Returns the number of requests that it will have served.
    pub(super) fn begin(&self, until: Instant) -> u64 {
        let mut state = self.lock();
        while state.asked == state.served && !state.closed {
            let Some(rest) = until.checked_duration_since(Instant::now()) else {
                break;
            };
            state = self
                .changed
                .wait_timeout(state, rest)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        state.waiting = Some(Instant::now());
        self.changed.notify_all();
        state.asked
    }

    /// The suspender has exclusivity.
    pub(super) fn exclusive(&self) {
        self.lock().waiting = None;
    }

    /// The suspend is over, and what became of all requests up to `asked`; `None`: it served none.
    pub(super) fn over(&self, asked: u64, met: Option<Met>) {
        let mut state = self.lock();
        state.waiting = None;
        if met.is_some() {
            state.served = asked;
        }
        if met == Some(Met::Overtaken) {
            state.overtaken = asked;
        }
        self.changed.notify_all();
    }

    /// Nobody needs to wait any more: the run ends.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Whether the run ends.
    pub(super) fn closed(&self) -> bool {
        self.lock().closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    /// What a reader of a control meets, when its suspend ends so.
    fn met(ends: &[Option<Met>]) -> Met {
        let rendezvous = Rendezvous::new(false);
        let forever = Instant::now() + Duration::from_secs(3_600);
        thread::scope(|scope| {
            let reader = scope.spawn(|| rendezvous.meet());
            for end in ends {
                let asked = rendezvous.begin(forever);
                rendezvous.exclusive();
                rendezvous.over(asked, *end);
            }
            reader.join().unwrap()
        })
    }

    #[test]
    fn only_a_suspend_that_replaced_the_mfns_overtakes() {
        assert_eq!(met(&[Some(Met::Overtaken)]), Met::Overtaken);
        assert_eq!(met(&[Some(Met::Expired)]), Met::Expired);
        assert_eq!(met(&[None, None, Some(Met::Overtaken)]), Met::Overtaken);
    }
}
