//! Live migration: a stream that is written while its guest runs, and is finished on another host.
//!
//! Pre-copy, then stop and copy. Round 1 sends every page, each later one those that were written since
//! the one before began (log-dirty mode), until few are left or rounds enough were made. Then
//! the guest is suspended, and the last round sends the rest: what is still dirty, and what was **put
//! off**. A page table is put off, and said to be no page for now, when an entry of it does not resolve:
//! while the guest runs that is no wonder, it may be half-way through an update, or have shared_info
//! mapped. So is a PFN without a frame; but not one whose frame is none of the guest's. In the last round
//! nothing is put off any more: a table that does not resolve there is dropped, and nobody told.
//!
//! The P2M list is guest memory, but lies outside a simulated guest's pages: it is sent in round 1 as it is
//! then. The restorer writes it anew in any case.
//!
//! Who writes what: the guest its pages, with a mark after each write; a round takes the marks, then
//! reads the pages. A page that is written in between is marked again, and sent again.
//!
//! Here the restorer begins when the last round is done; on real Xen it follows the stream, so that its
//! work on all rounds but the last is not part of the downtime.
//!
//! Source: `xg_sr_save.c`, `write_batch`; that a table is dropped in the last round, Xen 4.17 itself.

use super::reader::Stream;
use super::records::PageType;
use super::saved::P2mList;
use super::state::State;
use super::writer::batches;
use crate::backend::Backend;
use crate::scheme::{Reader, Scheme, Translate};
use crate::xen::dirty::PfnSet;
use crate::xen::guest::Guest;
use crate::xen::host::Host;
use crate::xen::image::Contents;
use crate::xen::machine::{Suspended, Vcpu};
use crate::xen::populate::Mode;
use crate::xen::restore::{Outcome, Register};
use crate::xen::save::Failed;
use alloc::vec::Vec;
use core::{mem, ptr};

/// Rounds before the guest is suspended, at most: `SPP_MAX_ITERATIONS`.
pub const MAX_ROUNDS: usize = 5;
/// With fewer dirty pages than this the round is the last one before: `SPP_TARGET_DIRTY_COUNT`.
pub const TARGET_DIRTY: u64 = 50;

/// What a round sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// PFNs in its batches: those that were dirty.
    pub dirty: u64,
    /// Of these, pages whose contents went over the wire.
    pub sent: u64,
    /// Of these, tables with an entry that does not resolve: put off, or in the last round dropped.
    pub unresolved: u64,
    /// Of these, PFNs without a frame of the guest's.
    pub empty: u64,
}

/// A migration whose guest still runs. Dropping it gives it up.
///
/// The guest's writes are logged while it lives.
#[derive(Debug)]
pub struct Precopy<'m, B: Backend> {
    guest: &'m Guest<B>,
    state: State<'static>,
    list: P2mList,
    stream: Vec<u8>,
    /// What the next round sends.
    dirty: PfnSet,
    /// What the last round sends besides.
    put_off: PfnSet,
    rounds: Vec<Round>,
}

/// A migration that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// What the suspend hypercall returned.
    pub outcome: Outcome,
    /// The rounds, the last one with the guest suspended.
    pub rounds: Vec<Round>,
    /// Length of the stream.
    pub octets: u64,
}

impl<B: Backend> Guest<B> {
    /// A second machine like the one that the guest is on, for it to be migrated to. Whatever it was
    /// migrated from is empty, and can be the next one's target.
    pub fn another_host(&self) -> Host<B> {
        self.host.another()
    }
}

impl<'m, B: Backend, S: Scheme<B>> Vcpu<'m, B, S> {
    /// Begins a live migration of the guest, in which this vCPU's thread plays the tools: all others
    /// run on, and it may itself between rounds. Pauses the guest for the moment in which the log of
    /// writes is switched on.
    ///
    /// # Errors
    /// [`Failed::Logged`] while another migration of this guest is under way.
    pub fn precopy(&mut self) -> Result<Precopy<'m, B>, Failed> {
        let cpu = self.cpu_mut();
        let guest = cpu.guest;
        let paused = cpu.runs.suspend();
        let logged = guest.host.dirty.switch(true);
        drop(paused);
        if logged {
            return Err(Failed::Logged);
        }
        let state = guest.static_state();
        let mut stream = Vec::new();
        state.begin(&mut stream);
        Ok(Precopy {
            guest,
            list: P2mList::of(&state),
            dirty: PfnSet::all(state.pages),
            state,
            stream,
            put_off: PfnSet::default(),
            rounds: Vec::new(),
        })
    }
}

