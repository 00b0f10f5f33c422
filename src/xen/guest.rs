//! The machine and its one guest, as they are without a scheme.

use super::domain::{Cpu, Domain, StartInfo, VcpuState};
use super::host::Host;
use super::hypercall::maddr;
use super::machine::{BadConfig, Config};
use super::number::{Pfn, RawMfn};
use super::oracle::Verdicts;
use super::paging::Paging;
use crate::backend::{Atomic, Backend};
use crate::scheme::percpu_asym::PerCpuAsym;
use crate::scheme::{Full, Scheme, Size};

/// Frames that are not for the guest's pages: no RAM, shared_info (two, used in turn), another
/// domain's, Xen's.
pub(super) const RESERVED: u64 = 16;
/// The first of the two frames of shared_info.
pub(super) const SHARED_INFO: u64 = 1;

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
        // Page tables are a few percent of a guest; a control's stray stores need pages too, and start_info
        // one, here and where it goes.
        let tables = config.pages / 4 + 66 + contents;
        let host = Host::new(frames as usize, tables as usize, config.paging);
        let start_info = StartInfo {
            pfn: Pfn(0),
            shared_info: B::U64::new(maddr(RawMfn(SHARED_INFO))),
        };
        let paused = <PerCpuAsym<B> as Scheme<B>>::new(Size::readers(config.vcpus));
        let domain = Domain::new(config.pages as usize, paused, config.vcpus, start_info);
        host.share(RawMfn(SHARED_INFO));
        for pfn in 0..config.pages {
            let mfn = RawMfn(RESERVED + pfn);
            host.give(mfn, Some(Pfn(pfn)));
            domain.set_p2m(Pfn(pfn), mfn);
        }
        let guest = Self { host, domain };
        guest.build_start_info([Pfn(1), Pfn(2)]);
        Ok(guest)
    }

    /// The machine's frames.
    pub fn host(&self) -> &Host<B> {
        &self.host
    }

    /// The guest's own state.
    pub fn domain(&self) -> &Domain<B> {
        &self.domain
    }

    /// What kind of page tables it has.
    pub fn paging(&self) -> Paging {
        self.host.paging
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

    pub(super) fn cpu(&self) -> Result<Cpu<'_, B>, Full> {
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
