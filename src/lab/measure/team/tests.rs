//! A thread that is lost ends the run with an error, and hangs nobody.

use super::*;
use crate::scheme::Full;

/// Its workers panic, or there are none.
struct Bad {
    panics: bool,
}

struct Panics;

impl Contender for Bad {
    fn name(&self) -> &'static str {
        "bad"
    }
    fn worker(&self) -> Result<Box<dyn Worker + '_>, Full> {
        if self.panics {
            Ok(Box::new(Panics))
        } else {
            Err(Full)
        }
    }
    fn holds_per_op(&self) -> Option<f64> {
        None
    }
}

impl Worker for Panics {
    fn batch(&mut self, n: u64) -> u64 {
        let leader = thread::current().name().is_some();
        assert!(leader, "this panic is part of the test");
        n
    }
    fn suspend(&mut self, during: &mut dyn FnMut()) {
        during();
    }
    fn attend(&mut self, _: &Watch, _: usize) {}
}

#[test]
fn a_follower_that_panics_voids_the_run() {
    let run = with_team(&[&Bad { panics: true }], 3, &[], |team, _| {
        let beat = Beat {
            contender: 0,
            chunk: 1,
            time: std::time::Duration::from_micros(1),
            last: Last::Works,
        };
        team.batch(beat).map(|_| ())
    });
    assert_eq!(run, Err(Halt::Broken));
}

#[test]
fn a_contender_that_is_full_voids_the_run() {
    let run = with_team(&[&Bad { panics: false }], 2, &[], |_, _| Ok(()));
    assert_eq!(run, Err(Halt::Broken));
}
