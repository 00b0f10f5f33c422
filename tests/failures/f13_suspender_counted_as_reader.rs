//! F13: whoever suspends is itself counted as a reader, and waits for itself.
//!
//! NetBSD's `rw_enter` panics ("locking against myself") if it can tell; Solaris asserts that the thread's
//! counter is 0. Here it does not compile with one's own handle (`tests/misuse/suspend_in_a_hold.rs`); this is
//! what happens with another handle of the same thread, or with a guard that was leaked.

use crate::guest::{Guest, Shown, of_every_scheme};
use crate::turns::{Ending, Turns, play};
use ptom::scheme::Scheme;
use ptom::suspend::suspend;
use ptom::xen::{Mmu, Mode, Watched};

struct Itself;

impl Shown for Itself {
    fn of<S: Scheme<Turns>>() {
        let guest = Guest::<S>::with(0);
        let [reader, mut suspender] = [guest.cpu(), guest.cpu()];
        let act = move || {
            let watched = Watched::new(&reader);
            let hold = watched.hold();
            let _ = suspend(&mut suspender, &guest.kernel, Mode::Fresh).unwrap();
            drop(hold);
        };
        let ending = play(vec![("thread", Box::new(act))]);
        if S::CLAIMS.holds {
            assert_eq!(ending, Ending::Stuck(vec!["thread"]), "{}", S::NAME);
            return;
        }
        // A control waits for nobody; the machine has seen the hold.
        assert_eq!(ending, Ending::Done, "{}", S::NAME);
        let said = ["I2: vCPU 0 was in a hold at 1 suspend hypercalls"];
        assert_eq!(guest.broken(), said, "{}", S::NAME);
    }
}

#[test]
fn a_thread_that_holds_waits_for_itself() {
    of_every_scheme::<Itself>();
}

struct ALeak;

impl Shown for ALeak {
    fn of<S: Scheme<Turns>>() {
        let guest = Guest::<S>::with(0);
        let mut cpu = guest.cpu();
        let act = move || {
            std::mem::forget(cpu.hold());
            let _ = suspend(&mut cpu, &guest.kernel, Mode::Fresh).unwrap();
        };
        let ending = play(vec![("thread", Box::new(act))]);
        let told = match &ending {
            Ending::Panicked(_, words) => words.contains("leaked"),
            ending => *ending == Ending::Stuck(vec!["thread"]),
        };
        // Who suspends says that it holds nothing, where such words count: the leaked hold is over then.
        let claims = S::CLAIMS;
        let counts = claims.holds && !claims.needs_quiescence;
        assert_eq!(told, counts, "{}: {ending:?}", S::NAME);
    }
}

#[test]
fn a_leaked_hold_panics_or_waits_for_ever() {
    of_every_scheme::<ALeak>();
}

struct Translates;

impl Shown for Translates {
    fn of<S: Scheme<Turns>>() {
        let guest = Guest::<S>::with(1);
        let mut cpu = guest.cpu();
        let act = move || {
            let suspending = ptom::suspend::pre_suspend(&mut cpu, &guest.kernel);
            let suspending = suspending.unwrap();
            let (pmap, page) = guest.processes[0];
            let seen = guest.kernel.extract(&suspending, pmap, crate::guest::VA);
            assert_eq!(seen, Some(page));
            suspending
                .post_suspend(ptom::xen::Outcome::Cancelled)
                .unwrap();
        };
        let ending = play(vec![("suspender", Box::new(act))]);
        assert_eq!(ending, Ending::Done, "{}", S::NAME);
        guest.assert_sound();
    }
}

#[test]
fn the_suspender_may_take_the_readers_ways() {
    of_every_scheme::<Translates>();
}
