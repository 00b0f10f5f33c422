//! The rows around a suspend: which frame numbers come back translated, and which do not.

use super::boot::{WINDOW, hex};
use super::replay::Replay;
use ptom::xen::save::Failed;
use ptom::xen::{Mode, Outcome, Pfn};
use serde_json::Value;

/// Where the recorder had put a frame number: its words for it, the page, and the entry.
const KEPT: [(&str, &str, u64); 26] = [
    ("RW-mapped data page, PTE-like qword", "D0", 1),
    ("RW-mapped data page, bare mfn", "D0", 2),
    ("pinned L1 (unused), present RO", "T1", 0),
    ("pinned L1, present RW", "T1", 1),
    ("pinned L1, present A+D+avail+NX", "T1", 2),
    ("pinned L1, NOT present |0x66", "T1", 3),
    ("pinned L1, NOT present |0", "T1", 4),
    ("pinned L1, RO map of L2 table", "T1", 6),
    ("pinned L1, not present, ballooned-out mfn", "T1", 10),
    ("pinned unused L2[0] present", "T2", 0),
    ("pinned unused L2[1] not present", "T2", 1),
    ("pinned unused L3[0] present", "T3", 0),
    ("L3[1] not present", "T3", 1),
    ("pinned unused L4[0] present", "T4", 0),
    ("L4[1] not present", "T4", 1),
    ("L2 self-linear RO", "T2b", 9),
    ("L3 self-linear RO", "T3b", 9),
    ("L4 self-linear RO (pinned, unused)", "T4b", 9),
    ("untyped RO page, PTE-like, never validated [0]", "N0", 0),
    ("untyped RO page [1] RW", "N0", 1),
    ("formerly pinned L1, unpinned, unreferenced [0]", "N1", 0),
    ("formerly pinned L1 [1]", "N1", 1),
    ("unpinned L1 referenced by pinned L2 [0]", "N2", 0),
    ("same, not present [2]", "N2", 2),
    ("RW-mapped page full of PTE-like values", "N3", 0),
    (
        "formerly validated by reference, reference dropped",
        "N4",
        0,
    ),
];

impl Replay<'_> {
    /// Suspends and restores the guest; returns how many page tables came back empty.
    pub(crate) fn suspend(&mut self) -> Result<u64, Failed> {
        self.with(|raw| raw.update_va_mapping(WINDOW, 0, 0));
        let mut world = self.cpu.suspend();
        world.canonicalise_rings();
        let register = world.start_info().unwrap();
        let outcome = world.hypercall(register, Mode::Fresh)?;
        drop(world);
        self.names.look_up(&self.cpu);
        match outcome {
            Outcome::Resumed { lost_tables } => Ok(lost_tables),
            Outcome::Cancelled => panic!("nobody cancelled"),
        }
    }

    /// The same, if that has not been done. Returns what went wrong.
    pub(crate) fn suspend_once(&mut self) -> Option<String> {
        if self.suspended.is_some() {
            return None;
        }
        let ended = self.suspend();
        self.suspended = Some(ended.map(drop));
        match ended {
            Ok(0) => None,
            Ok(lost) => Some(format!("{lost} tables came back empty")),
            Err(failed) => Some(failed.to_string()),
        }
    }

    /// The run whose restore failed on real Xen has no row after it: here it must fail too.
    pub(crate) fn end(&mut self) -> Option<String> {
        if !self.experiment.starts_with("exp=i sub=2 ") {
            return None;
        }
        self.suspend_once();
        let failed = self.suspended == Some(Err(Failed::Pin));
        (!failed).then(|| format!("restore: Xen fails to pin, here {:?}", self.suspended))
    }

    /// Checks what became of one frame number.
    pub(crate) fn suspend_fact(&mut self, row: &Value) -> Option<String> {
        let place = row["place"].as_str().unwrap();
        let wanted = row["after"].as_str().unwrap();
        if place.starts_with("register ") {
            // There are no registers here but the one that names start_info, without which the
            // restore above would have failed.
            return None;
        }
        let found = match place {
            "active L1, not present |0x66" => self.kept(self.names.pte_va("E0"), row),
            "active L1, present |0x205" => self.kept(self.names.pte_va("E1"), row),
            "p2m[] of ballooned-out pfn (was ~0)" => {
                let pfn = Pfn(self.names.pfn("E2"));
                let p2m = self.p2m(pfn).unwrap_or(u64::MAX);
                format!("raw:{p2m:#x}")
            }
            "whole p2m vs m2p" => {
                let pages = self.machine.guest().domain().pages();
                let untrue = |pfn: &Pfn| {
                    let mfn = self.p2m(*pfn);
                    mfn.is_some_and(|mfn| self.with(|raw| raw.m2p(mfn)) != pfn.0)
                };
                let wrong = (0..pages).map(Pfn).filter(untrue).count();
                format!("{wrong} pfns with m2p(p2m(pfn))!=pfn")
            }
            _ => {
                let kept = KEPT.iter().find(|(words, _, _)| *words == place);
                let (_, role, index) = kept.expect("a place that is known");
                self.kept((self.names.pfn(role) << 12) + index * 8, row)
            }
        };
        (found != wanted).then(|| format!("Xen {wanted}, here {found}"))
    }

    pub(crate) fn p2m(&self, pfn: Pfn) -> Option<u64> {
        use ptom::xen::Mmu;
        self.cpu.hold().mfn(pfn).map(|mfn| mfn.raw().0)
    }

    /// What became of the number at `va`, in the recorder's words.
    fn kept(&self, va: u64, row: &Value) -> String {
        let word = self.with(|raw| raw.load(va)).unwrap();
        let held = row["held"].as_str().unwrap();
        let bare = row["place"].as_str().unwrap().ends_with("bare mfn");
        let (mfn, flags) = if bare {
            // The recorder stored the number itself, which is not one of this machine's.
            (word, 0)
        } else {
            (word >> 12 & 0xff_ffff_ffff, word & !(0xff_ffff_ffff << 12))
        };
        let first = if bare {
            hex("0x39f2d")
        } else {
            self.names.first(held)
        };
        let now = self.p2m(Pfn(self.names.pfn(held)));
        let class = match (mfn == first, now == Some(mfn)) {
            (_, true) => "translated",
            (true, false) if now.is_none() => "same_mfn_before_and_after",
            (true, false) => "NOT_translated",
            (false, false) => "lost",
        };
        format!("{class}|{flags:#x}")
    }
}
