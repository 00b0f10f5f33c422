//! F22: a reader sleeps in its hold, and the suspend lasts as long as that.
//!
//! NetBSD's `pmap_enter` may sleep for `pm_lock`, for a page or in `pool_cache_get` with the MFN in hand. Nothing is
//! wrong but the wait, of which libxl grants 60 seconds. Translating after the sleep is the cure.

use crate::guest::{Guest, Shown, of_every_scheme};
use crate::turns::{Actor, Ending, Turns, for_ever, give_way, play};
use ptom::scheme::Scheme;
use ptom::xen::Mmu;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// How long the reader had slept, in turns, when the suspender that came at the first got exclusivity.
fn waited<S: Scheme<Turns>>(sleep: u64, in_hold: bool) -> u64 {
    let guest = Guest::<S>::with(0);
    let slept: &AtomicU64 = for_ever(AtomicU64::new(0));
    let told: &OnceLock<u64> = for_ever(OnceLock::new());
    let [mut cpu, mut other] = [guest.cpu(), guest.cpu()];
    let reader = move || {
        let hold = in_hold.then(|| cpu.hold());
        for _ in 0..sleep {
            slept.fetch_add(1, SeqCst);
            give_way();
        }
        drop(hold);
        drop(cpu.hold());
        cpu.quiescent();
    };
    let suspender = move || {
        let world = other.suspend();
        told.set(slept.load(SeqCst)).unwrap();
        drop(world);
    };
    let actors: Vec<Actor> = vec![
        ("reader", Box::new(reader)),
        ("suspender", Box::new(suspender)),
    ];
    assert_eq!(play(actors), Ending::Done, "{}", S::NAME);
    *told.get().unwrap()
}

struct Sleeps;

impl Shown for Sleeps {
    fn of<S: Scheme<Turns>>() {
        for sleep in [1, 10, 100] {
            // A control waits for nobody.
            let in_hold = if S::CLAIMS.holds { sleep } else { 1 };
            assert_eq!(waited::<S>(sleep, true), in_hold, "{}", S::NAME);
            // Who waits for quiescent points waits for the sleeper in any case: the price of that scheme.
            let outside = if S::CLAIMS.needs_quiescence { sleep } else { 1 };
            assert_eq!(waited::<S>(sleep, false), outside, "{}", S::NAME);
        }
    }
}

#[test]
fn a_suspend_lasts_as_long_as_the_longest_sleep_in_a_hold() {
    of_every_scheme::<Sleeps>();
}
