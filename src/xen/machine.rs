//! A scheme and a guest, tied together: the only way to the P2M is through the scheme's guards.

use super::access::Access;
use super::domain::{Cpu, Domain, StartInfo, VcpuState};
use super::host::Host;
use super::hypercall::maddr;
use super::number::{Mfn, P2mWord, Pfn, RawMfn};
use super::oracle::{Verdict, Verdicts};
use crate::backend::{Atomic, Backend};
use crate::scheme::percpu_asym::PerCpuAsym;
use crate::scheme::{Full, Reader, Scheme, Size, Tables, Translate};
use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;

/// Frames that are not for the guest's pages: no RAM, shared_info (two, used in turn), another
/// domain's, Xen's.
pub(super) const RESERVED: u64 = 16;
/// The first of the two frames of shared_info.
pub(super) const SHARED_INFO: u64 = 1;

/// How large a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Pages of the guest; the machine has twice as many, so that a restore can move every one.
    pub pages: u64,
    /// vCPUs at once, the suspender's included.
    pub vcpus: usize,
    /// What a scheme may have several of.
    pub tables: Tables,
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
        }
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

/// The simulated machine with its one guest; no scheme yet.
#[derive(Debug)]
pub struct Guest<B: Backend> {
    pub(super) host: Host<B>,
    pub(super) domain: Domain<B>,
}

/// The frames that a guest of this size needs: its own twice, since a restore fills others.
pub(super) fn frames_for(config: Config) -> u64 {
    RESERVED + 2 * config.pages.min(1 << 24)
}

impl<B: Backend> Guest<B> {
    /// A guest at boot on a machine of so many frames. `contents`: how many of its pages will have contents
    /// from the start.
    pub(super) fn new(config: Config, frames: u64, contents: u64) -> Result<Self, BadConfig> {
        let least = frames_for(config);
        let sized = (32..=1 << 24).contains(&config.pages) && (least..=1 << 26).contains(&frames);
        if !sized || config.vcpus == 0 {
            return Err(BadConfig);
        }
        // Page tables are a few percent of a guest; a control's stray stores need pages too.
        let tables = config.pages / 4 + 64 + contents;
        let host = Host::new(frames as usize, tables as usize);
        let start_info = StartInfo {
            pfn: Pfn(0),
            shared_info: B::U64::new(maddr(RawMfn(SHARED_INFO))),
            store: B::U64::new(RESERVED + 1),
            console: B::U64::new(RESERVED + 2),
        };
        let paused = <PerCpuAsym<B> as Scheme<B>>::new(Size::readers(config.vcpus));
        let domain = Domain::new(config.pages as usize, paused, config.vcpus, start_info);
        host.share(RawMfn(SHARED_INFO));
        for pfn in 0..config.pages {
            let mfn = RawMfn(RESERVED + pfn);
            host.give(mfn, Some(Pfn(pfn)));
            domain.set_p2m(Pfn(pfn), mfn);
        }
        Ok(Self { host, domain })
    }

    /// The machine's frames.
    pub fn host(&self) -> &Host<B> {
        &self.host
    }

    /// The guest's own state.
    pub fn domain(&self) -> &Domain<B> {
        &self.domain
    }

    /// PFNs that the guest uses for itself: start_info, the store's ring, the console's ring.
    pub const OWN_PAGES: u64 = 3;

    /// What the oracle has counted so far, over all vCPUs.
    pub fn verdicts(&self) -> Verdicts {
        let mut sum = Verdicts::default();
        for vcpu in self.domain.vcpus.iter() {
            vcpu.tally.add_to(&mut sum);
        }
        sum
    }

    fn cpu(&self) -> Result<Cpu<'_, B>, Full> {
        // In the order opposite to that of going offline, so that a refusal leaves nothing claimed.
        let runs = self.domain.paused.reader()?;
        let id = self.domain.vcpus.claim()?;
        let state: &VcpuState<B> = self.domain.vcpus.get(id);
        Ok(Cpu {
            guest: self,
            id,
            state,
            tally: &state.tally,
            runs,
        })
    }
}

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

/// Whoever may translate: a vCPU, or the suspender. What pmap code is generic over.
pub trait Mmu<B: Backend> {
    /// The scheme's guard.
    type Guard<'h>
    where
        Self: 'h;

    /// Begins a hold.
    fn hold(&self) -> Held<'_, B, Self::Guard<'_>>;

    /// A point between translating and using, at which a vCPU may be preempted for any length of
    /// time. Nothing happens here, unless a test wraps the vCPU to make it happen.
    #[inline]
    fn preemption_point(&self) {}
}

/// A hold: every MFN translated in it is true while it lives.
#[derive(Debug)]
#[must_use = "dropping the guard ends the hold"]
pub struct Held<'h, B: Backend, G> {
    cpu: &'h Cpu<'h, B>,
    _guard: G,
}

impl<B: Backend, G> Held<'_, B, G> {
    /// What may be done in the hold.
    #[inline]
    pub fn access(&self) -> Access<'_, B> {
        Access { cpu: self.cpu }
    }

    /// Translates: one load. See [`Access::mfn`].
    #[inline]
    pub fn mfn(&self, pfn: Pfn) -> Option<Mfn<'_>> {
        self.access().mfn(pfn)
    }
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
            let snap = Snap {
                domain: &self.cpu.guest.domain,
                first: Cell::new(None),
                differ: Cell::new(false),
            };
            (section(&snap), snap.differ.get())
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

/// What a snapshot translates with.
#[derive(Debug)]
pub struct Snap<'x, B: Backend> {
    domain: &'x Domain<B>,
    first: Cell<Option<P2mWord>>,
    differ: Cell<bool>,
}

/// An MFN that was right at the instant of its snapshot. No hypercall takes it.
#[derive(Clone, Copy, Debug)]
pub struct SnapMfn<'x>(RawMfn, PhantomData<&'x ()>);

impl SnapMfn<'_> {
    /// The number, at rest.
    pub fn raw(self) -> RawMfn {
        self.0
    }
}

impl<B: Backend> Snap<'_, B> {
    /// Translates: one load, and a comparison of its stamp with the first one's.
    #[inline]
    pub fn mfn(&self, pfn: Pfn) -> Option<SnapMfn<'_>> {
        let word = self.domain.p2m(pfn)?;
        match self.first.get() {
            None => self.first.set(Some(word)),
            Some(first) if first.stamp() != word.stamp() => self.differ.set(true),
            Some(_) => {}
        }
        Some(SnapMfn(word.raw(), PhantomData))
    }
}
