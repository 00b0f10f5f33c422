//! One file's rows on one simulated guest: each is issued, and what came back is compared.

use super::boot::{Cpu, Scheme, boot};
use super::carried::Word;
use super::issue::Got;
use super::names::{Names, Told, list, number, text};
use ptom::backend::Native;
use ptom::xen::raw::Raw;
use ptom::xen::save::Failed;
use ptom::xen::{Machine, Mmu, Pfn};
use serde_json::Value;
use std::collections::HashMap;

/// A recorded history being replayed.
pub(crate) struct Replay<'m> {
    pub(crate) machine: &'m Machine<Native, Scheme>,
    pub(crate) cpu: Cpu<'m>,
    pub(crate) names: Names,
    /// Whether, and how, the guest has been suspended.
    pub(crate) suspended: Option<Result<(), Failed>>,
    /// Which run of the recorder this is.
    pub(crate) experiment: String,
    /// The page that was given back for good.
    pub(crate) ballooned: Option<String>,
    /// What was in a place right before the suspend, for the facts after it.
    pub(crate) before: HashMap<String, Word>,
}

/// What became of a row.
pub(crate) enum Compared {
    /// This differs, if anything.
    With(Vec<String>),
    /// Nothing can be compared, and why.
    Not(&'static str),
}

impl<'m> Replay<'m> {
    pub(crate) fn new(machine: &'m Machine<Native, Scheme>, run: &Value) -> Self {
        Self::of(machine, run).unwrap()
    }

    pub(crate) fn of(machine: &'m Machine<Native, Scheme>, run: &Value) -> Told<Self> {
        let cpu = machine.vcpu().map_err(|full| full.to_string())?;
        boot(&cpu, number(text(run, "pt_base_pfn")?)?);
        Ok(Self {
            machine,
            names: Names::new(&cpu, run)?,
            cpu,
            suspended: None,
            experiment: text(run, "run")?.to_owned(),
            ballooned: None,
            before: HashMap::new(),
        })
    }

