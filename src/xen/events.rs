//! Event ports: what of them a suspend leaves.
//!
//! A restored guest's ports are closed, but for the two that the tools bind anew for its rings, at the
//! numbers that start_info says; the other end is then another port of the control domain's. A cancelled
//! suspend leaves them all. Pending and mask bits are in shared_info.
//!
//! A table of the calls that a guest begins with, no more: nobody sends here, and a port is never closed
//! by hand.
//!
//! Source: `xen/common/event_channel.c` of Xen 4.17.

use super::domain::Cpu;
use super::domid::{Domid, Owns};
use super::hypercall::Errno;
use crate::backend::{Atomic, Backend};
use core::fmt;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

/// Ports that a domain may have, the reserved first included (xl's `max_event_channels=63`).
const PORTS: usize = 64;
/// Where the tools bind the store's ring, and the console's.
pub(super) const STORE_PORT: u32 = 1;
/// As [`STORE_PORT`].
pub(super) const CONSOLE_PORT: u32 = 2;

/// Virtual interrupts that there are.
const VIRQS: u32 = 24;
/// Those that each vCPU has for itself (timer, debug, profiler, counters); the others are the domain's,
/// and bound on vCPU 0 only.
const VCPUS_OWN: [u32; 4] = [0, 1, 7, 13];

/// What a port is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// Nothing.
    Closed,
    /// Nothing yet: a domain may bind to it.
    Unbound {
        /// Which.
        remote: Domid,
    },
    /// A port of another domain's.
    Interdomain {
        /// Whose.
        remote: Domid,
        /// Which.
        port: u32,
    },
    /// A virtual interrupt.
    Virq {
        /// Which.
        virq: u32,
        /// On which vCPU.
        vcpu: u32,
    },
    /// An interrupt from the domain's own vCPUs.
    Ipi {
        /// To which of them.
        vcpu: u32,
    },
}

/// As `EVTCHNOP_status` tells it: the state, the vCPU, and two numbers that depend on the state.
impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, vcpu, a, b) = match *self {
            Port::Closed => ("closed", 0, 0, 0),
            Port::Unbound { remote } => ("unbound", 0, remote.0.into(), 0),
            Port::Interdomain { remote, port } => ("interdomain", 0, remote.0.into(), port),
            Port::Virq { virq, vcpu } => ("virq", vcpu, virq, 0),
            Port::Ipi { vcpu } => ("ipi", vcpu, 0, 0),
        };
        write!(f, "{state} vcpu={vcpu} a={a} b={b}")
    }
}

impl Port {
    /// In a word: the state below, two numbers above.
    fn word(self) -> u64 {
        let (state, a, b) = match self {
            Port::Closed => (0, 0, 0),
            Port::Unbound { remote } => (1, remote.0.into(), 0),
            Port::Interdomain { remote, port } => (2, remote.0.into(), port),
            Port::Virq { virq, vcpu } => (3, virq, vcpu),
            Port::Ipi { vcpu } => (4, 0, vcpu),
        };
        u64::from(b) << 32 | u64::from(a) << 8 | state
    }

    fn of(word: u64) -> Self {
        let (a, b) = ((word >> 8 & 0xff_ffff) as u32, (word >> 32) as u32);
        let remote = Domid(a as u16);
        match word & 0xff {
            1 => Port::Unbound { remote },
            2 => Port::Interdomain { remote, port: b },
            3 => Port::Virq { virq: a, vcpu: b },
            4 => Port::Ipi { vcpu: b },
            _ => Port::Closed,
        }
    }
}

/// A domain's ports.
#[derive(Debug)]
pub(super) struct Events<B: Backend> {
    ports: [B::U64; PORTS],
    /// The control domain's next free port.
    theirs: B::U64,
}

impl<B: Backend> Events<B> {
    /// As the domain's builder leaves them.
    pub(super) fn new() -> Self {
        let theirs = 20;
        let bound = |port| {
            let rings = [STORE_PORT, CONSOLE_PORT];
            let ring = rings.iter().position(|ring| *ring as usize == port);
            ring.map_or(Port::Closed, |ring| Port::Interdomain {
                remote: Domid::DOM0,
                port: theirs + ring as u32,
            })
        };
        Self {
            ports: core::array::from_fn(|port| B::U64::new(bound(port).word())),
            theirs: B::U64::new(u64::from(theirs) + 2),
        }
    }

    /// As the restorer leaves them, and the two daemons.
    pub(super) fn restored(&self) {
        for port in &self.ports {
            port.store(Port::Closed.word(), Relaxed);
        }
        for ring in [STORE_PORT, CONSOLE_PORT] {
            let port = self.theirs.fetch_add(1, Relaxed) as u32;
            let remote = Domid::DOM0;
            let bound = Port::Interdomain { remote, port };
            self.ports[ring as usize].store(bound.word(), Relaxed);
        }
    }

    fn get(&self, port: u32) -> Option<Port> {
        // ORDERING: Acquire pairs with the Release half in `bind`: a port is bound once.
        let word = self.ports.get(port as usize)?.load(Acquire);
        Some(Port::of(word))
    }

    /// Binds the lowest port that is closed; the first is nobody's.
    fn bind(&self, to: Port) -> Result<u32, Errno> {
        let free = Port::Closed.word();
        let closed = |port: &usize| {
            // ORDERING: AcqRel, with another's: of two that find a port closed one has it.
            let taken = self.ports[*port].compare_exchange(free, to.word(), AcqRel, Acquire);
            taken.is_ok()
        };
        let port = (1..PORTS).find(closed).ok_or(Errno::NoSpc)?;
        Ok(port as u32)
    }

    fn has(&self, bound: Port) -> bool {
        (1..PORTS as u32).any(|port| self.get(port) == Some(bound))
    }
}

impl<B: Backend> Cpu<'_, B> {
    fn has_vcpu(&self, vcpu: u32) -> Result<(), Errno> {
        let known = (vcpu as usize) < self.domain().max_vcpus();
        known.then_some(()).ok_or(Errno::NoEnt)
    }

    /// `EVTCHNOP_alloc_unbound`: `dom` can only be the guest itself.
    pub(super) fn alloc_unbound(&self, dom: Domid, remote: Domid) -> Result<u32, Errno> {
        match dom {
            Domid::SELF => {}
            dom => Owns::by_number(dom).and_then(Owns::own)?,
        }
        let remote = if remote == Domid::SELF {
            Domid::GUEST
        } else {
            remote
        };
        self.domain().events.bind(Port::Unbound { remote })
    }

    /// `EVTCHNOP_bind_virq`.
    pub(super) fn bind_virq(&self, virq: u32, vcpu: u32) -> Result<u32, Errno> {
        if virq >= VIRQS || !VCPUS_OWN.contains(&virq) && vcpu != 0 {
            return Err(Errno::Inval);
        }
        self.has_vcpu(vcpu)?;
        let bound = Port::Virq { virq, vcpu };
        if self.domain().events.has(bound) {
            return Err(Errno::Exist);
        }
        self.domain().events.bind(bound)
    }

    /// `EVTCHNOP_bind_ipi`.
    pub(super) fn bind_ipi(&self, vcpu: u32) -> Result<u32, Errno> {
        self.has_vcpu(vcpu)?;
        self.domain().events.bind(Port::Ipi { vcpu })
    }

    /// `EVTCHNOP_status`, of the guest's own.
    pub(super) fn port(&self, port: u32) -> Result<Port, Errno> {
        self.domain().events.get(port).ok_or(Errno::Inval)
    }
}
