//! The guest that makes them.

use super::Cpu;
use super::call::{Call, FIRST, POOL, ROOT, STRANGERS, Who};
use ptom::backend::Native;
use ptom::xen::mmuext::MmuextOp;
use ptom::xen::raw::{Raw, RawUpdate};
use ptom::xen::reservation::Reservation;
use ptom::xen::{Domid, Mmu, Mode, Pfn};

/// The frame that is meant; of a page without one, a frame that is nobody's.
fn frame(cpu: &Cpu<'_>, who: Who) -> u64 {
    match who {
        Who::Page(pfn) => cpu
            .hold()
            .mfn(Pfn(pfn))
            .map_or(STRANGERS[3], |mfn| mfn.raw().0),
        Who::Stranger(which) => STRANGERS[which],
    }
}

/// Root, L3, L2 and L1, the last of which maps the pool; tables read-only.
pub(crate) fn boot(cpu: &Cpu<'_>) {
    let write = |table: u64, index: u64, target: u64, flags: u64| {
        let ptr = frame(cpu, Who::Page(table)) << 12 | index << 3;
        let val = frame(cpu, Who::Page(target)) << 12 | flags;
        let request = [Some(RawUpdate { ptr, val })];
        assert_eq!(
            cpu.hold()
                .access()
                .raw()
                .mmu_update(request, None, Domid::SELF),
            0
        );
    };
    for level in 0..3 {
        write(ROOT + level, 0, ROOT + level + 1, 7);
    }
    for pfn in ROOT..FIRST + POOL {
        write(ROOT + 3, pfn, pfn, if pfn < FIRST { 5 } else { 7 });
    }
    let root = frame(cpu, Who::Page(ROOT));
    for command in [3, 5] {
        let op = MmuextOp {
            command,
            arg1: root,
            arg2: 0,
        };
        assert_eq!(
            cpu.hold()
                .access()
                .raw()
                .mmuext_op([Some(op)], None, Domid::SELF),
            0
        );
    }
}

/// Makes a call; `None` if the guest is lost, else whether it was refused.
pub(crate) fn make(cpu: &mut Cpu<'_>, call: Call) -> Option<bool> {
    if let Call::Suspend = call {
        let mut world = cpu.suspend();
        world.canonicalise_rings();
        let register = world.start_info()?;
        return world.hypercall(register, Mode::Fresh).ok().map(|_| false);
    }
    let at = |who| frame(cpu, who);
    let raw = |body: &dyn Fn(Raw<'_, Native>) -> i64| body(cpu.hold().access().raw());
    let extended = |command, arg1, arg2| {
        raw(&|raw| {
            raw.mmuext_op(
                [Some(MmuextOp {
                    command,
                    arg1,
                    arg2,
                })],
                None,
                Domid::SELF,
            )
        })
    };
    let rc = match call {
        Call::Update {
            table,
            index,
            command,
            target,
            flags,
        } => {
            let ptr = at(table) << 12 | index << 3 | command;
            let val = at(target) << 12 | flags;
            raw(&|raw| raw.mmu_update([Some(RawUpdate { ptr, val })], None, Domid::SELF))
        }
        Call::Remap { page, flags } => {
            let val = at(Who::Page(page)) << 12 | flags;
            raw(&|raw| raw.update_va_mapping(page << 12, val, 0))
        }
        Call::Extended {
            command,
            arg1,
            arg2,
        } => extended(command, at(arg1), at(arg2)),
        Call::NoUserRoot => extended(15, 0, 0),
        Call::Store {
            page,
            index,
            target,
            flags,
        } => {
            let val = at(target) << 12 | flags;
            raw(&|raw| {
                raw.store(page << 12 | index << 3, 8, val)
                    .map_or(-1, |()| 0)
            })
        }
        Call::Assist { enable } => raw(&|raw| raw.vm_assist(u32::from(!enable), 2)),
        Call::BalloonOut { page } => {
            let mfn = at(Who::Page(page));
            let done = raw(&|raw| raw.change_reservation(Reservation::Decrease, 0, &mut [mfn]));
            if done == 1 {
                raw(&|raw| {
                    raw.set_p2m(Pfn(page), None);
                    0
                });
            }
            done - 1
        }
        Call::BalloonIn { page } => {
            if cpu.hold().mfn(Pfn(page)).is_some() {
                return Some(false);
            }
            raw(&|raw| {
                let mut extents = [page];
                let done = raw.change_reservation(Reservation::Populate, 0, &mut extents);
                if done == 1 {
                    raw.set_p2m(Pfn(page), Some(extents[0]));
                }
                done - 1
            })
        }
        Call::Suspend => unreachable!(),
    };
    Some(rc != 0)
}
