//! F12: a reader takes the lock again while a suspender waits for it: both sleep for ever.
//!
//! NetBSD's branch did exactly that: `xbd_xenbus_resume` took the reader lock and called
//! `pmap_extract_ma`, which takes it too. Without a suspender it works, so nobody notices. Solaris's
//! counter a thread (`t_xpvcntr`) is the cure. The model `nested` shows the same in every order.

use crate::guest::{Guest, Shown, VA, of_every_scheme};
use crate::turns::{Ending, Turns, for_ever, give_way, play};
use ptom::scheme::{Scheme, rwlock::RwLock};
use ptom::xen::{Mmu, Mode};
use std::sync::OnceLock;

/// Holds, and calls something that holds.
fn nested<S: Scheme<Turns>>(suspended: bool) -> (Ending, bool) {
    let guest = Guest::<S>::with(1);
    let (pmap, page) = guest.processes[0];
    let right: &OnceLock<bool> = for_ever(OnceLock::new());
    let cpu = guest.cpu();
    let reader = move || {
        let outer = cpu.hold();
        give_way();
        let inner = guest.kernel.extract(&cpu, pmap, VA);
        right.set(inner == Some(page)).unwrap();
        drop(outer);
    };
    let mut actors = vec![("reader", Box::new(reader) as Box<_>)];
    if suspended {
        actors.push(guest.suspender(Mode::Fresh));
    }
    (play(actors), right.get() == Some(&true))
}

struct Nested;

impl Shown for Nested {
    fn of<S: Scheme<Turns>>() {
        let (ending, right) = nested::<S>(true);
        let expected = match S::CLAIMS.nests {
            true => Ending::Done,
            false => Ending::Stuck(vec!["reader", "suspender"]),
        };
        assert_eq!(ending, expected, "{}", S::NAME);
        let claims = S::CLAIMS;
        assert!(right || !claims.nests || !claims.holds, "{}", S::NAME);
    }
}

#[test]
fn a_hold_within_a_hold_deadlocks_where_it_is_not_claimed() {
    of_every_scheme::<Nested>();
}

#[test]
fn with_nobody_waiting_the_same_program_works() {
    assert_eq!(nested::<RwLock<Turns>>(false), (Ending::Done, true));
}
