//! F14: the CPUs are stopped first, and then the readers are waited for: one of them is stopped in its hold.
//!
//! FreeBSD called `stop_cpus` before all else. A stopped reader never ends its hold, and the suspender, or
//! the barrier, never gets on. Solaris takes its locks before the barrier; so does `pre_suspend`.

use crate::guest::{Guest, Shown, of_every_scheme};
use crate::turns::{Ending, Turns, for_ever, give_way, play, until};
use ptom::scheme::Scheme;
use ptom::suspend::suspend;
use ptom::xen::{Mmu, Mode};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// The interrupt that stops the other CPU, and its answer.
#[derive(Default)]
struct Barrier {
    stop: AtomicBool,
    stopped: AtomicBool,
}

impl Barrier {
    /// Where the other CPU takes interrupts.
    fn poll(&self) {
        if self.stop.load(SeqCst) {
            self.stopped.store(true, SeqCst);
            until(|| !self.stop.load(SeqCst));
        }
    }

    /// Stops it, and waits until it stands.
    fn stop(&self, gone: &AtomicBool) {
        self.stop.store(true, SeqCst);
        until(|| self.stopped.load(SeqCst) || gone.load(SeqCst));
    }

    fn start(&self) {
        self.stop.store(false, SeqCst);
    }
}

/// A reader on a CPU, and a suspender that stops that CPU first or last.
fn order<S: Scheme<Turns>>(stop_first: bool) -> Ending {
    let guest = Guest::<S>::with(0);
    let barrier: &Barrier = for_ever(Barrier::default());
    let gone: &AtomicBool = for_ever(AtomicBool::new(false));
    let [cpu, mut other] = [guest.cpu(), guest.cpu()];
    let reader = move || {
        let hold = cpu.hold();
        give_way();
        barrier.poll();
        drop(hold);
        drop(cpu);
        gone.store(true, SeqCst);
    };
    let suspender = move || {
        if stop_first {
            barrier.stop(gone);
            let _ = suspend(&mut other, &guest.kernel, Mode::Fresh).unwrap();
        } else {
            let world = other.suspend();
            barrier.stop(gone);
            drop(world);
        }
        barrier.start();
    };
    play(vec![
        ("reader", Box::new(reader)),
        ("suspender", Box::new(suspender)),
    ])
}

struct Stopped;

impl Shown for Stopped {
    fn of<S: Scheme<Turns>>() {
        let expected = match S::CLAIMS.holds {
            true => Ending::Stuck(vec!["reader", "suspender"]),
            // Which waits for nobody, and is wrong for that (F15).
            false => Ending::Done,
        };
        assert_eq!(order::<S>(true), expected, "{}", S::NAME);
        assert_eq!(order::<S>(false), Ending::Done, "{}", S::NAME);
    }
}

#[test]
fn locks_before_the_barrier() {
    of_every_scheme::<Stopped>();
}
