//! How tables grow: when all slots are taken, and not before.

use super::*;
use crate::backend::Native;
use crate::scheme::percpu_asym::{PerCpuAsym, PerCpuAsymHold, PerCpuAsymReader};
use crate::scheme::{Claims, Describe, Full, Scheme, Translate};
use std::panic::{AssertUnwindSafe, catch_unwind};

type Tables = Shards<PerCpuAsym<Native>>;

/// The readers that each table has room for.
fn room<S: Excludes>(tables: &Shards<S>) -> Vec<usize> {
    let state = tables.state.read().unwrap();
    state.iter().map(|shard| shard.readers).collect()
}

#[test]
fn a_table_takes_as_many_readers_as_it_says() {
    let tables = Tables::new();
    let mut readers = Vec::new();
    for (more, expected) in [
        (FIRST, &[FIRST][..]),
        (2 * FIRST, &[FIRST, 2 * FIRST]),
        (1, &[FIRST, 2 * FIRST, 4 * FIRST]),
    ] {
        // SAFETY: they are dropped below, before the tables.
        readers.extend((0..more).map(|_| unsafe { tables.reader(Patience::Wait) }));
        assert_eq!(room(&tables), expected);
    }
    assert!(readers.iter().all(Option::is_some));
    drop(readers);
}

/// Who found no slot waits to add a table; meanwhile one is given back.
#[test]
fn who_waits_to_add_a_table_looks_again() {
    let tables = Tables::new();
    // SAFETY: every reader of this test is dropped before the tables.
    let register = || unsafe { tables.reader(Patience::Wait) };
    let mut readers: Vec<_> = (0..FIRST).map(|_| register()).collect();
    std::thread::scope(|scope| {
        let shared = tables.state.read().unwrap();
        let comes = scope.spawn(|| drop(register()));
        // While we share `state`, it is refused to others only if somebody waits to write: who came has found
        // no slot.
        while tables.state.try_read().is_ok() {
            std::thread::yield_now();
        }
        drop(readers.pop());
        drop(shared);
        comes.join().unwrap();
    });
    assert_eq!(room(&tables), [FIRST]);
}

/// A scheme whose second table of a lock cannot be suspended, as where a kernel takes back what it granted.
struct PanicsLater {
    scheme: PerCpuAsym<Native>,
    first: bool,
}

struct PanicsLaterReader<'s>(PerCpuAsymReader<'s, Native>, bool);

impl Describe for PanicsLater {
    const NAME: &'static str = "panics_later";
    const PRECEDENT: &'static str = "none: a twin";
    const CLAIMS: Claims = PerCpuAsym::<Native>::CLAIMS;
}

impl Scheme<Native> for PanicsLater {
    type Reader<'s> = PanicsLaterReader<'s>;

    fn new(size: Size) -> Self {
        Self {
            scheme: PerCpuAsym::new(size),
            first: size.readers == FIRST + 1,
        }
    }

    fn reader(&self) -> Result<PanicsLaterReader<'_>, Full> {
        Ok(PanicsLaterReader(self.scheme.reader()?, self.first))
    }
}

impl Translate for PanicsLaterReader<'_> {
    type Hold<'h>
        = PerCpuAsymHold<'h, Native>
    where
        Self: 'h;

    fn hold(&self) -> PerCpuAsymHold<'_, Native> {
        self.0.hold()
    }
}

impl<'s> Reader for PanicsLaterReader<'s> {
    type Suspended<'r>
        = <PerCpuAsymReader<'s, Native> as Reader>::Suspended<'r>
    where
        Self: 'r;

    fn suspend(&mut self) -> Self::Suspended<'_> {
        assert!(self.1, "as planned");
        self.0.suspend()
    }

    fn try_suspend(&mut self) -> Option<Self::Suspended<'_>> {
        assert!(self.1, "as planned");
        self.0.try_suspend()
    }
}

// SAFETY: it is the scheme in it, but for the panic.
unsafe impl Excludes for PanicsLater {}

#[test]
fn a_panic_at_a_later_table_resumes_those_before() {
    let tables = Shards::<PanicsLater>::new();
    // SAFETY: they are dropped before the tables.
    let register = |_| unsafe { tables.reader(Patience::Wait) };
    let mut readers: Vec<_> = (0..=FIRST).map(register).collect();
    assert_eq!(room(&tables), [FIRST, 2 * FIRST]);
    for patience in [Patience::Wait, Patience::Try] {
        let writes = catch_unwind(AssertUnwindSafe(|| tables.lock_exclusive(patience)));
        assert!(writes.is_err(), "{patience:?}");
        assert!(!tables.is_locked_exclusive());
        let first = readers[0].as_mut().unwrap();
        assert!(
            first.try_suspend().is_some(),
            "{patience:?}: still suspended"
        );
    }
}
