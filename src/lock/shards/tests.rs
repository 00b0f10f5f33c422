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
