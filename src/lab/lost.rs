//! What the tools take with them when they drop a page table, and who is told: nobody.
//!
//! One present entry that does not resolve, and the save sends nothing of its table; the restore makes a
//! page of zeros, if an entry of another table names it. The save succeeds, the restore succeeds, the suspend
//! hypercall returns 0, and the guest runs on. It finds out when somebody touches a page that was mapped a
//! moment ago, good entries of the same table included. Only a root that a vCPU has loaded is missed: then
//! the restore fails, after a save that said nothing.
//!
//! Here one process maps [`PAGES`] pages, one thing is wrong when the guest is saved, and its mappings are
//! counted before and after. The guest is simulated and nothing is random, so the table is the same
//! each time.
//!
//! Source: observed on Xen 4.17 (`tests/truth`), and held against it by `tests/vectors`.

use crate::backend::Native;
use crate::lab::table::Grid;
use crate::pmap::{Kernel, PageCache, PmapError, PmapId};
use crate::scheme::percpu_asym::PerCpuAsym;
use crate::suspend::{SuspendError, pre_suspend};
use crate::xen::save;
use crate::xen::{Config, Machine, Mmu, Mode, Outcome, Pfn, Va};
use std::fmt;

/// Pages that the process maps: two L1 tables full.
const PAGES: u64 = 1_024;
/// Where: the start of an L1 table.
const BASE: u64 = 1 << 20;

/// What is wrong when the guest is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    /// Nothing.
    Nothing,
    /// The P2M no longer says where a page is that is still mapped: a balloon driver overtaken half way.
    Page,
    /// Nor where an L1 table is.
    L1,
    /// Nor where an L3 table is; the vCPU that suspends runs in the kernel's address space.
    L3,
    /// The same, and it runs in the process's.
    LoadedL3,
    /// shared_info is still mapped by the kernel, and has no PFN.
    SharedInfo,
}

impl Wrong {
    const ALL: [Self; 6] = [
        Self::Nothing,
        Self::Page,
        Self::L1,
        Self::L3,
        Self::LoadedL3,
        Self::SharedInfo,
    ];

    fn words(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Page => "the P2M entry of one mapped page is gone already",
            Self::L1 => "the P2M entry of one L1 table is gone already",
            Self::L3 => "the P2M entry of the L3 table is gone already",
            Self::LoadedL3 => "the same, and a vCPU has the process's root loaded",
            Self::SharedInfo => "the kernel still maps shared_info: the table is its own",
        }
    }
}

/// Why there is no row.
#[derive(Debug)]
enum Failed {
    Pmap(PmapError),
    Suspend(SuspendError),
    Machine,
}

impl From<PmapError> for Failed {
    fn from(error: PmapError) -> Self {
        Self::Pmap(error)
    }
}

impl From<SuspendError> for Failed {
    fn from(error: SuspendError) -> Self {
        Self::Suspend(error)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pmap(error) => error.fmt(f),
            Self::Suspend(error) => error.fmt(f),
            Self::Machine => f.write_str("there is no such machine"),
        }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Came {
    outcome: Result<Outcome, save::Failed>,
    /// Pages of the process that are mapped before, and after if there is an after.
    mapped: (u64, Option<u64>),
}

impl Came {
    /// What the save, the restore and the suspend hypercall returned, as far as each was reached; and why
    /// one failed.
    fn returned(&self) -> String {
        let codes = match self.outcome {
            Ok(Outcome::Resumed { .. }) => [Some(0), Some(0), Some(0)],
            Ok(Outcome::Cancelled) => [Some(0), None, Some(1)],
            Err(failed) if failed.was_saved() => [Some(0), Some(1), None],
            Err(_) => [Some(1), None, None],
        };
        let codes = codes.map(or_dash).join(", ");
        match self.outcome {
            Ok(_) => codes,
            Err(failed) => format!("{codes} ({failed})"),
        }
    }

