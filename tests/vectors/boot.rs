//! The recorded guest as its domain builder left it: page tables for its first 4 MiB, and nothing else.

use super::names::{Told, count};
use ptom::backend::Native;
use ptom::scheme::percpu::PerCpu;
use ptom::xen::mmuext::MmuextOp;
use ptom::xen::raw::{Raw, RawUpdate};
use ptom::xen::{Config, Domid, Machine, Mmu, Pfn, Vcpu};
use serde_json::Value;

pub(crate) type Scheme = PerCpu<Native>;
pub(crate) type Cpu<'m> = Vcpu<'m, Native, Scheme>;

/// Pages that the builder maps, each at its PFN.
const MAPPED: u64 = 0x400;
/// Frames of the recorded machine: 1 GiB.
const FRAMES: u64 = 0x4_0000;
/// Where the test has shared_info mapped, to look at it; the recorded guest had a place of its own.
pub(crate) const WINDOW: u64 = MAPPED << 12;

const TABLE: u64 = 0x67;
const WRITABLE: u64 = 0x23;
const READ_ONLY: u64 = 0x21;

pub(crate) fn machine(run: &Value) -> Told<Machine<Native, Scheme>> {
    let pages = count(run, "nr_pages")?;
    Machine::on(Config::new(pages, 2), FRAMES).map_err(|bad| bad.to_string())
}

/// The page tables, from the root's PFN on: root, L3, L2, two L1s; and the window's L1.
pub(crate) fn boot(cpu: &Cpu<'_>, root: u64) {
    let hold = cpu.hold();
    let mfn = |pfn| hold.mfn(Pfn(pfn)).unwrap().raw().0;
    let raw = hold.access().raw();
    let tables = root..root + 6;
    let write = |table: u64, index: u64, target: u64, flags: u64| {
        let ptr = mfn(table) << 12 | index << 3;
        let val = mfn(target) << 12 | flags;
        let done = raw.mmu_update([Some(RawUpdate { ptr, val })], None, Domid::SELF);
        assert_eq!(done, 0);
    };
    write(root, 0, root + 1, TABLE);
    write(root + 1, 0, root + 2, TABLE);
    for l1 in 0..3 {
        write(root + 2, l1, root + 3 + l1, TABLE);
    }
    for pfn in 0..MAPPED {
        let flags = if tables.contains(&pfn) {
            READ_ONLY
        } else {
            WRITABLE
        };
        write(root + 3 + pfn / 512, pfn % 512, pfn, flags);
    }
    pin_and_load(raw, mfn(root));
}

fn pin_and_load(raw: Raw<'_, Native>, root: u64) {
    let ops = [3, 5].map(|command| {
        Some(MmuextOp {
            command,
            arg1: root,
            arg2: 0,
        })
    });
    let mut done = 0;
    assert_eq!(raw.mmuext_op(ops, Some(&mut done), Domid::SELF), 0);
    assert_eq!(done, 2);
}
