//! Random calls against a list that nobody can get wrong: one of (pmap, page number) to page.

use super::{Cpu, Scheme, assert_sound, machine, one, touch};
use proptest::prelude::*;
use ptom::backend::Native;
use ptom::pmap::{Kernel, PageCache, PmapId, PvEntry, Range};
use ptom::suspend::suspend;
use ptom::xen::{Machine, Mode, Outcome, Pfn, Pte, Va};
use std::collections::BTreeMap;

/// Pages of address space that a process may use, in three L1 tables.
const VAS: [u64; 6] = [0x400, 0x401, 0x5ff, 0x600, 0x7_f000, 0x7_f001];
const FRAMES: usize = 5;

#[derive(Clone, Copy, Debug)]
enum Call {
    Create,
    Fork(usize),
    Destroy(usize),
    Enter(usize, usize, usize, bool),
    Remove(usize, usize, u64),
    Protect(usize, usize, bool),
    PageRemove(usize),
    Clear(usize),
    Touch(usize, usize),
    Suspend(Mode),
}

fn call() -> impl Strategy<Value = Call> {
    let pmap = 0..4usize;
    let va = 0..VAS.len();
    let frame = 0..FRAMES;
    let modes = prop_oneof![
        Just(Mode::Fresh),
        Just(Mode::Cancelled),
        any::<u64>().prop_map(|seed| Mode::Deranged { seed }),
    ];
    prop_oneof![
        2 => Just(Call::Create),
        2 => pmap.clone().prop_map(Call::Fork),
        2 => pmap.clone().prop_map(Call::Destroy),
        12 => (pmap.clone(), va.clone(), frame.clone(), any::<bool>())
            .prop_map(|(pmap, va, frame, write)| Call::Enter(pmap, va, frame, write)),
        4 => (pmap.clone(), va.clone(), 1..600u64)
            .prop_map(|(pmap, va, pages)| Call::Remove(pmap, va, pages)),
        2 => (pmap.clone(), va.clone(), any::<bool>())
            .prop_map(|(pmap, va, write)| Call::Protect(pmap, va, write)),
        3 => frame.clone().prop_map(Call::PageRemove),
        3 => frame.prop_map(Call::Clear),
        6 => (pmap, va).prop_map(|(pmap, va)| Call::Touch(pmap, va)),
        1 => modes.prop_map(Call::Suspend),
    ]
}

/// What is mapped, with what right; and what was written to.
#[derive(Default)]
struct Model {
    live: Vec<PmapId>,
    mapped: BTreeMap<(PmapId, u64), (usize, bool)>,
    dirty: [bool; FRAMES],
}

impl Model {
    fn mappings(&self, frame: usize) -> Vec<PvEntry> {
        let of_frame = self.mapped.iter().filter(|(_, (of, _))| *of == frame);
        let entry = |(&(pmap, page), _): (&(PmapId, u64), _)| PvEntry {
            pmap,
            va: Va::of_page(page),
        };
        of_frame.map(entry).collect()
    }
}

struct Run<'m> {
    machine: &'m Machine<Native, Scheme>,
    cpu: Cpu<'m>,
    kernel: Kernel<Native>,
    cache: PageCache,
    frames: [Pfn; FRAMES],
    model: Model,
}

