//! F17: the guest balloons while a live migration copies it.
//!
//! No hold keeps the tools from copying: a hold keeps a suspend away, and pre-copy is none. What a
//! balloon driver does between rounds is seen by the tools as far as Xen's log of writes tells it, and
//! that speaks of PFNs.
//!
//! * A page that was sent, and is given back since, **comes back**: the restorer gave its PFN a frame
//!   when it came, and nothing in a stream takes it away. The guest has more memory than its driver
//!   asked for, and a P2M that says so; Linux's driver used to panic (`BUG_ON`) at that very sight, when
//!   it populates the PFN. It is handled by not ballooning meanwhile.
//! * A page that is got in exchange, and filled before the M2P knows its PFN, is written unseen. It is
//!   handled by `MMU_MACHPHYS_UPDATE`, which marks the page. A guest that writes its P2M only loses the
//!   page *table* that maps it: the entry does not resolve, and what comes back is as old as round 1.
//!
//! Source: `docs/features/migration.pandoc` of Xen, known issues.

use ptom::backend::Native;
use ptom::pmap::{Kernel, PageCache, PmapId, Range};
use ptom::scheme::percpu::PerCpu;
use ptom::suspend::pre_suspend;
use ptom::xen::raw::RawUpdate;
use ptom::xen::reservation::Reservation;
use ptom::xen::{Config, Domid, Machine, Mmu, Mode, Outcome, Pfn, Va, Vcpu};

type Cpu<'m> = Vcpu<'m, Native, PerCpu<Native>>;

/// What a page is filled with: an update of a page that is no table is a plain store.
const FILLED: u64 = 0xb0a7;

struct World<'k> {
    kernel: &'k Kernel<Native>,
    cache: PageCache,
    pmap: PmapId,
    pages: Vec<Pfn>,
}

impl<'k> World<'k> {
    /// A process of 30 pages, each with its number in it.
    fn new(cpu: &Cpu<'_>, kernel: &'k Kernel<Native>) -> Self {
        let mut cache = PageCache::default();
        let pmap = kernel.create(cpu, &mut cache).unwrap();
        let mut world = Self {
            kernel,
            cache,
            pmap,
            pages: Vec::new(),
        };
        for page in 0..30 {
            let pfn = kernel.take_page(&mut world.cache).unwrap();
            world.pages.push(pfn);
            world.enter(cpu, page);
        }
        kernel.load(cpu, pmap).unwrap();
        world
    }

    fn enter(&mut self, cpu: &Cpu<'_>, page: u64) {
        let (va, pfn) = (Va::of_page(page), self.pages[page as usize]);
        let cache = &mut self.cache;
        let entered = self.kernel.enter(cpu, cache, self.pmap, va, pfn, true);
        entered.unwrap();
    }

    /// Unmaps a page, gives its frame back, and says so in the P2M.
    fn balloon_out(&mut self, cpu: &Cpu<'_>, page: u64) {
        let range = Range { page, pages: 1 };
        let cache = &mut self.cache;
        self.kernel.remove(cpu, cache, self.pmap, range).unwrap();
        let hold = cpu.hold();
        let pfn = self.pages[page as usize];
        let mut extent = [hold.mfn(pfn).unwrap().raw().0];
        let raw = hold.access().raw();
        assert_eq!(
            raw.change_reservation(Reservation::Decrease, 0, &mut extent),
            1
        );
        raw.set_p2m(pfn, None);
    }

    /// Gets a frame, fills it, makes it the page's, and maps that. `tell`: with an update of the M2P.
    fn balloon_in(&mut self, cpu: &Cpu<'_>, page: u64, tell: bool) {
        let pfn = self.pages[page as usize];
        let hold = cpu.hold();
        let raw = hold.access().raw();
        let update = |ptr, val| raw.mmu_update([Some(RawUpdate { ptr, val })], None, Domid::SELF);
        let mut extent = [0];
        assert_eq!(
            raw.change_reservation(Reservation::Increase, 0, &mut extent),
            1
        );
        assert_eq!(update(extent[0] << 12 | 8, FILLED), 0);
        raw.set_p2m(pfn, Some(extent[0]));
        if tell {
            assert_eq!(update(extent[0] << 12 | 1, pfn.0), 0);
        }
        drop(hold);
        self.enter(cpu, page);
    }

    /// The second word of a page, as the process reads it.
    fn read(&self, cpu: &Cpu<'_>, page: u64) -> Option<u64> {
        cpu.hold().access().raw().load(page << 12 | 8).ok()
    }
}

/// Migrates; `between` runs when all was copied once.
fn migrate(
    machine: &Machine<Native, PerCpu<Native>>,
    cpu: &mut Cpu<'_>,
    kernel: &Kernel<Native>,
    between: impl FnOnce(&Cpu<'_>),
) -> Outcome {
    let other = machine.guest().another_host();
    let mut precopy = cpu.precopy().unwrap();
    precopy.round();
    between(cpu);
    let mut suspending = pre_suspend(cpu, kernel).unwrap();
    let migrated = suspending.migrate(precopy, Mode::Fresh, &other, |stream| stream);
    let outcome = migrated.unwrap().outcome;
    suspending.post_suspend(outcome).unwrap();
    outcome
}

/// What the reservation grew by, and whether the PFN that was given back has a frame.
fn given_back(during: bool) -> (u64, bool) {
    let machine = Machine::new(Config::new(512, 2)).unwrap();
    let mut cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let mut world = World::new(&cpu, &kernel);
    let pfn = world.pages[7];
    if !during {
        world.balloon_out(&cpu, 7);
    }
    let asked_for = machine.guest().host().owned() - u64::from(during);
    let outcome = migrate(&machine, &mut cpu, &kernel, |cpu| {
        if during {
            world.balloon_out(cpu, 7);
        }
    });
    assert_eq!(outcome, Outcome::Resumed { lost_tables: 0 });
    let has = cpu.hold().mfn(pfn).is_some();
    (machine.guest().host().owned() - asked_for, has)
}

#[test]
fn a_page_given_back_while_it_is_copied_comes_back() {
    assert_eq!(given_back(true), (1, true));
}

#[test]
fn a_page_given_back_before_stays_away() {
    assert_eq!(given_back(false), (0, false));
}

/// Pages that are wrong afterwards, of the process's, and tables that the tools dropped.
fn exchanged(tell: bool) -> (usize, u64) {
    let machine = Machine::new(Config::new(512, 2)).unwrap();
    let mut cpu = machine.vcpu().unwrap();
    let kernel = Kernel::boot(&cpu, 4).unwrap();
    let mut world = World::new(&cpu, &kernel);
    let outcome = migrate(&machine, &mut cpu, &kernel, |cpu| {
        world.balloon_out(cpu, 7);
        world.balloon_in(cpu, 7, tell);
    });
    let Outcome::Resumed { lost_tables } = outcome else {
        panic!("cancelled");
    };
    let should = |page| if page == 7 { FILLED } else { 0 };
    let wrong = |page: &u64| world.read(&cpu, *page) != Some(should(*page));
    ((0..30).filter(wrong).count(), lost_tables)
}

#[test]
fn a_page_that_the_m2p_does_not_know_takes_its_table_with_it() {
    let (wrong, lost_tables) = exchanged(false);
    assert!(wrong > 0);
    assert_eq!(lost_tables, 1);
}

#[test]
fn a_page_that_the_m2p_knows_is_carried() {
    assert_eq!(exchanged(true), (0, 0));
}
