//! How tables grow: when all slots are taken, and not before.

use super::*;
use crate::backend::Native;
use crate::scheme::percpu_asym::PerCpuAsym;

type Tables = Shards<PerCpuAsym<Native>>;

/// The readers that each table has room for.
fn room(tables: &Tables) -> Vec<usize> {
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
