//! A random hypercall.

use proptest::prelude::*;
use std::ops::Range;

/// The guest's pages: the first are its own, then the boot's tables, then those that are played with.
pub(crate) const PAGES: u64 = 40;
pub(crate) const ROOT: u64 = 4;
pub(crate) const FIRST: u64 = 8;
pub(crate) const POOL: u64 = 10;
/// Frames that are not the guest's pages: no RAM, shared_info, another domain's, beyond RAM.
pub(crate) const STRANGERS: [u64; 4] = [0, 1, 4, 1 << 30];

/// Who is meant: a page of the pool, one of the boot's tables, or a stranger.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Who {
    Page(u64),
    Stranger(usize),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    Update {
        table: Who,
        index: u64,
        command: u64,
        target: Who,
        flags: u64,
    },
    Remap {
        page: u64,
        flags: u64,
    },
    Extended {
        command: u32,
        arg1: Who,
        arg2: Who,
    },
    NoUserRoot,
    Store {
        page: u64,
        index: u64,
        target: Who,
        flags: u64,
    },
    Assist {
        enable: bool,
    },
    BalloonOut {
        page: u64,
    },
    BalloonIn {
        page: u64,
    },
    Suspend,
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![
        12 => (0..POOL).prop_map(|page| Who::Page(FIRST + page)),
        2 => (0..4u64).prop_map(|table| Who::Page(ROOT + table)),
        1 => (0..STRANGERS.len()).prop_map(Who::Stranger),
    ]
}

fn page() -> impl Strategy<Value = u64> {
    FIRST..FIRST + POOL
}

fn flags() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0u64),
        Just(1),
        Just(3),
        Just(5),
        Just(7),
        Just(0x67),
        Just(0x11),
        Just(0x101),
        Just(1 << 63 | 1),
        Just(1 << 52 | 7),
    ]
}

fn index() -> impl Strategy<Value = u64> {
    prop_oneof![0..3u64, Just(256), Just(258), Just(511)]
}

fn update() -> impl Strategy<Value = Call> {
    // Not command 1, the M2P: what the guest says there is its own fault.
    let command = prop_oneof![Just(0u64), Just(2), Just(3)];
    let parts = (who(), index(), command, who(), flags());
    parts.prop_map(|(table, index, command, target, flags)| Call::Update {
        table,
        index,
        command,
        target,
        flags,
    })
}

fn extended(commands: Range<u32>) -> impl Strategy<Value = Call> {
    (commands, who(), who()).prop_map(|(command, arg1, arg2)| Call::Extended {
        command,
        arg1,
        arg2,
    })
}

fn store() -> impl Strategy<Value = Call> {
    let parts = (page(), index(), who(), flags());
    parts.prop_map(|(page, index, target, flags)| Call::Store {
        page,
        index,
        target,
        flags,
    })
}

pub(crate) fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        12 => update(),
        8 => (page(), flags()).prop_map(|(page, flags)| Call::Remap { page, flags }),
        8 => extended(0..5),
        2 => extended(15..18),
        1 => Just(Call::NoUserRoot),
        4 => store(),
        1 => any::<bool>().prop_map(|enable| Call::Assist { enable }),
        1 => page().prop_map(|page| Call::BalloonOut { page }),
        1 => page().prop_map(|page| Call::BalloonIn { page }),
        1 => Just(Call::Suspend),
    ]
}
