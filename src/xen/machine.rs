//! A scheme and a guest, tied together: the only way to the P2M is through the scheme's guards.

use super::domain::Cpu;
use super::guest::{Guest, frames_for};
use super::mmu::{Held, Mmu};
use super::oracle::{Verdict, Verdicts};
use super::paging::Paging;
use super::snap::Snap;
use crate::backend::Backend;
use crate::scheme::{Full, Reader, Scheme, Size, Tables, Translate};
use core::fmt;

/// How large a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Pages of the guest; the machine has twice as many, so that a restore can move every one.
    pub pages: u64,
    /// vCPUs at once, the suspender's included.
    pub vcpus: usize,
    /// What a scheme may have several of.
    pub tables: Tables,
    /// What kind of page tables the guest has.
    pub paging: Paging,
}

impl Config {
    /// Enough for an example: 256 pages (1 MiB), 4 vCPUs.
    pub const fn small() -> Self {
        Self::new(256, 4)
    }

    /// A guest of `pages` pages and `vcpus` vCPUs.
    pub const fn new(pages: u64, vcpus: usize) -> Self {
        Self {
            pages,
            vcpus,
            tables: Tables::FULL,
            paging: Paging::FourLevels,
        }
    }

    /// The same for a guest with page tables of that kind.
    pub const fn paged(self, paging: Paging) -> Self {
        Self { paging, ..self }
    }
}

/// A configuration that no machine can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadConfig;

impl fmt::Display for BadConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a machine has 32 to 16,777,216 pages and at least one vCPU")
    }
}

impl core::error::Error for BadConfig {}

/// A guest whose MFNs a scheme protects.
#[derive(Debug)]
pub struct Machine<B: Backend, S: Scheme<B>> {
    guest: Guest<B>,
    scheme: S,
}

impl<B: Backend, S: Scheme<B>> Machine<B, S> {
    /// Boots a guest: every page has a frame, no page table exists.
    ///
    /// # Errors
    /// [`BadConfig`] when there can be no such machine.
    pub fn new(config: Config) -> Result<Self, BadConfig> {
        Self::on(config, frames_for(config))
    }

    /// The same on a machine of `frames` frames, at least twice the guest's pages and 16.
    ///
    /// # Errors
    /// [`BadConfig`] when there can be no such machine.
    pub fn on(config: Config, frames: u64) -> Result<Self, BadConfig> {
        Ok(Self::around(Guest::new(config, frames, 0)?, config))
    }

    /// A machine of this guest.
    pub(super) fn around(guest: Guest<B>, config: Config) -> Self {
        let size = Size {
            readers: config.vcpus,
            tables: config.tables,
        };
        Self {
            guest,
            scheme: S::new(size),
        }
    }

    /// Brings a vCPU online and registers it with the scheme.
    ///
    /// # Errors
    /// [`Full`] when all are online.
    pub fn vcpu(&self) -> Result<Vcpu<'_, B, S>, Full> {
        Ok(Vcpu {
            cpu: self.guest.cpu()?,
            reader: self.scheme.reader()?,
        })
    }

    /// The scheme.
    pub fn scheme(&self) -> &S {
        &self.scheme
    }

    /// The guest.
    pub fn guest(&self) -> &Guest<B> {
        &self.guest
    }
}

/// A vCPU that is online: one thread's.
///
/// It cannot suspend inside its own hold:
///
/// ```compile_fail
/// # use ptom::{backend::Native, scheme::percpu::PerCpu, xen::*};
/// # let machine = Machine::<Native, PerCpu<Native>>::new(Config::small()).unwrap();
/// let mut vcpu = machine.vcpu().unwrap();
/// let hold = vcpu.hold();
/// let suspended = vcpu.suspend();
/// drop(hold);
/// ```
#[derive(Debug)]
pub struct Vcpu<'m, B: Backend, S: Scheme<B>> {
    reader: S::Reader<'m>,
    cpu: Cpu<'m, B>,
}

impl<'m, B: Backend, S: Scheme<B>> Vcpu<'m, B, S> {
    /// Runs `section` until all that it translated was true at one instant; may run it again.
    ///
    /// An MFN cannot leave it:
    ///
    /// ```compile_fail
    /// # use ptom::{backend::Native, scheme::percpu::PerCpu, xen::*};
    /// # let machine = Machine::<Native, PerCpu<Native>>::new(Config::small()).unwrap();
    /// # let vcpu = machine.vcpu().unwrap();
    /// let mfn = vcpu.snapshot(|snap| snap.mfn(Pfn(1)));
    /// ```
    #[inline]
    pub fn snapshot<R>(&self, mut section: impl for<'x> FnMut(&Snap<'x, B>) -> R) -> R {
        let (result, torn) = self.reader.snapshot(|| {
            let snap = Snap::of(&self.cpu.guest.domain);
            (section(&snap), snap.torn())
        });
        if torn {
            self.cpu.tally.count(Verdict::TornSnapshot);
        }
        result
    }

    /// Returns when no hold is live and none can begin.
    pub fn suspend(&mut self) -> Suspended<'_, 'm, B, <S::Reader<'m> as Reader>::Suspended<'_>> {
        Suspended {
            cpu: &mut self.cpu,
            world: self.reader.suspend(),
        }
    }

    pub(super) fn cpu_mut(&mut self) -> &mut Cpu<'m, B> {
        &mut self.cpu
    }

    /// What the oracle has counted on this vCPU.
    pub fn verdicts(&self) -> Verdicts {
        let mut sum = Verdicts::default();
        self.cpu.tally.add_to(&mut sum);
        sum
    }

    /// Says that this vCPU holds nothing now.
    pub fn quiescent(&mut self) {
        self.reader.quiescent();
    }
}

impl<'m, B: Backend, S: Scheme<B>> Mmu<B> for Vcpu<'m, B, S> {
    type Guard<'h>
        = <S::Reader<'m> as Translate>::Hold<'h>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> Held<'_, B, Self::Guard<'_>> {
        Held {
            _guard: self.reader.hold(),
            cpu: &self.cpu,
        }
    }
}

/// The suspender's world: no hold is live but its own. Dropping it resumes.
#[derive(Debug)]
#[must_use = "dropping it resumes"]
pub struct Suspended<'v, 'm, B: Backend, W> {
    pub(super) cpu: &'v mut Cpu<'m, B>,
    world: W,
}

impl<B: Backend, W: Translate> Mmu<B> for Suspended<'_, '_, B, W> {
    type Guard<'h>
        = W::Hold<'h>
    where
        Self: 'h;

    fn hold(&self) -> Held<'_, B, W::Hold<'_>> {
        Held {
            _guard: self.world.hold(),
            cpu: self.cpu,
        }
    }
}
