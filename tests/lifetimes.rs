//! The six shapes of an MFN's lifetime in a pmap, each met by a migration between its two halves.
//!
//! | shape | first half | second half | what makes it harmless |
//! |---|---|---|---|
//! | translate, write | `pmap_enter` translates the page | writes the entry, having slept | one hold over both |
//! | read, translate back | `pmap_remove` reads an entry and zeroes it | looks for its page in the M2P | one hold over both |
//! | compare | `pmap_page_remove` computes what it expects | compares, and else begins again | one hold over both |
//! | address | `pmap_kremove` computes where the entry is | writes there | one hold over both |
//! | queued | an update enters a vCPU's queue | the queue is flushed | the suspend flushes it |
//! | stored | a driver keeps an MFN | it uses it | the suspend translates it |
//!
//! The first four are a scheme's affair: under every sound one a migration cannot come in the middle,
//! and under the controls it does, and harms. The last two no scheme can help: their first half ends its
//! hold. There the step before the suspend is all, and under every sound scheme it must not be missing.

mod preempted;

use preempted::{Preempted, Suspender};
use ptom::backend::Native;
use ptom::native::each_native;
use ptom::pmap::{KVA, KeptMfns, Kernel, PageCache, PmapError, PmapId, Range, Synced};
use ptom::scheme::{Scheme, Visit};
use ptom::xen::{Config, Machine, Mmu, Mode, Outcome, Pfn, RawQueues, Va, Vcpu};
use std::thread;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    TranslateWrite,
    ReadTranslateBack,
    Compare,
    Address,
    Queued,
    Stored,
}

/// Whether the suspend knows of what lies outside of holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Done,
    LeftOut,
}

use Shape::{Address, Compare, Queued, ReadTranslateBack, Stored, TranslateWrite};

const IN_A_HOLD: [Shape; 4] = [TranslateWrite, ReadTranslateBack, Compare, Address];
const OUTSIDE: [Shape; 2] = [Queued, Stored];
const MOVING: [Mode; 3] = [
    Mode::Fresh,
    Mode::Deranged { seed: 1 },
    Mode::Deranged { seed: 2 },
];

/// Where the process has a page, and where it gets one.
const OLD: Va = Va(0x40_0000);
const NEW: Va = Va(0x41_0000);
/// Where the kernel maps one.
const KERNELS: Va = Va::of_page(KVA.page + 7);
/// Tries that a loop which never ends is given.
const TRIES: u32 = 1000;

/// What one trial came to.
#[derive(Debug)]
struct Report {
    /// A suspend came and went in the middle.
    overtaken: bool,
    /// What the operation returned; of a loop that did not end, nothing.
    returned: Option<Result<(), PmapError>>,
    /// What is mapped afterwards is what should be.
    right: bool,
    stale_uses: u64,
    /// All that the oracle, the invariants and the lists of mappings have to say.
    complaints: u64,
    outcome: Outcome,
}

impl Report {
    fn harmless(&self) -> bool {
        self.returned == Some(Ok(())) && self.right && self.complaints == 0
    }
}

/// A process with a page at [`OLD`], another page at hand, and a kernel mapping if the shape wants one.
struct World {
    kernel: Kernel<Native>,
    cache: PageCache,
    pmap: PmapId,
    pages: [Pfn; 2],
    queues: RawQueues<Native>,
    drivers: KeptMfns<Native>,
}

impl World {
    fn new<S: Scheme<Native>>(vcpu: &Vcpu<'_, Native, S>, shape: Shape) -> Self {
        let kernel = Kernel::boot(vcpu, 4).unwrap();
        let mut cache = PageCache::default();
        let pmap = kernel.create(vcpu, &mut cache).unwrap();
        let pages = [(); 2].map(|()| kernel.take_page(&mut cache).unwrap());
        kernel
            .enter(vcpu, &mut cache, pmap, OLD, pages[0], true)
            .unwrap();
        if shape == Address {
            kernel
                .kenter(vcpu, &mut cache, KERNELS, &pages[1..], true)
                .unwrap();
        }
        let queues = RawQueues::new(vcpu.hold().access().guest());
        Self {
            kernel,
            cache,
            pmap,
            pages,
            queues,
            drivers: KeptMfns::new(1),
        }
    }