impl<B: Backend> Precopy<'_, B> {
    /// One round, while the guest runs; returns whether another is to follow. If none is, suspend the
    /// guest and call [`Suspended::migrate`].
    ///
    /// Costs a copy of every page that it sends.
    pub fn round(&mut self) -> bool {
        let few = self.dirty.len() < TARGET_DIRTY;
        self.send();
        if few || self.rounds.len() >= MAX_ROUNDS {
            return false;
        }
        self.dirty = self.guest.host.dirty.clean(self.state.pages);
        true
    }

    /// The rounds so far.
    pub fn rounds(&self) -> &[Round] {
        &self.rounds
    }

    /// The bitmap is taken, and thrown away: what was written since the last round began will not be
    /// sent again, unless it is written again. What a second user of the log does to a migration; tests
    /// show with it that they would find a mark that is missing.
    pub fn lose_dirty(&self) {
        self.guest.host.dirty.clean(self.state.pages);
    }

    /// Sends what is dirty.
    fn send(&mut self) {
        let dirty = mem::take(&mut self.dirty);
        let mut round = Round {
            dirty: dirty.len(),
            ..Round::default()
        };
        let (guest, list, put_off) = (self.guest, &self.list, &mut self.put_off);
        batches(dirty.iter(), &mut self.stream, |pfn, to| {
            let page = guest.page(pfn);
            let kind = guest.put(list, pfn, page.as_ref(), to);
            let contents = page.map(|page| page.contents);
            let lost = matches!(contents, Some(Contents::Lost));
            let none = kind == PageType::XTab && contents.is_none();
            round.unresolved += u64::from(lost);
            round.empty += u64::from(kind == PageType::XTab && !lost);
            round.sent += u64::from(kind.has_contents());
            if lost || none {
                put_off.insert(pfn);
            }
            kind
        });
        self.rounds.push(round);
    }

    /// The last round, and what comes after the pages. The guest is paused.
    fn finish(&mut self) -> Result<Vec<u8>, Failed> {
        let roots = self.guest.roots()?;
        self.dirty
            .extend(&self.guest.host.dirty.clean(self.state.pages));
        self.dirty.extend(&self.put_off);
        self.send();
        let state = self.guest.with_vcpus(self.state.clone(), &roots)?;
        let mut stream = mem::take(&mut self.stream);
        state.end(&mut stream);
        Ok(stream)
    }
}

impl<B: Backend> Drop for Precopy<'_, B> {
    fn drop(&mut self) {
        self.guest.host.dirty.switch(false);
    }
}

impl<B: Backend, W: Translate> Suspended<'_, '_, B, W> {
    /// As [`hypercall_by`](Self::hypercall_by), at the end of a live migration: sends the last round,
    /// `carry` brings the stream to the other side, and the guest that came out there goes on on the
    /// machine `to`. With [`Mode::Cancelled`] it goes on here.
    ///
    /// # Errors
    /// As [`hypercall_by`](Self::hypercall_by); [`Failed::OtherGuest`] also if `precopy` is of another
    /// guest. One that was not saved is still here.
    ///
    /// # Panics
    /// If `to` is not of this machine's size.
    pub fn migrate(
        &mut self,
        start_info: Register,
        mut precopy: Precopy<'_, B>,
        mode: Mode,
        to: &Host<B>,
        carry: impl FnOnce(Vec<u8>) -> Vec<u8>,
    ) -> Result<Migrated, Failed> {
        let guest = self.cpu.guest;
        assert!(guest.host.is_like(to), "hosts of two sizes");
        let _paused = self.cpu.runs.suspend();
        guest.look_around();
        guest.suspended_with(start_info);
        guest.check_register(start_info.raw())?;
        if !ptr::eq(precopy.guest, guest) {
            return Err(Failed::OtherGuest);
        }
        let carried = carry(precopy.finish()?);
        let mut migrated = Migrated {
            outcome: Outcome::Cancelled,
            rounds: mem::take(&mut precopy.rounds),
            octets: carried.len() as u64,
        };
        drop(precopy);
        if mode == Mode::Cancelled {
            return Ok(migrated);
        }
        let stream = Stream::read(&carried).map_err(Failed::Stream)?;
        let image = guest.image(&stream)?;
        let restored = guest.restore(image, mode, Some(to));
        to.vacate();
        restored?;
        let lost_tables = migrated.rounds.last().map_or(0, |last| last.unresolved);
        migrated.outcome = Outcome::Resumed { lost_tables };
        Ok(migrated)
    }
}
