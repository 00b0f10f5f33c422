//! Hypercalls, their arguments and Xen's verdicts.
//!
//! Every argument that names a frame arrives typed, with the stamp of the incarnation it was
//! translated in. The stamp is compared on entry, a stale one is counted, **and the call goes on**: the
//! verdict is then whatever Xen's would be, which for a stale frame is a refusal if the guest is lucky and
//! silence if it is not.

use super::domain::Cpu;
use super::domid::Owns;
use super::flush::Flush;
use super::frame::Owner;
use super::number::{ENTRIES, Mfn, PAGE_SHIFT, PteAddr, RawMfn, Va};
use super::oracle::Verdict;
use super::pte::{NewPte, Pte};
use crate::backend::Backend;
use crate::scheme::Translate;
use core::fmt;

/// Why Xen refused. The values are those of its ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Errno {
    /// The target is no RAM, or the domain named is not the caller's to touch.
    Perm = -1,
    /// No such vCPU.
    NoEnt = -2,
    /// No such domain.
    Srch = -3,
    /// No frames left.
    NoMem = -12,
    /// Not for a domain without devices.
    Acces = -13,
    /// The guest's own memory, where an argument should be, is not mapped.
    Fault = -14,
    /// The target is somebody else's, or in use as something else.
    Busy = -16,
    /// It is bound already.
    Exist = -17,
    /// The arguments make no sense.
    Inval = -22,
    /// No port is free.
    NoSpc = -28,
    /// No such command.
    NoSys = -38,
    /// A command that Xen has given up.
    OpNotSupp = -95,
}

/// A refused call: why, and how many of its entries were done before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub errno: Errno,
    /// Entries done; they stay done.
    pub done: usize,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { errno, done } = self;
        write!(
            f,
            "Xen refused with {errno:?} ({}) after {done}",
            *errno as i32
        )
    }
}

impl core::error::Error for Refused {}

/// What an entry of an `mmu_update` asks for: the low bits of its `ptr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Write an entry; check it if it is in a page table.
    Normal,
    /// As `Normal`, keeping the accessed and dirty bits of the old entry.
    PreserveAd,
    /// Set the M2P of the frame; the entry's value is the PFN.
    MachPhys,
}

impl Command {
    /// What the low three bits of a `ptr` ask for. 3 has a name of its own in Xen, and a meaning only
    /// for guests whose frames are translated.
    pub(super) fn of(ptr: u64) -> Result<Self, Errno> {
        match ptr & 7 {
            0 | 3 => Ok(Command::Normal),
            1 => Ok(Command::MachPhys),
            2 => Ok(Command::PreserveAd),
            _ => Err(Errno::NoSys),
        }
    }
}

/// One entry of an `mmu_update`.
#[derive(Clone, Copy, Debug)]
pub struct MmuUpdate<'h> {
    /// Which entry.
    pub ptr: PteAddr<'h>,
    /// What to do with it.
    pub command: Command,
    /// The new value.
    pub val: NewPte<'h>,
}

impl<'h> MmuUpdate<'h> {
    /// An ordinary update.
    #[inline]
    pub fn normal(ptr: PteAddr<'h>, val: NewPte<'h>) -> Self {
        Self {
            ptr,
            command: Command::Normal,
            val,
        }
    }
}