    /// Runs the operation; for those that cannot end their hold in between.
    fn in_a_hold(
        kernel: &Kernel<Native>,
        cache: &mut PageCache,
        (pmap, pages): (PmapId, [Pfn; 2]),
        shape: Shape,
        mmu: &impl Mmu<Native>,
    ) -> Option<Result<(), PmapError>> {
        let one = |va: Va| Range {
            page: va.page(),
            pages: 1,
        };
        match shape {
            TranslateWrite => Some(kernel.enter(mmu, cache, pmap, NEW, pages[1], true)),
            ReadTranslateBack => Some(kernel.remove(mmu, cache, pmap, one(OLD))),
            Address => Some(kernel.kremove(mmu, one(KERNELS))),
            // The original's loop: one expectation for all tries.
            _ => {
                let hold = mmu.hold();
                let access = hold.access();
                let expected = kernel.expected(access, pages[0])?;
                mmu.preemption_point();
                let mut tries = (0..TRIES)
                    .map(|_| kernel.page_remove_expecting(access, cache, pages[0], expected));
                tries
                    .find(|tried| *tried != Ok(Synced::Again))
                    .map(|ended| ended.map(drop))
            }
        }
    }

    /// Whether everything is mapped as it should be after the shape's operation.
    fn right(&self, mmu: &impl Mmu<Native>, shape: Shape) -> bool {
        let [old, new] = self.pages;
        let process = |va| self.kernel.extract(mmu, self.pmap, va);
        let (at_old, at_new) = match shape {
            TranslateWrite => (Some(old), Some(new)),
            ReadTranslateBack | Compare => (None, None),
            Address | Queued | Stored => (Some(old), None),
        };
        let kernels = matches!(shape, Queued | Stored).then_some(new);
        let listed = [(old, at_old), (new, at_new)]
            .map(|(page, at)| self.kernel.mappings(page).len() == usize::from(at.is_some()));
        process(OLD) == at_old
            && process(NEW) == at_new
            && self.kernel.extract(mmu, self.kernel.own(), KERNELS) == kernels
            && listed == [true, true]
    }
}

fn trial<S: Scheme<Native>>(shape: Shape, step: Step, mode: Mode) -> Report {
    let machine = Machine::<Native, S>::new(Config::new(256, 2)).unwrap();
    let suspends = || machine.guest().domain().suspends();
    let mut vcpu = machine.vcpu().unwrap();
    let mut world = World::new(&vcpu, shape);
    let (pages, pmap) = (world.pages, world.pmap);
    let (kernel, cache) = (&world.kernel, &mut world.cache);
    let (queues, drivers) = match step {
        Step::Done => (kernel.queues(), kernel.drivers()),
        Step::LeftOut => (&world.queues, &world.drivers),
    };
    let cancelled = mode == Mode::Cancelled;
    let (returned, overtaken, outcome) = thread::scope(|scope| {
        let suspender = Suspender::spawn(scope, machine.vcpu().unwrap(), kernel, mode);
        if IN_A_HOLD.contains(&shape) {
            let overtaken = std::cell::Cell::new(None);
            let meet = || {
                if S::CLAIMS.holds {
                    suspender.ask();
                } else {
                    overtaken.set(Some(suspender.overtake(|| ())));
                }
                assert_eq!(suspends() > 0, !S::CLAIMS.holds && !cancelled);
            };
            // Of the two points in a remove the second lies between reading and translating back alone.
            let point = 1 + u32::from(shape == ReadTranslateBack);
            let preempted = Preempted::at(point, &vcpu, &meet);
            let returned = World::in_a_hold(kernel, cache, (pmap, pages), shape, &preempted);
            assert!(preempted.met());
            // Goes offline: a scheme may wait for that, once no hold is live.
            drop(vcpu);
            let ended = overtaken.take();
            let came = ended.is_some();
            (returned, came, ended.unwrap_or_else(|| suspender.ended()))
        } else {
            match shape {
                Queued => kernel
                    .kenter_queued(&vcpu, cache, queues, KERNELS, &pages[1..])
                    .unwrap(),
                _ => drivers.keep(vcpu.hold().access(), 0, pages[1]),
            }
            let ended = suspender.overtake(|| vcpu.quiescent());
            let returned = match shape {
                Queued => kernel.update(&vcpu, queues),
                _ => kernel.kenter_kept(&vcpu, cache, KERNELS, drivers, 0),
            };
            drop(vcpu);
            (Some(returned), true, ended)
        }
    });
    let checker = machine.vcpu().unwrap();
    let verdicts = machine.guest().verdicts();
    let unclean = u64::from(!verdicts.clean());
    let disagreements = world.kernel.pv_disagreements(&checker);
    Report {
        overtaken,
        returned,
        right: world.right(&checker, shape),
        stale_uses: verdicts.stale_uses,
        complaints: unclean + machine.guest().broken_invariants() + disagreements,
        outcome: outcome.unwrap(),
    }
}

