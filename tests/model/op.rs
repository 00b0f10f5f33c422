//! What may be done, and by which vCPU. Numbers stand for whatever there is at the time, by remainder.

use proptest::prelude::*;
use ptom::xen::Mode;

/// Page numbers that may be mapped: neighbours, both sides of a table's end, and under other upper tables.
pub(crate) const PLACES: [u64; 12] = [
    1,
    2,
    511,
    512,
    513,
    0x400,
    0x7_f000,
    0x4_0000,
    0x4_0001,
    0x7_ef00_0000,
    0x7_ef00_0001,
    0x7_f7ff_ffff,
];

/// Something done to the guest.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Create,
    Fork {
        process: usize,
    },
    Destroy {
        process: usize,
    },
    Load {
        process: usize,
    },
    LoadKernel,
    Enter {
        process: usize,
        place: usize,
        frame: usize,
        write: bool,
    },
    Remove {
        process: usize,
        place: usize,
        pages: u64,
    },
    Protect {
        process: usize,
        place: usize,
        pages: u64,
        write: bool,
    },
    /// A word of the loaded process's memory.
    Store {
        place: usize,
        word: u64,
    },
    /// A page that nobody maps is given back, and another one taken.
    Renew {
        frame: usize,
    },
    Inflate {
        pages: u64,
    },
    Deflate {
        pages: u64,
    },
    Drain,
    Reap,
    Suspend {
        mode: Mode,
        /// By way of a migration stream.
        wire: bool,
    },
}

/// An operation, and the vCPU that does it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) cpu: usize,
    pub(crate) op: Op,
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![
        Just(Mode::Fresh),
        any::<u64>().prop_map(|seed| Mode::Deranged { seed }),
        Just(Mode::Cancelled),
    ]
}

/// Any operation.
pub(crate) fn step() -> impl Strategy<Value = Step> {
    let process = || 0..6_usize;
    let place = || 0..PLACES.len();
    let pages = || prop_oneof![3 => 1..4_u64, 1 => 1..2000_u64];
    let frame = || 0..super::guest::FRAMES;
    let op = prop_oneof![
        3 => Just(Op::Create),
        2 => process().prop_map(|process| Op::Fork { process }),
        2 => process().prop_map(|process| Op::Destroy { process }),
        3 => process().prop_map(|process| Op::Load { process }),
        1 => Just(Op::LoadKernel),
        8 => (process(), place(), frame(), any::<bool>()).prop_map(
            |(process, place, frame, write)| Op::Enter { process, place, frame, write }
        ),
        2 => (process(), place(), pages()).prop_map(
            |(process, place, pages)| Op::Remove { process, place, pages }
        ),
        2 => (process(), place(), pages(), any::<bool>()).prop_map(
            |(process, place, pages, write)| Op::Protect { process, place, pages, write }
        ),
        3 => (place(), any::<u64>()).prop_map(|(place, word)| Op::Store { place, word }),
        2 => frame().prop_map(|frame| Op::Renew { frame }),
        2 => (1..300_u64).prop_map(|pages| Op::Inflate { pages }),
        2 => (1..300_u64).prop_map(|pages| Op::Deflate { pages }),
        1 => Just(Op::Drain),
        1 => Just(Op::Reap),
        4 => (mode(), any::<bool>()).prop_map(|(mode, wire)| Op::Suspend { mode, wire }),
    ];
    (0..2_usize, op).prop_map(|(cpu, op)| Step { cpu, op })
}
