//! Lists of calls: how far they came, and when they are made.

use super::{EFAULT, EINVAL, EPERM, ESRCH, PIN_L1, UNPIN, on_guest};
use ptom::xen::mmuext::MmuextOp;
use ptom::xen::raw::RawUpdate;
use ptom::xen::{Domid, Mmu, MmuUpdate, NewPte, Pfn, Pte, RawQueues, UpdateQueue};

#[test]
fn mmuext_op_says_how_far_it_came() {
    on_guest(|guest| {
        let op = |command, role| {
            let arg1 = guest.names.mfn(role);
            Some(MmuextOp {
                command,
                arg1,
                arg2: 0,
            })
        };
        assert_eq!(guest.remap("T1", "0x5"), 0);
        let ops = [
            op(PIN_L1, "T1"),
            op(UNPIN, "T1"),
            op(PIN_L1, "D0"),
            op(PIN_L1, "T1"),
        ];
        let mut done = 9;
        let call = |ops: &[_], done: &mut u32, whose| {
            guest.with(|raw| raw.mmuext_op(ops.to_vec(), Some(done), whose))
        };
        assert_eq!((call(&ops, &mut done, Domid::SELF), done), (EINVAL, 2));
        assert_eq!(
            (call(&[ops[0], None], &mut done, Domid::SELF), done),
            (EFAULT, 1)
        );
        done = 9;
        assert_eq!(
            (call(&ops, &mut done, Domid::IO), done),
            (EPERM, 9),
            "not written"
        );
        assert_eq!(
            (call(&ops, &mut done, Domid(77)), done),
            (ESRCH, 9),
            "not written"
        );
        assert_eq!(guest.extended(UNPIN, "T1", "0"), 0);
    });
}

#[test]
fn a_batch_stops_where_the_list_is_not_mapped() {
    on_guest(|guest| {
        let (ptr, val) = (guest.names.maddr("D0+0x0"), 5);
        let list = [
            Some(RawUpdate { ptr, val }),
            None,
            Some(RawUpdate { ptr, val: 6 }),
        ];
        let mut done = 0;
        let rc = guest.with(|raw| raw.mmu_update(list, Some(&mut done), Domid::SELF));
        assert_eq!((rc, done, guest.entry("D0+0x0")), (EFAULT, 1, 5));
    });
}

#[test]
fn a_queue_is_one_hypercall_when_it_is_full() {
    on_guest(|guest| {
        guest.table("T1", 1);
        let calls = || guest.machine.guest().verdicts().hypercalls;
        let pfn = |role| Pfn(guest.names.pfn(role));
        let hold = guest.cpu.hold();
        let (table, data) = (hold.mfn(pfn("T1")).unwrap(), hold.mfn(pfn("D0")).unwrap());
        let entry = |at: usize, flags| MmuUpdate::normal(table.entry(at), NewPte::map(data, flags));
        let before = calls();
        let mut queue = UpdateQueue::new(hold.access());
        for at in 0..2047 {
            queue.push(entry(at % 512, Pte::P)).unwrap();
        }
        assert_eq!(
            (calls(), queue.len()),
            (before, 2047),
            "nothing is done yet"
        );
        queue.push(entry(0, Pte::P)).unwrap();
        assert_eq!((calls(), queue.is_empty()), (before + 1, true));
        queue.flush().unwrap();
        assert_eq!(calls(), before + 1, "an empty queue needs no hypercall");
        // The second of three is refused: it is dropped, and the third waits.
        for (at, flags) in [(1, Pte::P | Pte::RW), (2, Pte::P | Pte::PCD), (3, 0)] {
            queue.push(entry(at, flags)).unwrap();
        }
        assert_eq!(queue.flush().unwrap_err().done, 1);
        assert_eq!(queue.len(), 1);
        queue.flush().unwrap();
        let read = |at| hold.access().read(table, at).pte();
        assert!(read(1).writable() && read(2).present() && !read(3).present());
    });
}

#[test]
fn a_vcpus_queue_is_as_long() {
    on_guest(|guest| {
        guest.table("T1", 1);
        let calls = || guest.machine.guest().verdicts().hypercalls;
        let queues = RawQueues::new(guest.machine.guest());
        let pfn = |role| Pfn(guest.names.pfn(role));
        let hold = guest.cpu.hold();
        let (table, data) = (hold.mfn(pfn("T1")).unwrap(), hold.mfn(pfn("D0")).unwrap());
        let entry = |at: usize| MmuUpdate::normal(table.entry(at % 512), NewPte::map(data, Pte::P));
        let before = calls();
        for at in 0..2048 {
            queues.push(hold.access(), entry(at)).unwrap();
        }
        assert_eq!((calls(), queues.len()), (before, 2048));
        queues.push(hold.access(), entry(0)).unwrap();
        assert_eq!((calls(), queues.len()), (before + 1, 1), "a full one first");
        queues.flush(hold.access()).unwrap();
        assert_eq!((calls(), queues.len()), (before + 2, 0));
    });
}

#[test]
fn a_longer_list_is_as_many_hypercalls_as_it_needs() {
    on_guest(|guest| {
        guest.table("T1", 1);
        let calls = || guest.machine.guest().verdicts().hypercalls;
        let pfn = |role| Pfn(guest.names.pfn(role));
        let hold = guest.cpu.hold();
        let (table, data) = (hold.mfn(pfn("T1")).unwrap(), hold.mfn(pfn("D0")).unwrap());
        let entry = |flags| MmuUpdate::normal(table.entry(0), NewPte::map(data, flags));
        for (updates, needed) in [(0, 0), (1, 1), (2048, 1), (2049, 2), (4096, 2)] {
            let before = calls();
            let list = vec![entry(Pte::P); updates];
            assert_eq!(hold.access().update_all(&list), Ok(needed));
            assert_eq!(calls(), before + needed);
        }
        let mut list = vec![entry(Pte::P); 4097];
        list[3000] = entry(Pte::P | Pte::PCD);
        let before = calls();
        let refused = hold.access().update_all(&list).unwrap_err();
        assert_eq!(refused.done, 3000, "of the whole list");
        assert_eq!(calls(), before + 2, "the third is not made");
    });
}