    pub(crate) fn with<T>(&self, body: impl FnOnce(Raw<'_, Native>) -> T) -> T {
        body(self.cpu.hold().access().raw())
    }

    /// A value as a row writes it.
    pub(crate) fn word(&self, value: &Value) -> Told<u64> {
        let text = value.as_str();
        let text = text.ok_or_else(|| format!("{value} is no value"))?;
        self.names.word(&self.cpu, text)
    }

    /// Replays a row, which those `after` it follow.
    pub(crate) fn row(&mut self, row: &Value, after: &[Value]) -> Told<Compared> {
        let wrong = match row["id"].as_str() {
            None => self.note(text(row, "note")?).map(|()| Vec::new())?,
            Some(_) if row["place"].is_string() => return self.fact(row, after),
            Some(id) => {
                // What was recorded after a suspend of which nothing else is told.
                let late = id.starts_with('J') && self.suspended.is_none();
                let failed = late.then(|| self.suspend_once(&[], 0)).transpose()?;
                let mut wrong = self.call(row)?;
                wrong.extend(failed.flatten());
                wrong
            }
        };
        Ok(Compared::With(wrong))
    }

    /// The recorder's word for what it did to its own P2M: `p2m[ROLE] := ~0 (...)`, or another frame's name.
    fn note(&mut self, note: &str) -> Told<()> {
        let said = note
            .strip_prefix("p2m[")
            .and_then(|rest| rest.split_once("] := "));
        let (role, said) = said.ok_or_else(|| format!("a note that nobody knows: {note}"))?;
        let pfn = Pfn(self.names.page(role)?);
        let mfn = match said.split(' ').next() {
            Some("~0") => None,
            name => Some(self.names.frame(name.unwrap_or_default())?),
        };
        self.with(|raw| raw.set_p2m(pfn, mfn));
        if mfn.is_none() {
            self.ballooned = Some(role.to_owned());
        }
        Ok(())
    }

    /// Makes a row's call; returns what differs.
    fn call(&mut self, row: &Value) -> Told<Vec<String>> {
        let got = self.issue(row)?;
        let mut wrong = Vec::new();
        let mut differs = |what: &str, wanted: &Value, got: Option<i64>| {
            if wanted.as_i64().is_some() && wanted.as_i64() != got {
                wrong.push(format!("{what}: Xen {wanted}, here {got:?}"));
            }
        };
        differs("rc", &row["rc"], got.rc);
        differs("done", &row["done"], got.done.map(|d| d as i32 as i64));
        if got.rc.is_some_and(|rc| row["rc"].is_null() && rc != 0) {
            wrong.push(format!("a store that was done is refused: {:?}", got.rc));
        }
        let after = row["after"].as_object();
        for (key, wanted) in after.ok_or("nothing is said of what came after")? {
            wrong.extend(self.after(key, wanted, &got)?);
        }
        Ok(wrong)
    }

    /// Compares one thing that was read back.
    fn after(&self, key: &str, wanted: &Value, got: &Got) -> Told<Option<String>> {
        let inner = |prefix: &str| key.strip_prefix(prefix)?.strip_suffix(')');
        let at = |va| self.with(|raw| raw.load(va)).ok();
        let (wanted_word, found) = if key == "list" {
            return self.extents(wanted, got);
        } else if key == "result" {
            let wanted = wanted.as_str().ok_or("a result that is no text")?;
            let text = got.text.as_deref().ok_or("a call that says nothing here")?;
            let same = match text.strip_prefix("raw:") {
                Some(word) => self.names.word(&self.cpu, wanted)? == number(word)?,
                None => wanted == text,
            };
            return Ok((!same).then(|| format!("Xen {wanted}, here {text}")));
        } else if let Some(role) = inner("pte(") {
            (self.word(wanted)?, at(self.names.mapping(role)?))
        } else if let Some(name) = inner("m2p(") {
            let mfn = self.names.frame(name)?;
            (self.word(wanted)?, Some(self.with(|raw| raw.m2p(mfn))))
        } else if let Some(role) = inner("p2m(pfn ") {
            let pfn = Pfn(self.names.page(role)?);
            let wanted = wanted.as_str().ok_or("a frame without a name")?;
            (self.names.first(wanted)?, self.p2m(pfn))
        } else {
            let parts = key.split_once('[');
            let entry = parts.and_then(|(role, index)| Some((role, index.strip_suffix(']')?)));
            let (role, index) = entry.ok_or_else(|| format!("{key} is nothing to read"))?;
            let va = self.names.address(role)? + number(index)? * 8;
            (self.word(wanted)?, at(va))
        };
        let differ = found != Some(wanted_word);
        Ok(differ.then(|| format!("{key}: Xen {wanted} = {wanted_word:#x}, here {found:x?}")))
    }

    /// Extents: as they were, or another frame, which only has to be the guest's.
    fn extents(&self, wanted: &Value, got: &Got) -> Told<Option<String>> {
        use ptom::xen::{RawMfn, frame::Owner};
        let extents = got.extents.as_ref();
        let (before, after) = extents.ok_or("a call without a list")?;
        let host = self.machine.guest().host();
        let fresh = |mfn: u64| {
            let frame = host.frame(RawMfn(mfn));
            frame.owner() == Owner::Guest && frame.count() == 1
        };
        let names = list(&serde_json::json!({ "list": wanted }), "list")?.to_vec();
        if names.len() != after.len() {
            return Err("a list of another length".to_owned());
        }
        let mut extents = names.iter().zip(before.iter().zip(after));
        let right = extents.all(|(name, (before, after))| match name == "unchanged" {
            true => before == after,
            false => fresh(*after),
        });
        Ok((!right).then(|| format!("list: Xen {wanted}, here {before:x?} became {after:x?}")))
    }
}
