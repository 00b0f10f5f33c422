//! Single calls on a replayed guest, for tests that have no recorded row.

use super::boot::{Scheme, machine};
use super::replay::Replay;
use ptom::backend::Native;
use ptom::xen::mmuext::MmuextOp;
use ptom::xen::raw::RawUpdate;
use ptom::xen::{Domid, Machine};
use serde_json::{Value, json};

/// A machine like the recorded ones, and what is said of them.
pub(crate) fn fresh() -> (Machine<Native, Scheme>, Value) {
    let (run, _) = super::recorded("vectors-i1.jsonl");
    (machine(&run).unwrap(), run)
}

impl Replay<'_> {
    /// A value in the vectors' notation.
    pub(crate) fn val(&self, text: &str) -> u64 {
        self.word(&json!(text)).unwrap()
    }

    /// `mmuext_op` of one entry.
    pub(crate) fn extended(&self, command: u32, arg1: &str, arg2: &str) -> i64 {
        let op = MmuextOp {
            command,
            arg1: self.val(arg1),
            arg2: self.val(arg2),
        };
        self.with(|raw| raw.mmuext_op([Some(op)], None, Domid::SELF))
    }

    /// `mmu_update` of one entry.
    pub(crate) fn update(&self, ptr: &str, val: &str, whose: Domid) -> i64 {
        let ptr = self.names.maddr(ptr);
        let val = self.val(val);
        self.with(|raw| raw.mmu_update([Some(RawUpdate { ptr, val })], None, whose))
    }

    /// `update_va_mapping` of a page of the pool by itself, with these flags.
    pub(crate) fn remap(&self, role: &str, flags: &str) -> i64 {
        let (va, val) = (self.names.va(role), self.val(&format!("{role}|{flags}")));
        self.with(|raw| raw.update_va_mapping(va, val, 2))
    }

    /// Makes a page of the pool a pinned table of a level.
    pub(crate) fn table(&self, role: &str, level: u32) {
        assert_eq!(self.remap(role, "0x5"), 0);
        assert_eq!(self.extended(level - 1, role, "0"), 0);
    }

    /// Reads an entry by its address, `ROLE+0xoffset`.
    pub(crate) fn entry(&self, at: &str) -> u64 {
        let va = self.names.va(at);
        self.with(|raw| raw.load(va)).unwrap()
    }
}
