//! Random hypercalls, in any order: the guest can ask for what it likes, and the counts stay right.

use proptest::prelude::*;
use ptom::backend::Native;
use ptom::scheme::percpu::PerCpu;
use ptom::xen::frame::{Frame, Type};
use ptom::xen::mmuext::MmuextOp;
use ptom::xen::raw::{Raw, RawUpdate};
use ptom::xen::reservation::Reservation;
use ptom::xen::{Config, Domid, Machine, Mmu, Mode, Pfn, RawMfn, Vcpu};

type Cpu<'m> = Vcpu<'m, Native, PerCpu<Native>>;

/// The guest's pages: the first are its own, then the boot's tables, then those that are played with.
const PAGES: u64 = 40;
const ROOT: u64 = 4;
const FIRST: u64 = 8;
const POOL: u64 = 10;
/// Frames that are not the guest's pages: no RAM, shared_info, another domain's, beyond RAM.
const STRANGERS: [u64; 4] = [0, 1, 4, 1 << 30];

/// Who is meant: a page of the pool, one of the boot's tables, or a stranger.
#[derive(Clone, Copy, Debug)]
enum Who {
    Page(u64),
    Stranger(usize),
}

#[derive(Clone, Copy, Debug)]
enum Call {
    Update {
        table: Who,
        index: u64,
        command: u64,
        target: Who,
        flags: u64,
    },
    Remap {
        page: u64,
        flags: u64,
    },
    Extended {
        command: u32,
        arg1: Who,
        arg2: Who,
    },
    NoUserRoot,
    Store {
        page: u64,
        index: u64,
        target: Who,
        flags: u64,
    },
    Assist {
        enable: bool,
    },
    BalloonOut {
        page: u64,
    },
    BalloonIn {
        page: u64,
    },
    Suspend,
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![
        12 => (0..POOL).prop_map(|page| Who::Page(FIRST + page)),
        2 => (0..4u64).prop_map(|table| Who::Page(ROOT + table)),
        1 => (0..STRANGERS.len()).prop_map(Who::Stranger),
    ]
}

fn page() -> impl Strategy<Value = u64> {
    FIRST..FIRST + POOL
}

fn flags() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0u64),
        Just(1),
        Just(3),
        Just(5),
        Just(7),
        Just(0x67),
        Just(0x11),
        Just(0x101),
        Just(1 << 63 | 1),
        Just(1 << 52 | 7),
    ]
}

fn index() -> impl Strategy<Value = u64> {
    prop_oneof![0..3u64, Just(256), Just(258), Just(511)]
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        12 => (who(), index(), 0..4u64, who(), flags()).prop_map(|(table, index, command, target, flags)| {
            // Not the M2P: what the guest says there is its own fault.
            let command = if command == 1 { 0 } else { command };
            Call::Update { table, index, command, target, flags }
        }),
        8 => (page(), flags()).prop_map(|(page, flags)| Call::Remap { page, flags }),
        8 => (0..5u32, who(), who()).prop_map(|(command, arg1, arg2)| Call::Extended { command, arg1, arg2 }),
        2 => (15..18u32, who(), who()).prop_map(|(command, arg1, arg2)| Call::Extended { command, arg1, arg2 }),
        1 => Just(Call::NoUserRoot),
        4 => (page(), index(), who(), flags()).prop_map(|(page, index, target, flags)| Call::Store { page, index, target, flags }),
        1 => any::<bool>().prop_map(|enable| Call::Assist { enable }),
        1 => page().prop_map(|page| Call::BalloonOut { page }),
        1 => page().prop_map(|page| Call::BalloonIn { page }),
        1 => Just(Call::Suspend),
    ]
}

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
fn boot(cpu: &Cpu<'_>) {
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

/// What Xen records of every frame.
fn records(machine: &Machine<Native, PerCpu<Native>>) -> Vec<(u64, u64, Type, bool)> {
    let host = machine.guest().host();
    let record = |frame: Frame| {
        let kind = if frame.type_count() > 0 {
            frame.kind()
        } else {
            Type::None
        };
        (frame.count(), frame.type_count(), kind, frame.pinned())
    };
    (0..host.frames())
        .map(|mfn| record(host.frame(RawMfn(mfn))))
        .collect()
}

/// Makes a call; `None` if the guest is lost, else whether it was refused.
fn make(cpu: &mut Cpu<'_>, call: Call) -> Option<bool> {
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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    /// Whatever the guest asks for, counts equal references, types fit their entries, and a refused
    /// call leaves no reference behind.
    #[test]
    fn counts_stay_right(calls in prop::collection::vec(call(), 1..60)) {
        let machine = Machine::<Native, PerCpu<Native>>::new(Config::new(PAGES, 1)).unwrap();
        let mut cpu = machine.vcpu().unwrap();
        boot(&cpu);
        for call in calls {
            let before = records(&machine);
            let Some(refused) = make(&mut cpu, call) else { break };
            prop_assert_eq!(machine.guest().broken_invariants(), 0, "after {:?}", call);
            prop_assert!(!refused || before == records(&machine), "{:?} left something", call);
        }
    }
}
