//! I3: every count of the machine made again, by looking at every table.

use super::broken::Broken;
use super::frame::{Owner, Type};
use super::guest::Guest;
use super::number::{Pfn, RawMfn};
use super::pte::Pte;
use crate::backend::{Atomic, Backend};
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::Ordering::Relaxed;

/// The references to a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of any kind.
    pub count: u64,
    /// Those that need its type.
    pub types: u64,
    /// Linear entries in it (above 0) or uses of it elsewhere (below 0).
    pub linear: i32,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            count,
            types,
            linear,
        } = self;
        write!(f, "{count} references, {types} of a type, {linear} linear")
    }
}

impl<B: Backend> Guest<B> {
    /// Says which frames break I3; see [`Broken`].
    pub(super) fn recounted(&self, broken: &mut Vec<Broken>) {
        let host = &self.host;
        let all = || (0..host.frames()).map(RawMfn);
        let mut found: Vec<Counts> = all().map(|_| Counts::default()).collect();
        for mfn in all() {
            self.recount(mfn, &mut found, broken);
        }
        for register in self.domain.vcpus.iter().flat_map(|vcpu| vcpu.roots()) {
            match register.load(Relaxed) {
                0 => {}
                root => refer(&mut found, RawMfn(root), true),
            }
        }
        for mfn in all() {
            let frame = host.frame(mfn);
            let recorded = Counts {
                count: frame.count(),
                types: frame.type_count(),
                linear: host.linear[mfn.0 as usize].load(Relaxed) as i32,
            };
            let found = found[mfn.0 as usize];
            if recorded != found {
                broken.push(Broken::Miscounted {
                    mfn,
                    recorded,
                    found,
                });
            }
        }
        for pfn in (0..self.domain.pages()).map(Pfn) {
            let Some(mfn) = self.domain.p2m(pfn).map(|word| word.raw()) else {
                continue;
            };
            if host.m2p(mfn) != Some(pfn) || host.frame(mfn).owner() != Owner::Guest {
                broken.push(Broken::NotInverse { pfn, mfn });
            }
        }
        match host.miscount() {
            0 => {}
            times => broken.push(Broken::LostCount { times }),
        }
    }

    /// Adds the references that a frame gives; says which of its entries name a wrong type.
    fn recount(&self, mfn: RawMfn, found: &mut [Counts], broken: &mut Vec<Broken>) {
        let host = &self.host;
        let frame = host.frame(mfn);
        if frame.allocated() {
            refer(found, mfn, frame.xen_heap());
        }
        if frame.pinned() {
            refer(found, mfn, true);
        }
        let Some(level) = frame.live_table() else {
            return;
        };
        for index in host.slots(frame.kind()) {
            let pte = Pte(host.memory.read(mfn, index));
            let target = pte.mfn();
            if !pte.present() {
                continue;
            }
            let kind = host.frame(target).kind();
            let linear = level > 1 && kind.level() == Some(level);
            let right = match level {
                1 => !pte.writable() || kind == Type::Writable,
                _ if linear => !pte.writable(),
                _ => kind == host.paging.below(level, index),
            };
            if !right {
                broken.push(Broken::Mistyped { table: mfn, index });
            }
            if linear && target == mfn {
                continue;
            }
            refer(found, target, level > 1 || pte.writable());
            if linear {
                found[mfn.0 as usize].linear += 1;
                found[target.0 as usize].linear -= 1;
            }
        }
    }
}

/// One reference to a frame, if there is such a frame.
fn refer(found: &mut [Counts], mfn: RawMfn, typed: bool) {
    if let Some(counts) = found.get_mut(mfn.0 as usize) {
        counts.count += 1;
        counts.types += u64::from(typed);
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use crate::backend::Native;
    use crate::xen::machine::Config;
    use crate::xen::number::RawMfn;

    /// The second frame of the guest's.
    const FRAME: RawMfn = RawMfn(17);

    fn broken(harm: impl FnOnce(&Guest<Native>)) -> Vec<Broken> {
        let config = Config::new(64, 1);
        let guest = Guest::<Native>::new(config, 200, 0).unwrap();
        guest.host.pin(FRAME, 1).unwrap();
        assert_eq!(guest.broken(), []);
        harm(&guest);
        guest.broken()
    }

    #[test]
    fn a_reference_that_nobody_has() {
        let found = broken(|guest| {
            guest
                .host
                .get_page(FRAME, super::super::Errno::Busy)
                .unwrap()
        });
        let says = "I3: MFN 17 has on record 3 references, 1 of a type, 0 linear, but there are 2 \
                    references, 1 of a type, 0 linear";
        let said: Vec<_> = found
            .iter()
            .map(alloc::string::ToString::to_string)
            .collect();
        assert_eq!(said, [says]);
    }

    #[test]
    fn an_entry_that_nobody_checked() {
        // Of a table that is read by frame, as a stray store of Xen's own would leave it.
        let entry = Pte(FRAME.0 << 12 | Pte::P | Pte::RW);
        let found = broken(|guest| guest.host.memory.write(FRAME, 5, entry.0));
        let mistyped = Broken::Mistyped {
            table: FRAME,
            index: 5,
        };
        assert_eq!(found[0], mistyped);
        assert!(matches!(found[1], Broken::Miscounted { mfn: FRAME, .. }));
    }

    #[test]
    fn a_count_below_zero() {
        let found = broken(|guest| guest.host.miscounted());
        assert_eq!(found, [Broken::LostCount { times: 1 }]);
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "after a restore: I3: MFN 17 has on record")]
    fn a_restore_looks_by_itself() {
        broken(|guest| {
            let busy = super::super::Errno::Busy;
            guest.host.get_page(FRAME, busy).unwrap();
            guest.look_after_restore();
        });
    }

    #[test]
    fn a_root_that_is_no_frame_of_the_guests() {
        let mfn = RawMfn(150);
        let load = |guest: &Guest<Native>| guest.domain.vcpus.get(0).cr3.store(mfn.0, Relaxed);
        let found = broken(load);
        assert!(found.contains(&Broken::Root { vcpu: 0, mfn }), "{found:?}");
    }
}
