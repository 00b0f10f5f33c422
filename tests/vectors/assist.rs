//! What a guest asked for by `vm_assist` goes with it, to a Xen that was never asked.

use super::boot::Scheme;
use super::calls::fresh;
use super::replay::Replay;
use ptom::backend::Native;
use ptom::xen::stream::Stream;
use ptom::xen::{Machine, Mmu, Mode};

const ENABLE: u32 = 0;
const WRITABLE_PAGETABLES: u32 = 2;

#[test]
fn it_is_in_the_stream() {
    for asked in [false, true] {
        let (machine, run) = fresh();
        let mut guest = Replay::new(&machine, &run);
        guest.table("T1", 1);
        if asked {
            let rc = guest.with(|raw| raw.vm_assist(ENABLE, WRITABLE_PAGETABLES));
            assert_eq!(rc, 0);
        }
        let table = guest.names.va("T1");
        let mut world = guest.cpu.suspend();
        world.canonicalise_rings();
        let register = world.start_info().unwrap();
        let mut sent = Vec::new();
        let outcome = world.hypercall_by(register, Mode::Fresh, |stream| {
            sent.clone_from(&stream);
            stream
        });
        assert!(outcome.is_ok());
        let stream = Stream::read(&sent).unwrap();
        let there = Machine::<Native, Scheme>::restored(&stream, 1, Mode::Fresh).unwrap();
        let cpu = there.vcpu().unwrap();
        let stored = cpu.hold().access().raw().store(table, 8, 0);
        assert_eq!(stored.is_ok(), asked, "a store to a page table");
    }
}
