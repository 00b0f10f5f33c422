//! How tables grow: by one when all slots are taken, whoever notices it at the same time.

use super::*;
use crate::backend::Native;
use crate::scheme::percpu_asym::PerCpuAsym;
use std::sync::Barrier;
use std::thread;

#[test]
fn those_who_find_no_slot_at_once_add_one_table_together() {
    // As many as the first two tables have room for, and not one more.
    const READERS: usize = FIRST + 2 * FIRST;
    for _ in 0..10 {
        let shards = Shards::<PerCpuAsym<Native>>::new();
        let all = Barrier::new(READERS);
        thread::scope(|scope| {
            for _ in 0..READERS {
                scope.spawn(|| {
                    all.wait();
                    // SAFETY: dropped at the end of this closure, before the shards.
                    let reader = unsafe { shards.reader(Patience::Wait) };
                    all.wait();
                    assert!(reader.is_some());
                });
            }
        });
        let state = shards.state.read().unwrap();
        let room: Vec<usize> = state.iter().map(|shard| shard.readers).collect();
        assert_eq!(room, [FIRST, 2 * FIRST]);
    }
}