impl<B: Backend> Cpu<'_, B> {
    /// Enters Xen, runs `body` there, and counts the verdict.
    ///
    /// While the domain is paused no vCPU is in Xen and none gets in: a hypercall either ends before
    /// the domain is saved or begins after it was restored.
    pub(super) fn hypercall<T>(
        &self,
        body: impl FnOnce(&Self) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let _in_xen = self.runs.hold();
        self.tally.count(Verdict::Hypercall);
        body(self).inspect_err(|_| self.tally.count(Verdict::Refused))
    }

    /// Looks at an argument as it enters: is it from this incarnation, and the frame that was meant?
    pub(super) fn admit(&self, mfn: Mfn<'_>) -> RawMfn {
        self.judge(mfn.stamp.stale(self.domain().stamp()), mfn.meant, mfn.raw)
    }

    fn admit_pte(&self, pte: NewPte<'_>) -> Pte {
        if pte.pte.present() {
            let stale = pte.stamp.stale(self.domain().stamp());
            self.judge(stale, pte.meant, pte.pte.mfn());
        }
        pte.pte
    }

    fn judge(&self, stale: bool, meant: Option<super::Pfn>, raw: RawMfn) -> RawMfn {
        if stale {
            self.tally.count(Verdict::StaleUse);
        }
        if meant.is_some() && meant != self.host().m2p(raw) {
            self.tally.count(Verdict::WrongFrame);
        }
        raw
    }

    /// `mmu_update`: in order, stopping at the first refusal.
    pub(super) fn mmu_update(&self, updates: &[MmuUpdate<'_>]) -> Result<usize, Refused> {
        self.hypercall(|cpu| {
            for (done, update) in updates.iter().enumerate() {
                let table = cpu.admit(update.ptr.table);
                let val = cpu.admit_pte(update.val);
                let place = (table, update.ptr.index);
                cpu.update_one(Owns::Guest, place, update.command, val)
                    .map_err(|errno| Refused { errno, done })?;
            }
            Ok(updates.len())
        })
    }

    /// One entry of an `mmu_update`, about frames of `owns`'s.
    pub(super) fn update_one(
        &self,
        owns: Owns,
        (table, index): (RawMfn, usize),
        command: Command,
        val: Pte,
    ) -> Result<(), Errno> {
        let host = self.host();
        if owns == Owns::Other {
            return Err(Errno::Perm);
        }
        let frame = host.frame(table);
        let had_by = |owner| frame.owner() == owner && frame.count() > 0;
        let preserve = match command {
            Command::MachPhys if had_by(owns.owner()) && host.is_frame(table) => {
                host.set_m2p(table, Some(super::Pfn(val.0)));
                host.wrote(table);
                return Ok(());
            }
            Command::MachPhys => return Err(Errno::Inval),
            Command::Normal => 0,
            Command::PreserveAd => Pte::A | Pte::D,
        };
        match frame.live_table() {
            _ if !had_by(Owner::Guest) => Err(Errno::Inval),
            Some(level) => {
                host.modify(owns, (table, index), level, val, preserve)?;
                self.flush_after_update(level);
                Ok(())
            }
            // No page table: the value goes where the guest may write in any case, unchecked.
            None => host.as_writable(table, || host.memory.write(table, index, val.0)),
        }
    }

    /// `update_va_mapping`: an `mmu_update` of the L1 entry that translates `va` now.
    pub(super) fn update_va_mapping(
        &self,
        va: Va,
        val: NewPte<'_>,
        flush: Flush,
    ) -> Result<(), Refused> {
        self.one(|cpu| {
            cpu.update_mapping(va, cpu.admit_pte(val))?;
            cpu.flush_after_mapping(va, flush)
        })
    }

    /// The same, in Xen.
    pub(super) fn update_mapping(&self, va: Va, val: Pte) -> Result<(), Errno> {
        let host = self.host();
        // Xen finds the L1 table through a linear mapping of the L2s: the processor marks what it walks.
        let upper = self.walk::<3>(va).ok_or(Errno::Inval)?;
        self.mark(&upper[..2], Pte::A);
        let place = self.walk::<4>(va).ok_or(Errno::Inval)?[3];
        if !host.is_frame(place.0) || host.frame(place.0).live_table() != Some(1) {
            return Err(Errno::Inval);
        }
        host.modify(Owns::Guest, place, 1, val, 0)
    }

    /// An entry as the hardware would load it.
    pub(super) fn read_raw(&self, table: RawMfn, index: usize) -> u64 {
        if !self.host().is_frame(table) || index >= ENTRIES {
            return 0;
        }
        self.host().memory.read(table, index)
    }

    /// A hypercall of one entry.
    pub(super) fn one(&self, body: impl FnOnce(&Self) -> Result<(), Errno>) -> Result<(), Refused> {
        self.hypercall(|cpu| body(cpu).map_err(|errno| Refused { errno, done: 0 }))
    }
}

/// The machine address of a frame.
pub(super) const fn maddr(mfn: RawMfn) -> u64 {
    mfn.0 << PAGE_SHIFT
}
