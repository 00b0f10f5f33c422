//! The hypercalls as Xen gets them: numbers in registers, lists in the guest's memory.
//!
//! A guest written in C has nothing but these. Here they are for the tests that hold this simulator
//! against a real Xen, and for whoever wants to say what the types forbid: nothing keeps such a number
//! true, and the oracle cannot judge it. The verdicts are those of the typed calls of [`Access`], which
//! go through the same code.
//!
//! Return values are those of Xen's ABI: 0 or a count, or an [`Errno`] below 0.

use super::access::Access;
use super::domain::Cpu;
use super::domid::{Domid, Foreign, Owns};
use super::flush::Flush;
use super::hypercall::{Command, Errno, Refused};
use super::mmuext::MmuextOp;
use super::number::{PAGE_SHIFT, Pfn, RawMfn, Va};
use super::oracle::Verdict;
use super::pte::Pte;
use super::walk::{PageFault, is_guests};
use crate::backend::Backend;
use crate::scheme::Translate;

/// One entry of an `mmu_update`, as it stands in the guest's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawUpdate {
    /// A machine address; its low three bits are the command.
    pub ptr: u64,
    /// The new value.
    pub val: u64,
}

/// Hypercalls with untyped arguments. Made by [`Access::raw`].
#[derive(Clone, Copy, Debug)]
pub struct Raw<'g, B: Backend> {
    pub(super) cpu: &'g Cpu<'g, B>,
    /// Whose reservation a `memory_op` is about.
    pub(super) whose: Domid,
}

impl<'g, B: Backend> Access<'g, B> {
    /// The same machine, without types.
    pub fn raw(self) -> Raw<'g, B> {
        Raw {
            cpu: self.cpu,
            whose: Domid::SELF,
        }
    }
}

pub(super) fn rc(verdict: Result<(), Errno>) -> i64 {
    verdict.map_or_else(|errno| errno as i64, |()| 0)
}

/// Runs through a list whose entries are `None` where the guest's memory is not mapped.
fn each<T>(
    list: impl IntoIterator<Item = Option<T>>,
    mut entry: impl FnMut(T) -> Result<(), Errno>,
) -> Result<usize, Refused> {
    let mut done = 0;
    for item in list {
        item.ok_or(Errno::Fault)
            .and_then(&mut entry)
            .map_err(|errno| Refused { errno, done })?;
        done += 1;
    }
    Ok(done)
}

/// What a call that stopped, or did not, returns; and how far it came, written back where the guest
/// wants it.
fn answer(verdict: Result<usize, Refused>, done: Option<&mut u32>) -> i64 {
    let (rc, count) = match verdict {
        Ok(count) => (0, count),
        Err(refused) => (refused.errno as i64, refused.done),
    };
    if let Some(done) = done {
        *done = count as u32;
    }
    rc
}

