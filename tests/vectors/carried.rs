//! start_info, shared_info, event ports and debug registers across a suspend, word by word.

use super::boot::WINDOW;
use super::names::{Told, count, number, text};
use super::replay::{Compared, Replay};
use ptom::xen::Pfn;
use serde_json::Value;

/// Words of shared_info that Xen's clock goes on writing: the simulated machine has none.
const CLOCK: [&str; 3] = ["time.version", "time.tsc_timestamp", "time.system_time"];
/// Why their rows are not compared.
pub(crate) const RUNNING: &str = "a running clock";

/// Where start_info is mapped: PFN 0 at address 0.
pub(crate) const START_INFO: u64 = 0;
/// Its word for shared_info's machine address, which is Xen's to say.
const TOLD_SHARED_INFO: u64 = 0x28;
/// The masks of events.
const MASKS: std::ops::Range<u64> = 0xa00..0xc00;

/// What was in a place before the suspend: a word, or what an event port was bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Number(u64),
    Port(String),
}

/// Where the word of a row is, by its place: `shared_info+0xc20 arch.nmi_reason`.
fn word_at(place: &str) -> Option<Told<u64>> {
    let pages = [("shared_info+", WINDOW), ("start_info+", START_INFO)];
    let found = pages
        .iter()
        .find_map(|(page, va)| Some((place.strip_prefix(page)?, va)));
    let (offset, page) = found?;
    let offset = offset.split(' ').next().unwrap_or_default();
    Some(number(offset).map(|offset| page + offset))
}

/// The port of a row, by its place: `event port 3`.
fn port_at(place: &str) -> Option<u32> {
    place.strip_prefix("event port ")?.parse().ok()
}

/// The debug register of a row: `debug register 0 (get_debugreg)`.
fn debug_at(place: &str) -> Option<u32> {
    let number = place.strip_prefix("debug register ")?;
    number.split(' ').next()?.parse().ok()
}

/// A port without the number of the other end's, which that side chooses.
fn own_side(port: &str) -> &str {
    match port.rsplit_once(" b=") {
        Some((own, _)) if own.starts_with("interdomain") => own,
        _ => port,
    }
}

fn before(row: &Value) -> Told<&str> {
    text(row, "before").or_else(|_| text(row, "before(at the hypercall)"))
}

impl Replay<'_> {
    pub(crate) fn load(&self, va: u64) -> Told<u64> {
        let word = self.with(|raw| raw.load(va));
        word.map_err(|_| format!("{va:#x} is not mapped"))
    }

    pub(crate) fn store(&self, va: u64, bytes: u32, word: u64) -> Told<()> {
        let stored = self.with(|raw| raw.store(va, bytes, word));
        stored.map_err(|_| format!("{va:#x} is not writable"))
    }

    /// What is in a row's place now, if it is of a kind that this file knows.
    fn in_place(&self, place: &str) -> Option<Told<Word>> {
        if let Some(va) = word_at(place) {
            return Some(va.and_then(|va| self.load(va)).map(Word::Number));
        }
        if let Some(port) = port_at(place) {
            let found = self.with(|raw| raw.port(port));
            let found = found.map(|port| Word::Port(port.to_string()));
            return Some(found.map_err(|_| format!("there is no {place}")));
        }
        let debug = debug_at(place)?;
        let found = self.with(|raw| raw.get_debugreg(debug));
        let found = found.map(Word::Number);
        Some(found.map_err(|_| format!("there is no {place}")))
    }

    /// Makes a place what it was at the hypercall, as a row after it tells, and notes what is there now.
    pub(crate) fn prepare_word(&mut self, row: &Value) -> Told<bool> {
        let place = text(row, "place")?;
        if row["count"].is_u64() {
            for mask in MASKS.step_by(8) {
                let word = Word::Number(self.load(WINDOW + mask)?);
                self.before.insert(format!("mask {mask:#x}"), word);
            }
            return Ok(true);
        }
        if let Some(va) = word_at(place) {
            let va = va?;
            if va != START_INFO + TOLD_SHARED_INFO {
                self.store(va, 8, number(before(row)?)?)?;
            }
        }
        let Some(found) = self.in_place(place) else {
            return Ok(false);
        };
        self.before.insert(place.to_owned(), found?);
        Ok(true)
    }

    /// Compares a place with what became of it; `None` if it is of no kind that this file knows.
    pub(crate) fn carried(&self, row: &Value) -> Told<Option<Compared>> {
        let place = text(row, "place")?;
        if row["count"].is_u64() {
            let newly = self.newly_masked()?;
            let wanted = count(row, "count")?;
            let differ = newly != wanted;
            let wrong = differ.then(|| format!("Xen masks {wanted} words, here {newly}"));
            return Ok(Some(Compared::With(wrong.into_iter().collect())));
        }
        let Some(found) = self.in_place(place) else {
            return Ok(None);
        };
        if CLOCK.iter().any(|word| place.ends_with(word)) && place.starts_with("shared_info+") {
            return Ok(Some(Compared::Not(RUNNING)));
        }
        let (found, noted) = (found?, self.before.get(place).ok_or("not noted before")?);
        let after = text(row, "after")?;
        let right = match (&found, noted) {
            (Word::Port(found), Word::Port(noted)) => {
                let same = |a: &str, b: &str| own_side(a) == own_side(b);
                let kept = (before(row)? == after) == (noted == found);
                same(noted, before(row)?) && same(found, after) && kept
            }
            (Word::Number(found), Word::Number(noted)) => {
                self.became(row, *noted, *found, number(after)?)?
            }
            _ => false,
        };
        let wrong = (!right).then(|| format!("Xen {row}, here {noted:x?} became {found:x?}"));
        Ok(Some(Compared::With(wrong.into_iter().collect())))
    }

    /// Whether a word became what the row says that it became.
    fn became(&self, row: &Value, noted: u64, found: u64, after: u64) -> Told<bool> {
        let place = text(row, "place")?;
        let told = word_at(place) == Some(Ok(START_INFO + TOLD_SHARED_INFO));
        Ok(match row["class"].as_str() {
            Some("same") | None if told => found == noted,
            Some("same") => found == noted && found == after,
            Some("zeroed") => found == 0 && after == 0,
            Some("all_ones") => found == u64::MAX && after == u64::MAX,
            Some("changed") => match text(row, "kind_after")? {
                "maddr" => found != noted && found == self.names.frame("SHARED_INFO")? << 12,
                "is_mfn" => Some(found) == self.p2m(Pfn(noted)),
                other => return Err(format!("changed into {other}, which nobody knows")),
            },
            None => found == noted && found == after,
            Some(other) => return Err(format!("a word that is {other}")),
        })
    }

    /// Words of the masks that were 0 and are all ones now.
    fn newly_masked(&self) -> Told<u64> {
        let mut newly = 0;
        for mask in MASKS.step_by(8) {
            let noted = self.before.get(&format!("mask {mask:#x}"));
            let was_zero = noted == Some(&Word::Number(0));
            newly += u64::from(was_zero && self.load(WINDOW + mask)? == u64::MAX);
        }
        Ok(newly)
    }
}