impl Run<'_> {
    fn pmap(&self, at: usize) -> Option<PmapId> {
        self.model.live.get(at).copied()
    }

    /// Does a call on both sides; one about a pmap that is not there is passed over.
    fn call(&mut self, call: Call) -> Option<()> {
        let (kernel, cpu, cache) = (&self.kernel, &self.cpu, &mut self.cache);
        let model = &mut self.model;
        let live = |at: usize| model.live.get(at).copied();
        match call {
            Call::Create | Call::Fork(_) if model.live.len() == 4 => {}
            Call::Create => model.live.push(kernel.create(cpu, cache).unwrap()),
            Call::Fork(parent) => {
                let parent = live(parent)?;
                let child = kernel.fork(cpu, cache, parent).unwrap();
                let copies: Vec<_> = model
                    .mapped
                    .range_mut((parent, 0)..=(parent, u64::MAX))
                    .map(|(&(_, page), mapped)| {
                        mapped.1 = false;
                        ((child, page), *mapped)
                    })
                    .collect();
                model.mapped.extend(copies);
                model.live.push(child);
            }
            Call::Destroy(at) => {
                let pmap = live(at)?;
                kernel.load_kernel(cpu).unwrap();
                kernel.destroy(cpu, cache, pmap).unwrap();
                model.live.remove(at);
                model.mapped.retain(|(of, _), _| *of != pmap);
            }
            Call::Enter(pmap, va, frame, write) => {
                let pmap = live(pmap)?;
                let (page, pfn) = (VAS[va], self.frames[frame]);
                kernel
                    .enter(cpu, cache, pmap, Va::of_page(page), pfn, write)
                    .unwrap();
                model.mapped.insert((pmap, page), (frame, write));
            }
            Call::Remove(pmap, va, pages) => {
                let pmap = live(pmap)?;
                let page = VAS[va];
                let range = Range { page, pages };
                kernel.remove(cpu, cache, pmap, range).unwrap();
                let gone = page..page + pages;
                model
                    .mapped
                    .retain(|(of, at), _| *of != pmap || !gone.contains(at));
            }
            Call::Protect(pmap, va, write) => {
                let pmap = live(pmap)?;
                let va = Va::of_page(VAS[va]);
                kernel.protect(cpu, pmap, one(va), write).unwrap();
                if let Some(mapped) = model.mapped.get_mut(&(pmap, va.page())) {
                    mapped.1 = write;
                }
            }
            Call::PageRemove(frame) => {
                kernel.page_remove(cpu, cache, self.frames[frame]).unwrap();
                model.mapped.retain(|_, (of, _)| *of != frame);
            }
            Call::Clear(frame) => {
                let was = kernel.clear_attrs(cpu, self.frames[frame], Pte::D);
                let was_dirty = std::mem::take(&mut model.dirty[frame]);
                assert_eq!(was, Ok(was_dirty));
            }
            Call::Touch(pmap, va) => {
                let pmap = live(pmap)?;
                if let Some((frame, true)) = model.mapped.get(&(pmap, VAS[va])) {
                    touch(cpu, kernel, pmap, Va::of_page(VAS[va]));
                    model.dirty[*frame] = true;
                }
            }
            Call::Suspend(mode) => {
                let lost = suspend(&mut self.cpu, &self.kernel, mode).unwrap();
                assert!(matches!(
                    lost,
                    Outcome::Cancelled | Outcome::Resumed { lost_tables: 0 }
                ));
            }
        }
        Some(())
    }

    /// Compares the two.
    fn compare(&self) {
        for (frame, page) in self.frames.iter().enumerate() {
            let mut known = self.kernel.mappings(*page);
            known.sort();
            assert_eq!(known, self.model.mappings(frame));
            let dirty = self.kernel.test_attrs(&self.cpu, *page, Pte::D);
            assert_eq!(dirty, Ok(self.model.dirty[frame]));
        }
        for pmap in 0..4 {
            let Some(pmap) = self.pmap(pmap) else { break };
            for page in VAS {
                let frame = self.kernel.extract(&self.cpu, pmap, Va::of_page(page));
                let mapped = self.model.mapped.get(&(pmap, page));
                assert_eq!(frame, mapped.map(|(frame, _)| self.frames[*frame]));
            }
        }
        assert_sound(self.machine, &self.cpu, &self.kernel);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn lists_say_what_tables_say(calls in proptest::collection::vec(call(), 1..60)) {
        let machine = machine(1);
        let cpu = machine.vcpu().unwrap();
        let kernel = Kernel::boot(&cpu, 5).unwrap();
        let mut cache = PageCache::default();
        let frames = [(); FRAMES].map(|()| kernel.take_page(&mut cache).unwrap());
        let model = Model::default();
        let mut run = Run { machine: &machine, cpu, kernel, cache, frames, model };
        for call in calls {
            run.call(call);
            run.compare();
        }
    }
}
