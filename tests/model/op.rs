//! What may be done, and by which vCPU. Numbers stand for whatever there is at the time, by remainder.

use super::raw::{Call, call};
use proptest::prelude::*;
use ptom::pmap::KVA;
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

/// Page numbers of the kernel's own, after the first of [`KVA`](ptom::pmap::KVA): under four L1 tables, two L2.
pub(crate) const KERNEL_PLACES: [u64; 5] = [0, 1, 511, 512, 0x4_0000];

/// A word's place: one of [`PLACES`], or after those one of [`KERNEL_PLACES`].
pub(crate) fn page_of(place: usize) -> u64 {
    let own = || KVA.page + KERNEL_PLACES[place - PLACES.len()];
    PLACES.get(place).copied().unwrap_or_else(own)
}

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
    /// What a process has mapped somewhere is mapped there again.
    Again {
        process: usize,
        mapped: usize,
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
    /// Unmapped from all processes.
    PageRemove {
        frame: usize,
    },
    /// Whether it was written to, which is forgotten.
    Clear {
        frame: usize,
    },
    /// Mapped by the kernel for itself, at once.
    Kenter {
        place: usize,
        frame: usize,
        write: bool,
    },
    /// The same, queued: it waits for an `Update`, or a suspend.
    Queue {
        place: usize,
        frame: usize,
    },
    Update,
    Kremove {
        place: usize,
        pages: u64,
    },
    /// By a hypercall of the process's own, past the kernel.
    Raw(Call),
    /// A word of the loaded process's memory, or of the kernel's.
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
    /// A live migration begins, or makes another round.
    Round,
    /// It ends, on the other host unless it is cancelled.
    Migrate {
        mode: Mode,
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
    let own = || 0..KERNEL_PLACES.len();
    let op = prop_oneof![
        3 => Just(Op::Create),
        2 => process().prop_map(|process| Op::Fork { process }),
        2 => process().prop_map(|process| Op::Destroy { process }),
        5 => process().prop_map(|process| Op::Load { process }),
        1 => Just(Op::LoadKernel),
        16 => (process(), place(), frame(), any::<bool>()).prop_map(
            |(process, place, frame, write)| Op::Enter { process, place, frame, write }
        ),
        3 => (process(), 0..100_usize, any::<bool>()).prop_map(
            |(process, mapped, write)| Op::Again { process, mapped, write }
        ),
        2 => (process(), place(), pages()).prop_map(
            |(process, place, pages)| Op::Remove { process, place, pages }
        ),
        2 => (process(), place(), pages(), any::<bool>()).prop_map(
            |(process, place, pages, write)| Op::Protect { process, place, pages, write }
        ),
        1 => frame().prop_map(|frame| Op::PageRemove { frame }),
        2 => frame().prop_map(|frame| Op::Clear { frame }),
        2 => (own(), frame(), any::<bool>()).prop_map(
            |(place, frame, write)| Op::Kenter { place, frame, write }
        ),
        2 => (own(), frame()).prop_map(|(place, frame)| Op::Queue { place, frame }),
        1 => Just(Op::Update),
        1 => (own(), pages()).prop_map(|(place, pages)| Op::Kremove { place, pages }),
        5 => call().prop_map(Op::Raw),
        10 => (0..PLACES.len() + KERNEL_PLACES.len(), any::<u64>()).prop_map(
            |(place, word)| Op::Store { place, word }
        ),
        2 => frame().prop_map(|frame| Op::Renew { frame }),
        2 => (1..300_u64).prop_map(|pages| Op::Inflate { pages }),
        2 => (1..300_u64).prop_map(|pages| Op::Deflate { pages }),
        1 => Just(Op::Drain),
        1 => Just(Op::Reap),
        6 => (mode(), any::<bool>()).prop_map(|(mode, wire)| Op::Suspend { mode, wire }),
        3 => Just(Op::Round),
        2 => mode().prop_map(|mode| Op::Migrate { mode }),
    ];
    (0..2_usize, op).prop_map(|(cpu, op)| Step { cpu, op })
}
