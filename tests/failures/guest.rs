//! A guest to harm: a machine under a scheme, with processes, that outlives whoever is stuck in it.

use crate::turns::{Actor, Ending, Turns, for_ever, give_way, play};
use ptom::pmap::{Kernel, PageCache, PmapId};
use ptom::scheme::{Ours, Registry, Scheme, Visit};
use ptom::suspend::suspend;
use ptom::xen::{Access, Config, Held, Machine, Mmu, Mode, Pfn, Pte, Va, Vcpu};
use std::sync::mpsc;

/// Where each process has its one page.
pub(crate) const VA: Va = Va(0x40_0000);
/// Pages of the guest.
pub(crate) const PAGES: u64 = 512;
/// The kernel's own L1 table: its fourth page after those that every guest has.
pub(crate) const KERNEL_L1: Pfn = Pfn(6);
/// Flags of an ordinary page.
pub(crate) const PAGE: u64 = Pte::P | Pte::RW | Pte::US | Pte::A;

/// A machine with its booted kernel. vCPU 0 is whoever comes online first.
#[derive(Debug)]
pub(crate) struct Guest<S: Scheme<Turns>> {
    pub(crate) machine: Machine<Turns, S>,
    pub(crate) kernel: Kernel<Turns>,
    /// Processes, and their pages.
    pub(crate) processes: Vec<(PmapId, Pfn)>,
}

pub(crate) type Cpu<S> = Vcpu<'static, Turns, S>;

impl<S: Scheme<Turns>> Guest<S> {
    /// With so many processes.
    pub(crate) fn with(processes: usize) -> &'static Self {
        let machine = Machine::<Turns, S>::new(Config::new(PAGES, 4)).unwrap();
        let vcpu = machine.vcpu().unwrap();
        let kernel = Kernel::boot(&vcpu, 64).unwrap();
        let mut cache = PageCache::default();
        let made = (0..processes).map(|_| {
            let pmap = kernel.create(&vcpu, &mut cache).unwrap();
            let page = kernel.take_page(&mut cache).unwrap();
            let entered = kernel.enter(&vcpu, &mut cache, pmap, VA, page, true);
            entered.unwrap();
            (pmap, page)
        });
        let processes = made.collect();
        kernel.drain(&mut cache);
        drop(vcpu);
        for_ever(Self {
            machine,
            kernel,
            processes,
        })
    }

    /// A vCPU, online, in the kernel's address space. To be called before the play.
    pub(crate) fn cpu(&'static self) -> Cpu<S> {
        let mut cpu = self.machine.vcpu().unwrap();
        self.kernel.load_kernel(&cpu).unwrap();
        cpu.quiescent();
        cpu
    }

    /// A free page that nobody will take.
    pub(crate) fn page(&self) -> Pfn {
        self.kernel.take_page(&mut PageCache::default()).unwrap()
    }

    /// Nothing was ever wrong.
    pub(crate) fn assert_sound(&self) {
        let guest = self.machine.guest();
        assert!(guest.verdicts().clean(), "{:?}", guest.verdicts());
        assert_eq!(guest.broken(), []);
    }

    /// What is broken, as it is said.
    pub(crate) fn broken(&self) -> Vec<String> {
        let broken = self.machine.guest().broken();
        broken.iter().map(ToString::to_string).collect()
    }

    /// An actor that suspends once, by the whole protocol.
    pub(crate) fn suspender(&'static self, mode: Mode) -> Actor {
        let mut cpu = self.cpu();
        let act = move || {
            let _ = suspend(&mut cpu, &self.kernel, mode).unwrap();
        };
        ("suspender", Box::new(act))
    }

    /// The race that this crate is about: a vCPU translates, is preempted, and uses, while another one
    /// suspends as soon as it can. What the first one made of it.
    pub(crate) fn race<T: Send + 'static>(
        &'static self,
        mode: Mode,
        victim: impl FnOnce(&Cpu<S>) -> T + Send + 'static,
    ) -> T {
        let (tell, told) = mpsc::channel();
        let cpu = self.cpu();
        let act = move || {
            let made = victim(&cpu);
            drop(cpu);
            tell.send(made).unwrap();
        };
        let ending = play(vec![("victim", Box::new(act)), self.suspender(mode)]);
        assert_eq!(ending, Ending::Done, "{}", S::NAME);
        told.recv().unwrap()
    }
}

/// The frame that a process's page is mapped by: its table of the lowest level, as a PFN.
pub(crate) fn l1_of(access: Access<'_, Turns>, root: Pfn, va: Va) -> Pfn {
    let table = [4, 3, 2].into_iter().fold(root, |table, level| {
        let entry = access.read(access.mfn(table).unwrap(), va.index(level));
        access.pfn(entry.mfn().unwrap()).unwrap()
    });
    assert_eq!(level_of(access, table), Some(1));
    table
}

/// The level of a page that is a page table now.
pub(crate) fn level_of(access: Access<'_, Turns>, page: Pfn) -> Option<u32> {
    let frame = access.mfn(page)?.raw();
    access.guest().host().frame(frame).live_table()
}

/// A vCPU that is preempted between translating and using.
pub(crate) struct Preempted<'v, V>(pub(crate) &'v V);

impl<V: Mmu<Turns>> Mmu<Turns> for Preempted<'_, V> {
    type Guard<'h>
        = V::Guard<'h>
    where
        Self: 'h;

    fn hold(&self) -> Held<'_, Turns, V::Guard<'_>> {
        self.0.hold()
    }

    fn preemption_point(&self) {
        give_way();
    }
}

/// Something to be shown of every scheme.
pub(crate) trait Shown {
    /// Shows it of one.
    fn of<S: Scheme<Turns>>();
}

struct Show<T>(std::marker::PhantomData<T>);

impl<T: Shown> Visit<Turns> for Show<T> {
    fn visit<S: Scheme<Turns>>(&mut self) {
        T::of::<S>();
    }
}

/// Shows it of every scheme, the controls among them.
pub(crate) fn of_every_scheme<T: Shown>() {
    Ours::each::<Turns>(&mut Show::<T>(std::marker::PhantomData));
}
