//! The rows around a suspend: which frame numbers come back translated, and which do not.

use super::boot::WINDOW;
use super::carried::Word;
use super::names::{Told, text};
use super::replay::{Compared, Replay};
use ptom::xen::registers::Register64;
use ptom::xen::save::Failed;
use ptom::xen::{Mmu, Mode, Outcome, Pfn};
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

/// What the recorder calls the number of start_info's frame, which the suspend hypercall takes.
const START_INFO: &str = "start_info mfn";
/// What it had in registers that hold no frame's number, and how it says that they kept it.
const NO_MFN: &str = "hypercall argument (not an mfn)";
const UNCHANGED: &str = "unchanged other|0x0";
/// Of a register of 128 bits it looked at one half.
const LOW_HALF: &str = " low";

/// The register of a row, by its place: `register xmm3 low`, `register rdx (...)`.
fn register_at(place: &str) -> Option<Told<Register64>> {
    let name = place.strip_prefix("register ")?;
    let name = name.split(" (").next().unwrap_or(name);
    let name = name.strip_suffix(LOW_HALF).unwrap_or(name);
    let register = Register64::named(name);
    Some(register.ok_or_else(|| format!("no register has the name {name}")))
}

/// The mode of a suspend, by what its hypercall returned.
fn mode(suspend_rc: i64) -> Told<Mode> {
    match suspend_rc {
        0 => Ok(Mode::Fresh),
        1 => Ok(Mode::Cancelled),
        other => Err(format!("a suspend that returns {other}")),
    }
}

