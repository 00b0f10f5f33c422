//! F3: a stale address of an entry lies in a data page now: eight octets of it are overwritten, rc 0.
//!
//! `mmu_update` into a page that is no table is an ordinary store to Xen. The page it hits has nothing to
//! do with page tables, and whoever owns it finds the damage much later.

use crate::guest::{Cpu, Guest, PAGE, PAGES, Shown, level_of, of_every_scheme};
use crate::turns::{Turns, give_way};
use ptom::scheme::Scheme;
use ptom::xen::{Errno, Mfn, Mmu, MmuUpdate, Mode, NewPte, Pfn};

const INDEX: usize = 300;
const DATA: Pfn = Pfn(500);

/// What became of it.
struct Written {
    said: Result<usize, Errno>,
    /// The table that was meant, and whether it has the entry.
    meant: (Pfn, bool),
    /// The page that was written, its level, and the word there.
    hit: (Pfn, Option<u32>, u64),
    /// The word that was to be written.
    word: u64,
}

/// Writes an entry of one of the tables whose frames it has in its registers: one whose old frame is a
/// data page's by then, if there is one.
fn write<S: Scheme<Turns>>(cpu: &Cpu<S>) -> Written {
    let hold = cpu.hold();
    let access = hold.access();
    let pages = (0..PAGES).map(Pfn);
    let tables = pages.filter(|pfn| level_of(access, *pfn) == Some(1));
    let registers: Vec<(Pfn, Mfn<'_>)> = tables.map(|pfn| (pfn, hold.mfn(pfn).unwrap())).collect();
    give_way();
    let now = |mfn: Mfn<'_>| access.pfn(mfn);
    let is_data =
        |(_, mfn): &&(Pfn, Mfn<'_>)| now(*mfn).is_some_and(|now| level_of(access, now).is_none());
    let (meant, stale) = registers.iter().find(is_data).unwrap_or(&registers[0]);
    let val = NewPte::map(hold.mfn(DATA).unwrap(), PAGE);
    let update = MmuUpdate::normal(stale.entry(INDEX), val);
    let said = access.mmu_update(&[update]).map_err(|r| r.errno);
    let hit = now(*stale).unwrap();
    let word_of = |pfn| access.read(hold.mfn(pfn).unwrap(), INDEX).pte();
    Written {
        said,
        meant: (*meant, word_of(*meant).present()),
        hit: (hit, level_of(access, hit), word_of(hit).0),
        word: hold.mfn(DATA).unwrap().raw().0 << 12 | PAGE,
    }
}

struct AStrayStore;

impl Shown for AStrayStore {
    fn of<S: Scheme<Turns>>() {
        let guest = Guest::<S>::with(8);
        let written = guest.race(Mode::Deranged { seed: 1 }, write::<S>);
        assert_eq!(written.said, Ok(1), "Xen says nothing: {}", S::NAME);
        let (hit, level, word) = written.hit;
        if S::CLAIMS.holds {
            assert_eq!(written.meant, (hit, true), "{}", S::NAME);
            return guest.assert_sound();
        }
        assert!(hit != written.meant.0 && !written.meant.1, "{}", S::NAME);
        // The very word, without the flags that Xen adds in tables: nobody looked at it.
        assert_eq!((level, word), (None, written.word), "{}", S::NAME);
        assert_eq!(guest.machine.guest().verdicts().stale_uses, 1);
    }
}

#[test]
fn a_stale_address_overwrites_eight_octets_of_data() {
    of_every_scheme::<AStrayStore>();
}
