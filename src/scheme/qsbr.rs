//! `qsbr`: a hold costs nothing; a reader says at quiescent points that it has none.
//!
//! A reader that is registered counts as holding, from one call of [`Reader::quiescent`] to the next. That
//! call looks at the gate, and if a suspend is under way the reader goes offline and sleeps until it is over.
//! The suspender shuts the gate, and waits until every reader is offline. So a hold is no instruction at all,
//! and not even its end is seen: a suspend waits for the **next quiescent point** of every reader, and if one
//! never comes (a forgotten call, a long loop, a reader that sleeps) it waits for ever, or until that
//! reader is dropped.
//!
//! A quiescent point costs one load of a word that nobody writes. Where to put them is the price: at every
//! return to user mode and in every idle loop of a kernel.
//!
//! # Reader against suspender
//!
//! | reader that comes online | suspender |
//! |---|---|
//! | `online.store(1)` | `gate.close()` |
//! | `fence(SeqCst)` | `fence(SeqCst)` |
//! | `gate.clear()` | `online.load()` |
//!
//! The two fences have an order. If the reader's is first, the suspender sees it online, and waits for its next
//! quiescent point. If the suspender's is first, the reader sees the gate shut, goes offline again, and
//! sleeps. A reader that is online already needs no fence: it is waited for, whatever it sees.
//!
//! Source: Linux `stop_machine` behind the freezer, which is how Linux suspends a Xen guest; JVM
//! safepoints; the quiescent points of liburcu's qsbr flavour, which, unlike this, waits for a grace
//! period and excludes nobody.

use super::{Alone, Claims, Describe, Full, Reader, Scheme, Size, Translate};
use crate::backend::{Atomic, Backend};
use crate::primitive::{Gate, Shut, Slots, drain};
use core::cell::Cell;
use core::marker::PhantomData;
use core::sync::atomic::Ordering::{Relaxed, Release, SeqCst};

/// May hold at any time.
const ONLINE: u64 = 1;
/// Holds nothing, and will not before it has looked at the gate.
const OFFLINE: u64 = 0;

/// A word a reader, and a gate.
#[derive(Debug)]
pub struct Qsbr<B: Backend> {
    gate: Gate<B>,
    /// [`ONLINE`] or [`OFFLINE`]; written by its reader only.
    online: Slots<B, B::U64>,
}

impl<B: Backend> Describe for Qsbr<B> {
    const NAME: &'static str = "qsbr";
    const PRECEDENT: &'static str =
        "Linux stop_machine and freezer, JVM safepoints: quiescent points, nothing per hold";
    const CLAIMS: Claims = Claims {
        holds: true,
        nests: true,
        bounded_wait: false,
        sleeps_in_hold: true,
        snapshot_free_of_writes: true,
        needs_quiescence: true,
        suspends_alone: true,
        drop_ends_leaks: true,
    };
}

/// A registered reader, online but while it waits.
#[derive(Debug)]
pub struct QsbrReader<'s, B: Backend> {
    scheme: &'s Qsbr<B>,
    slot: usize,
    /// The same slot's word, so that it need not be looked up.
    online: &'s B::U64,
    not_sync: PhantomData<Cell<()>>,
}

/// A hold. It says only that the reader is not at a quiescent point, which its borrow sees to.
#[derive(Debug)]
#[must_use = "dropping the guard ends the hold"]
pub struct QsbrHold<'h>(PhantomData<&'h ()>);

/// All readers offline; its own comes online again before the gate opens.
#[derive(Debug)]
#[must_use = "dropping it resumes"]
pub struct Offline<'r, B: Backend> {
    online: &'r B::U64,
    #[allow(dead_code)]
    shut: Shut<'r, B>,
}

impl<B: Backend> Scheme<B> for Qsbr<B> {
    type Reader<'s> = QsbrReader<'s, B>;

    fn new(size: Size) -> Self {
        Self {
            gate: Gate::new(false),
            online: Slots::new(size.readers, || B::U64::new(OFFLINE)),
        }
    }

    /// Sleeps while a suspend is under way: a registered reader may hold.
    fn reader(&self) -> Result<QsbrReader<'_, B>, Full> {
        let slot = self.online.claim()?;
        let reader = QsbrReader {
            scheme: self,
            slot,
            online: self.online.get(slot),
            not_sync: PhantomData,
        };
        reader.come_online();
        Ok(reader)
    }
}

impl<B: Backend> Drop for QsbrReader<'_, B> {
    fn drop(&mut self) {
        self.go_offline();
        self.scheme.online.release(self.slot);
    }
}

impl<B: Backend> QsbrReader<'_, B> {
    fn come_online(&self) {
        loop {
            self.online.store(ONLINE, Relaxed);
            // ORDERING: SeqCst pairs with the fence in `suspend`; both orders are argued above.
            B::fence(SeqCst);
            if self.scheme.gate.clear() {
                return;
            }
            self.go_offline();
            self.scheme.gate.wait();
        }
    }

    fn go_offline(&self) {
        // ORDERING: Release pairs with the Acquire in `drain`: whoever sees us offline sees all that our
        // holds did. If the suspender looks first, it sees us online, and looks again.
        self.online.store(OFFLINE, Release);
    }

    #[cold]
    fn stop(&self) {
        self.go_offline();
        self.scheme.gate.wait();
        self.come_online();
    }
}

impl<B: Backend> Translate for QsbrReader<'_, B> {
    type Hold<'h>
        = QsbrHold<'h>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> QsbrHold<'_> {
        QsbrHold(PhantomData)
    }
}

impl<B: Backend> Reader for QsbrReader<'_, B> {
    type Suspended<'r>
        = Alone<Offline<'r, B>>
    where
        Self: 'r;

    fn suspend(&mut self) -> Alone<Offline<'_, B>> {
        // Before the gate: another suspender may have it shut, and wait for us.
        self.go_offline();
        let scheme = self.scheme;
        let shut = scheme.gate.close();
        // ORDERING: SeqCst pairs with the fence in `come_online`; both orders are argued above.
        B::fence(SeqCst);
        drain::<B>(scheme.online.iter(), |online| online == OFFLINE);
        Alone(Offline {
            online: self.online,
            shut,
        })
    }

    #[inline]
    fn quiescent(&mut self) {
        if !self.scheme.gate.clear() {
            self.stop();
        }
    }
}

impl<B: Backend> Drop for Offline<'_, B> {
    fn drop(&mut self) {
        // Relaxed: the gate opens after it, with Release, and whoever shuts it next sees it.
        self.online.store(ONLINE, Relaxed);
    }
}