impl<B: Backend> Raw<'_, B> {
    /// `mmu_update`: in order, to the first refusal. `requests` are `None` where the list is not
    /// mapped; `done` is left alone if it is `None`, or there is no domain whose tables are meant. Of
    /// another domain's tables a guest may not change any; but the M2P of its own frames is not in them.
    pub fn mmu_update(
        self,
        requests: impl IntoIterator<Item = Option<RawUpdate>>,
        done: Option<&mut u32>,
        whose: impl Into<Foreign>,
    ) -> i64 {
        let Foreign { tables, frames } = whose.into();
        let theirs = match tables.map_or(Ok(Owns::Guest), Owns::by_number) {
            Ok(owner) => owner == Owns::Other,
            Err(errno) => return errno as i64,
        };
        let verdict = self.cpu.hypercall(|cpu| {
            let owns = Owns::of(frames).map_err(|errno| Refused { errno, done: 0 })?;
            each(requests, |RawUpdate { ptr, val }| {
                let command = Command::of(ptr)?;
                if theirs && command != Command::MachPhys {
                    return Err(Errno::Perm);
                }
                let place = (RawMfn(ptr >> PAGE_SHIFT), (ptr & 0xfff) as usize / 8);
                cpu.update_one(owns, place, command, Pte(val))
            })
        });
        answer(verdict, done)
    }

    /// [`mmu_update`](Self::mmu_update) of a list of `count` entries in the guest's memory, two words
    /// each. If its address cannot be the guest's, nothing is done, and `done` is left alone.
    pub fn mmu_update_at(
        self,
        list: u64,
        count: u32,
        done: Option<&mut u32>,
        whose: impl Into<Foreign>,
    ) -> i64 {
        if !is_guests(list) {
            return Errno::Fault as i64;
        }
        let word = |at: u64| self.cpu.load_eight(list.wrapping_add(at)).ok();
        let entry = |at: u32| {
            let at = 16 * u64::from(at);
            let (ptr, val) = (word(at)?, word(at + 8)?);
            Some(RawUpdate { ptr, val })
        };
        self.mmu_update((0..count).map(entry), done, whose)
    }

    /// One entry of an [`mmu_update`](Self::mmu_update) of the guest's own frames.
    ///
    /// # Errors
    /// Xen's.
    pub fn update(self, RawUpdate { ptr, val }: RawUpdate) -> Result<(), Refused> {
        self.cpu.one(|cpu| {
            let command = Command::of(ptr)?;
            let place = (RawMfn(ptr >> PAGE_SHIFT), (ptr & 0xfff) as usize / 8);
            cpu.update_one(Owns::Guest, place, command, Pte(val))
        })
    }

    /// `update_va_mapping`, with flags as [`Flush`] tells.
    pub fn update_va_mapping(self, va: u64, val: u64, flags: u64) -> i64 {
        let verdict = self.cpu.one(|cpu| {
            if !is_guests(va) {
                return Err(Errno::Inval);
            }
            cpu.update_mapping(Va(va), Pte(val))?;
            cpu.flush_after_mapping(Va(va), Flush(flags))
        });
        rc(verdict.map_err(|refused| refused.errno))
    }

    /// `update_va_mapping_otherdomain`: of a frame of somebody else's, to which a guest has no right. It
    /// may call itself `SELF` here.
    pub fn update_va_mapping_otherdomain(self, va: u64, val: u64, flags: u64, whose: Domid) -> i64 {
        match Owns::of(whose).and_then(Owns::own) {
            Ok(()) => self.update_va_mapping(va, val, flags),
            Err(errno) => errno as i64,
        }
    }

    /// `mmuext_op`: in order, to the first refusal, arguments as in [`mmu_update`](Self::mmu_update).
    /// A guest may do this to its own frames only; else `done` is left alone.
    pub fn mmuext_op(
        self,
        ops: impl IntoIterator<Item = Option<MmuextOp>>,
        done: Option<&mut u32>,
        whose: Domid,
    ) -> i64 {
        if let Err(errno) = Owns::of(whose).and_then(Owns::own) {
            return errno as i64;
        }
        let verdict = self.cpu.hypercall(|cpu| each(ops, |op| cpu.extended(op)));
        answer(verdict, done)
    }

    /// [`mmuext_op`](Self::mmuext_op) of a list in the guest's memory, three words an entry; as
    /// [`mmu_update_at`](Self::mmu_update_at).
    pub fn mmuext_op_at(self, list: u64, count: u32, done: Option<&mut u32>, whose: Domid) -> i64 {
        if !is_guests(list) {
            return Errno::Fault as i64;
        }
        let word = |at: u64| self.cpu.load_eight(list.wrapping_add(at)).ok();
        let entry = |at: u32| {
            let at = 24 * u64::from(at);
            let (command, arg1, arg2) = (word(at)? as u32, word(at + 8)?, word(at + 16)?);
            Some(MmuextOp {
                command,
                arg1,
                arg2,
            })
        };
        self.mmuext_op((0..count).map(entry), done, whose)
    }

    /// `vm_assist`: enables (0) or disables (1) an assist.
    pub fn vm_assist(self, command: u32, kind: u32) -> i64 {
        rc(self.cpu.domain().vm_assist(command, kind))
    }

    /// Loads the eight bytes that an address of the guest's lies in.
    ///
    /// # Errors
    /// [`PageFault`] where nothing is mapped.
    pub fn load(self, va: u64) -> Result<u64, PageFault> {
        let _runs = self.cpu.runs.hold();
        self.counted(self.cpu.load_word(va))
    }

    /// Stores the low `bytes` (1, 2, 4 or 8) of `val` at an address of the guest's.
    ///
    /// # Errors
    /// [`PageFault`] where nothing is mapped, or read-only; unless the guest has Xen take stores to L1
    /// tables for updates, the address is a multiple of `bytes`, and the value is one that Xen accepts.
    pub fn store(self, va: u64, bytes: u32, val: u64) -> Result<(), PageFault> {
        let _runs = self.cpu.runs.hold();
        self.counted(self.cpu.store_bytes(va, bytes, val))
    }

    fn counted<T>(self, result: Result<T, PageFault>) -> Result<T, PageFault> {
        result.inspect_err(|_| self.cpu.tally.count(Verdict::Fault))
    }

    /// The M2P's word for a frame: all ones where it says nothing.
    pub fn m2p(self, mfn: u64) -> u64 {
        self.cpu
            .host()
            .m2p(RawMfn(mfn))
            .map_or(u64::MAX, |pfn| pfn.0)
    }

    /// Writes the guest's own P2M, which Xen never does: this PFN has this frame, or none. A number that
    /// is no frame's is not written, and counts as a fault: what reads the P2M here relies on that.
    pub fn set_p2m(self, pfn: Pfn, mfn: Option<u64>) {
        let domain = self.cpu.domain();
        let is_frame = |mfn| self.cpu.host().is_frame(RawMfn(mfn));
        if pfn.0 >= domain.pages() || !mfn.is_none_or(is_frame) {
            return self.cpu.tally.count(Verdict::Fault);
        }
        match mfn {
            Some(mfn) => domain.set_p2m(pfn, RawMfn(mfn)),
            None => domain.clear_p2m(pfn),
        }
    }
}
