//! What reaching other pmaps' tables costs, counted act by act; and who reached them.
//!
//! Acts are counted where they are done, so that a price can be put on each afterwards.

use crate::backend::{Atomic, Backend};
use core::array;
use core::ops::AddAssign;
use core::sync::atomic::Ordering::Relaxed;

/// Something that costs time on a real machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Act {
    /// A load of an entry through the page tables, or of a pmap from its list.
    Read,
    /// Into Xen and back.
    Hypercall,
    /// One entry of an `mmu_update`.
    Update,
    /// Another root in cr3.
    Load,
    /// This CPU's TLB flushed, or a page of it.
    Flush,
    /// All CPUs' TLBs flushed: an interrupt to each, and its answer.
    Shootdown,
    /// A page fault in the kernel.
    Fault,
}

impl Act {
    /// All of them, in order.
    pub const ALL: [Act; 7] = [
        Act::Read,
        Act::Hypercall,
        Act::Update,
        Act::Load,
        Act::Flush,
        Act::Shootdown,
        Act::Fault,
    ];
}

/// How often each act was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work([u64; Act::ALL.len()]);

impl Work {
    /// `times` acts more.
    pub fn did(&mut self, act: Act, times: u64) {
        self.0[act as usize] += times;
    }

    /// How often an act was done.
    pub fn of(&self, act: Act) -> u64 {
        self.0[act as usize]
    }
}

impl AddAssign for Work {
    fn add_assign(&mut self, more: Self) {
        for (sum, more) in self.0.iter_mut().zip(more.0) {
            *sum += more;
        }
    }
}

/// Who has to do with the alternate slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum User {
    /// `pmap_extract`.
    Extract,
    /// `pmap_enter`.
    Enter,
    /// `pmap_remove`.
    Remove,
    /// `pmap_protect`.
    Protect,
    /// `pmap_destroy`: it looks for slots that name what goes away.
    Destroy,
    /// The suspend.
    Save,
}

impl User {
    /// All of them, in order.
    pub const ALL: [User; 6] = [
        User::Extract,
        User::Enter,
        User::Remove,
        User::Protect,
        User::Destroy,
        User::Save,
    ];
}

/// What was done with the slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Touch {
    /// It named the right pmap already.
    Hit,
    /// It was empty, and was set.
    Set,
    /// It named another pmap, and was set.
    Replaced,
    /// It was emptied.
    Cleared,
    /// Xen would not have it set.
    Refused,
}

const TOUCHES: usize = Touch::Refused as usize + 1;

/// How often each user touched the slot.
#[derive(Debug)]
pub(super) struct Users<B: Backend>([[B::U64; TOUCHES]; User::ALL.len()]);

impl<B: Backend> Default for Users<B> {
    fn default() -> Self {
        Self(array::from_fn(|_| array::from_fn(|_| B::U64::new(0))))
    }
}

impl<B: Backend> Users<B> {
    pub(super) fn count(&self, user: User, touch: Touch, times: u64) {
        self.0[user as usize][touch as usize].fetch_add(times, Relaxed);
    }

    pub(super) fn of(&self, user: User, touch: Touch) -> u64 {
        self.0[user as usize][touch as usize].load(Relaxed)
    }
}
