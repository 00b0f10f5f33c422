//! F22: a reader sleeps in its hold, and the suspend lasts as long as that.
//!
//! NetBSD's `pmap_enter` may sleep for `pm_lock`, for a page or in `pool_cache_get` with the MFN in hand. Nothing is
//! wrong but the wait, of which libxl grants 60 seconds. Sleeping first, and translating then, is the cure.

use crate::guest::{Cpu, Guest, Shown, VA, of_every_scheme};
use crate::turns::{Actor, Ending, Turns, for_ever, give_way, play};
use ptom::pmap::PageCache;
use ptom::scheme::Scheme;
use ptom::xen::{Held, Mmu};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// A vCPU that sleeps for so many turns between translating and using; and how long it has slept.
struct Sleepy<'v, V>(&'v V, u64, &'static AtomicU64);

impl<V: Mmu<Turns>> Mmu<Turns> for Sleepy<'_, V> {
    type Guard<'h>
        = V::Guard<'h>
    where
        Self: 'h;

    fn hold(&self) -> Held<'_, Turns, V::Guard<'_>> {
        self.0.hold()
    }

    fn preemption_point(&self) {
        for _ in 0..self.1 {
            self.2.fetch_add(1, SeqCst);
            give_way();
        }
    }
}

/// How long the sleepers had slept, in turns, when the suspender that came at the first got exclusivity.
fn waited<S: Scheme<Turns>>(
    sleep: u64,
    sleepers: usize,
    reader: fn(&'static Guest<S>, Sleepy<'_, Cpu<S>>),
) -> u64 {
    let guest = Guest::<S>::with(1);
    let slept: &AtomicU64 = for_ever(AtomicU64::new(0));
    let told: &OnceLock<u64> = for_ever(OnceLock::new());
    let sleeper = |_| {
        let mut cpu = guest.cpu();
        let act = move || {
            reader(guest, Sleepy(&cpu, sleep, slept));
            cpu.quiescent();
        };
        ("sleeper", Box::new(act) as Box<_>)
    };
    let mut actors: Vec<Actor> = (0..sleepers).map(sleeper).collect();
    let mut cpu = guest.cpu();
    let suspender = move || {
        let world = cpu.suspend();
        told.set(slept.load(SeqCst)).unwrap();
        drop(world);
    };
    actors.push(("suspender", Box::new(suspender)));
    assert_eq!(play(actors), Ending::Done, "{}", S::NAME);
    *told.get().unwrap()
}

/// Enters a page, and sleeps with the MFN in hand and `pm_lock` held.
fn sleeps_in_its_hold<S: Scheme<Turns>>(guest: &'static Guest<S>, cpu: Sleepy<'_, Cpu<S>>) {
    let (pmap, page) = guest.processes[0];
    let cache = &mut PageCache::default();
    let entered = guest.kernel.enter(&cpu, cache, pmap, VA, page, true);
    entered.unwrap();
}

/// Sleeps, and enters it then.
fn sleeps_before_it<S: Scheme<Turns>>(guest: &'static Guest<S>, cpu: Sleepy<'_, Cpu<S>>) {
    cpu.preemption_point();
    sleeps_in_its_hold(guest, Sleepy(cpu.0, 0, cpu.2));
}

struct Sleeps;

impl Shown for Sleeps {
    fn of<S: Scheme<Turns>>() {
        for sleep in [1, 10, 100] {
            // A control waits for nobody.
            let in_hold = if S::CLAIMS.holds { sleep } else { 1 };
            let waits = waited(sleep, 1, sleeps_in_its_hold::<S>);
            assert_eq!(waits, in_hold, "{}", S::NAME);
            // Who waits for quiescent points waits for the sleeper in any case: the price of that scheme.
            let outside = if S::CLAIMS.needs_quiescence { sleep } else { 1 };
            let waits = waited(sleep, 1, sleeps_before_it::<S>);
            assert_eq!(waits, outside, "{}", S::NAME);
        }
    }
}

#[test]
fn a_suspend_lasts_as_long_as_the_sleep_in_a_hold() {
    of_every_scheme::<Sleeps>();
}

struct SleepsForALock;

impl Shown for SleepsForALock {
    fn of<S: Scheme<Turns>>() {
        // Three threads enter in one process: those that sleep for `pm_lock` are in a hold, too, or before
        // the suspender in the queue for one.
        let (sleep, threads) = (10, 3);
        let all = if S::CLAIMS.holds {
            sleep * threads as u64
        } else {
            1
        };
        let waits = waited(sleep, threads, sleeps_in_its_hold::<S>);
        assert_eq!(waits, all, "{}", S::NAME);
    }
}

#[test]
fn a_reader_that_sleeps_for_a_lock_is_waited_for_too() {
    of_every_scheme::<SleepsForALock>();
}
