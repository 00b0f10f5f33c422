//! A scheme like `percpu`, whole or with one fault: the faults must be found.

use crate::backend::{Atomic, Backend};
use crate::primitive::{Gate, Shut, Slots};
use crate::scheme::{Claims, Describe, Free, Full, Reader, Scheme, Size, Translate};
use std::cell::Cell;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::atomic::Ordering::SeqCst;

/// Whom the suspender waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drains {
    /// Everybody: no fault.
    Everybody,
    /// Nobody: it shuts the gate and goes on.
    Nobody,
    /// The slots below the highest ever claimed, a mark that it read before it shut the gate.
    BelowAnOldMark,
    /// Those that were registered before it shut the gate.
    WhoWasRegistered,
}

/// What is planted.
pub(super) trait Plant: Debug + Send + Sync + 'static {
    const DRAINS: Drains = Drains::Everybody;
    /// A hold ends as soon as it has begun, before the MFN is used.
    const ENDS_AT_ONCE: bool = false;
    /// What the suspender does when it has exclusivity, which it should not.
    fn when_exclusive<B: Backend>(_word: &B::U64) {}
    /// The gate stays shut after a suspend.
    const NEVER_OPENS: bool = false;
}

#[derive(Debug)]
pub(super) struct Whole;
impl Plant for Whole {}

#[derive(Debug)]
pub(super) struct DrainsNobody;
impl Plant for DrainsNobody {
    const DRAINS: Drains = Drains::Nobody;
}

#[derive(Debug)]
pub(super) struct OldMark;
impl Plant for OldMark {
    const DRAINS: Drains = Drains::BelowAnOldMark;
}

#[derive(Debug)]
pub(super) struct LateRegistrant;
impl Plant for LateRegistrant {
    const DRAINS: Drains = Drains::WhoWasRegistered;
}

#[derive(Debug)]
pub(super) struct EndsAtOnce;
impl Plant for EndsAtOnce {
    const ENDS_AT_ONCE: bool = true;
}

#[derive(Debug)]
pub(super) struct NeverOpens;
impl Plant for NeverOpens {
    const NEVER_OPENS: bool = true;
}

#[derive(Debug)]
pub(super) struct Panics;
impl Plant for Panics {
    fn when_exclusive<B: Backend>(_: &B::U64) {
        panic!("a scheme's own assertion");
    }
}

#[derive(Debug)]
pub(super) struct Spins;
impl Plant for Spins {
    fn when_exclusive<B: Backend>(word: &B::U64) {
        while word.load(SeqCst) != u64::MAX {}
    }
}

#[derive(Debug)]
pub(super) struct Planted<B: Backend, P> {
    gate: Gate<B>,
    counts: Slots<B, Count<B>>,
    mark: B::U64,
    plant: PhantomData<P>,
}

#[derive(Debug)]
struct Count<B: Backend> {
    holds: B::U64,
    registered: B::U64,
}

impl<B: Backend, P> Describe for Planted<B, P> {
    const NAME: &'static str = "planted";
    const PRECEDENT: &'static str = "none: a fault";
    const CLAIMS: Claims = Claims {
        holds: true,
        nests: true,
        bounded_wait: true,
        sleeps_in_hold: true,
        snapshot_free_of_writes: false,
        needs_quiescence: false,
        suspends_alone: true,
        drop_ends_leaks: false,
    };
}

#[derive(Debug)]
pub(super) struct PlantedReader<'s, B: Backend, P> {
    scheme: &'s Planted<B, P>,
    slot: usize,
    not_sync: PhantomData<Cell<()>>,
}

#[derive(Debug)]
pub(super) struct PlantedSuspended<'r, B: Backend> {
    _shut: Option<Shut<'r, B>>,
}

impl<B: Backend> Translate for PlantedSuspended<'_, B> {
    type Hold<'h>
        = Free
    where
        Self: 'h;

    fn hold(&self) -> Free {
        Free
    }
}

#[derive(Debug)]
pub(super) struct PlantedHold<'h, B: Backend>(Option<&'h B::U64>);

impl<B: Backend, P: Plant> Scheme<B> for Planted<B, P> {
    type Reader<'s> = PlantedReader<'s, B, P>;

    fn new(size: Size) -> Self {
        Self {
            gate: Gate::new(false),
            counts: Slots::new(size.readers, || Count {
                holds: B::U64::new(0),
                registered: B::U64::new(0),
            }),
            mark: B::U64::new(0),
            plant: PhantomData,
        }
    }

    fn reader(&self) -> Result<PlantedReader<'_, B, P>, Full> {
        let slot = self.counts.claim()?;
        self.counts.get(slot).registered.store(1, SeqCst);
        let mut mark = self.mark.load(SeqCst);
        while mark <= slot as u64 {
            let next = slot as u64 + 1;
            match self.mark.compare_exchange(mark, next, SeqCst, SeqCst) {
                Ok(_) => break,
                Err(now) => mark = now,
            }
        }
        Ok(PlantedReader {
            scheme: self,
            slot,
            not_sync: PhantomData,
        })
    }
}

impl<B: Backend, P> Drop for PlantedReader<'_, B, P> {
    fn drop(&mut self) {
        let counts = &self.scheme.counts;
        counts.get(self.slot).registered.store(0, SeqCst);
        counts.release(self.slot);
    }
}

impl<B: Backend, P: Plant> Translate for PlantedReader<'_, B, P> {
    type Hold<'h>
        = PlantedHold<'h, B>
    where
        Self: 'h;

    fn hold(&self) -> PlantedHold<'_, B> {
        let holds = &self.scheme.counts.get(self.slot).holds;
        while holds.fetch_add(1, SeqCst) == 0 && self.scheme.gate.closed() {
            holds.fetch_sub(1, SeqCst);
            self.scheme.gate.wait();
        }
        let hold = PlantedHold::<B>(Some(holds));
        match P::ENDS_AT_ONCE {
            true => PlantedHold(None),
            false => hold,
        }
    }
}

impl<B: Backend> Drop for PlantedHold<'_, B> {
    fn drop(&mut self) {
        if let Some(holds) = self.0 {
            holds.fetch_sub(1, SeqCst);
        }
    }
}

impl<B: Backend, P: Plant> Reader for PlantedReader<'_, B, P> {
    type Suspended<'r>
        = PlantedSuspended<'r, B>
    where
        Self: 'r;

    fn suspend(&mut self) -> PlantedSuspended<'_, B> {
        let scheme = self.scheme;
        let counts = || scheme.counts.iter();
        let waits: Vec<bool> = match P::DRAINS {
            Drains::Everybody => counts().map(|_| true).collect(),
            Drains::Nobody => counts().map(|_| false).collect(),
            Drains::BelowAnOldMark => {
                let mark = scheme.mark.load(SeqCst);
                (0..counts().count() as u64).map(|at| at < mark).collect()
            }
            Drains::WhoWasRegistered => counts().map(|c| c.registered.load(SeqCst) == 1).collect(),
        };
        let shut = scheme.gate.close();
        for (count, _) in counts().zip(waits).filter(|(_, waits)| *waits) {
            let mut turn = 0;
            while count.holds.load(SeqCst) != 0 {
                B::relax(turn);
                turn += 1;
            }
        }
        P::when_exclusive::<B>(&scheme.mark);
        if P::NEVER_OPENS {
            std::mem::forget(shut);
            return PlantedSuspended { _shut: None };
        }
        PlantedSuspended { _shut: Some(shut) }
    }
}
