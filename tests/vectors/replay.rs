//! One file's rows on one simulated guest: each is issued, and what came back is compared.

use super::boot::{Cpu, Scheme, boot, hex};
use super::issue::Got;
use super::names::Names;
use ptom::backend::Native;
use ptom::xen::raw::Raw;
use ptom::xen::save::Failed;
use ptom::xen::{Machine, Mmu};
use serde_json::Value;

/// A recorded history being replayed.
pub(crate) struct Replay<'m> {
    pub(crate) machine: &'m Machine<Native, Scheme>,
    pub(crate) cpu: Cpu<'m>,
    pub(crate) names: Names,
    /// Whether, and how, the guest has been suspended.
    pub(crate) suspended: Option<Result<(), Failed>>,
    /// Which run of the recorder this is.
    pub(crate) experiment: String,
}

impl<'m> Replay<'m> {
    pub(crate) fn new(machine: &'m Machine<Native, Scheme>, run: &Value) -> Self {
        let cpu = machine.vcpu().unwrap();
        boot(&cpu, hex(run["pt_base_pfn"].as_str().unwrap()));
        Self {
            machine,
            names: Names::new(&cpu, run),
            cpu,
            suspended: None,
            experiment: run["run"].as_str().unwrap().to_owned(),
        }
    }

    pub(crate) fn with<T>(&self, body: impl FnOnce(Raw<'_, Native>) -> T) -> T {
        body(self.cpu.hold().access().raw())
    }

    pub(crate) fn value(&self, text: &Value) -> u64 {
        self.names.value(&self.cpu, text.as_str().unwrap())
    }

    /// Replays a row; returns what differs.
    pub(crate) fn row(&mut self, row: &Value) -> Vec<String> {
        let id = row["id"].as_str().unwrap_or_default();
        let mut wrong = Vec::new();
        if id == "S" || id.starts_with('J') {
            wrong.extend(self.suspend_once());
        }
        if id == "S" {
            wrong.extend(self.suspend_fact(row));
            return wrong;
        }
        if row["note"].as_str().is_some() {
            let pfn = ptom::xen::Pfn(self.names.pfn("E2"));
            self.with(|raw| raw.set_p2m(pfn, None));
            return wrong;
        }
        let got = self.issue(row);
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
        for (key, wanted) in row["after"].as_object().unwrap() {
            wrong.extend(self.after(key, wanted, &got));
        }
        wrong
    }

    /// Compares one thing that was read back.
    fn after(&self, key: &str, wanted: &Value, got: &Got) -> Option<String> {
        let inner = |prefix: &str| Some(key.strip_prefix(prefix)?.strip_suffix(')').unwrap());
        let at = |va| self.with(|raw| raw.load(va)).ok();
        let (wanted_word, found) = if key == "list" {
            return self.extents(wanted, got);
        } else if key == "result" {
            let text = got.text.clone().unwrap();
            let same = match (wanted.as_str().unwrap(), text.strip_prefix("raw:")) {
                (wanted, Some(word)) => self.names.value(&self.cpu, wanted) == hex(word),
                (wanted, None) => wanted == text,
            };
            return (!same).then(|| format!("Xen {wanted}, here {text}"));
        } else if let Some(role) = inner("pte(") {
            (self.value(wanted), at(self.names.pte_va(role)))
        } else if let Some(name) = inner("m2p(") {
            let mfn = self.names.mfn(name);
            (self.value(wanted), Some(self.with(|raw| raw.m2p(mfn))))
        } else if let Some(role) = inner("p2m(pfn ") {
            let pfn = ptom::xen::Pfn(self.names.pfn(role));
            let first = self.names.first(wanted.as_str().unwrap());
            (first, self.cpu.hold().mfn(pfn).map(|mfn| mfn.raw().0))
        } else {
            let (role, index) = key.split_once('[').unwrap();
            let offset = hex(index.strip_suffix(']').unwrap()) * 8;
            let va = self.names.va(&format!("{role}+{offset:#x}"));
            (self.value(wanted), at(va))
        };
        let differ = found != Some(wanted_word);
        differ.then(|| format!("{key}: Xen {wanted} = {wanted_word:#x}, here {found:x?}"))
    }

    /// Extents: as they were, or another frame, which only has to be the guest's.
    fn extents(&self, wanted: &Value, got: &Got) -> Option<String> {
        use ptom::xen::{RawMfn, frame::Owner};
        let (before, after) = got.extents.as_ref().unwrap();
        let host = self.machine.guest().host();
        let fresh = |mfn: u64| {
            let frame = host.frame(RawMfn(mfn));
            frame.owner() == Owner::Guest && frame.count() == 1
        };
        let right = wanted
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
            .all(|(at, name)| {
                if name == "unchanged" {
                    before[at] == after[at]
                } else {
                    fresh(after[at])
                }
            });
        (!right).then(|| format!("list: Xen {wanted}, here {before:x?} became {after:x?}"))
    }
}
