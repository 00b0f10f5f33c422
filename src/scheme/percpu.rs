//! `percpu`: every reader counts its holds in a word of its own; the suspender shuts a gate.
//!
//! An outermost hold stores to its own word, executes one full fence, and looks at the gate. On x86 one
//! exchange is both, and the whole cost: that of one `lock`-prefixed instruction. No shared word is
//! written, so it scales. Inner holds only count. The suspender shuts the gate, executes one full fence,
//! and waits for each count to become 0.
//!
//! # Reader against suspender
//!
//! | reader | suspender |
//! |---|---|
//! | `count.store_mb(1)`: a store, | `gate.close()` |
//! | and a full fence | `fence(SeqCst)` |
//! | `gate.clear()` | `count.load()` |
//!
//! The two fences have an order. If the reader's is first, the suspender's load sees the 1, and waits
//! for it to go, or what the reader stored later, when it has gone. If the suspender's is first, the
//! reader sees the gate shut, takes its 1 back, and sleeps, or it sees it opened again, by that very
//! suspender or a later one. Either way they are never both inside.
//!
//! Source: Concurrency Kit `ck_brlock`; Dekker's handshake.

use super::{Alone, Claims, Describe, Full, Reader, Scheme, Size, Translate};
use crate::backend::Backend;
use crate::primitive::{Count, Counts, Gate, Shut};
use core::sync::atomic::Ordering::SeqCst;

/// A count a reader, and a gate.
#[derive(Debug)]
pub struct PerCpu<B: Backend> {
    gate: Gate<B>,
    counts: Counts<B, ()>,
}

impl<B: Backend> Describe for PerCpu<B> {
    const NAME: &'static str = "percpu";
    const PRECEDENT: &'static str = "Concurrency Kit ck_brlock: own counter, SeqCst fence, gate";
    const CLAIMS: Claims = Claims {
        holds: true,
        nests: true,
        bounded_wait: true,
        sleeps_in_hold: true,
        snapshot_free_of_writes: false,
        needs_quiescence: false,
        suspends_alone: true,
        drop_ends_leaks: true,
    };
}

/// A registered reader.
#[derive(Debug)]
pub struct PerCpuReader<'s, B: Backend> {
    scheme: &'s PerCpu<B>,
    count: Count<'s, B, ()>,
}

/// A hold.
#[derive(Debug)]
#[must_use = "dropping the guard ends the hold"]
pub struct PerCpuHold<'h, B: Backend>(&'h PerCpuReader<'h, B>);

impl<B: Backend> Scheme<B> for PerCpu<B> {
    type Reader<'s> = PerCpuReader<'s, B>;

    fn new(size: Size) -> Self {
        Self {
            gate: Gate::new(false),
            counts: Counts::new(size.readers, || ()),
        }
    }

    fn reader(&self) -> Result<PerCpuReader<'_, B>, Full> {
        Ok(PerCpuReader {
            scheme: self,
            count: self.counts.claim()?,
        })
    }
}

impl<B: Backend> Translate for PerCpuReader<'_, B> {
    type Hold<'h>
        = PerCpuHold<'h, B>
    where
        Self: 'h;

    #[inline]
    fn hold(&self) -> PerCpuHold<'_, B> {
        self.count.begin_fenced(&self.scheme.gate);
        PerCpuHold(self)
    }
}

impl<B: Backend> Drop for PerCpuHold<'_, B> {
    #[inline]
    fn drop(&mut self) {
        self.0.count.end();
    }
}

impl<B: Backend> Reader for PerCpuReader<'_, B> {
    type Suspended<'r>
        = Alone<Shut<'r, B>>
    where
        Self: 'r;

    fn suspend(&mut self) -> Alone<Shut<'_, B>> {
        assert!(!self.count.holds(), "a guard of this reader was leaked");
        let scheme = self.scheme;
        let shut = scheme.gate.close();
        // ORDERING: SeqCst pairs with the fence of a hold; both orders are argued above.
        B::fence(SeqCst);
        scheme.counts.drain();
        Alone(shut)
    }

    fn try_suspend(&mut self) -> Option<Alone<Shut<'_, B>>> {
        let scheme = self.scheme;
        let shut = scheme.gate.try_close()?;
        // ORDERING: SeqCst pairs with the fence of a hold, as that of `suspend` does.
        B::fence(SeqCst);
        scheme.counts.all_zero().then(|| Alone(shut))
    }
}
