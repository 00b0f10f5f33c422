//! Hypercalls past the kernel, which hears of none of them: allowed ones, whose effect is known, and some
//! that Xen must refuse, which have none.

use super::guest::Guest;
use super::op::PLACES;
use proptest::prelude::*;
use ptom::xen::mmuext::MmuextOp;
use ptom::xen::raw::RawUpdate;
use ptom::xen::{Domid, Mmu, Pfn, Pte, Va, Watched};

/// Entry 256 of a root, the first that is Xen's.
const XENS: u64 = 256;
/// A frame of another domain's.
const STRANGER: u64 = 4;
/// `MMU_PT_UPDATE_PRESERVE_AD`: accessed and dirty bits stay as the processor set them.
const PRESERVE: u64 = 2;
const PIN_L1: u32 = 0;
const UNPIN: u32 = 4;
const USER_ROOT: u32 = 15;
const CLEAR_PAGE: u32 = 16;
const COPY_PAGE: u32 = 17;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    /// An L1 entry, with other rights.
    Protect {
        process: usize,
        place: usize,
        write: bool,
    },
    /// An `mmu_update` of a page that is no table: a store.
    Word {
        frame: usize,
        word: u64,
    },
    ClearPage {
        frame: usize,
    },
    CopyPage {
        from: usize,
        to: usize,
    },
    /// An L1 table is pinned, and unpinned.
    Pin {
        process: usize,
        place: usize,
    },
    /// A process's root becomes the user's, and is let go.
    UserRoot {
        process: usize,
    },
    /// What is refused.
    Bad(Bad, usize, usize),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Bad {
    /// A root is mapped writable.
    WritableTable,
    /// Another domain's frame is mapped.
    Stranger,
    /// An entry of a root that is Xen's is written.
    XensSlot,
    /// A root is pinned as an L1 table.
    WrongLevel,
    /// What was never pinned is unpinned.
    NotPinned,
}

pub(crate) fn call() -> impl Strategy<Value = Call> {
    let process = || 0..6_usize;
    let place = || 0..PLACES.len();
    let frame = || 0..super::guest::FRAMES;
    let bad = prop_oneof![
        Just(Bad::WritableTable),
        Just(Bad::Stranger),
        Just(Bad::XensSlot),
        Just(Bad::WrongLevel),
        Just(Bad::NotPinned),
    ];
    prop_oneof![
        3 => (process(), place(), any::<bool>()).prop_map(
            |(process, place, write)| Call::Protect { process, place, write }
        ),
        1 => (frame(), any::<u64>()).prop_map(|(frame, word)| Call::Word { frame, word }),
        1 => frame().prop_map(|frame| Call::ClearPage { frame }),
        1 => (frame(), frame()).prop_map(|(from, to)| Call::CopyPage { from, to }),
        1 => (process(), place()).prop_map(|(process, place)| Call::Pin { process, place }),
        1 => process().prop_map(|process| Call::UserRoot { process }),
        2 => (bad, process(), place()).prop_map(|(bad, process, place)| Call::Bad(bad, process, place)),
    ]
}

/// An L1 entry: the machine address of it, and its table's frame.
struct Slot {
    ptr: u64,
    table: u64,
    pte: Pte,
}

