//! Domain numbers: whose frames a hypercall is about.

use super::frame::Owner;
use super::hypercall::Errno;

/// The number of a domain, or one of those that stand for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Domid(
    /// The number; from 0x7ff0 on they are Xen's.
    pub u16,
);

impl Domid {
    /// The control domain.
    pub const DOM0: Domid = Domid(0);
    /// Another guest of this machine, which the simulated guest may do nothing with.
    pub const NEIGHBOUR: Domid = Domid(1);
    /// The simulated guest, by its own number.
    pub const GUEST: Domid = Domid(2);
    /// Whoever calls.
    pub const SELF: Domid = Domid(0x7ff0);
    /// The owner of what is no RAM.
    pub const IO: Domid = Domid(0x7ff1);
    /// Xen.
    pub const XEN: Domid = Domid(0x7ff2);
}

/// Whom an `mmu_update` is about: its `foreigndom`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Whose page tables are changed, by number; `None` stands for the caller's.
    pub tables: Option<Domid>,
    /// Whose frames go into them.
    pub frames: Domid,
}

impl From<Domid> for Foreign {
    fn from(frames: Domid) -> Self {
        Self {
            tables: None,
            frames,
        }
    }
}

/// As it stands in the register: one more than the number of the tables' owner, or 0, above bit 16.
impl From<u32> for Foreign {
    fn from(register: u32) -> Self {
        let [tables, frames] = [register >> 16, register].map(|half| half as u16);
        Self {
            tables: tables.checked_sub(1).map(Domid),
            frames: Domid(frames),
        }
    }
}

/// Whose frames the guest's call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owns {
    /// Its own.
    Guest,
    /// Those that are no RAM.
    Io,
    /// Another domain's, which a guest has no right to.
    Other,
}

impl Owns {
    /// Who a number means. A domain may not name itself by its own number.
    pub(super) fn of(domid: Domid) -> Result<Self, Errno> {
        match domid {
            Domid::SELF => Ok(Owns::Guest),
            Domid::IO => Ok(Owns::Io),
            Domid::XEN | Domid::DOM0 | Domid::NEIGHBOUR => Ok(Owns::Other),
            _ => Err(Errno::Srch),
        }
    }

    /// Who a number means where it is looked up as it is, and stands for nobody else: the owner of page
    /// tables in [`Foreign`], and of a reservation. A domain may use its own.
    pub(super) fn by_number(domid: Domid) -> Result<Self, Errno> {
        match domid {
            Domid::GUEST => Ok(Owns::Guest),
            Domid::DOM0 | Domid::NEIGHBOUR => Ok(Owns::Other),
            _ => Err(Errno::Srch),
        }
    }

    /// That it is the guest itself: all that it has a right to.
    pub(super) fn own(self) -> Result<(), Errno> {
        match self {
            Owns::Guest => Ok(()),
            Owns::Io | Owns::Other => Err(Errno::Perm),
        }
    }

    /// Who the frames belong to.
    pub(super) fn owner(self) -> Owner {
        match self {
            Owns::Guest => Owner::Guest,
            Owns::Io => Owner::NoRam,
            Owns::Other => Owner::Foreign,
        }
    }
}