impl Replay<'_> {
    /// Suspends and restores the guest; returns how many page tables came back empty.
    pub(crate) fn suspend(&mut self) -> Result<u64, Failed> {
        self.suspend_as(&[], Mode::Fresh).unwrap()
    }

    /// The same, or has it cancelled; what `facts` say was kept across it is put there before.
    fn suspend_as(&mut self, facts: &[Value], mode: Mode) -> Told<Result<u64, Failed>> {
        self.window();
        // First, since a fact may say what the rings were.
        self.cpu.suspend().canonicalise_rings();
        for fact in facts.iter().filter(|fact| fact["place"].is_string()) {
            self.prepare(fact)?;
        }
        self.with(|raw| raw.update_va_mapping(WINDOW, 0, 2));
        let mut world = self.cpu.suspend();
        let register = world.start_info().ok_or("start_info has no frame")?;
        let outcome = world.hypercall(register, mode);
        drop(world);
        self.names.look_up(&self.cpu);
        // A guest that could not be restored has no root to map anything by.
        if outcome.is_ok() {
            self.window();
        }
        Ok(match outcome {
            Ok(Outcome::Resumed { lost_tables }) => Ok(lost_tables),
            Ok(Outcome::Cancelled) => Ok(0),
            Err(failed) => Err(failed),
        })
    }

    /// The same, if that has not been done. Returns what went wrong.
    pub(crate) fn suspend_once(&mut self, facts: &[Value], rc: i64) -> Told<Option<String>> {
        if self.suspended.is_some() {
            return Ok(None);
        }
        let ended = self.suspend_as(facts, mode(rc)?)?;
        self.suspended = Some(ended.map(drop));
        // Tables that came back empty are for the rows after it to tell.
        Ok(ended.err().map(|failed| failed.to_string()))
    }

    /// A run of linear entries that has no row after its suspend is one whose restore failed.
    pub(crate) fn end(&mut self) -> Option<String> {
        if self.suspended.is_some() || !self.experiment.starts_with("exp=i ") {
            return None;
        }
        let ended = self.suspend_once(&[], 0);
        let failed = self.suspended == Some(Err(Failed::Pin));
        (!failed).then(|| format!("restore: Xen fails to pin, here {ended:?}"))
    }

    /// Checks what became of something across the suspend, before which it is if none was yet.
    pub(crate) fn fact(&mut self, row: &Value, after: &[Value]) -> Told<Compared> {
        let rc = row["suspend_rc"].as_i64().ok_or("a fact of no suspend")?;
        let facts = [std::slice::from_ref(row), after].concat();
        let failed = self.suspend_once(&facts, rc)?;
        let compared = match self.carried(row)? {
            Some(compared) => compared,
            None => Compared::With(self.frame_number(row)?.into_iter().collect()),
        };
        Ok(match (compared, failed) {
            (Compared::With(wrong), failed) => {
                Compared::With(wrong.into_iter().chain(failed).collect())
            }
            (Compared::Not(_), Some(failed)) => Compared::With(vec![failed]),
            (not, None) => not,
        })
    }

    /// Puts what a fact says was there before the suspend into its place, where the calls before did not.
    fn prepare(&mut self, fact: &Value) -> Told<()> {
        if self.prepare_word(fact)? {
            return Ok(());
        }
        let place = text(fact, "place")?;
        if let Some(register) = register_at(place) {
            let (register, held) = (register?, text(fact, "held")?);
            let word = match held {
                // The hypercall puts it there.
                START_INFO => self.p2m(Pfn(0)).ok_or("start_info has no frame")?,
                NO_MFN => 2,
                role => self.names.first(role)?,
            };
            self.with(|raw| raw.set_register(register, word));
            self.before.insert(place.to_owned(), Word::Number(word));
        } else if is_bare(place) {
            // The recorder wrote a number of its own machine there.
            let (va, mfn) = (self.kept_at(place)?, self.names.first(text(fact, "held")?)?);
            let stored = self.with(|raw| raw.store(va, 8, mfn));
            stored.map_err(|_| format!("{place} is not writable"))?;
        }
        Ok(())
    }

    /// What became of a frame's number.
    fn frame_number(&self, row: &Value) -> Told<Option<String>> {
        let place = text(row, "place")?;
        let wanted = text(row, "after")?;
        let found = match place {
            "p2m[] of ballooned-out pfn (was ~0)" => {
                let role = self.ballooned.as_ref().ok_or("nothing was ballooned out")?;
                let p2m = self.p2m(Pfn(self.names.page(role)?));
                format!("raw:{:#x}", p2m.unwrap_or(u64::MAX))
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
            _ if register_at(place).is_some() => self.in_register(row)?,
            _ => {
                let va = self.kept_at(place)?;
                let word = self.with(|raw| raw.load(va));
                let word = word.map_err(|_| format!("{place} is not mapped"))?;
                let (mfn, flags) = match is_bare(place) {
                    true => (word, 0),
                    false => (word >> 12 & 0xff_ffff_ffff, word & !(0xff_ffff_ffff << 12)),
                };
                let role = text(row, "held")?;
                let (first, pfn) = (self.names.first(role)?, Pfn(self.names.page(role)?));
                format!("{}|{flags:#x}", self.became_of(mfn, first, pfn))
            }
        };
        Ok((found != wanted).then(|| format!("Xen {wanted}, here {found}")))
    }

    fn in_register(&self, row: &Value) -> Told<String> {
        let place = text(row, "place")?;
        let register = register_at(place).ok_or("no register")??;
        let word = self.with(|raw| raw.register(register));
        let noted = match self.before.get(place) {
            Some(Word::Number(noted)) => *noted,
            _ => return Err("not noted before".to_owned()),
        };
        let pfn = match text(row, "held")? {
            NO_MFN if word == noted => return Ok(UNCHANGED.to_owned()),
            NO_MFN => return Ok(format!("{word:#x}")),
            START_INFO => Pfn(0),
            role => Pfn(self.names.page(role)?),
        };
        Ok(format!("{}|0x0", self.became_of(word, noted, pfn)))
    }

    /// The address of a place where a frame's number was kept.
    fn kept_at(&self, place: &str) -> Told<u64> {
        match place {
            "active L1, not present |0x66" => self.names.mapping("E0"),
            "active L1, present |0x205" => self.names.mapping("E1"),
            _ => {
                let kept = KEPT.iter().find(|(words, _, _)| *words == place);
                let (_, role, index) = kept.ok_or("a place that nobody knows")?;
                Ok(self.names.address(role)? + index * 8)
            }
        }
    }

    /// What became of the number of a frame that was `first`, in the recorder's words.
    fn became_of(&self, mfn: u64, first: u64, pfn: Pfn) -> &'static str {
        let now = self.p2m(pfn);
        match (mfn == first, now == Some(mfn)) {
            (true, true) => "same_mfn_before_and_after",
            (false, true) => "translated",
            (true, false) if now.is_none() => "same_mfn_before_and_after",
            (true, false) => "NOT_translated",
            (false, false) if mfn == 0 => "ZEROED",
            (false, false) => "lost",
        }
    }

    pub(crate) fn p2m(&self, pfn: Pfn) -> Option<u64> {
        self.cpu.hold().mfn(pfn).map(|mfn| mfn.raw().0)
    }
}

/// Whether a place had the number itself, not an entry.
fn is_bare(place: &str) -> bool {
    place.ends_with("bare mfn")
}
