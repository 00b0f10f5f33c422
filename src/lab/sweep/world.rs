//! A guest with many pmaps, whose alternate slots are set and emptied again and again.

use super::{Dirty, Manner, Plan, Row};
use crate::backend::Native;
use crate::lab::memory::{self, megabytes};
use crate::pmap::{Alternate, Kernel, PageCache, PmapError, PmapId, User, Way, Work};
use crate::scheme::percpu::PerCpu;
use crate::xen::{Config, Era, Machine, Mmu, Va, Vcpu};
use std::time::Instant;

type Scheme = PerCpu<Native>;
type Cpu<'m> = Vcpu<'m, Native, Scheme>;

/// Where each process has its page.
const VA: Va = Va(0x40_0000);

pub(super) struct World {
    machine: Machine<Native, Scheme>,
    kernel: Kernel<Native>,
    pmaps: Vec<PmapId>,
    /// The vCPUs' own.
    own: Vec<PmapId>,
}

impl World {
    /// `pmaps` processes, with all their tables or their roots only.
    pub(super) fn build(pmaps: u64, whole: bool, plan: &Plan) -> Result<Self, String> {
        let tables = if whole { 4 } else { 1 };
        // Every fourth page may be a table.
        let pages = 4 * tables * pmaps + 1_024;
        let needs = memory::machine(pages, pmaps);
        if needs > plan.memory {
            let (needs, may) = (megabytes(needs), megabytes(plan.memory));
            return Err(format!("needs {needs} of memory, and may take {may}"));
        }
        let config = Config::new(pages, plan.vcpus);
        let machine = Machine::new(config).map_err(|error| error.to_string())?;
        machine.guest().as_of(Era::Before2017);
        machine.guest().with_tlb();
        let built = {
            let cpu = machine.vcpu().map_err(|error| error.to_string())?;
            populate(&cpu, pmaps, whole, plan.vcpus)
        };
        let (kernel, pmaps, own) = built.map_err(|error| error.to_string())?;
        Ok(Self {
            machine,
            kernel,
            pmaps,
            own,
        })
    }

    /// Sets slots, and has them emptied.
    pub(super) fn sweep(&mut self, manner: Manner, dirty: Dirty, plan: &Plan, row: Row) -> Row {
        let row = row.of(manner, dirty);
        let told = row.clone();
        match self.swept(manner, plan, row) {
            Ok(row) => row,
            Err(error) => Row {
                err: Some(error),
                ..told
            },
        }
    }

    fn swept(&mut self, manner: Manner, plan: &Plan, row: Row) -> Result<Row, String> {
        self.kernel.reach_by(match manner {
            Manner::Sweep(_) => Alternate::Lazy,
            Manner::Eager => Alternate::Eager,
        });
        let cpu = self.machine.vcpu().map_err(|error| error.to_string())?;
        let (kernel, said) = (&self.kernel, |error: PmapError| error.to_string());
        kernel.load_kernel(&cpu).map_err(said)?;
        let visits = self.set(&cpu, manner, row.dirty).map_err(said)?;
        kernel.load_kernel(&cpu).map_err(said)?;
        let began = Instant::now();
        let work = match manner {
            Manner::Sweep(way) => kernel.sweep(&cpu, way).map_err(said)?,
            Manner::Eager => Work::default(),
        };
        let wall = began.elapsed().as_nanos() as u64;
        match kernel.slots_set(&cpu) {
            0 => {}
            left => return Err(format!("{left} slots are still set")),
        }
        let each = plan.charges.of(&visits, plan.vcpus) / row.dirty.max(1) as f64;
        let mut row = row.with(&work, plan.charges.of(&work, plan.vcpus));
        row.visit_ns = (row.dirty > 0).then_some(each);
        row.wall_ns = matches!(manner, Manner::Sweep(_)).then_some(wall);
        Ok(row)
    }

    /// `dirty` visits, each of another pmap, from as many others or from the vCPUs' own roots.
    fn set(&self, cpu: &Cpu<'_>, manner: Manner, dirty: u64) -> Result<Work, PmapError> {
        let mut work = Work::default();
        for at in 0..dirty as usize {
            let home = match manner {
                Manner::Sweep(Way::PerCpu) => self.own[at % self.own.len()],
                _ => self.pmaps[at],
            };
            self.kernel.load(cpu, home)?;
            let hold = cpu.hold();
            let target = self.pmaps[self.pmaps.len() - 1 - at];
            let mut window = self.kernel.map_ptes(hold.access(), target, User::Extract)?;
            let _seen = window.entry(VA);
            work += window.unmap()?;
        }
        Ok(work)
    }
}

type Built = (Kernel<Native>, Vec<PmapId>, Vec<PmapId>);

fn populate(cpu: &Cpu<'_>, pmaps: u64, whole: bool, vcpus: usize) -> Result<Built, PmapError> {
    let room = pmaps + vcpus as u64;
    let room = u32::try_from(room).map_err(|_| PmapError::NoPmaps)?;
    let kernel = Kernel::boot(cpu, room)?;
    let mut cache = PageCache::default();
    let own = (0..vcpus)
        .map(|_| kernel.create_unlisted(cpu, &mut cache))
        .collect::<Result<_, _>>()?;
    let mut made = Vec::with_capacity(pmaps as usize);
    for _ in 0..pmaps {
        let pmap = kernel.create(cpu, &mut cache)?;
        if whole {
            let page = kernel.take_page(&mut cache)?;
            kernel.enter(cpu, &mut cache, pmap, VA, page, true)?;
        }
        made.push(pmap);
    }
    kernel.drain(&mut cache);
    Ok((kernel, made, own))
}