impl Guest<'_> {
    pub(crate) fn raw(&mut self, at: usize, call: Call) -> Result<(), TestCaseError> {
        let some = |process: usize| {
            let count = self.pmaps.len();
            (count > 0).then(|| process % count)
        };
        match call {
            Call::Protect {
                process,
                place,
                write,
            } => {
                let Some(process) = some(process) else {
                    return Ok(());
                };
                let Some(slot) = self.slot(at, process, place).filter(|s| s.pte.present()) else {
                    return Ok(());
                };
                let rights = if write { Pte::RW } else { 0 };
                let val = slot.pte.0 & !Pte::RW | rights;
                prop_assert_eq!(self.write(at, slot.ptr | PRESERVE, val), 0);
                self.reference.protect(process, PLACES[place], 1, write);
            }
            Call::Word { frame, word } => {
                let page = self.frames[frame];
                let ptr = self.mfn(at, page) << 12;
                prop_assert_eq!(self.write(at, ptr, word), 0);
                self.reference.contents.insert(page, word);
            }
            Call::ClearPage { frame } => {
                let page = self.frames[frame];
                prop_assert_eq!(self.extended(at, CLEAR_PAGE, self.mfn(at, page), 0), 0);
                self.reference.contents.insert(page, 0);
            }
            Call::CopyPage { from, to } => {
                let [from, to] = [from, to].map(|frame| self.frames[frame]);
                let [source, target] = [from, to].map(|page| self.mfn(at, page));
                prop_assert_eq!(self.extended(at, COPY_PAGE, target, source), 0);
                let word = self.reference.word(from);
                self.reference.contents.insert(to, word);
            }
            Call::Pin { process, place } => {
                let slot = some(process).and_then(|process| self.slot(at, process, place));
                if let Some(Slot { table, .. }) = slot {
                    prop_assert_eq!(self.extended(at, PIN_L1, table, 0), 0);
                    prop_assert_eq!(self.extended(at, UNPIN, table, 0), 0);
                }
            }
            Call::UserRoot { process } => {
                if let Some(process) = some(process) {
                    let root = self.mfn(at, self.kernel.root(self.pmaps[process]));
                    prop_assert_eq!(self.extended(at, USER_ROOT, root, 0), 0);
                    prop_assert_eq!(self.extended(at, USER_ROOT, 0, 0), 0);
                }
            }
            Call::Bad(bad, process, place) => {
                if let Some(process) = some(process) {
                    self.refused(at, bad, process, place)?;
                }
            }
        }
        Ok(())
    }

    /// Makes a call that Xen must refuse. That nothing changed, the comparison says.
    fn refused(
        &mut self,
        at: usize,
        bad: Bad,
        process: usize,
        place: usize,
    ) -> Result<(), TestCaseError> {
        let root = self.mfn(at, self.kernel.root(self.pmaps[process]));
        let map = |frame: u64| {
            let slot = self.slot(at, process, place)?;
            Some(self.write(at, slot.ptr, frame << 12 | Pte::P | Pte::RW | Pte::US))
        };
        let rc = match bad {
            Bad::WritableTable => map(root),
            Bad::Stranger => map(STRANGER),
            Bad::XensSlot => Some(self.write(at, root << 12 | XENS << 3, 0)),
            Bad::WrongLevel => Some(self.extended(at, PIN_L1, root, 0)),
            Bad::NotPinned => Some(self.extended(at, UNPIN, self.mfn(at, self.frames[0]), 0)),
        };
        if let Some(rc) = rc {
            prop_assert!(rc < 0, "{:?} was not refused", bad);
            self.reference.refused += 1;
        }
        Ok(())
    }

    fn mfn(&self, at: usize, page: Pfn) -> u64 {
        let hold = self.cpus[at].hold();
        hold.mfn(page).map_or(0, |mfn| mfn.raw().0)
    }

    /// The L1 entry of a place, if there is a table for it.
    fn slot(&self, at: usize, process: usize, place: usize) -> Option<Slot> {
        let va = Va::of_page(PLACES[place]);
        let hold = self.cpus[at].hold();
        let access = hold.access();
        let mut table = access.mfn(self.kernel.root(self.pmaps[process]))?;
        for level in [4, 3, 2] {
            table = access.read(table, va.index(level)).mfn()?;
        }
        let index = va.index(1);
        Some(Slot {
            ptr: table.raw().0 << 12 | (index as u64) << 3,
            table: table.raw().0,
            pte: access.read(table, index).pte(),
        })
    }

    fn write(&self, at: usize, ptr: u64, val: u64) -> i64 {
        let cpu = Watched::new(&self.cpus[at]);
        let hold = cpu.hold();
        let request = [Some(RawUpdate { ptr, val })];
        hold.access().raw().mmu_update(request, None, Domid::SELF)
    }

    fn extended(&self, at: usize, command: u32, arg1: u64, arg2: u64) -> i64 {
        let cpu = Watched::new(&self.cpus[at]);
        let hold = cpu.hold();
        let op = MmuextOp {
            command,
            arg1,
            arg2,
        };
        let raw = hold.access().raw();
        raw.mmuext_op([Some(op)], None, Domid::SELF)
    }
}
