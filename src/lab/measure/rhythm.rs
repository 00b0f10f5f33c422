//! How long a reader holds, and which part of its time, while suspends are timed.

use std::time::Duration;

/// What readers do between suspends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// How long each hold lasts; zero: for one translation, without a pause between holds.
    pub hold: Duration,
    /// How much of a reader's time is in holds, per cent, 1 to 100.
    pub held: u32,
}

impl Rhythm {
    /// One translation a hold, and the next hold at once.
    pub const HOT: Self = Self {
        hold: Duration::ZERO,
        held: 100,
    };

    /// The pause from the end of a hold to the begin of the next.
    pub(super) fn pause(self) -> Duration {
        let held = self.held.clamp(1, 100);
        self.hold * (100 - held) / held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_makes_up_the_rest_of_the_time() {
        let rhythm = |held| Rhythm {
            hold: Duration::from_micros(10),
            held,
        };
        for (held, pause) in [(100, 0), (50, 10), (10, 90), (1, 990)] {
            assert_eq!(rhythm(held).pause(), Duration::from_micros(pause));
        }
        assert_eq!(Rhythm::HOT.pause(), Duration::ZERO);
    }
}
