//! What a vCPU and its ports keep across a suspend, by memory and by a stream, where no row tells.

use super::{EBUSY, EINVAL, EPERM, on_guest};
use crate::calls::fresh;
use crate::replay::Replay;
use ptom::xen::events::Port;
use ptom::xen::registers::Register64;
use ptom::xen::{Domid, Errno, Mmu, Mode, Outcome, Pfn};

fn register(name: &str) -> Register64 {
    Register64::named(name).unwrap()
}

/// Suspends by a stream.
fn by_stream(guest: &mut Replay<'_>) {
    let mut world = guest.cpu.suspend();
    world.canonicalise_rings();
    let register = world.start_info().unwrap();
    let outcome = world.hypercall_by(register, Mode::Fresh, |stream| stream);
    drop(world);
    assert_eq!(outcome, Ok(Outcome::Resumed { lost_tables: 0 }));
    guest.names.look_up(&guest.cpu);
}

#[test]
fn a_stream_carries_registers_and_start_info() {
    let (machine, run) = fresh();
    let mut guest = Replay::new(&machine, &run);
    for (name, word) in [("rbx", 5), ("xmm3", 6), ("r15", 7), ("rdi", 8)] {
        guest.with(|raw| raw.set_register(register(name), word));
    }
    assert_eq!(guest.with(|raw| raw.set_debugreg(3, 0x4000)), 0);
    // start_info is at 0: its flags and the padding above them, and the end of the page.
    for (at, word) in [(0x30, 0x9_0000_0101), (0xff8, 0x77)] {
        guest.with(|raw| raw.store(at, 8, word)).unwrap();
    }
    by_stream(&mut guest);
    let kept =
        ["rbx", "xmm3", "r15", "rdi"].map(|name| guest.with(|raw| raw.register(register(name))));
    assert_eq!(kept, [5, 6, 7, 8]);
    assert_eq!(guest.with(|raw| raw.get_debugreg(3)), Ok(0x4000));
    let rdx = guest.with(|raw| raw.register(Register64::RDX));
    assert_eq!(Some(rdx), guest.p2m(Pfn(0)), "start_info's new frame");
    let words = [0x20, 0x28, 0x30, 0xff8].map(|at| guest.with(|raw| raw.load(at)).unwrap());
    let shared_info = guest.names.mfn("SHARED_INFO") << 12;
    assert_eq!(words, [4096, shared_info, 0x9_0000_0000, 0x77]);
    let rings = [1, 2].map(|pfn| guest.p2m(Pfn(pfn)).unwrap());
    assert_eq!(machine.guest().rings(), rings);
    assert_eq!(
        [0x38, 0x48].map(|at| guest.with(|raw| raw.load(at)).unwrap()),
        rings
    );
    assert_eq!(machine.guest().broken(), []);
}

/// Observed on a real Xen with two vCPUs: the other one is not told of the suspend, and goes on with the
/// number that it had.
#[test]
fn another_vcpus_registers_are_not_looked_at() {
    let (machine, run) = fresh();
    let mut guest = Replay::new(&machine, &run);
    let other = machine.vcpu().unwrap();
    let root = guest.cpu.hold().access().loaded().unwrap();
    {
        let hold = other.hold();
        let root = hold.mfn(root).unwrap();
        hold.access().load(root).unwrap();
    }
    let stale = guest.names.mfn("D3");
    for name in ["rdx", "rbx"] {
        other
            .hold()
            .access()
            .raw()
            .set_register(register(name), stale);
    }
    by_stream(&mut guest);
    let kept = |name| other.hold().access().raw().register(register(name));
    assert_eq!(["rdx", "rbx"].map(kept), [stale; 2]);
    // Using it is refused: the frame is nobody's now.
    let va = guest.names.va("E0");
    let rc = other
        .hold()
        .access()
        .raw()
        .update_va_mapping(va, kept("rbx") << 12 | 5, 2);
    assert_eq!(rc, EBUSY);
}

#[test]
fn ports_and_debug_registers_refuse() {
    on_guest(|guest| {
        let virq = |virq, vcpu| guest.with(|raw| raw.bind_virq(virq, vcpu));
        assert_eq!(virq(0, 0), Ok(3));
        assert_eq!(virq(0, 0), Err(Errno::Exist));
        assert_eq!(virq(0, 1), Ok(4), "each vCPU has its own timer");
        assert_eq!(virq(24, 0), Err(Errno::Inval), "none of that number");
        assert_eq!(
            virq(2, 1),
            Err(Errno::Inval),
            "the domain's, on its first vCPU only"
        );
        assert_eq!(virq(0, 2), Err(Errno::NoEnt));
        let ipi = |vcpu| guest.with(|raw| raw.bind_ipi(vcpu));
        assert_eq!((ipi(0), ipi(0), ipi(2)), (Ok(5), Ok(6), Err(Errno::NoEnt)));
        let unbound = |whose| guest.with(|raw| raw.alloc_unbound(whose, Domid::DOM0));
        assert_eq!(unbound(Domid::GUEST), Ok(7));
        assert_eq!(unbound(Domid::DOM0), Err(Errno::Perm));
        assert_eq!(unbound(Domid(77)), Err(Errno::Srch));
        let port = |port| guest.with(|raw| raw.port(port));
        assert_eq!(port(0), Ok(Port::Closed));
        assert_eq!(port(64), Err(Errno::Inval));
        assert_eq!((8..64).find_map(|_| ipi(0).err()), None);
        assert_eq!(ipi(0), Err(Errno::NoSpc));
        let set = |register, address| guest.with(|raw| raw.set_debugreg(register, address));
        assert_eq!(set(0, guest.names.va("m2p_va")), EPERM);
        assert_eq!(set(4, 0), EINVAL);
    });
}
