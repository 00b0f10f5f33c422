//! The judge of a hold: which values its reads may return.

use super::payload::{Payload, WORDS};
use super::plan::{DWELL, PASSES, YIELD, dwell};
use fastrand::Rng;

/// What a look at the payload saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// The first word's value, which every read should have returned.
    pub(super) value: u64,
    /// Some read returned another.
    pub(super) torn: bool,
}

impl Look {
    /// Reads every word, several times, with pauses.
    #[inline]
    pub(super) fn at(payload: &impl Payload, rng: &mut Rng, may_sleep: bool) -> Self {
        let value = payload.read(0);
        let mut torn = false;
        for _ in 0..rng.u32(1..=PASSES) {
            for index in 0..WORDS {
                torn |= payload.read(index) != value;
            }
            dwell(rng.u32(..DWELL));
            if may_sleep && rng.u32(..YIELD) == 0 {
                std::thread::yield_now();
            }
        }
        for index in 0..WORDS {
            torn |= payload.read(index) != value;
        }
        Self { value, torn }
    }

    /// This look, and another one in the same hold.
    pub(super) fn and(self, later: Self) -> Self {
        Self {
            value: self.value,
            torn: self.torn || later.torn || later.value != self.value,
        }
    }
}

/// What a reader knows of the past.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Past {
    newest: u64,
}

impl Past {
    /// Whether a hold that began after suspend `resumed` was over saw an older payload, or an older
    /// one than this reader has already seen.
    pub(super) fn is_stale(&mut self, value: u64, resumed: u64) -> bool {
        let stale = value < self.newest || value < resumed;
        self.newest = self.newest.max(value);
        stale
    }
}

#[cfg(test)]
mod tests {
    use super::super::payload::Words;
    use super::*;

    #[test]
    fn one_word_that_differs_is_torn() {
        let words = Words::default();
        let mut rng = Rng::with_seed(1);
        assert!(!Look::at(&words, &mut rng, true).torn);
        for index in 0..WORDS {
            words.write(index, 1);
            assert_eq!(Look::at(&words, &mut rng, true).torn, index + 1 < WORDS);
        }
    }

    #[test]
    fn two_looks_of_one_hold_agree() {
        let look = |value| Look { value, torn: false };
        assert!(!look(1).and(look(1)).torn);
        assert!(look(1).and(look(2)).torn);
    }

    #[test]
    fn the_past_does_not_come_back() {
        let mut past = Past::default();
        assert!(!past.is_stale(2, 2));
        assert!(past.is_stale(1, 0), "backwards");
        assert!(
            past.is_stale(2, 3),
            "older than the last suspend that is over"
        );
        assert!(!past.is_stale(3, 3));
    }
}
