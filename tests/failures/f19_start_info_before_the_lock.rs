//! F19: start_info's MFN is read before the lock, and another suspend comes in between.
//!
//! Solaris and NetBSD read it first, since they could not read it with the lock held. With two suspenders it
//! is of the incarnation before: the tools say "Bad mfn for suspend record", and the save fails. No
//! lock helps; `pre_suspend` has the suspender translate in its own world instead.

use crate::guest::{Guest, Shown, of_every_scheme};
use crate::turns::{Actor, Ending, Turns, for_ever, give_way, play};
use ptom::scheme::Scheme;
use ptom::xen::restore::Register;
use ptom::xen::save::Failed;
use ptom::xen::{Mmu, Mode, Outcome, Pfn};
use std::sync::OnceLock;

const START_INFO: Pfn = Pfn(0);

/// What the tools say to the first of two suspenders.
fn first_of_two<S: Scheme<Turns>>(
    guest: &'static Guest<S>,
    before_the_lock: bool,
    other: Mode,
) -> Result<Outcome, Failed> {
    let said: &OnceLock<_> = for_ever(OnceLock::new());
    let mut cpu = guest.cpu();
    let first = move || {
        let early = {
            let hold = cpu.hold();
            Register::from(hold.mfn(START_INFO).unwrap())
        };
        cpu.quiescent();
        give_way();
        let mut world = cpu.suspend();
        world.canonicalise_rings();
        let register = match before_the_lock {
            true => early,
            false => world.start_info().unwrap(),
        };
        said.set(world.hypercall(register, Mode::Cancelled))
            .unwrap();
        world.localise_rings();
    };
    let actors: Vec<Actor> = vec![("first", Box::new(first)), guest.suspender(other)];
    assert_eq!(play(actors), Ending::Done, "{}", S::NAME);
    *said.get().unwrap()
}

struct TwoSuspenders;

impl Shown for TwoSuspenders {
    fn of<S: Scheme<Turns>>() {
        for other in [Mode::Fresh, Mode::Deranged { seed: 1 }] {
            let early = Guest::<S>::with(1);
            let said = first_of_two(early, true, other);
            assert_eq!(said, Err(Failed::StartInfo), "{}", S::NAME);
            let late = Guest::<S>::with(1);
            let said = first_of_two(late, false, other);
            assert_eq!(said, Ok(Outcome::Cancelled), "{}", S::NAME);
            // Nothing was lost: the guest goes on where it was.
            early.assert_sound();
            late.assert_sound();
        }
        let alone = first_of_two(Guest::<S>::with(1), true, Mode::Cancelled);
        assert_eq!(alone, Ok(Outcome::Cancelled), "no frame has moved");
    }
}

#[test]
fn start_info_is_read_with_the_lock_held() {
    of_every_scheme::<TwoSuspenders>();
    let words = Failed::StartInfo.to_string();
    assert_eq!(words, "save: bad mfn for suspend record");
}