    /// Page tables that the save dropped, where the guest lived to be told.
    fn dropped(&self) -> Option<u64> {
        match self.outcome {
            Ok(Outcome::Resumed { lost_tables }) => Some(lost_tables),
            Ok(Outcome::Cancelled) | Err(_) => None,
        }
    }
}

type Guest = (Kernel<Native>, PmapId);

fn mapped(mmu: &impl Mmu<Native>, (kernel, pmap): &Guest) -> u64 {
    let found = |page: &u64| {
        kernel
            .extract(mmu, *pmap, Va::of_page(BASE + page))
            .is_some()
    };
    (0..PAGES).filter(found).count() as u64
}

/// The PFN of the table of `level` that maps the first page.
fn table(mmu: &impl Mmu<Native>, (kernel, pmap): &Guest, level: u32) -> Option<Pfn> {
    let hold = mmu.hold();
    let access = hold.access();
    let mut table = access.mfn(kernel.root(*pmap))?;
    for above in (level + 1..=4).rev() {
        table = access.read(table, Va::of_page(BASE).index(above)).mfn()?;
    }
    access.pfn(table)
}

fn came(wrong: Wrong) -> Result<Came, Failed> {
    let machine = Machine::<Native, PerCpuAsym<Native>>::new(Config::new(2 * PAGES, 2));
    let machine = machine.map_err(|_| Failed::Machine)?;
    let mut vcpu = machine.vcpu().map_err(|_| Failed::Machine)?;
    let mut cache = PageCache::default();
    let kernel = Kernel::boot(&vcpu, 1)?;
    let pmap = kernel.create(&vcpu, &mut cache)?;
    for page in 0..PAGES {
        let pfn = kernel.take_page(&mut cache)?;
        kernel.enter(&vcpu, &mut cache, pmap, Va::of_page(BASE + page), pfn, true)?;
    }
    let guest = (kernel, pmap);
    let before = mapped(&vcpu, &guest);
    let first = guest.0.extract(&vcpu, pmap, Va::of_page(BASE));
    let gone = match wrong {
        Wrong::Page => first,
        Wrong::L1 => table(&vcpu, &guest, 1),
        Wrong::L3 | Wrong::LoadedL3 => table(&vcpu, &guest, 3),
        Wrong::Nothing | Wrong::SharedInfo => None,
    };
    if wrong == Wrong::LoadedL3 {
        guest.0.load(&vcpu, pmap)?;
    }
    if let Some(pfn) = gone {
        vcpu.hold().access().raw().set_p2m(pfn, None);
    }
    let mut suspending = pre_suspend(&mut vcpu, &guest.0)?;
    if wrong == Wrong::SharedInfo {
        guest.0.map_shared_info(suspending.hold().access())?;
    }
    let outcome = match suspending.hypercall(Mode::Fresh) {
        Ok(outcome) => Ok(outcome),
        Err(SuspendError::Tools(failed)) => Err(failed),
        Err(error) => return Err(error.into()),
    };
    // What it would take out again may be gone with a table, or all of it: that is the point.
    let _ = suspending.post_suspend(outcome.unwrap_or(Outcome::Cancelled));
    let after = outcome.is_ok().then(|| mapped(&vcpu, &guest));
    Ok(Came {
        outcome,
        mapped: (before, after),
    })
}

fn or_dash(number: Option<u64>) -> String {
    number.map_or(String::from("-"), |number| number.to_string())
}

/// The table, one line for each thing that may be wrong.
pub(crate) fn grid() -> Grid {
    let mut grid = Grid::new(
        "",
        &[
            "wrong when the guest is saved",
            "save, restore, hypercall",
            "page tables dropped",
            "pages of the process mapped before",
            "after",
        ],
    );
    grid.words = vec![1];
    for wrong in Wrong::ALL {
        let mut cells = vec![wrong.words().to_owned()];
        match came(wrong) {
            Ok(came) => {
                let (before, after) = came.mapped;
                cells.push(came.returned());
                cells.extend([came.dropped(), Some(before), after].map(or_dash));
            }
            Err(error) => {
                cells.push(error.to_string());
                cells.extend([(); 3].map(|()| String::from("-")));
            }
        }
        grid.rows.push(cells);
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(wrong: Wrong) -> (Option<u64>, Option<u64>) {
        let came = came(wrong).expect("it is suspended");
        assert_eq!(came.mapped.0, PAGES, "before");
        (came.dropped(), came.mapped.1)
    }

    #[test]
    fn one_wrong_entry_costs_every_page_of_its_table() {
        assert_eq!(lost(Wrong::Nothing), (Some(0), Some(PAGES)));
        assert_eq!(lost(Wrong::Page), (Some(1), Some(PAGES - 512)));
        assert_eq!(lost(Wrong::L1), (Some(1), Some(0)), "the L2 that names it");
        assert_eq!(lost(Wrong::L3), (Some(1), Some(0)), "the root");
        assert_eq!(lost(Wrong::SharedInfo), (Some(1), Some(PAGES)));
    }

    #[test]
    fn a_root_that_is_loaded_costs_the_guest() {
        assert_eq!(lost(Wrong::LoadedL3), (None, None));
        let returned = came(Wrong::LoadedL3).map(|came| came.returned()).unwrap();
        assert!(returned.starts_with("0, 1, - (restore: "), "{returned}");
    }
}
