//! Which TLBs forget what: `update_va_mapping`'s flags, and flushes of some vCPUs.

use super::{EBUSY, EFAULT};
use crate::boot::Cpu;
use crate::calls::fresh;
use crate::replay::Replay;
use ptom::xen::{Mmu, Pfn, Va};

/// What a vCPU reads through two addresses that were mapped to something else behind its TLB's back: its
/// TLB still says what it said (true), or has forgotten.
type Stale = [bool; 2];

const OLD: u64 = 0x1111;
const NEW: u64 = 0x2222;

/// D0 and D2 are remembered by both vCPUs, D2 is remapped without a flush, and `then` is done. Returns
/// which of D0 and D2 each vCPU still has as they were.
fn after(then: impl FnOnce(&Replay<'_>, u64)) -> [Stale; 2] {
    let (machine, run) = fresh();
    machine.guest().with_tlb();
    let guest = Replay::new(&machine, &run);
    let other = machine.vcpu().unwrap();
    let root = other
        .hold()
        .mfn(Pfn(guest.names.pfn("L4CUR")))
        .unwrap()
        .raw();
    assert_eq!(root.0, guest.names.mfn("L4CUR"));
    {
        let hold = other.hold();
        let root = hold.mfn(Pfn(guest.names.pfn("L4CUR"))).unwrap();
        hold.access().load(root).unwrap();
    }
    for (role, word) in [("D0", OLD), ("D1", NEW), ("D2", OLD)] {
        let va = guest.names.va(role);
        guest.with(|raw| raw.store(va, 8, word)).unwrap();
    }
    let read = |cpu: &Cpu<'_>| {
        ["D0", "D2"].map(|role| {
            let va = Va(guest.names.va(role));
            cpu.hold().access().peek(va).unwrap()
        })
    };
    assert_eq!([read(&guest.cpu), read(&other)], [[OLD; 2]; 2]);
    assert_eq!(map_d1_at(&guest, "D2", 0), 0);
    // A bitmap with the other vCPU in it, and one beyond all.
    let bitmap = guest.names.va("E0");
    guest.with(|raw| raw.store(bitmap, 8, 1 << 63 | 2)).unwrap();
    then(&guest, bitmap);
    [read(&guest.cpu), read(&other)].map(|words| words.map(|word| word == OLD))
}

/// Maps D1 read-only where another page was.
fn map_d1_at(guest: &Replay<'_>, role: &str, flags: u64) -> i64 {
    let (va, val) = (guest.names.va(role), guest.val("D1|0x5"));
    guest.with(|raw| raw.update_va_mapping(va, val, flags))
}

#[test]
fn a_mapping_is_flushed_as_its_flags_say() {
    let remap = |flags: u64| after(|guest, _| assert_eq!(map_d1_at(guest, "D0", flags), 0));
    // Without one, both vCPUs go on reading the page that was there.
    assert_eq!(remap(0), [[true, true], [true, true]]);
    assert_eq!(remap(3), [[true, true], [true, true]], "no kind of flush");
    assert_eq!(remap(4), [[true, true], [true, true]], "nor this");
    assert_eq!(remap(1), [[false, false], [true, true]], "all, here");
    assert_eq!(remap(2), [[false, true], [true, true]], "the page, here");
    assert_eq!(
        remap(5),
        [[false, false], [false, false]],
        "all, everywhere"
    );
    // The page everywhere: a processor may forget more, and does here.
    assert_eq!(remap(6), [[false, false], [false, false]]);
    for kind in [1, 2] {
        let some = after(|guest, bitmap| assert_eq!(map_d1_at(guest, "D0", bitmap | kind), 0));
        assert_eq!(some, [[true, true], [false, false]], "those in the bitmap");
    }
}

#[test]
fn what_was_not_written_is_not_flushed() {
    let refused = after(|guest, _| {
        let (va, val) = (guest.names.va("D0"), guest.val("FOREIGN|0x5"));
        assert_eq!(guest.with(|raw| raw.update_va_mapping(va, val, 5)), EBUSY);
    });
    assert_eq!(refused, [[true, true], [true, true]]);
    // A bitmap that is not mapped is found last: written, refused, and nobody forgets.
    let unmapped = after(|guest, _| {
        assert_eq!(map_d1_at(guest, "D0", 0x4000_0001), EFAULT);
        let entry = guest.names.mapping("D0").unwrap();
        let entry = guest.with(|raw| raw.load(entry)).unwrap();
        assert_eq!(entry >> 12, guest.names.mfn("D1"));
    });
    assert_eq!(unmapped, [[true, true], [true, true]]);
}

#[test]
fn a_flush_of_some_vcpus_reaches_those() {
    for command in [8, 9] {
        let some = after(|guest, bitmap| {
            let bitmap = format!("raw:{bitmap:#x}");
            assert_eq!(guest.extended(command, "0", &bitmap), 0);
        });
        assert_eq!(some, [[true, true], [true, false]], "D0 was not remapped");
    }
}
