//! F2: a stale value names another page of the guest's: a wrong mapping, and nobody is told.
//!
//! After a restore the old frame may well be the guest's again, under another page. Xen checks that a
//! frame is the guest's, and cannot know which one was meant.

use crate::guest::{Cpu, Guest, KERNEL_L1, PAGE, Shown, level_of, of_every_scheme};
use crate::turns::{Turns, give_way};
use ptom::scheme::Scheme;
use ptom::xen::{Errno, Mfn, Mmu, MmuUpdate, Mode, NewPte, Pfn};

const DATA: std::ops::Range<u64> = 400..500;
const INDEX: usize = 3;

/// Which page was meant, which one is mapped afterwards, and what Xen said.
type Mapped = (Pfn, Option<Pfn>, Result<usize, Errno>);

/// Maps one of the pages whose frames it has in its registers: one whose old frame is another data page's
/// by then, if there is one.
fn map<S: Scheme<Turns>>(cpu: &Cpu<S>) -> Mapped {
    let hold = cpu.hold();
    let access = hold.access();
    let registers: Vec<(Pfn, Mfn<'_>)> = DATA
        .map(|pfn| (Pfn(pfn), hold.mfn(Pfn(pfn)).unwrap()))
        .collect();
    give_way();
    let is_anothers = |(meant, mfn): &&(Pfn, Mfn<'_>)| {
        let now = access.pfn(*mfn).filter(|now| now != meant);
        now.is_some_and(|now| level_of(access, now).is_none())
    };
    let (meant, mfn) = registers.iter().find(is_anothers).unwrap_or(&registers[0]);
    let table = hold.mfn(KERNEL_L1).unwrap();
    let update = MmuUpdate::normal(table.entry(INDEX), NewPte::map(*mfn, PAGE));
    let said = access.mmu_update(&[update]).map_err(|r| r.errno);
    let mapped = access.read(table, INDEX).mfn();
    (*meant, mapped.and_then(|mfn| access.pfn(mfn)), said)
}

struct AWrongMapping;

impl Shown for AWrongMapping {
    fn of<S: Scheme<Turns>>() {
        let guest = Guest::<S>::with(1);
        let (meant, mapped, said) = guest.race(Mode::Deranged { seed: 1 }, map::<S>);
        assert_eq!(said, Ok(1), "Xen says nothing: {}", S::NAME);
        if S::CLAIMS.holds {
            assert_eq!(mapped, Some(meant), "{}", S::NAME);
            return guest.assert_sound();
        }
        let mapped = mapped.expect("some page of the guest's");
        assert_ne!(mapped, meant, "{}", S::NAME);
        let verdicts = guest.machine.guest().verdicts();
        assert_eq!((verdicts.stale_uses, verdicts.wrong_frame), (1, 1));
        assert_eq!((verdicts.refused, verdicts.faults), (0, 0));
    }
}

#[test]
fn a_stale_value_maps_another_page_and_nobody_is_told() {
    of_every_scheme::<AWrongMapping>();
}