/// Each scheme's trials, judged.
struct All {
    schemes: u32,
}

impl Visit<Native> for All {
    fn visit<S: Scheme<Native>>(&mut self) {
        self.schemes += 1;
        for shape in IN_A_HOLD {
            for mode in MOVING {
                judge_in_a_hold::<S>(shape, mode);
            }
        }
        for shape in OUTSIDE {
            for mode in MOVING {
                judge_outside::<S>(shape, mode);
            }
        }
        for shape in IN_A_HOLD.into_iter().chain(OUTSIDE) {
            // Nothing has moved, so nothing is stale, with or without all of it.
            for step in [Step::Done, Step::LeftOut] {
                let report = trial::<S>(shape, step, Mode::Cancelled);
                let told = format!("{}: {shape:?}, {step:?}: {report:?}", S::NAME);
                assert_eq!(report.outcome, Outcome::Cancelled);
                assert_eq!((report.returned, report.stale_uses), (Some(Ok(())), 0));
                assert!(report.right, "{told}");
                // That a queue was not empty is noted all the same.
                let noted = shape == Queued && step == Step::LeftOut;
                assert_eq!(report.harmless(), !noted, "{told}");
            }
        }
    }
}

fn judge_in_a_hold<S: Scheme<Native>>(shape: Shape, mode: Mode) {
    let report = trial::<S>(shape, Step::Done, mode);
    let told = format!("{}: {shape:?}, {mode:?}: {report:?}", S::NAME);
    println!("{told}");
    assert_eq!(report.outcome, Outcome::Resumed { lost_tables: 0 });
    assert_eq!(report.overtaken, !S::CLAIMS.holds, "{told}");
    assert_eq!(report.harmless(), S::CLAIMS.holds, "{told}");
    if S::CLAIMS.holds {
        return;
    }
    if shape == Compare {
        // Nothing stale has reached Xen: the loop goes round and round, and that is all.
        assert_eq!((report.returned, report.stale_uses), (None, 0), "{told}");
    } else {
        assert!(report.stale_uses > 0, "{told}");
    }
    if mode == Mode::Fresh && matches!(shape, TranslateWrite | Address) {
        // Who writes to nobody's frame, or maps it, is told.
        assert!(
            matches!(report.returned, Some(Err(PmapError::Refused(_)))),
            "{told}"
        );
    }
    assert!(!report.right, "{told}");
}

fn judge_outside<S: Scheme<Native>>(shape: Shape, mode: Mode) {
    for step in [Step::Done, Step::LeftOut] {
        let report = trial::<S>(shape, step, mode);
        let told = format!("{}: {shape:?}, {mode:?}, {step:?}: {report:?}", S::NAME);
        println!("{told}");
        assert!(report.overtaken);
        // The step helps, whatever the scheme; and no scheme helps without it.
        assert_eq!(report.harmless(), step == Step::Done, "{told}");
        assert_eq!(report.right, step == Step::Done, "{told}");
    }
}

#[test]
fn a_migration_in_the_middle_of_each_shape() {
    let mut all = All { schemes: 0 };
    each_native(&mut all);
    assert!(all.schemes > 12);
}
