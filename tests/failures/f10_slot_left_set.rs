//! F10, by the kernel's own alternate slot: a window left it set, and the root is loaded at the save.
//!
//! Today the loaded root is validated first, and its slot fails it. When the pins came first, before 2015, it
//! was for the order of the two PFNs to say. `pre_suspend` empties the slot, and neither happens.

use crate::turns::Turns;
use ptom::pmap::{ALTERNATE_SLOT, Alternate, KERNEL_SLOT, Kernel, PageCache, User};
use ptom::scheme::percpu::PerCpu;
use ptom::suspend::{SuspendError, suspend};
use ptom::xen::save::Failed;
use ptom::xen::{Broken, Config, Era, Flush, Machine, Mmu, Mode, NewPte, Outcome, Va};

const RESUMED: Result<Outcome, SuspendError> = Ok(Outcome::Resumed { lost_tables: 0 });
const NOT_PINNED: Result<Outcome, SuspendError> = Err(SuspendError::Tools(Failed::Pin));
const NOT_LOADED: Result<Outcome, SuspendError> = Err(SuspendError::Tools(Failed::Load));

/// What becomes of a guest one of whose roots has its alternate slot set, with that step or without it.
/// The root is loaded, and its PFN the lower of the two or the higher.
fn with_a_slot_set(
    era: Era,
    lower: bool,
    step: bool,
) -> (Result<Outcome, SuspendError>, Vec<Broken>) {
    const VA: Va = Va(0x40_0000);
    let machine = Machine::<Turns, PerCpu<Turns>>::new(Config::small()).unwrap();
    machine.guest().as_of(era);
    let mut cpu = machine.vcpu().unwrap();
    let mut kernel = Kernel::boot(&cpu, 4).unwrap();
    kernel.reach_by(Alternate::Lazy);
    let mut cache = PageCache::default();
    let mut both = [(); 2].map(|()| kernel.create(&cpu, &mut cache).unwrap());
    both.sort_by_key(|pmap| kernel.root(*pmap));
    if !lower {
        both.reverse();
    }
    let [home, other] = both;
    let page = kernel.take_page(&mut cache).unwrap();
    kernel.load(&cpu, other).unwrap();
    kernel
        .enter(&cpu, &mut cache, other, VA, page, true)
        .unwrap();
    kernel.load(&cpu, home).unwrap();
    {
        let hold = cpu.hold();
        let window = kernel
            .map_ptes(hold.access(), other, User::Extract)
            .unwrap();
        window.unmap().unwrap();
        let root = hold.mfn(kernel.root(home)).unwrap();
        assert!(hold.access().read(root, ALTERNATE_SLOT).pte().present());
    }
    let outcome = match step {
        true => suspend(&mut cpu, &kernel, Mode::Fresh),
        false => {
            // The other steps of the protocol.
            {
                let hold = cpu.hold();
                let shared_info = Va((KERNEL_SLOT as u64) << 39);
                let unmapped =
                    hold.access()
                        .update_va_mapping(shared_info, NewPte::ZERO, Flush::PAGE);
                unmapped.unwrap();
            }
            let mut world = cpu.suspend();
            kernel.clear_recursive(&world).unwrap();
            world.canonicalise_rings();
            let register = world.start_info().unwrap();
            world
                .hypercall(register, Mode::Fresh)
                .map_err(SuspendError::from)
        }
    };
    (outcome, machine.guest().broken())
}

#[test]
fn pre_suspend_clears_what_a_window_left() {
    let cases = [
        (Era::Now, true, NOT_LOADED),
        (Era::Now, false, NOT_LOADED),
        (Era::Before2015, true, NOT_PINNED),
        (Era::Before2015, false, RESUMED),
    ];
    for (era, lower, without) in cases {
        assert_eq!(with_a_slot_set(era, lower, true), (RESUMED, vec![]));
        let (outcome, broken) = with_a_slot_set(era, lower, false);
        assert_eq!(outcome, without, "{era:?}, lower: {lower}");
        assert!(
            broken.iter().any(|broken| broken.invariant() == 2),
            "{broken:?}"
        );
    }
}
