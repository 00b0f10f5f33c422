//! What NetBSD's LOCKDEBUG sees of a recursive read: its record of a lock has room for one reader.
//!
//! A sleep lock's record keeps how many readers there are, and *which thread was last*. Whoever wants the lock
//! while it is held, and is that thread, "locks against itself" and the kernel panics. A reader that enters
//! in between takes the place, and leaves it empty when it goes; then the recursion passes unseen, and
//! sleeps for ever on the day when a writer waits.
//!
//! All interleavings of one thread that reads twice, nested, and others that read once. Source of the rules:
//! NetBSD `sys/kern/subr_lockdebug.c` (`lockdebug_wantlock`, `_locked`, `_unlocked`).

/// What LOCKDEBUG keeps of a lock for sleepers that only readers take.
#[derive(Clone, Copy, Default)]
struct Record {
    shares: u32,
    last: Option<usize>,
}

/// A step of a thread.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Enter,
    Exit,
}
use Step::{Enter, Exit};

impl Record {
    /// Does a step; whether it is taken for a lock against oneself.
    fn step(&mut self, thread: usize, step: Step) -> bool {
        match step {
            Enter => {
                let recursion = self.shares > 0 && self.last == Some(thread);
                self.shares += 1;
                self.last = Some(thread);
                recursion
            }
            Exit => {
                self.shares -= 1;
                if self.last == Some(thread) {
                    self.last = None;
                }
                false
            }
        }
    }
}

/// Goes on in every order; adds to how many orders there are, and in how many something was seen.
fn explore(record: Record, seen: bool, left: &mut [&[Step]], orders: &mut [u64; 2]) {
    if left.iter().all(|steps| steps.is_empty()) {
        orders[0] += 1;
        orders[1] += u64::from(seen);
        return;
    }
    for thread in 0..left.len() {
        let rest = left[thread];
        if let Some((step, after)) = rest.split_first() {
            let mut record = record;
            let seen = record.step(thread, *step) || seen;
            left[thread] = after;
            explore(record, seen, left, orders);
            left[thread] = rest;
        }
    }
}

/// All orders of a thread that does `first` beside so many others, and in how many it is seen.
fn orders(first: &[Step], others: usize) -> [u64; 2] {
    let mut left: Vec<&[Step]> = vec![&[Enter, Exit]; others + 1];
    left[0] = first;
    let mut orders = [0; 2];
    explore(Record::default(), false, &mut left, &mut orders);
    orders
}

#[test]
fn a_recursive_read_passes_unseen_beside_other_readers() {
    let nested = [Enter, Enter, Exit, Exit];
    let table = [0, 1, 2, 3].map(|others| orders(&nested, others));
    let alone = [1, 1];
    assert_eq!(table, [alone, [15, 11], [420, 244], [18_900, 9_108]]);
}

#[test]
fn reads_one_after_the_other_are_never_accused() {
    let sequential = [Enter, Exit, Enter, Exit];
    for others in 0..=3 {
        assert_eq!(orders(&sequential, others)[1], 0, "{others} others");
    }
}
